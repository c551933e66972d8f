# SPDX-License-Identifier: LGPL-2.1-or-later
"""bad_messages.py DOOR: sends a broker what is no request, one connection each

Prints how many kinds there were, and of each that was answered otherwise than by -EPROTO and the end of the
connection, what came instead.
"""

import array
import errno
import os
import random
import socket
import struct
import sys

TRANSFER, INFO, STATUS = 1, 2, 3
PROTOCOL, VERSION_REASON = 11, 2
BYTE_DATA, BLOCK, I2C = 2, 5, 16
door = sys.argv[1]


def header(opcode=TRANSFER, count=0, length=0, version=1):
    return struct.pack("=HHIIHH", version, opcode, 77, 0, count, length)


def operation(kind=BYTE_DATA, read=1, address=0x40, command=0, length=1, joined=0, earlier=0):
    return struct.pack("=BBBBHBB", kind, read, address, command, length, joined, earlier)


def one(**what):
    data = b"" if what.get("read", 1) else bytes(what.get("length", 1))
    return header(count=1, length=len(data)) + operation(**what) + data


good = header(count=1) + operation()
chance = random.Random(1)
messages = {
    "one byte": b"\1",
    "half a header": header()[:8],
    "a header less a byte": header(INFO)[:15],
    "a header and a byte": header(INFO) + b"\0",
    "a transfer of nothing": header(),
    "an operation missing": header(count=2) + operation(),
    "an operation too many": header(count=1) + 2 * operation(),
    "an operation cut off": good[:-1],
    "65 operations": header(count=65) + 65 * operation(),
    "65535 operations": header(count=65535) + operation(),
    "data missing": header(count=1, length=1) + operation(read=0),
    "data too many": header(count=1, length=1) + operation(read=0) + b"12",
    "data that nobody takes": header(count=1, length=4) + operation() + b"1234",
    "more data than may be": header(count=1, length=2113) + operation() + bytes(2113),
    "no opcode": header(0),
    "the opcode after the last": header(8),
    "the largest opcode": header(65535),
    "operations to INFO": header(INFO, 1) + operation(),
    "an unknown kind": one(kind=3),
    "a process call": one(kind=4, length=2),
    "the kind after the last": one(kind=17),
    "the largest kind": one(kind=255),
    "a third direction": one(read=2),
    "an address of 8 bits": one(address=0x80),
    "a byte of two bytes": one(length=2),
    "a block of 33 bytes": one(kind=BLOCK, read=0, length=33),
    "a message of 1025 bytes": one(kind=I2C, length=1025),
    "a joined byte": one(joined=1),
    "a join to nothing": one(kind=I2C, joined=1),
    "a join of two kinds": header(count=2) + operation(kind=I2C, joined=1) + operation(),
    "nine joined messages": header(count=9) + 8 * operation(kind=I2C, joined=1) + operation(kind=I2C),
    "earlier is neither 0 nor 1": one(earlier=2),
    "a byte more than the largest": bytes([1, 0, 1, 0]) + bytes(16 + 64 * 8 + 2112 - 3),
    "100 kB": good + bytes(100000),
}
for number in range(16):
    messages[f"noise {number}"] = struct.pack("=H", 1) + chance.randbytes(chance.randrange(1, 200))


def connect():
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.settimeout(10)
    peer.connect(door)
    return peer


def answer(peer):
    """Reason and result of the reply, then whether the connection ended."""
    reply = peer.recv(4096)
    _, reason, _, result = struct.unpack_from("=HHIi", reply)
    return reason, result


def ended(peer):
    try:
        return peer.recv(4096) == b""
    except ConnectionResetError:
        return True


def descriptors():
    read, write = os.pipe()
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [read, write]))]


def complain(what, text):
    print(f"{what}: {text}")


def expect_closed(what, send):
    peer = connect()
    send(peer)
    reason, result = answer(peer)
    if (reason, result) != (PROTOCOL, -errno.EPROTO):
        complain(what, f"reason {reason}, result {result}")
    elif not ended(peer):
        complain(what, "the connection goes on")


for what, message in messages.items():
    expect_closed(what, lambda peer: peer.send(message))
expect_closed("descriptors along", lambda peer: peer.sendmsg([good], descriptors()))
expect_closed("200 descriptors along", lambda peer: peer.sendmsg(
    [good], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 200))]))

peer = connect()
peer.send(header(INFO, version=2))
if answer(peer) != (VERSION_REASON, -errno.EPROTO):
    complain("another version", "was not told so")
peer.send(header(INFO))
if answer(peer) != (0, 0):
    complain("another version", "has cost the connection")
print(len(messages) + 2)
