# SPDX-License-Identifier: LGPL-2.1-or-later
"""thread_orders.py BUS SIM: threads of one program at one ENE controller, in every order there is

Each thread does pairs of "set the pointer" and "write the datum"; what belongs into a register is its low byte. As
root on the node, data go astray; through the broker none does, and each pointer that another thread has moved is
set again, no other.
"""

import itertools
import sys

from wire import Ene, Program, check, clear_log, expect_eq, is_pointer, match, note, parse, read_log, status

CHIP = 0x70


def orders(threads):
    """Each order of the steps of "aab": two pairs by a, one by b"""
    return sorted(set(itertools.permutations(threads * 2)))


def steps(order, blocks):
    """Its transfers; whether, by each, the pointer is found where another thread has moved it"""
    done, mover = dict.fromkeys(order, 0), None
    for thread in order:
        pair, datum = divmod(done[thread], 2)
        register = 0x8100 + 0x20 * (ord(thread) - ord("a")) + 6 * pair
        values = bytes((register + i) & 0xFF for i in range(3 if blocks else 1))
        what = f"word_data 0x00 {register:04x}"
        if datum:
            what = f"{'block_data 0x03' if blocks else 'byte_data 0x01'} {values.hex()}"
        yield f"{thread} A {CHIP:#x} W {what}", bool(datum) and mover != thread
        mover = thread
        done[thread] += 1


def is_right(written):
    return all(value == register & 0xFF for register, value in written)


def wrong(transfers):
    chip = Ene()
    for transfer in transfers:
        if transfer.address == CHIP:
            chip.transfer(transfer)
    return sum(not is_right([pair]) for pair in chip.written), len(chip.written)


def run(bus, sim, brokered, wanted):
    """All these orders, one after the other; the lines, how often the pointer was moved, and what the wire saw"""
    lines, moved = [], []
    for order in wanted:
        for blocks in (False, True):
            for line, is_moved in steps(order, blocks):
                lines.append(line)
                moved.append(is_moved)
    program = Program(brokered, A=bus)
    program.do(f"a A {CHIP:#x} R byte_data 0xa0 -")  # recognised by this, at the latest
    clear_log(sim)
    answers = program.do_all(lines)
    transfers = read_log(sim)
    program.end()
    return lines, moved, answers, transfers


def judge_direct(name, lines, answers, transfers):
    expect_eq(f"{name}: directly, each transfer succeeds", {("-", 0)}, set(answers))
    expect_eq(f"{name}: directly, the wire sees these and no others", len(lines), len(transfers))
    astray, written = wrong(transfers)
    check(f"{name}: directly, data land in wrong registers", astray > 0)
    note(f"{name}: directly: {astray} of {written} bytes landed in wrong registers")


def judge_brokered(name, lines, moved, answers, transfers, counted):
    requests = [parse(line) for line in lines]
    owner, missing = match(requests, transfers)
    expect_eq(f"{name}: brokered, each transfer succeeds", {("-", 0)}, set(answers))
    expect_eq(f"{name}: brokered, each is on the wire, in order", [], missing)
    astray, written = wrong(transfers)
    expect_eq(f"{name}: brokered, no datum lands in a wrong register", 0, astray)
    extra = [i for i, number in enumerate(owner) if number is None]
    expect_eq(f"{name}: brokered, all that comes on top are pointers", [], [
        transfers[i] for i in extra if not is_pointer(transfers[i])
    ])
    before = [owner[i + 1] for i in extra if i + 1 < len(owner)]
    expect_eq(
        f"{name}: brokered, just those that another thread had moved, just before the datum",
        [number for number, is_moved in enumerate(moved) if is_moved],
        before,
    )
    expect_eq(f"{name}: and as many the broker has counted", len(extra), counted)
    note(
        f"{name}: brokered: {astray} of {written} bytes in wrong registers; "
        f"{len(lines)} transfers, {len(extra)} pointers set again"
    )


def main():
    bus, sim = sys.argv[1:3]
    for name, wanted in (
        ("a pair each of 2 threads", orders("ab")),
        ("2 pairs and 1", orders("aab")),
        ("a pair each of 3 threads", orders("abc")),
    ):
        name = f"{len(wanted)} orders of {name}"
        lines, _, answers, transfers = run(bus, sim, False, wanted)
        judge_direct(name, lines, answers, transfers)
        before = status(bus)
        lines, moved, answers, transfers = run(bus, sim, True, wanted)
        judge_brokered(name, lines, moved, answers, transfers, status(bus).pointer_set - before.pointer_set)
    alone = ["aabb", "bbaa", "aaaabb", "ccbbaa"]
    lines, _, answers, transfers = run(bus, sim, True, alone)
    expect_eq("threads one after the other: nothing comes on top", len(lines), len(transfers))
    expect_eq("and all is right", (0, {("-", 0)}), (wrong(transfers)[0], set(answers)))


main()
