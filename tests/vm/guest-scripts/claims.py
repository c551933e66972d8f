# SPDX-License-Identifier: LGPL-2.1-or-later
"""claims.py BUS SIM: whose a chip is, and how long (see 74-claims.sh)"""

import errno
import os
import signal
import subprocess
import sys
import time

from wire import TOOLS, UNIT, Program, check, clear_log, expect_eq, note, read_log

bus, sim = sys.argv[1:3]
BUSY = ("-", -errno.EBUSY)
DONE = ("-", 0)
POINTER = "a A 0x70 W word_data 0x00 8100"
DATUM = "a A 0x70 W byte_data 0x01 42"
OTHER_CHIP = ["a A 0x72 W word_data 0x00 8100", "a A 0x72 W byte_data 0x01 43"]
VENGEANCE = "a A 0x58 W byte_data 0xa4 00"


def uid_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(line.split()[1] for line in status if line.startswith("Uid:"))


def journal():
    words = ["journalctl", "--quiet", "--output=cat", f"--since=@{began}", f"--unit=rgbroker@{bus}.service"]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def journal_says(text):
    for _ in range(50):
        if any(text in line for line in journal()):
            return True
        time.sleep(0.1)
    return False


def lights(program):
    return [program.do(POINTER), program.do(DATUM)]


def two_processes():
    first, second = Program(A=bus), Program(A=bus)
    expect_eq("who writes first has the chip", [DONE, DONE], lights(first))
    clear_log(sim)
    expect_eq("another process gets EBUSY", [BUSY, BUSY], lights(second))
    expect_eq("and nothing of it reached the wire", [], read_log(sim))
    who = f"refused write word_data 0x00 at 0x70: pid {first.pid} uid {uid_of(first.pid)} has claimed the chip"
    found = journal_says(who)
    check("the journal names the holder's pid and uid", found, who, *journal())
    expect_eq("the other chip is free", [DONE, DONE], second.do_all(OTHER_CHIP))
    expect_eq("and then taken as well", [BUSY, BUSY], first.do_all(OTHER_CHIP))
    expect_eq("the first still has its own", [DONE, DONE], lights(first))
    os.kill(first.pid, signal.SIGKILL)
    while os.path.exists(f"/proc/{first.pid}"):
        pass
    killed = time.monotonic()
    answers = lights(second)
    took = time.monotonic() - killed
    expect_eq("once the first was killed, the next write of the second succeeds", [DONE, DONE], answers)
    note(f"it took {took * 1000:.1f} ms for both transfers")
    first.end()
    return second


def leaked_handles(second):
    leaker = Program(A=bus)
    expect_eq("who comes later is refused as well", [BUSY, BUSY], lights(leaker))
    second.end()
    expect_eq("until the holder has closed", [DONE, DONE], lights(leaker))
    refused = []
    for number in range(50):
        opened = leaker.do("open A")
        answers = lights(leaker)
        if opened != DONE or answers != [DONE, DONE]:
            refused.append((number, opened, answers))
    expect_eq("50 times opened again without closing, it keeps the chip", [], refused)
    sockets = [os.readlink(f"/proc/{leaker.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{leaker.pid}/fd")]
    check("it does hold 51 connections", sum(at.startswith("socket:") for at in sockets) >= 51, *sockets)
    other = Program(A=bus)
    expect_eq("against others", [BUSY, BUSY], lights(other))
    leaker.end()
    expect_eq("until it ends, however many it leaked", [DONE, DONE], lights(other))
    other.end()


def recorded_detection():
    """What a program sends to find out who is there: all but the data behind pointers"""
    with open(f"{TOOLS}/traces/openrgb-detect.txt") as recording:
        for line in recording:
            _, adapter, address, way, operation, command, data, *_ = line.split()
            is_data = way == "W" and command in ("0x01", "0x03")
            if adapter == "A" and not is_data:
                yield f"a A {address} {way} {operation} {command} {'-' if way == 'R' else data}"


def scanners():
    scanner = Program(A=bus)
    lines = list(recorded_detection())
    lines += [f"a A {address:#04x} R byte - -" for address in range(0x03, 0x78)]  # i2cdetect -r
    lines += [f"a A {address:#04x} W quick - -" for address in range(0x03, 0x78)]  # i2cdetect -q
    slots = [*range(0x18, 0x20), *range(0x58, 0x60)]
    lines += [f"a A {at:#04x} R byte_data {command:#04x} -" for at in slots for command in range(0xA0, 0xB0)]
    lines += [f"a A {at:#04x} R word_data 0x05 -" for at in slots]  # liquidctl's thermometers
    results = [result for _, result in scanner.do_all(lines)]
    note(f"a scan of {len(lines)} transfers: {results.count(0)} succeeded")
    check("a scan finds the chips", results.count(0) > 300)
    words = [*UNIT, "rgbroker-run", "i2cdetect", "-y", "-r", bus]
    ended = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    check("i2cdetect shows both controllers", "70: 70 -- 72" in ended.stdout, ended.stdout)
    painter = Program(A=bus)
    answers = lights(painter) + painter.do_all([*OTHER_CHIP, VENGEANCE])
    expect_eq("while the scanner lives, another process lights the LEDs", [DONE] * 5, answers)
    expect_eq("the scanner has no right to them now", BUSY, scanner.do(POINTER))
    check("but may go on looking", scanner.do("a A 0x70 R byte_data 0xa5 -") == ("05", 0))
    painter.end()
    scanner.end()


began = int(time.time())
leaked_handles(two_processes())
scanners()
