# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a frame of OpenRGB becomes if one thing of each write is another

mutations.py send DOOR          sends all of them, by the broker's own protocol; prints how many were allowed
mutations.py judge SIM BUS      holds the log of the wire against the device files: nothing but registers of
                                controllers that were recognised there was written
"""

import random
import socket
import struct
import sys

from device_files import on_bus
from wire import TOOLS, Ene, check, expect_eq, note, parse, read_log

KINDS = {"quick": 0, "byte": 1, "byte_data": 2, "word_data": 3, "block_data": 5, "i2c_block": 8, "i2c": 16}
IN_FLIGHT = 32
LENGTHS = {0: 0, 1: 0, 2: 1, 3: 2}


def frame():
    with open(f"{TOOLS}/traces/openrgb-frame.txt") as recording:
        requests = [parse(" ".join(line.split()[2:7])) for line in recording]
    return [(KINDS[it.operation], 0, it.address, it.command[0], it.data) for it in requests]


def mutations(write, rng):
    kind, way, address, command, data = write
    yield from ((kind, way, other, command, data) for other in range(128))
    yield from ((kind, way, address, other, data) for other in range(256))
    for other in KINDS.values():
        length = LENGTHS.get(other, len(data))
        for sent in (data[:length].ljust(length, b"\0"), bytes([command]) + data if other == 16 else data[:length]):
            if len(sent) == LENGTHS.get(other, len(sent)):
                yield (other, way, address, 0 if other in (0, 16) else command, sent)
        yield (other, 1, address, 0 if other in (0, 1, 16) else command, None)
    if kind == KINDS["block_data"]:
        yield from ((kind, way, address, command, rng.randbytes(length)) for length in range(33))
    else:
        edges = [0x0FFF, 0x1000, 0x103F, 0x1040, 0x7FFF, 0x8000, 0x802F, 0x8030, 0x809F, 0x80A0, 0x80A1, 0x80F7]
        edges += [0x80F8, 0x80F9, 0x80FA, 0x80FF, 0x8100, 0x81FF, 0x8200, 0xFFFF, 0x0000]
        for register in edges + [rng.randrange(0x8000, 0x8300) for _ in range(40)] + rng.sample(range(0x10000), 40):
            yield (kind, way, address, command, register.to_bytes(2, "big"))


def pack(operation):
    kind, way, address, command, data = operation
    room = {5: 33, 8: 5, 16: 2}.get(kind, LENGTHS.get(kind, 1)) if way else len(data)
    if way and kind == KINDS["byte"]:
        room = 1
    return struct.pack("=BBBBHBB", kind, way, address, command, room, 0, 0), data or b""


def send(path):
    writes, rng = frame(), random.Random(1)
    asked, allowed, total = [], 0, 0
    for number, write in enumerate(writes):
        is_datum = write[0] == KINDS["block_data"]
        for mutation in mutations(write, rng):
            # a datum has its pointer before it; a pointer its datum behind it, wherever that points then
            if is_datum:
                asked += [(writes[number - 1], False), (mutation, True)]
                continue
            asked += [(mutation, True), ((*writes[number + 1][:2], mutation[2], *writes[number + 1][3:]), False)]
            asked.append(((KINDS["byte_data"], 0, mutation[2], 1, b"\xa0"), False))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(path)
        for first in range(0, len(asked), IN_FLIGHT):
            some = asked[first : first + IN_FLIGHT]
            for operation, _ in some:
                head, data = pack(operation)
                door.send(struct.pack("=HHIIHH", 1, 1, 0, 1, 1, len(data)) + head + data)
            for _, is_mutation in some:
                allowed += (door.recv(4096)[2] == 0) & is_mutation
                total += is_mutation
    print(f"{total} mutated writes, {allowed} of them allowed")


def judge(sim, bus):
    families = on_bus("smbus", bus)
    ene = next(family for family in families if family.name == "ene-dram")
    chips = {address: Ene() for address in ene.addresses}
    outside, written = [], 0
    for transfer in read_log(sim):
        message = transfer.data[0]
        if transfer.ways != "W" or (transfer.result < 0 and len(message) == 1):
            if transfer.address in chips:
                chips[transfer.address].transfer(transfer)
            continue
        detects = any(transfer.address in it.addresses and it.may_detect(message) for it in families)
        if detects and message[:1] not in (b"\0", b"\1", b"\3"):
            continue
        if transfer.address not in chips:
            outside.append(transfer)
            continue
        chip = chips[transfer.address]
        before = len(chip.written)
        chip.transfer(transfer)
        good = all(ene.may_write(*pair) for pair in chip.written[before:])
        written += len(chip.written) - before
        if len(chip.written) == before:
            good = len(message) == 3 and message[0] == 0 and ene.may_point(chip.pointer)
        if not good or transfer.result < 0:
            outside.append(transfer)
    expect_eq("mutated: nothing but the controllers' own registers was written", [], outside[:5])
    check("mutated: and some of those were", written > 0)
    note(f"mutated: {written} bytes on the wire, all in registers that the device file opens")


if __name__ == "__main__":
    {"send": send, "judge": judge}[sys.argv[1]](*sys.argv[2:])
