# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory_kind.py SIM BUS CASE: what is open there, and what reached the wire (see 76-memory-kind.sh)"""

import errno
import sys

from wire import Program, clear_log, expect_eq, read_log

FURY = [
    "W byte_data 0x08 53",
    *(f"R word_data {register:#04x} -" for register in (1, 2, 3, 4, 6)),
    "W byte_data 0x50 61",
    "W byte_data 0x08 44",
]
VENGEANCE = ["W quick - -", "W byte_data 0xa4 00"]
WRITES = ["W quick - -", "W byte_data 0x10 55", "W i2c_block 0x51 820180", "W byte 0x0f -"]
DONE, REFUSED, NOBODY = 0, -errno.EACCES, -errno.ENXIO


def ask(program, address, steps):
    return [program.do(f"a A {address:#x} {step}") for step in steps]


def wrote(sim, address):
    return [transfer for transfer in read_log(sim) if transfer.address == address and transfer.ways == "W"]


def open_(sim, bus, what, address=0x58):
    """A Fury that is let be found, found, and lit"""
    program = Program(A=bus)
    answers = ask(program, address, FURY)
    expect_eq(f"{what}: the Fury is woken, found and lit", {DONE}, {result for _, result in answers})
    expect_eq(f"{what}: by its name", "46555259", "".join(data[2:] for data, _ in answers[1:5]))
    program.end()


def closed(sim, bus, what):
    program = Program(A=bus)
    clear_log(sim)
    answers = ask(program, 0x58, FURY)
    expect_eq(f"{what}: the Fury takes no write", {REFUSED}, {answers[i][1] for i in (0, 6, 7)})
    expect_eq(f"{what}: none reached it", [], wrote(sim, 0x58))
    program.end()


def vengeance(sim, bus, what, wanted):
    program = Program(A=bus)
    clear_log(sim)
    answers = ask(program, 0x59, VENGEANCE)
    expect_eq(f"{what}: the Vengeance", {wanted}, {result for _, result in answers[1:]})
    expect_eq(f"{what}: its wire", wanted == DONE, any(it.data[0] for it in wrote(sim, 0x59)))
    program.end()


def display(sim, bus, what, wanted):
    program = Program(A=bus)
    clear_log(sim)
    for address in (0x50, 0x37, 0x3A, 0x30):
        results = {result for _, result in ask(program, address, WRITES)}
        expect_eq(f"{what}: writes at {address:#x}", {wanted}, results)
        if wanted == REFUSED:
            sent = [it for it in wrote(sim, address) if it.result == 0]
            expect_eq(f"{what}: none reached {address:#x}", [], sent)
    program.end()


CASES = {
    "open": open_,
    "open-ddr5": lambda *where: open_(*where, 0x60),
    "closed": closed,
    "vengeance-open": lambda *where: vengeance(*where, DONE),
    "vengeance-closed": lambda *where: vengeance(*where, REFUSED),
    "display": lambda *where: display(*where, REFUSED),
    "no-display": lambda *where: display(*where, NOBODY),
}
CASES[sys.argv[3]](*sys.argv[1:3], sys.argv[4])
