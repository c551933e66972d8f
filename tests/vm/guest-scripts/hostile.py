# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile.py DOOR NUMBER: whatever a client may do to a broker, by several processes, each killed at random

What one of them is allowed to do is told by the wire (see wire_judge.py); what is carried out although it may not
be is told here. Chips 0x50 to 0x53 are the first one's, 0x54 to 0x57 the second's.
"""

import array
import multiprocessing
import os
import random
import signal
import socket
import struct
import sys
import time

TRANSFER, INFO, STATUS, MONITOR, RELEASE = 1, 2, 3, 6, 7
QUICK, BYTE, BYTE_DATA, BLOCK, I2C_BLOCK, I2C = 0, 1, 2, 5, 8, 16
REASON_BUS, STOPPING = 1, 10
door, user = sys.argv[1], int(sys.argv[2])
FIRST_CHIP = 0x50 + 4 * (user - 1)


def connect():
    while True:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            peer.connect(door)
            return peer
        except OSError:
            peer.close()
            time.sleep(0.01)


def header(opcode=TRANSFER, count=0, length=0, version=1, context=0):
    return struct.pack("=HHIIHH", version, opcode, 7, context, count, length)


def operation(kind, read, address, command, length):
    return struct.pack("=BBBBHBB", kind, read, address, command, length, 0, 0)


def writes(chip, command, values):
    """Four bytes each, high byte first, by which the wire tells their order"""
    data = b"".join(struct.pack(">I", value) for value in values)
    return header(count=len(values), length=len(data)) + operation(I2C_BLOCK, 0, chip, command, 4) * len(values) + data


def reason(reply):
    return struct.unpack_from("=HH", reply)[1]


# ---- what they do; each until it is killed, or its connection ends; sent counts ----


def flood(sent, counters):
    peer = connect()
    while True:
        counters["flood"].value += 1
        peer.send(writes(FIRST_CHIP, 1, [counters["flood"].value]))
        if not peer.recv(4096):
            peer = connect()
        sent.value += 1


def batches(sent, counters):
    """Twenty connections of which each waits for a batch of 64"""
    peers = [connect() for _ in range(20)]
    while True:
        for peer in peers:
            peer.send(header(count=64, length=128) + operation(3, 0, FIRST_CHIP + 1, 2, 2) * 64 + bytes(128))
        for peer in peers:
            if not peer.recv(4096):
                return
            sent.value += 64


def numbered_batches(sent, counters):
    peer = connect()
    while True:
        first = counters["batches"].value + 1
        counters["batches"].value += 64
        peer.send(writes(FIRST_CHIP + 2, 3, range(first, first + 64)))
        if not peer.recv(4096):
            return
        sent.value += 64


def slow_reader(sent, counters):
    """Asks and asks, and takes no reply"""
    peer = connect()
    while True:
        peer.send(header(count=1) + operation(BLOCK, 1, FIRST_CHIP + 3, 4, 33))
        sent.value += 1


def half_open(sent, counters):
    """As many connections as there may be, and more, which say nothing or have nothing more to say"""
    peers = []
    while True:
        peers.append(connect())
        sent.value += 1
        if random.random() < 0.3:
            peers[-1].shutdown(random.choice((socket.SHUT_WR, socket.SHUT_RD)))
        if len(peers) > 300:
            peers.pop(random.randrange(len(peers))).close()


def connect_flood(sent, counters):
    while True:
        connect().close()
        sent.value += 1


def descriptors(sent, counters):
    read, write = os.pipe()
    while True:
        peer = connect()
        many = array.array("i", random.choices((read, write, peer.fileno()), k=random.choice((1, 2, 50, 200))))
        try:
            peer.sendmsg([header(INFO)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, many)])
            peer.settimeout(5)
            peer.recv(4096)
        except OSError:
            pass
        peer.close()
        sent.value += 1


def malformed(sent, counters):
    while True:
        peer = connect()
        peer.settimeout(5)
        try:
            for _ in range(random.randrange(1, 4)):
                size = random.choice((1, 7, 8, 15, 16, 17, 24, 100, 2640, 2641, 60000))
                peer.send(random.choice((b"", b"\1\0", header(count=1))) + random.randbytes(size))
                peer.recv(4096)
                sent.value += 1
        except OSError:
            pass
        peer.close()


FORBIDDEN = [
    operation(BYTE_DATA, 0, 0x30, 0, 1) + b"x",  # no file has the address
    operation(BYTE_DATA, 1, 0x60, 0, 1),
    operation(BYTE_DATA, 0, 0x50 + 4 * (2 - user), 0x80, 1) + b"x",  # nor the register
    operation(BYTE_DATA, 0, 0x40, 0xFF, 1) + b"x",
    operation(I2C_BLOCK, 0, FIRST_CHIP, 0xF0, 3) + b"xyz",
    operation(QUICK, 0, FIRST_CHIP, 0, 0),
    operation(BYTE, 0, FIRST_CHIP, 0x12, 0),
    operation(I2C, 0, FIRST_CHIP, 0, 4) + b"wxyz",
    operation(I2C, 1, 0x08, 0, 4),
    operation(BYTE_DATA, 1, 0x03, 0, 1),
]


def forbidden(sent, counters):
    peer = connect()
    peer.settimeout(60)
    while True:
        what = random.choice(FORBIDDEN)
        message = header(count=1, length=len(what) - 8) + what
        if random.random() < 0.1:
            message = header(random.choice((STATUS, MONITOR, RELEASE)))
        peer.send(message)
        reply = peer.recv(4096)
        if not reply:
            return
        if reason(reply) in (0, REASON_BUS):
            print(f"carried out: {message.hex()}", flush=True)
        sent.value += 1


def other_versions(sent, counters):
    peer = connect()
    while True:
        peer.send(header(version=random.randrange(2, 65536)))
        if not peer.recv(4096):
            return
        sent.value += 1


ROLES = [flood, batches, numbered_batches, slow_reader, half_open, connect_flood, descriptors, malformed, forbidden,
         other_versions]


# ---- who lets them loose ----


def run(role, sent, counters):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    random.seed()
    while True:
        try:
            role(sent, counters)
        except OSError:
            time.sleep(0.02)  # its connection has ended


def main():
    # without locks, which one that is killed would keep; each is written to by one process at a time
    sent = {role: multiprocessing.RawValue("Q", 0) for role in ROLES}
    counters = {name: multiprocessing.RawValue("I", 0) for name in ("flood", "batches")}
    workers, killed = {}, 0

    def start(role):
        workers[role] = multiprocessing.Process(target=run, args=(role, sent[role], counters), daemon=True)
        workers[role].start()

    for role in ROLES:
        start(role)
    while True:
        time.sleep(random.random())
        role = random.choice(ROLES)
        workers[role].kill()
        workers[role].join()
        killed += 1
        start(role)
        if killed % 5 == 0:
            each = ", ".join(f"{role.__name__} {sent[role].value}" for role in ROLES)
            print(f"sent {each}; killed {killed}", flush=True)


main()
