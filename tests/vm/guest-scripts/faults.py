# SPDX-License-Identifier: LGPL-2.1-or-later
"""faults.py BUS SIM OTHER-SIM: a bus that does not do what it is told (see 33-fault.sh)"""

import errno
import json
import re
import socket
import struct
import subprocess
import sys
import time

from wire import SIM, Program, check, clear_log, expect_eq, note, read_log

bus, sim, other = sys.argv[1:4]
UNIT_NAME = f"rgbroker@{bus}.service"
READ = "a A 0x40 R byte_data 0x05 -"
VALUE = ("45", 0)  # a register holds its number plus the chip's address
TIMED_OUT = ("-", -errno.ETIMEDOUT)
CHIPS = range(0x10, 0x70)


def debug(name, value):
    with open(f"{SIM}/{sim}/{name}", "w") as file:
        file.write(f"{value}\n")


def fault(address, error, count):
    debug("fault", f"{address} {error} {count}")


def done_at_the_other():
    """How many messages its wire has seen"""
    with open(f"{SIM}/{other}/log") as log:
        return int(log.readlines()[-1].split()[0])


def journal_since(began):
    words = ["journalctl", "--quiet", "--output=cat", f"--since=@{began}", f"--unit={UNIT_NAME}"]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def ctl(*words):
    ended = subprocess.run(["rgbrokerctl", *words], stdout=subprocess.PIPE, text=True, check=False)
    return ended.returncode, ended.stdout


# ---- once ----


def single_faults(program):
    expect_eq("without a fault the chip answers", VALUE, program.do(READ))
    for name in ("ENXIO", "EAGAIN", "ETIMEDOUT", "EIO", "EREMOTEIO", "EPROTO"):
        number = getattr(errno, name)
        clear_log(sim)
        fault(0x40, number, 1)
        expect_eq(f"{name} once: the program is told", ("-", -number), program.do(READ))
        results = [transfer.result for transfer in read_log(sim)]
        expect_eq(f"{name} once: it was tried once", [-number], results)
        expect_eq(f"{name} once: and then it answers", VALUE, program.do(READ))


# ---- for 4 s ----


def stretching(program):
    impatient = Program(A=bus, deadline_ms=1500)
    expect_eq("another program, with a deadline of 1.5 s, is answered", VALUE, impatient.do(READ))
    clear_log(sim)
    debug("hang", 4000)
    before = done_at_the_other()
    program.send(READ)
    program.process.stdin.flush()
    time.sleep(0.3)
    began = time.monotonic()
    expect_eq("a clock that is stretched for 4 s: who waits behind it has its deadline", TIMED_OUT, impatient.do(READ))
    waited = time.monotonic() - began
    expect_eq("who is at it has the value", VALUE, program.answer())
    debug("hang", 0)
    meanwhile = done_at_the_other() - before
    check("on the other bus transfers went on meanwhile", meanwhile > 20, meanwhile)
    note(f"the deadline came after {waited:.1f} s; {meanwhile} messages on the other bus meanwhile")
    expect_eq("both go on", [VALUE, VALUE], [impatient.do(READ), program.do(READ)])
    impatient.end()


# ---- for good ----


def attempts():
    """When transfers were tried, in seconds from the first"""
    with open(f"{SIM}/{sim}/log") as log:
        times = [int(line.split()[1]) for line in log if not line.startswith("#")]
    return [(at - times[0]) / 1e6 for at in times]


def wedged(program):
    began = int(time.time())
    clear_log(sim)
    for address in CHIPS:
        fault(address, errno.ETIMEDOUT, 1000000)
    debug("hang", 200)  # as long as an i801 waits
    answers, slow, end = set(), 0, time.monotonic() + 8
    before, asked = done_at_the_other(), 0
    while time.monotonic() < end:
        sent = time.monotonic()
        answers.add(program.do(f"a A {0x40 + asked % 8:#x} R byte_data 0x00 -"))
        slow += time.monotonic() - sent > 0.2
        asked += 1
        time.sleep(0.02)
    tried = attempts()
    expect_eq("a bus that always times out: that is what a program is told", {TIMED_OUT}, answers)
    check("most of it is not tried", 4 <= len(tried) <= 6 and asked > 2 * len(tried), tried, asked)
    pauses = [later - earlier for earlier, later in zip(tried[2:], tried[3:])]
    # a busy machine may be late
    check("after three in a row none is tried for 1 s, then for 2 s, then for 4 s",
          all(pause >= 1 << number for number, pause in enumerate(pauses)), pauses)
    note(f"of {asked} transfers {len(tried)} were tried, at {' '.join(f'{at:.1f}' for at in tried)} s; {slow} calls "
         "took 0.2 s or more")
    check("on the other bus transfers went on meanwhile", done_at_the_other() - before > 50)
    told_in_quarantine(began)
    comes_back(program, began)


