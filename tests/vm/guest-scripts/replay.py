# SPDX-License-Identifier: LGPL-2.1-or-later
"""replay.py RECORDING BUS_A BUS_B: what OpenRGB sent as root, sent again by a nobody under the shim

The wire sees every transfer of it, in order, but for the selection of SPD pages. Besides there is nothing but what
the broker reads to recognise chips, and the pointers that another thread has moved.
"""

import collections
import errno
import sys

from wire import TOOLS, Ene, Program, check, clear_log, expect_eq, is_pointer, is_read, match, note, parse, read_log, status

SIMS = {"A": "amd", "B": "gpu"}
# tests/traces/README.md: transfers by a second thread, between pointer and datum of the first one
RACE = {"openrgb-race": range(905, 909)}
SPD = range(0x50, 0x58)
DIRECT_MODE = b"\x80\x20"

Line = collections.namedtuple("Line", "adapter text data result request")


def read_recording(name):
    lines, others = [], RACE.get(name, ())
    with open(f"{TOOLS}/traces/{name}.txt") as recording:
        for number, line in enumerate(recording):
            _, adapter, address, way, operation, command, data, result, _ = line.split()
            sent = data if way == "W" else "-"
            thread = "b" if number in others else "a"
            text = f"{thread} {adapter} {address} {way} {operation} {command} {sent}"
            answer = data if way == "R" else "-"
            lines.append(Line(adapter, text, answer, int(result), parse(text)))
    return lines


def is_paging(request):
    return request.address in (0x36, 0x37)


def judge_answers(name, lines, answers):
    """Where the simulation is another one than at the recording, by how much it differs is counted."""
    page_1, pointer, differing = False, {}, []
    pages = modes = 0
    for line, answer in zip(lines, answers):
        request = line.request
        chip = line.adapter, request.address
        is_same = answer == (line.data, line.result)
        if is_paging(request):
            page_1 = request.address == 0x37
        elif request.operation == "word_data":
            pointer[chip] = request.data
        elif page_1 and request.address in SPD and answer[1] == line.result:
            pages += not is_same
            continue
        elif request.command == b"\x81" and pointer.get(chip) == DIRECT_MODE and answer == ("01", 0):
            modes += not is_same
            continue
        if not is_same and not is_paging(request):
            differing.append(f"{line.text}: recorded {line.data} {line.result}, now {answer[0]} {answer[1]}")
    expect_eq(f"{name}: the answers are those that were recorded", [], differing)
    note(
        f"{name}: but for {pages} reads of SPD page 1, which bring what is on page 0, "
        f"and {modes} of register 0x8020, where the simulation starts in direct mode"
    )


def judge_refused(name, lines, answers):
    refused = [line for line, answer in zip(lines, answers) if answer[1] == -errno.EACCES]
    others = collections.Counter(line.text for line in refused if not is_paging(line.request))
    expect_eq(f"{name}: nothing but SPD paging is refused", {}, dict(others))
    paging = [line for line in lines if is_paging(line.request)]
    expect_eq(f"{name}: all of which is", len(paging), len(refused) - sum(others.values()))
    return [line for line, answer in zip(lines, answers) if answer[1] != -errno.EACCES], len(refused)


def judge_wire(name, lines, adapter, counted):
    lines = [line for line in lines if line.adapter == adapter]
    transfers = read_log(SIMS[adapter])
    owner, missing = match([line.request for line in lines], transfers)
    name = f"{name}: adapter {adapter}"
    expect_eq(f"{name}: every other transfer is on the wire, in order", [], [lines[i].text for i in missing])
    own = [transfer for transfer, number in zip(transfers, owner) if number is None]
    pointers = [transfer for transfer in own if is_pointer(transfer)]
    others = [transfer for transfer in own if not is_pointer(transfer) and not is_read(transfer)]
    expect_eq(f"{name}: besides only reads and pointers", [], others)
    reads = len(own) - len(pointers)
    expect_eq(f"{name}: and these the broker has counted", counted, (reads, len(pointers)))
    return transfers, reads, len(pointers)


def counts(buses):
    return {adapter: status(bus) for adapter, bus in buses.items()}


def landed(transfers):
    chip = Ene()
    for transfer in transfers:
        if transfer.address == 0x70:
            chip.transfer(transfer)
    return chip.written


def main():
    name, *numbers = sys.argv[1:]
    buses = dict(zip(SIMS, numbers))
    lines = read_recording(name)
    program = Program(**buses)
    before = counts(buses)
    for sim in SIMS.values():
        clear_log(sim)
    answers = program.do_all([line.text for line in lines])
    after = counts(buses)
    judge_answers(name, lines, answers)
    carried_out, refused = judge_refused(name, lines, answers)
    total = collections.Counter()
    for adapter in SIMS:
        counted = (
            after[adapter].own_reads - before[adapter].own_reads,
            after[adapter].pointer_set - before[adapter].pointer_set,
        )
        transfers, reads, pointers = judge_wire(name, carried_out, adapter, counted)
        total += collections.Counter(reads=reads, pointers=pointers, transfers=len(transfers))
        if name in RACE and adapter == "A":
            stray = {register for register, _ in landed(transfers)} & set(range(0x80A1, 0x80C0))
            expect_eq(f"{name}: the colour that went astray lands at its LED", set(), stray)
            check(f"{name}: with its pointer set again", pointers > 0)
    program.end()
    note(
        f"{name}: {len(lines)} transfers recorded, {refused} refused (SPD paging), {len(carried_out)} carried out; "
        f"{total['transfers']} on the wire, {total['reads']} of them the broker's own reads, "
        f"{total['pointers']} pointers set again"
    )


main()
