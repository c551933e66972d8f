# SPDX-License-Identifier: LGPL-2.1-or-later
"""differences.py LIST BUSES: each difference of the list is there, shown by a program run on both sides

LIST is client-lib/differences.md. What the program says on either side stands here in full, so that a difference
that goes away, or changes, is noticed like one that is new. Reports as compare.py does.
"""

import errno
import grp
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import time

from session import Session, Trace, transfers

# id: what its program in programs.py says directly and brokered, each with the number of transfers
SHOWN = {
    "policy": (("0", 1), ("EACCES", 0)),
    "claim": (("first 0, second 0", 2), ("first 0, second EBUSY", None)),
    "force": (("0, 96", 1), ("EPERM, EBUSY", 0)),
    "slave-failed": (("EBUSY, 48, 2 10 31, 0, 49", 3), ("EBUSY, EBUSY, 2 10 31, 0, 49", 2)),
    "rdwr-owned": (("2 10 60", 1), ("EBUSY", 0)),
    "pec": (("0", 0), ("EOPNOTSUPP", 0)),
    "tenbit": (("0", 0), ("EOPNOTSUPP", 0)),
    "process-call": (("0", 1), ("EOPNOTSUPP", 0)),
    "host-notify": (("in I2C_FUNCS", 0), ("not in I2C_FUNCS", 0)),
    "message-flags": (("1, 16", 2), ("EOPNOTSUPP, 1", 1)),
    "message-address": (("ENXIO", 1), ("EINVAL", 0)),
    "message-limits": (("9, 1", 2), ("EINVAL, EINVAL", 0)),
    "read-write-limit": (("8192, 8192", 2), ("EINVAL, EINVAL", 0)),
    "adapter-settings": (("0, EINVAL", 0), ("EPERM, EINVAL", 0)),
    "broker-killed": (("0, 0", 2), ("EIO, 0", 2)),
    "deadline": (("0x00", 1), ("ETIMEDOUT", 1)),
    "quarantine": (("5 times ETIMEDOUT", 5), ("5 times ETIMEDOUT", 3)),
    "pointer-lost": (("0", 1), ("EAGAIN", None)),
    "unplug": (("48, the remover waits, 48", 2), ("48, the remover is done, ENODEV", 1)),
    "open-busy": (("opened", 0), ("EMFILE", 0)),
    "signal": (("after the adapter", 1), ("at the deadline", 1)),
    "poll": (("POLLIN, POLLOUT", 0), ("POLLOUT", 0)),
    "flags": (("O_RDONLY, 0", 0), ("O_RDWR, 0", 0)),
    "vectored": (("2, 2, 0", 5), ("EAGAIN, 2, 0", 2)),
    "fork-address": (("0, 0x31", 2), ("0, 0x77", 2)),
    "two-numbers-fork": (("0x31", 4), ("EBUSY", 2)),
    "proc": (("the node", 0), ("socket", 0)),
    "status": (("character device, 0o660, rgbroker-i2c", 0), ("character device, 0o660, rgbroker", 0)),
    "readdir": (("listed", 0), ("not listed", 0)),
    # opened is the node; under PrivateDevices= there is none
    "static": (("opened", 0), ("No such file or directory", 0)),
    "set-id": (
        ("i2cget by nobody, set-user-ID by i2cget-set-id", None),
        ("i2cget by rgbrokerd, set-user-ID by i2cget-set-id", None),
    ),
    "thirty-two": (("opened", 0), ("No such file or directory", 0)),
    "go": (("opened", 0), ("ENOENT", 0)),
    "fopen": (("opened", 0), ("No such file or directory", 0)),
    "other-names": (("opened, opened", 0), ("ENOENT, ENOENT", 0)),
    "creat": (("opened", 0), ("EROFS", 0)),
    "passed": (("works", 0), ("Inappropriate ioctl for device", 0)),
    "environment": (("0x77", 1), ("status 1", 0)),
}
# Why a difference cannot be shown in this guest
NOT_SHOWN = {
    "upgrade": "34-upgrade.sh does",
    "slave-mux": "its kernel has no driver of a mux",
    "other-libc": "it has one libc",
    "closed-meanwhile": "nothing makes a thread stop between two system calls",
    "block-length": "its kernel looks at the length itself",
}


# ---- what root does for programs ----


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def debug(name, value):
    with open(f"/sys/kernel/debug/rgbsim/plain/{name}", "w") as file:
        file.write(f"{value}\n")


def hang(session, milliseconds):
    debug("hang", milliseconds)
    if milliseconds == 0:
        time.sleep(0.3)  # what was let go is on the wire before the next one is counted


def broker(bus):
    return f"rgbroker@{bus}.service"


def kill_broker_soon(session):
    """In the middle of the transfer that is asked for meanwhile"""
    pid = int(systemctl("show", "--property=MainPID", "--value", broker(buses["plain"])) or 0)
    if session.brokered and pid:
        threading.Timer(0.4, os.kill, (pid, 9)).start()


def restart_brokers(session):
    """Their doors stay open, and start them again"""
    names = [broker(buses[name]) for name in ("plain", "chipset")]
    subprocess.run(["systemctl", "stop", "--quiet", *names], stderr=subprocess.DEVNULL, check=False)


DRIVER = "/sys/bus/platform/drivers/rgbsim"
PLAIN_2 = "rgbsim-plain.1"
remover = None


def bind(how):
    with open(f"{DRIVER}/{how}", "w") as file:
        file.write(PLAIN_2)


