# SPDX-License-Identifier: LGPL-2.1-or-later
"""What both sides do, generated: tools x modes x chips x sizes, and what is wrong with them

A case that differs by design bears the id that the difference has in client-lib/differences.md. The same numbers
give the same cases, in the same order.
"""

import itertools
import os
import random
from dataclasses import dataclass

import i2cdev
from i2cdev import BLOCK, BYTE, BYTE_DATA, I2C_BLOCK, I2C_BROKEN, QUICK, READ, WORD_DATA, WRITE


@dataclass
class Bus:
    """role: what it is for the reader; chips: the address of each kind there is"""

    role: str
    number: int
    name: str
    # "plain": takes plain I2C messages, everything is tried; "stub": SMBus only; "machine": real driver, only read
    kind: str
    chips: dict

    def address(self, kind):
        return hex(self.chips[kind])

    def addresses(self, *left_out):
        return [(kind, hex(address)) for kind, address in self.chips.items() if kind not in left_out]


@dataclass
class Case:
    group: str
    request: tuple  # as agent.py takes it
    differs: str = ""

    @property
    def text(self):
        return " ".join(map(str, self.request[1])) if self.request[0] == "command" else repr(self.request)


RESERVED = 0x05  # what the floor of class custom leaves open begins at 0x08


def tool(name, bus, *arguments, differs="", options=("-y",)):
    words = [name, *options, str(bus.number), *arguments]
    return Case(f"{name} on {bus.role}", ("command", words), differs)


# What differs writes, or moves a chip's pointer, on one side only: at chips of the kind "spare", which nothing else
# reads.

# ---- i2cdetect ----


def detect(bus):
    ranges = [(), ("0x48", "0x57")] if bus.kind == "plain" else [()]
    for mode, limits in itertools.product(((), ("-q",), ("-r",)), ranges):
        yield tool("i2cdetect", bus, *limits, options=("-y", *mode))
    yield tool("i2cdetect", bus, options=("-F",), differs="" if bus.kind == "stub" else "process-call")
    yield tool("i2cdetect", bus, options=("-y", "-a"), differs="policy")
    yield tool("i2cdetect", bus, "0x60", "0x77", options=("-y", "-a"))
    if bus.kind != "plain":
        return
    yield tool("i2cdetect", bus, "0x00", "0x10", options=("-y", "-a", "-q"), differs="policy")
    yield tool("i2cdetect", bus, "0x70", "0x7f", options=("-y", "-a", "-r"), differs="policy")
    yield tool("i2cdetect", bus, options=())
    wrong = ("0x30", "0x20"), ("0x07", "0x20"), ("0x20", "0x78"), ("x", "0x20"), ("0x20",), ("0x20", "0x30", "0x40")
    for limits in wrong:
        yield tool("i2cdetect", bus, *limits)
    yield tool("i2cdetect", bus, options=("-y", "-q", "-r"))


# ---- i2cget ----


def get(bus):
    # QEMU's I801 does not come back from blocks
    modes = ("b", "w", "c") if bus.kind == "machine" else ("b", "w", "c", "s", "i")
    for kind, chip in bus.addresses("spare"):
        yield tool("i2cget", bus, chip)
        for mode in modes:
            yield tool("i2cget", bus, chip, "0x10", mode)
    chip, spare = bus.address("present"), bus.address("spare")
    yield tool("i2cget", bus, spare, "0x10", "bp", differs="pec")
    yield tool("i2cget", bus, spare, "0x10", options=("-f", "-y"), differs="force")
    yield tool("i2cget", bus, bus.address("owned"), "0x10", options=("-f", "-y"), differs="force")
    yield tool("i2cget", bus, hex(RESERVED), "0x10", options=("-y", "-a"), differs="policy")
    if bus.kind != "plain":
        return
    for register, mode in itertools.product(("0x00", "0xff"), modes):
        yield tool("i2cget", bus, chip, register, mode)
    for mode in "wp", "cp":
        yield tool("i2cget", bus, spare, "0x10", mode, differs="pec")
    yield tool("i2cget", bus, chip, "0x10")
    for length in "1", "2", "31", "32":
        yield tool("i2cget", bus, chip, "0x10", "i", length)
    yield tool("i2cget", bus, chip, "0x10", options=("-y", "-a"))
    yield tool("i2cget", bus, chip, "0x10", options=())
    for wrong in (
        (hex(RESERVED), "0"),
        ("0x78", "0"),
        ("x", "0"),
        (chip, "0x100"),
        (chip, "-1"),
        (chip, "0", "x"),
        (chip, "0", "i", "33"),
        (chip, "0", "i", "0"),
        (chip, "0", "b", "1"),
        (),
    ):
        yield tool("i2cget", bus, *wrong)


