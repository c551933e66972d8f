# SPDX-License-Identifier: LGPL-2.1-or-later
"""sandbox_probe.py BUS SIM [BUS SIM]...: what brokers in their units can still ask the kernel for (41-seccomp.sh)"""

import errno
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from seccomp_paths import ALLOW, I386, KILL_PROCESS, actions, allowed, call_name, call_number
from tracing import Killed, Tracee
from wire import check, clear_log, expect_eq, note, read_log

# Requests of ioctl(): linux/i2c-dev.h; the last one types on a terminal
SLAVE, SLAVE_FORCE, TENBIT, FUNCS, PEC, SMBUS = 0x0703, 0x0706, 0x0704, 0x0705, 0x0708, 0x0720
RETRIES, TIMEOUT, STI = 0x0701, 0x0702, 0x5412
NUMBERS = 1024  # beyond those that Linux has given out
OTHER_ABI = 1 << 30  # the same calls for programs with 32 bit pointers
PEERCRED, PEERPIDFD, SNDBUF = 17, 77, 7  # SO_*

# All of it, and for which arguments (see seccomp_paths.needs)
LEFT = {
    "ioctl": ["1=0x703", "1=0x707", "1=0x720"],
    "pread64": [""],
    "accept4": [""],
    "recvmsg": ["2=0x40"],
    "sendto": ["4=0x0 5=0x0"],
    "shutdown": ["1=0x0"],
    "close": [""],
    "getsockopt": [f"1=0x1 2={PEERCRED:#x}", f"1=0x1 2={PEERPIDFD:#x}"],
    "setsockopt": [f"1=0x1 2={SNDBUF:#x}"],
    "pidfd_open": ["1=0x0"],
    "epoll_ctl": [""],
    "epoll_wait": [""],
    "epoll_pwait2": [""],
    "poll": [""],
    "read": [""],
    "timerfd_settime": [""],
    "clock_gettime": [""],
    "getpid": [""],
    "restart_syscall": [""],
    "brk": [""],
    "mmap": ["2&0x4=0x0 3&0x20=0x20"],  # not PROT_EXEC, MAP_ANONYMOUS
    "munmap": [""],
    "writev": ["0=0x2"],
    "exit_group": [""],
}


