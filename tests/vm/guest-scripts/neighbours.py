# SPDX-License-Identifier: LGPL-2.1-or-later
"""neighbours.py KIND SIM BUS: a program that looks at no error of I2C_SLAVE, on a board whose first SPD the kernel has

What is meant for the kernel's chip goes to the address that worked last: directly, to the second module's SPD.
"""

import errno
import sys

from wire import Program, check, clear_log, expect_eq, match, note, parse, read_log

# what OpenRGB does where it reads the second module's SPD itself; what the third line asks for is the kernel's
STEPS = {
    "ddr4": ["0x51 R byte_data 0x02 -", "0x36 W byte_data 0x00 ff", "0x70 R byte_data 0xa5 -"],
    "ddr5": ["0x51 R byte_data 0x02 -", "0x50 W byte_data 0x0b 04", "0x51 R byte_data 0x01 -"],
}
ASTRAY = {"ddr4": "0x51 W byte_data 0x00 ff", "ddr5": "0x51 W byte_data 0x0b 04"}
BUSY = -errno.EBUSY


def memory(sim):
    """All but the registers of the hub that the kernel has, as its driver selects pages there"""
    with open(f"/sys/kernel/debug/rgbsim/{sim}/memory") as lines:
        return [line.split() for line in lines if not line.startswith("0x50 hub-registers")]


def run(kind, sim, bus, brokered):
    program = Program(brokered, A=bus)
    clear_log(sim)
    answers = program.do_all([f"a A {step}" for step in STEPS[kind]])
    program.end()
    transfers = read_log(sim)
    _, missing = match([parse(ASTRAY[kind])], transfers)
    return [result for _, result in answers], not missing


def main():
    kind, sim, bus = sys.argv[1:]
    before = memory(sim)
    results, astray = run(kind, sim, bus, False)
    check(f"{kind}: directly, a write that the kernel refused lands on the other module", astray)
    expect_eq(f"{kind}: and nobody is told", [0, 0, 0], results)
    changed = [" ".join(line[:2]) for line, was in zip(memory(sim), before) if line[3] != was[3]]
    check(f"{kind}: where it has changed something", changed)
    note(f"{kind}: directly, '{STEPS[kind][1]}' became '{ASTRAY[kind]}' and was written to {', '.join(changed)}")
    before = memory(sim)
    results, astray = run(kind, sim, bus, True)
    expect_eq(f"{kind}: through the broker the kernel's address is busy, and the rest goes on", [0, BUSY, 0], results)
    check(f"{kind}: nothing lands on the other module", not astray)
    expect_eq(f"{kind}: and nothing has changed", before, memory(sim))


main()