# ---- i2cset ----


def blocks(mode):
    for size in 1, 2, 31, 32:
        yield [hex((7 * i + size) & 0xFF) for i in range(size)] + [mode]


def set_(bus):
    chip, spare, owned = bus.address("present"), bus.address("spare"), bus.address("owned")
    for kind, target in bus.addresses("spare", *["present", "other"] if bus.kind == "machine" else []):
        yield tool("i2cset", bus, target, "0x21", "0x5a")
        if bus.kind != "machine":
            yield tool("i2cset", bus, target, "0x22", "0xa55a", "w")
            yield tool("i2cset", bus, target, "0x24", "1", "2", "3", "i")
    if bus.kind == "machine":
        return
    yield tool("i2cset", bus, chip, "0x21")
    yield tool("i2cset", bus, chip, "0x21", "c")
    yield tool("i2cset", bus, chip, "0x28", "4", "5", "s")
    for mode, mask in itertools.product(("b", "w"), ("0x0f", "0xff")):
        yield tool("i2cset", bus, chip, "0x30", "0xa5", mode, options=("-y", "-r", "-m", mask))
    for words in *blocks("i"), *blocks("s"):
        yield tool("i2cset", bus, chip, "0x40", *words)
    yield tool("i2cset", bus, spare, "0x30", "0x11", "bp", differs="pec")
    yield tool("i2cset", bus, spare, "0x30", "0x1111", "wp", differs="pec")
    yield tool("i2cset", bus, spare, "0x30", "0x12", options=("-f", "-y"), differs="force")
    yield tool("i2cset", bus, hex(RESERVED), "0x30", "0x12", options=("-a", "-y"), differs="policy")
    if bus.kind != "plain":
        return
    yield tool("i2cset", bus, owned, "0x21", "0xff", options=("-y", "-m", "0x0f"))
    for mode in "i", "s":
        yield tool("i2cset", bus, chip, "0xf0", *(["0xee"] * 32), mode, options=("-y", "-r"))
    for value, mode in itertools.product(("0", "0xff"), ("b", "w")):
        yield tool("i2cset", bus, chip, "0x30", value, mode, options=("-y", "-r"))
    yield tool("i2cset", bus, chip, "0x30", "0x66", options=())
    for wrong in (
        (chip, "0x30", "256"),
        (chip, "0x30", "65536", "w"),
        (chip, "0x30", "1", "x"),
        (chip, "0x100", "1"),
        (chip,),
        (chip, "0x30", *["1"] * 33, "i"),
        (chip, "0x30", "1", "256", "i"),
        ("0x78", "0x30", "1"),
    ):
        yield tool("i2cset", bus, *wrong)
    for mask in "256", "x":
        yield tool("i2cset", bus, chip, "0x30", "1", options=("-y", "-m", mask))


# ---- i2cdump ----


def dump(bus):
    chip, spare = bus.address("present"), bus.address("spare")
    for mode in "b", "w", "W", "c", "s", "i":
        if bus.kind != "machine" or mode in "bc":
            yield tool("i2cdump", bus, chip, mode)
    yield tool("i2cdump", bus, bus.address("owned"), "b")
    yield tool("i2cdump", bus, spare, "bp", options=("-y", "-r", "0-3"), differs="pec")
    yield tool("i2cdump", bus, spare, "b", options=("-f", "-y", "-r", "0-3"), differs="force")
    if bus.kind != "plain":
        return
    yield tool("i2cdump", bus, chip)
    for mode in "b", "i", "c", "s":
        yield tool("i2cdump", bus, bus.address("absent"), mode)
    for limits, mode in itertools.product(("0x10-0x2f", "0x05-0x05", "0xf8-0xff"), ("b", "w", "c", "i")):
        yield tool("i2cdump", bus, chip, mode, options=("-y", "-r", limits))
    yield tool("i2cdump", bus, hex(RESERVED), "b", options=("-a", "-y", "-r", "0-3"), differs="policy")
    yield tool("i2cdump", bus, chip, "b", options=("-r", "0-3"))
    yield tool("i2cdump", bus, chip, "b", "1", "0x4e", options=("-y", "-r", "0-7"))
    yield tool("i2cdump", bus, chip, "s", "0x10")
    for wrong in ("x",), ("b", "16"), ("b", "1", "256"):
        yield tool("i2cdump", bus, chip, *wrong)
    for mode, limits in ("b", "0x20-0x10"), ("b", "0-256"), ("b", "x"), ("W", "0-9"), ("s", "0-9"):
        yield tool("i2cdump", bus, chip, mode, options=("-y", "-r", limits))