def ask(bus):
    """A request that touches no bus: there is a broker then"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(30)
        door.connect(f"/run/rgbroker/admin/i2c-{bus}")
        door.send(struct.pack("=HHIIHH", 1, 2, 7, 0, 0, 0))
        return len(door.recv(4096))


def broker_of(bus):
    ask(bus)
    group = f"/sys/fs/cgroup/system.slice/system-rgbroker.slice/rgbroker@{bus}.service/cgroup.procs"
    with open(group, encoding="ascii") as pids:
        return int(pids.readline())


def stopped(pid):
    """It may be about to answer; then it waits again soon"""
    for _ in range(100):
        tracee = Tracee(pid)
        if tracee.waits:
            return tracee
        tracee.leave()
        time.sleep(0.02)
    raise RuntimeError(f"{pid} never waits")


# ---- the filter, read out ----


def judge_filter(bus):
    tracee = stopped(broker_of(bus))
    filters = tracee.filters()
    tracee.leave()
    program = filters[-1]  # the others are of the unit
    found = {call_name(number): allowed(program, number) for number in range(NUMBERS)}
    found = {name: ways for name, ways in found.items() if ways}
    note(f"{len(found)} system calls are left: {' '.join(sorted(found))}")
    note(f"with {sum(len(ways) for ways in found.values())} forms; the filter has {len(program)} instructions")
    expect_eq("the filter leaves these calls, with these arguments", LEFT, found)
    check("they are fewer than 25", len(found) < 25)
    others = {number: actions(program, number) for number in range(NUMBERS) if call_name(number) not in LEFT}
    expect_eq("each other one ends the broker", set(), {n for n, what in others.items() if what != {KILL_PROCESS}})
    mixed = {name for name in LEFT if not actions(program, call_number(name)) <= {ALLOW, KILL_PROCESS}}
    expect_eq("and so do these with other arguments", set(), mixed)
    for what, numbers, architecture in (
        ("with 32 bit pointers", range(OTHER_ABI, OTHER_ABI + NUMBERS), None),
        ("of 32 bit programs", range(NUMBERS), I386),
        ("of any other machine", range(NUMBERS), 0xC00000B7),
    ):
        seen = set().union(*(actions(program, number, *filter(None, [architecture])) for number in numbers))
        expect_eq(f"all calls {what} do", {KILL_PROCESS}, seen)


# ---- made to call ----


class Victim:
    """A process to be harmed, and a file to be made: where they are seen to be whole, nothing has happened"""

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "600"])
        self.pid = self.process.pid
        self.made = b"/tmp/made-by-a-broker\0"

    def harmed(self):
        return self.process.poll() is not None


def address_of(path):
    return struct.pack("=H", socket.AF_UNIX) + path


def attempts(victim, node):
    """What it must not be able to do, with arguments that would do it where they can"""
    journal = address_of(b"/run/systemd/journal/socket\0")
    one = struct.pack("=QQ", 1, 0)
    vector = struct.pack("=QQ", 0, 0)
    return [
        ("open", victim.made, os.O_RDWR | os.O_CREAT, 0o600),
        ("openat", -100, victim.made, os.O_RDWR | os.O_CREAT, 0o600),
        ("openat2", -100, victim.made, struct.pack("=QQQ", os.O_RDWR | os.O_CREAT, 0o600, 0), 24),
        ("socket", socket.AF_UNIX, socket.SOCK_DGRAM, 0),
        ("connect", node, journal, len(journal)),
        ("bind", node, address_of(b""), 2),
        ("sendmsg", node, bytes(56), 0),
        ("sendto", node, b"x", 1, 0, journal, len(journal)),
        ("write", node, b"x", 1),
        ("fork",),
        ("vfork",),
        ("clone", signal.SIGCHLD),
        ("clone3", bytes(32) + struct.pack("=Q", signal.SIGCHLD) + bytes(24), 64),
        ("execve", b"/bin/true\0", 0, 0),
        ("execveat", -100, b"/bin/true\0", 0, 0, 0),
        ("kill", victim.pid, signal.SIGKILL),
        ("ptrace", 0x4206, victim.pid, 0, 0),
        ("process_vm_readv", victim.pid, vector, 1, vector, 1, 0),
        ("mount", b"none\0", b"/tmp\0", b"tmpfs\0", 0, 0),
        ("unshare", 0x10000000),
        ("memfd_create", b"x\0", 0),
        ("mmap", 0, 4096, 7, 0x22, -1, 0),
        ("mprotect", 0, 0, 5),
        ("prctl", 15, b"x\0"),
        ("bpf", 0, bytes(128), 128),
        ("ioctl", node, SLAVE_FORCE, 0x40),
        ("ioctl", node, RETRIES, 1),
        ("ioctl", node, TIMEOUT, 1),
        ("ioctl", node, TENBIT, 0),
        ("ioctl", node, PEC, 0),
        ("ioctl", node, FUNCS, one),
        ("ioctl", node, STI, b"x"),
    ]


def text(attempt):
    name, *arguments = attempt
    return name if name != "ioctl" else f"ioctl {arguments[1]:#x}"


def node_of(pid):
    """The descriptor of the bus"""
    for name in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{name}").startswith("/dev/i2c-"):
            return int(name)
    raise RuntimeError("it has no bus")


def ended_by(tracee, attempt):
    """The signal, or what the kernel answered"""
    name, *arguments = attempt
    try:
        answer = f"answered {tracee.call(call_number(name), *arguments)}"
    except Killed as killed:
        return killed.signal
    tracee.leave()
    return answer


def can_be_injected(victim):
    """The same into a process without a filter: it lives, and it is done"""
    made = victim.made.rstrip(b"\0")
    plain = subprocess.Popen(["sleep", "600"])
    wait_until_asleep(plain.pid)
    tracee = stopped(plain.pid)
    descriptor = tracee.call(call_number("openat"), -100, victim.made, os.O_RDWR | os.O_CREAT, 0o600)
    check("a process without the filter, made to, opens a file", descriptor > 2 and os.path.exists(made), descriptor)
    tracee.call(call_number("kill"), victim.pid, signal.SIGKILL)
    check("and kills another", victim.process.wait(10) == -signal.SIGKILL)
    tracee.leave()
    plain.kill()
    plain.wait()
    os.unlink(made)


def wait_until_asleep(pid):
    for _ in range(500):
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            if stat.read().split()[2] == "S":
                return
        time.sleep(0.02)


def still_can(bus, sim):
    """Made to do what is left to it, it does, and goes on"""
    pid = broker_of(bus)
    tracee = stopped(pid)
    clear_log(sim)
    node = node_of(pid)
    expect_eq("made to, it selects a chip", 0, tracee.call(call_number("ioctl"), node, SLAVE, 0x40))
    read_byte = struct.pack("=BBxxIQ", 1, 0, 1, 0)  # struct i2c_smbus_ioctl_data, which says of no place for the byte
    expect_eq("and asks for a transfer", -errno.EINVAL, tracee.call(call_number("ioctl"), node, SMBUS, read_byte))
    check("and maps memory", tracee.call(call_number("mmap"), 0, 4096, 3, 0x22, -1, 0) > 0)
    tracee.leave()
    expect_eq("and serves", True, ask(bus) > 0)
    expect_eq("as the same process", pid, broker_of(bus))


def told(since):
    """The numbers in the kernel's lines about brokers that were ended"""
    words = ["journalctl", "--quiet", "--boot", f"--since=@{since}", "--output=cat", "--grep=sig=31"]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    numbers = (re.search(r'comm="rgbrokerd".* syscall=(\d+) ', line) for line in lines)
    return {int(found[1]) for found in numbers if found}


def main():
    buses = [(int(bus), sim) for bus, sim in zip(sys.argv[1::2], sys.argv[2::2])]
    judge_filter(buses[0][0])
    still_can(*buses[0])
    victim = Victim()
    can_be_injected(victim)
    victim = Victim()
    # All of them are counted: the kernel leaves lines out when there are more than ten in five seconds.
    with open("/proc/sys/kernel/printk_ratelimit", "w", encoding="ascii") as seconds:
        seconds.write("0")
    began = int(time.time())
    for sim in {sim for _, sim in buses}:
        clear_log(sim)
    for turn, _ in enumerate(attempts(victim, 0)):
        bus, sim = buses[turn % len(buses)]  # one starts again while the others are tried
        pid = broker_of(bus)
        tracee = stopped(pid)
        attempt = attempts(victim, node_of(pid))[turn]
        outcome = ended_by(tracee, attempt)
        expect_eq(f"made to {text(attempt)}, it is ended by SIGSYS", signal.SIGSYS, outcome)
        check(f"and {text(attempt)} was not carried out", not victim.harmed() and not read_log(sim))
    tried = [call_number(name) for name, *_ in attempts(victim, 0)]
    expect_eq("the kernel's log tells each of these calls", sorted(set(tried)), sorted(told(began)))
    expect_eq("all brokers are there again", [True] * len(buses), [ask(bus) > 0 for bus, _ in buses])
    note(f"{len(tried)} calls were tried, on a broker each")
    victim.process.kill()


main()
