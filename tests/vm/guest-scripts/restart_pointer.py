# SPDX-License-Identifier: LGPL-2.1-or-later
"""restart_pointer.py BUS SIM TIMES: another broker between pointer and datum (see 73-restart-pointer.sh)"""

import collections
import errno
import os
import signal
import subprocess
import sys
import time

from wire import Ene, Program, check, clear_log, expect_eq, is_pointer, match, note, parse, read_log

bus, sim, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
UNIT_NAME = f"rgbroker@{bus}.service"
CHIP = 0x70


def main_pid():
    """From the control group, as asking systemd takes as long as what is waited for"""
    try:
        with open(f"/sys/fs/cgroup/system.slice/system-rgbroker.slice/{UNIT_NAME}/cgroup.procs") as pids:
            return int(pids.readline())
    except (OSError, ValueError):
        return 0


def restart():
    subprocess.run(["systemctl", "--quiet", "restart", UNIT_NAME], check=True)


def kill(wait=True):
    """Systemd starts another one after a while, or at once if told to."""
    pid = main_pid()
    os.kill(pid, signal.SIGKILL)
    while main_pid() == pid:
        time.sleep(0.002)
    if not wait:
        subprocess.run(["systemctl", "--quiet", "start", UNIT_NAME], check=True)


def kill_and_start():
    kill(wait=False)


def pointer(thread, register):
    return f"{thread} A {CHIP:#x} W word_data 0x00 {register:04x}"


def datum(thread, register):
    return f"{thread} A {CHIP:#x} W byte_data 0x01 {register & 0xff:02x}"


def one_thread(register):
    return [pointer("a", register), None, datum("a", register)]


def two_threads(register):
    other = register + 0x40
    return [pointer("a", register), pointer("b", other), None, datum("a", register), datum("b", other)]


def moved_on(register):
    """The datum before has moved the pointer on, which nobody but the broker that is gone has known."""
    return [pointer("a", register), datum("a", register), None, datum("a", register + 1)]


def run(name, rounds, blow, turns_of):
    """In each round a blow where None is; how many were refused"""
    program = Program(A=bus)
    lines, answers, slowest, brokers = [], [], 0, set()
    program.do(f"a A {CHIP:#x} R byte_data 0xa0 -")
    clear_log(sim)
    for number in range(rounds):
        for line in turns_of(0x8100 + number):
            if not line:
                brokers.add(main_pid())
                blow()
                continue
            began = time.monotonic()
            answers.append(program.do(line))
            slowest = max(slowest, time.monotonic() - began)
            lines.append(line)
    transfers = read_log(sim)
    program.end()
    expect_eq(f"{name}: each time it was another broker", rounds, len(brokers))
    note(f"{name}: the slowest transfer took {slowest * 1000:.0f} ms")
    return judge(name, lines, answers, transfers)


def judge(name, lines, answers, transfers):
    results = collections.Counter(result for _, result in answers)
    check(f"{name}: each transfer succeeds, or is refused with EAGAIN", set(results) <= {0, -errno.EAGAIN}, results)
    chip = Ene()
    for transfer in transfers:
        if transfer.address == CHIP:
            chip.transfer(transfer)
    astray = [pair for pair in chip.written if pair[1] != pair[0] & 0xFF]
    expect_eq(f"{name}: no datum lands in another register", [], astray)
    requests = [parse(line) for line, (_, result) in zip(lines, answers) if result == 0]
    data = [request.data[0] for request in requests if request.operation == "byte_data"]
    expect_eq(f"{name}: each that succeeded has landed, once", data, [value for _, value in chip.written])
    owner, missing = match(requests, transfers)
    expect_eq(f"{name}: all that succeeded is on the wire, in order", [], missing)
    again = sum(number is None and is_pointer(transfer) for transfer, number in zip(transfers, owner))
    note(
        f"{name}: {len(chip.written)} data, {len(astray)} astray, {results[-errno.EAGAIN]} refused with EAGAIN, "
        f"{again} pointers set again"
    )
    return results[-errno.EAGAIN]


expect_eq("restarted: none was refused", 0, run("restarted", times, restart, two_threads))
expect_eq("killed: none was refused", 0, run("killed", 10, kill, one_thread))
expect_eq("killed and started: none was refused", 0, run("killed and started", times - 10, kill_and_start, two_threads))
refused = run("restarted after a datum", 10, restart, moved_on)
expect_eq("restarted after a datum: the next one has EAGAIN each time", 10, refused)