# ---- i2ctransfer ----


def random_messages(chance, targets):
    """One transfer of up to 8 messages, the first of which names its chip"""
    words, left = [], 1000
    for i in range(chance.randint(1, 8)):
        size = min(left, chance.choice((0, 1, 1, 2, 3, 16, 33, 100, 255)))
        left -= size
        way = chance.choice("rw")
        words.append(way + str(size) + (f"@{chance.choice(targets)}" if i == 0 or chance.random() < 0.4 else ""))
        if way == "w" and size:
            given = min(size, chance.randint(1, 3))
            words += [hex(chance.randrange(256)) for _ in range(given)]
            if given < size:
                words[-1] += chance.choice("=+-p")
    return words


def transfer(bus):
    chip, other, spare, owned = (bus.address(kind) for kind in ("present", "other", "spare", "owned"))
    yield tool("i2ctransfer", bus, f"w1@{chip}", "0", "r1")
    if bus.kind != "plain":
        return
    for size in 0, 1, 32, 256, 1024:
        yield tool("i2ctransfer", bus, f"r{size}@{chip}")
        yield tool("i2ctransfer", bus, f"w{size}@{chip}", *["0x10+"] if size > 1 else ["0x10"] * size)
    for size in 1025, 8192:
        yield tool("i2ctransfer", bus, f"r{size}@{spare}", differs="message-limits")
        yield tool("i2ctransfer", bus, f"w{size}@{spare}", "0x10=", differs="message-limits")
    yield tool("i2ctransfer", bus, f"w1@{spare}", "0", "r1024", differs="message-limits")
    for suffix in "=", "+", "-", "p":
        yield tool("i2ctransfer", bus, f"w5@{chip}", "0x42" + suffix, f"w1@{chip}", "0x42", "r5")
    yield tool("i2ctransfer", bus, f"w1@{chip}", "0x10", "r8", f"w2@{other}", "0x20", "0x99", f"w1@{chip}", "0", "r2")
    for count in 8, 9, 42:
        words = [f"w1@{chip if count == 8 else spare}", "0x10"] + ["r2"] * (count - 1)
        yield tool("i2ctransfer", bus, *words, differs="message-limits" if count > 8 else "")
    yield tool("i2ctransfer", bus, *[f"r1@{chip}"] * 43)
    for kind in "absent", "owned":
        target = bus.address(kind)
        yield tool("i2ctransfer", bus, f"r1@{target}")
        yield tool("i2ctransfer", bus, f"w1@{chip}", "0", f"r1@{target}")
        yield tool("i2ctransfer", bus, f"w2@{target}", "0", "0", f"r1@{chip}")
    yield tool("i2ctransfer", bus, f"r1@{chip}", options=("-f", "-y"))
    yield tool("i2ctransfer", bus, f"r1@{owned}", options=("-f", "-y"), differs="rdwr-owned")
    yield tool("i2ctransfer", bus, f"w1@{spare}", "0", f"r1@{owned}", options=("-f", "-y"), differs="rdwr-owned")
    yield tool("i2ctransfer", bus, f"r?@{spare}", differs="message-flags")
    yield tool("i2ctransfer", bus, f"r1@{hex(RESERVED)}", options=("-a", "-y"), differs="policy")
    yield tool("i2ctransfer", bus, f"w1@{chip}", "0", "r4", options=("-y", "-v"))
    yield tool("i2ctransfer", bus, f"w1@{chip}", "0", "r4", options=())
    for wrong in (
        (),
        ("r1",),
        (f"x1@{chip}",),
        ("r1@0x80",),
        ("r1@0x05",),
        (f"r65536@{chip}",),
        (f"w2@{chip}", "1"),
        (f"w1@{chip}", "256"),
        (f"r1@{chip}", "5"),
        (f"w2@{chip}", "1x"),
    ):
        yield tool("i2ctransfer", bus, *wrong)
    chance = random.Random(20)
    for _ in range(30):
        yield tool("i2ctransfer", bus, *random_messages(chance, [chip, other, bus.address("absent")]))


# ---- what is asked of no bus, or of one by its name ----