def told_in_quarantine(began):
    code, shown = ctl("status", bus)
    expect_eq("rgbrokerctl status: exit code 1", 1, code)
    check("it says since when, and when the next transfer is tried",
          re.search(r"in quarantine for [0-9]+\.[0-9] s, as it times out: the next transfer is tried in [0-9.]+ s", shown),
          shown)
    _, shown = ctl("--json", "status", bus)
    told = json.loads(shown)[0]["quarantine"]
    check("--json: the same", told["bus"] and told["seconds"] > 3 and told["times"] == 1 and told["untried"] > 10, told)
    note(f"status --json: {json.dumps(told)}")
    text = subprocess.run(["systemctl", "show", "--property=StatusText", "--value", f"rgbroker@{bus}.service"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    check("systemctl status: the same", re.search(r"; in quarantine since [0-9-]+ [0-9:]{8}(;|$)", text.strip()), text)
    lines = journal_since(began).count(f"i2c-{bus}: 3 time-outs in a row: in quarantine.")
    expect_eq("the journal says so once", 1, lines)


def comes_back(program, began):
    for address in CHIPS:
        fault(address, errno.ETIMEDOUT, 0)
    debug("hang", 0)
    end, answer = time.monotonic() + 30, TIMED_OUT
    while answer == TIMED_OUT and time.monotonic() < end:
        time.sleep(0.1)
        answer = program.do(READ)
    expect_eq("when it works again, the next attempt ends it", VALUE, answer)
    expect_eq("for all", VALUE, program.do("a A 0x41 R byte_data 0x04 -"))
    code, shown = ctl("status", bus)
    expect_eq("status: exit code 0", 0, code)
    check("it is over", "in quarantine for" not in shown and "quarantines: 1 so far" in shown, shown)
    lines = re.findall(rf"i2c-{bus}: answers again after [0-9.]+ s in quarantine; [0-9]+ transfers were not tried",
                       journal_since(began))
    expect_eq("the journal says that it is over, once", 1, len(lines))
    note(*lines)


def one_chip(program):
    fault(0x45, errno.ETIMEDOUT, 1000000)
    for _ in range(3):
        program.do("a A 0x45 R byte_data 0x00 -")
    clear_log(sim)
    answers = [program.do(f"a A {address} R byte_data 0x00 -") for address in ("0x45", "0x46") * 5]
    expect_eq("one chip that times out: it is that one alone", [TIMED_OUT, ("46", 0)] * 5, answers)
    _, shown = ctl("status", bus)
    check("status: which", "in quarantine, as they time out: 0x45" in shown, shown)
    fault(0x45, errno.ETIMEDOUT, 0)


# ---- stopping ----


def stop_within_a_batch():
    """64 operations of 0.1 s each, which one stop falls into"""
    operation = struct.pack("=BBBBHBB", 2, 0, 0x42, 0, 1, 0, 0)
    request = struct.pack("=HHIIHH", 1, 1, 7, 0, 64, 64) + operation * 64 + bytes(64)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(f"/run/rgbroker/i2c-{bus}")
        peer.settimeout(30)
        clear_log(sim)
        debug("hang", 100)
        peer.send(request)
        while len(read_log(sim)) < 3:
            time.sleep(0.01)
        before, began = len(read_log(sim)), time.monotonic()
        subprocess.run(["systemctl", "--quiet", "stop", UNIT_NAME], check=False, stderr=subprocess.DEVNULL)
        took = time.monotonic() - began
        debug("hang", 0)
        reply = peer.recv(4096)
    _, reason, _, result, done = struct.unpack_from("=HHIiH", reply)
    written = len(read_log(sim))
    expect_eq("stopped within a batch of 64: the client is told so", (10, -errno.EAGAIN), (reason, result))
    expect_eq("and how far it came, which is what is on the wire", written, done)
    # systemd itself takes its time; the batch would have taken 6.4 s
    check("the rest was not waited for", done < 32, done)
    note(f"stopping took {took:.2f} s, {done - before} operations of 0.1 s each after it was asked for")


program = Program(A=bus)
single_faults(program)
stretching(program)
wedged(program)
one_chip(program)
program.end()
stop_within_a_batch()
