# SPDX-License-Identifier: LGPL-2.1-or-later
"""random_requests.py DOOR COUNT SEED [writes]: a client that does not ask its library what makes sense

Sends well-formed requests (protocol/wire.h) of all kinds to all addresses, half of them where something is to be
broken; alone, in batches, joined, many before the first answer. With "writes", single writes over all addresses,
all alike. Prints how many of each reason of the broker's came back.
"""

import collections
import random
import socket
import struct
import sys

QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA, I2C_BLOCK, I2C = 0, 1, 2, 3, 5, 8, 16
KINDS = (QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA, I2C_BLOCK, I2C)
REASONS = ("allowed", "bus", "version", "door", "floor", "rule", "unproven", "owned", "claimed", "pointer",
    "stopping", "protocol")
# page select and protection, voltage regulators, SPDs; LED controllers, and what is told to move
HOT = [*range(0x30, 0x38), *range(0x48, 0x50), *range(0x50, 0x58), 0x50, 0x51, 0x48, 0x49, 0x70, 0x72, 0x77, 0x60, 0x61]
POINTERS = [bytes((0x80, low)) for low in (0x00, 0x20, 0xA0, 0xF8, 0xF9, 0xF9)] + [b"\x81\x00", b"\x82\xef"]
IN_FLIGHT = 32

HEADER = struct.Struct("=HHIIHH")
OPERATION = struct.Struct("=BBBBHBB")


class Random(random.Random):
    """Bytes from a pool: what takes the time is not to be this."""

    def start(self):
        self.pool = self.randbytes(1 << 16)

    def bytes_(self, count):
        at = int(self.random() * (len(self.pool) - count))
        return self.pool[at : at + count]

    def below(self, limit):
        return int(self.random() * limit)


def write(rng, kind, address):
    """One operation and its data"""
    length = {BYTE_DATA: 1, WORD_DATA: 2, BLOCK_DATA: rng.below(33), I2C_BLOCK: rng.below(33)}.get(kind, 0)
    if kind == I2C:
        length = rng.below(41)
    command = 0 if kind in (QUICK, I2C) else rng.below(256)
    return OPERATION.pack(kind, 0, address, command, length, 0, 0), rng.bytes_(length)


def read(rng, kind, address):
    length = {QUICK: 0, BLOCK_DATA: 33, WORD_DATA: 2}.get(kind, 1)
    if kind == I2C_BLOCK:
        length = 2 + rng.below(32)
    elif kind == I2C:
        length = rng.below(41)
    command = 0 if kind in (QUICK, BYTE, I2C) else rng.below(256)
    return OPERATION.pack(kind, 1, address, command, length, 0, 0), b""


def anything(rng):
    address = rng.below(128) if rng.random() < 0.5 else HOT[rng.below(len(HOT))]
    return (write if rng.random() < 0.7 else read)(rng, KINDS[rng.below(7)], address)


def through_pointer(rng):
    """As one would move a controller onto an SPD: register, value"""
    address = (0x70, 0x72, 0x77, 0x39, 0x27)[rng.below(5)]
    value = bytes([rng.below(256) if rng.random() < 0.5 else 0xA0 + 2 * rng.below(8)])
    register = POINTERS[rng.below(len(POINTERS))]
    return [
        (OPERATION.pack(WORD_DATA, 0, address, 0, 2, 0, 0), register),
        (OPERATION.pack(BYTE_DATA, 0, address, 1, 1, 0, 0), value),
    ][: 1 + rng.below(2)]


def joined(rng):
    """Plain messages with repeated starts in between: a write, and whatever follows"""
    address = HOT[rng.below(len(HOT))]
    parts = []
    for left in (1, 0):
        data = rng.bytes_(1 + rng.below(4))
        way = int(rng.random() < 0.5)
        parts.append((OPERATION.pack(I2C, way, address, 0, len(data), left, 0), b"" if way else data))
    return parts


def operations(rng):
    chance = rng.random()
    if chance < 0.75:
        return [anything(rng)]
    if chance < 0.85:
        return through_pointer(rng)
    if chance < 0.95:
        return joined(rng)
    return [anything(rng) for _ in range(2 + rng.below(7))]


def request(rng, parts):
    data = b"".join(part[1] for part in parts)
    header = HEADER.pack(1, 1, 0, 1 + rng.below(4), len(parts), len(data))
    return header + b"".join(part[0] for part in parts) + data


def main():
    path, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    only_writes = sys.argv[4:] == ["writes"]
    rng = Random(seed)
    rng.start()
    answers = collections.Counter()
    in_flight = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(path)
        for _ in range(count):
            if only_writes:
                parts = [write(rng, KINDS[rng.below(7)], rng.below(128))]
            else:
                parts = operations(rng)
            door.send(request(rng, parts))
            in_flight += 1
            while in_flight == IN_FLIGHT:
                answers[door.recv(4096)[2]] += 1
                in_flight -= 1
        for _ in range(in_flight):
            answers[door.recv(4096)[2]] += 1
    print(" ".join(f"{REASONS[reason]}={answers[reason]}" for reason in sorted(answers)))


main()