def names(buses):
    group = "lists, names, and buses that are not there"
    for words in (
        ["i2cdetect", "-l"],
        ["i2cdetect", "-V"],
        ["i2cget", "-V"],
        ["i2cdetect", "-y", "99"],
        ["i2cdetect", "-F", "99"],
        ["i2cget", "-y", "99", "0x20", "0"],
        ["i2cset", "-y", "99", "0x20", "0"],
        ["i2cdump", "-y", "99", "0x20"],
        ["i2ctransfer", "-y", "99", "r1@0x20"],
        ["i2cget", "-y", "no such bus", "0x20", "0"],
        ["i2cget", "-y", "1048576", "0x20", "0"],
        ["i2cget", "-y", "-1", "0x20", "0"],
        ["i2cget"],
        ["i2cset"],
        ["i2cdump"],
        ["i2ctransfer"],
        ["i2cdetect"],
        ["i2cget", "-z"],
        ["i2cdetect", "-z"],
    ):
        yield Case(group, ("command", words))
    for bus in buses:
        yield Case(group, ("command", ["i2cget", "-y", bus.name, bus.address("present"), "0x10"]))


# ---- python3-smbus: every method, each on an object of its own ----


def smbus_calls(bus, kind, address):
    block = [1, 2, 3, 254, 255]
    yield ["read_byte", address]
    yield ["read_byte_data", address, 0x10]
    yield ["read_word_data", address, 0x10]
    if bus.kind == "machine":
        return
    yield ["read_block_data", address, 0x10]
    for length in (), (1,), (31,), (32,), (33,):
        yield ["read_i2c_block_data", address, 0x10, *length]
    yield ["write_quick", address]
    yield ["write_byte", address, 0x10]
    yield ["write_byte_data", address, 0x50, 0xA5]
    yield ["write_word_data", address, 0x52, 0xBEEF]
    yield ["write_block_data", address, 0x54, block]
    yield ["write_i2c_block_data", address, 0x60, block]
    yield ["write_i2c_block_data", address, 0x60, list(range(32))]
    yield ["write_block_data", address, 0x60, list(range(33))]
    yield ["write_block_data", address, 0x60, []]


def smbus(bus):
    group = f"python3-smbus on {bus.role}"
    for kind, address in bus.chips.items():
        if kind != "spare":
            for call in smbus_calls(bus, kind, address):
                yield Case(group, ("smbus", bus.number, [call]))
    chip, other, owned, absent = (bus.chips[kind] for kind in ("present", "other", "owned", "absent"))
    reads = [["read_byte_data", address, 0x10] for address in (chip, other, absent, chip)]
    yield Case(group, ("smbus", bus.number, reads))
    yield Case(group, ("smbus", bus.number, [["read_byte_data", 0x80, 0]]))
    yield Case(group, ("smbus", bus.number, [["pec", 0], ["read_byte_data", chip, 0]]))
    yield Case(group, ("smbus", bus.number, [["read_byte_data", RESERVED, 0]]), "policy")
    yield Case(group, ("smbus", bus.number, [["pec", 1]]), "pec")
    if bus.kind != "machine":
        yield Case(group, ("smbus", bus.number, [["process_call", absent, 0, 0x1234]]), "process-call")
        yield Case(group, ("smbus", bus.number, [["block_process_call", absent, 0, [1, 2]]]), "process-call")


# ---- i2c-dev's calls themselves, with what no tool would say ----