def unplug(session):
    global remover
    remover = threading.Thread(target=bind, args=("unbind",))
    remover.start()
    remover.join(4)
    return "waits" if remover.is_alive() else "is done"


def plug(session):
    remover.join()
    bind("bind")
    door = f"/run/rgbroker/i2c-{buses['plain 2']}"
    end = time.monotonic() + 10
    while not os.path.exists(door) and time.monotonic() < end:
        time.sleep(0.05)


BINARIES = "/opt/rgbroker-tests/conformance"


def elf64(code, path):
    """A static program of 64 bits: the code, then the path"""
    base, head = 0x400000, 64 + 56
    size = head + len(code + path)
    ident = b"\x7fELF\2\1\1" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return ident + header + segment + code + path


def elf32(code, path):
    base, head = 0x400000, 52 + 32
    size = head + len(code + path)
    ident = b"\x7fELF\1\1\1" + bytes(9)
    header = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + head, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 0x1000)
    return ident + header + segment + code + path


def own_program(session, name):
    """exit(-open(path, O_RDWR)), in machine code: the guest has neither compiler nor libraries for these"""
    path = f"/dev/i2c-{buses['plain']}\0".encode()
    if name == "static":
        # mov eax,2; lea rdi,[rip+18]; mov esi,2; syscall; mov edi,eax; neg edi; mov eax,60; syscall
        code = bytes.fromhex("b802000000 488d3d12000000 be02000000 0f05 89c7 f7df b83c000000 0f05")
        # the displacement counts from behind the lea
        code = code[:8] + struct.pack("<i", len(code) - 12) + code[12:]
        content = elf64(code, path)
    else:
        # mov eax,5; mov ebx,path; mov ecx,2; int 0x80; mov ebx,eax; neg ebx; mov eax,1; int 0x80
        code = bytes.fromhex("b805000000 bb00000000 b902000000 cd80 89c3 f7db b801000000 cd80")
        code = code[:6] + struct.pack("<I", 0x400000 + 52 + 32 + len(code)) + code[10:]
        content = elf32(code, path)
    os.makedirs(BINARIES, exist_ok=True)
    file = f"{BINARIES}/{name}"
    with open(file, "wb") as out:
        out.write(content)
    os.chmod(file, 0o755)
    return file


def time_out(session, address, count):
    debug("fault", f"{address} {errno.ETIMEDOUT} {count}")


ACTIONS = {
    "hang": hang,
    "time out": time_out,
    "kill broker soon": kill_broker_soon,
    "restart brokers": restart_brokers,
    "unplug": unplug,
    "plug": plug,
    "own program": own_program,
}


# ---- set-user-ID: a service cannot have such a program, so an ordinary user has it ----


def as_user(brokered, program):
    """Who carries out the transfer of an ordinary user's program"""
    user = ["setpriv", "--reuid=65534", f"--regid={grp.getgrnam('rgbroker').gr_gid}", "--clear-groups"]
    launcher = ["rgbroker-run"] if brokered else []
    words = user + launcher + [program, "-y", str(buses["plain"]), "0x20", "0x10"]
    subprocess.run(words, capture_output=True, check=False)
    trace.take()
    return " ".join(trace.who) or "nobody"


def set_id(brokered):
    os.makedirs(BINARIES, exist_ok=True)
    program = f"{BINARIES}/i2cget-set-id"
    shutil.copyfile("/usr/sbin/i2cget", program)
    os.chmod(program, 0o4755)
    return f"i2cget by {as_user(brokered, '/usr/sbin/i2cget')}, set-user-ID by {as_user(brokered, program)}"


# ---- the list ----


def listed(file):
    """The ids of all tables"""
    return re.findall(r"^\| `([a-z-]+)` \|", open(file).read(), re.MULTILINE)


def show(session, name):
    if name == "set-id":
        return set_id(session.brokered), None
    reply = session.do("program", name.replace("-", "_"), buses)
    return reply["results"][0], transfers(reply["wire"])


def fits(seen, expected):
    return all(part is None or part == value for value, part in zip(seen, expected))


def text(seen):
    return seen[0] if seen[1] is None else f"{seen[0]} ({seen[1]} on the wire)"


def judge(name, seen):
    good = all(fits(*pair) for pair in zip(seen, SHOWN[name]))
    what = f"listed under {name}: directly {text(seen[0])}; brokered {text(seen[1])}"
    print(f"{'ok' if good else 'not ok'} - {what}")
    if not good:
        print(f"# expected: directly {text(SHOWN[name][0])}; brokered {text(SHOWN[name][1])}")



def main():
    global buses, trace
    names, buses = listed(sys.argv[1]), json.loads(sys.argv[2])
    known = sorted([*SHOWN, *NOT_SHOWN])
    good = known == sorted(names)
    print(f"{'ok' if good else 'not ok'} - {len(names)} differences are listed, and each is known here")
    for name in sorted(set(known) ^ set(names)):
        print(f"# {name} is not {'listed' if name in known else 'known here'}")
    trace = Trace()
    sessions = [Session(trace, brokered, ACTIONS) for brokered in (False, True)]
    for name in names:
        if name in SHOWN:
            judge(name, [show(session, name) for session in sessions])
        elif name in NOT_SHOWN:
            print(f"#: not shown in this guest: {name}; {NOT_SHOWN[name]}")
    for session in sessions:
        session.end()


if __name__ == "__main__":
    main()