def raw(bus):
    group = f"i2c-dev's own calls on {bus.role}"
    chip, other, owned, absent, spare = (bus.chips[kind] for kind in ("present", "other", "owned", "absent", "spare"))

    def case(*steps, differs="", flags=os.O_RDWR):
        return Case(group, ("steps", bus.number, flags, list(steps)), differs)

    at, at_spare = ["slave", chip], ["slave", spare]
    yield case(["funcs"], differs="" if bus.kind == "stub" else "process-call")
    for address in 0x00, 0x05, 0x77, 0x7F, 0x80, 0x3FF, owned, absent:
        yield case(["slave", address])
    for request in 0x700, 0x709, 0x721, 0x5401, 0:
        yield case(["ioctl", request, 0])
    for request in i2cdev.PEC, i2cdev.TENBIT:
        yield case(["ioctl", request, 0])
        yield case(["ioctl", request, 1], differs="pec" if request == i2cdev.PEC else "tenbit")
    for request in i2cdev.RETRIES, i2cdev.TIMEOUT:
        yield case(["ioctl", request, 1 << 31])
    for request in i2cdev.SMBUS, i2cdev.RDWR, i2cdev.FUNCS:
        yield case(at, ["ioctl", request, 0])
        yield case(at, ["ioctl", request, 8])
    if bus.kind == "machine":
        for size, way in (BLOCK, WRITE), (I2C_BLOCK, WRITE), (I2C_BLOCK, READ):
            yield case(at, ["smbus", way, 0x10, size, [33]])
        return
    # every size and direction there is, and some there are not; reads without a command say 0 for it, since the
    # kernel's trace prints what is not sent
    sizes = QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK, I2C_BLOCK, I2C_BROKEN, 9, 255
    for size, way in itertools.product(sizes, (READ, 2)):
        yield case(at, ["smbus", way, 0 if size <= BYTE else 0x10, size, [3]])
        yield case(at, ["smbus_at", way, 0, size, 0])
        if size != QUICK:
            yield case(at, ["smbus_at", way, 0, size, 8])
    for length in 0, 1, 32, 33:
        yield case(at, ["smbus", READ, 0x10, I2C_BLOCK, [length]])
    payloads = (QUICK, []), (BYTE, []), (BYTE_DATA, [9]), (WORD_DATA, [9, 8]), (I2C_BROKEN, [2, 3, 2])
    counted = [(size, [count, 7, 6]) for size in (BLOCK, I2C_BLOCK) for count in (0, 2, 32)]
    for size, data in *payloads, *counted:
        command = 0 if size == QUICK else 0x44
        yield case(at, ["smbus", WRITE, command, size, data], ["smbus", READ, 0x44, I2C_BLOCK, [8]])
        yield case(at, ["smbus_at", WRITE, command, size, 8])
    for size in BLOCK, I2C_BLOCK:
        yield case(at_spare, ["smbus", WRITE, 0x44, size, [33]])
    for count in 0, 1, 16, 1024:
        yield case(at, ["read", count])
        yield case(at, ["write_many", count])
    for count in 1025, 8192, 9000:
        yield case(at_spare, ["read", count], differs="read-write-limit")
        yield case(at_spare, ["write_many", count], differs="read-write-limit")
    yield case(["slave", absent], ["read", 1], ["write", 0])
    for flags in os.O_RDONLY, os.O_WRONLY:
        yield case(at, ["read", 1], ["write", 0x10], ["smbus", READ, 0x10, BYTE_DATA], flags=flags)
    yield case(at, ["write"], ["write", 0x10], ["write", 0x10, 1, 2, 3], ["write", 0x10], ["read", 3])
    for messages in (
        [[chip, 0, [0x10]], [chip, 1, 4]],
        [[chip, 1, 0]],
        [[absent, 1, 1], [chip, 1, 1]],
        [[chip, 1, 1], [absent, 1, 1]],
        [[chip, 0, [0x10]], [other, 1, 1024 - 1]],
    ):
        yield case(["rdwr", messages])
    yield case(["rdwr", []])
    yield case(["rdwr", [[chip, 1, 1]] * 43])
    yield case(["rdwr_at", 0, 1])
    yield case(["rdwr_at", 8, 1])
    if bus.kind == "plain":
        # elsewhere two things are wrong with these, and it depends on the kernel which of them it tells
        yield case(["rdwr_buffer_at", chip, 0, 4, 8])
        yield case(["rdwr_buffer_at", chip, 1, 4, 8])
        yield case(["rdwr_buffer_at", chip, 1, 8193, 8])
        yield case(["rdwr", [[spare, 1 | i2cdev.M_TEN, 1]]], differs="tenbit")
        for flag in i2cdev.M_NOSTART, i2cdev.M_IGNORE_NAK, i2cdev.M_REV_DIR_ADDR, i2cdev.M_NO_RD_ACK:
            yield case(["rdwr", [[spare, 1 | flag, 1]]], differs="message-flags")
        yield case(["rdwr", [[0x80, 1, 1]]], differs="message-address")
        yield case(["rdwr", [[spare, 1, 1]] * 9], differs="message-limits")
        yield case(["rdwr", [[owned, 1, 1]]], differs="rdwr-owned")
        yield case(["slave_force", spare], ["smbus", READ, 0, BYTE_DATA], differs="force")
        yield case(at_spare, ["slave", owned], ["smbus", READ, 0, BYTE_DATA], ["read", 1], differs="slave-failed")


def generate(buses):
    cases = list(names(buses))
    for bus in buses:
        # detect reads from all chips, the spare ones too; set fills them, so that the others find something
        for kind in detect, set_, get, dump, transfer, smbus, raw:
            cases += kind(bus)
    cases.append(Case("liquidctl's own SMBus class and its driver of a module", ("program", "liquidctl", {})))
    return cases
