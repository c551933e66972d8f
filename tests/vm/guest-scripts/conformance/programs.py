# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small programs, each of which shows one difference of client-lib/differences.md, under the id it has there

Each is given `ask`, by which root does what a program cannot (see differences.py), and the numbers of the buses.
It says what it saw, in a line.
"""

import array
import ctypes
import fcntl
import os
import resource
import select
import signal as signals
import socket
import stat
import subprocess
import sys
import time

from i2cdev import (
    BLOCK,
    BYTE_DATA,
    FUNC_SMBUS_HOST_NOTIFY,
    M_RECV_LEN,
    PEC,
    PROC_CALL,
    RETRIES,
    SLAVE,
    TENBIT,
    WRITE,
    Node,
    checked,
    libc,
    outcome,
    path,
)

CHIP, OTHER, OWNED = 0x20, 0x21, 0x50  # on the adapter with plain I2C; a register holds its number plus the chip's
SPD, VENGEANCE, ENE = 0x50, 0x58, 0x70  # on the adapter like a chipset's

# as agent.py runs programs; set by it
command = None


def said(*values):
    return ", ".join(str(value) for value in values)


def at(bus, address, flags=os.O_RDWR):
    node = Node(bus, flags)
    node.slave(address)
    return node


def in_child(work):
    """What work() returns, in a child; a word, since it comes through a pipe"""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(outcome(work)).encode())
        os._exit(0)
    os.close(writer)
    text = os.read(reader, 1000).decode()
    os.close(reader)
    os.waitpid(pid, 0)
    return text


def i2cget(bus, chip=CHIP, program="/usr/sbin/i2cget"):
    return [program, "-y", str(bus), hex(chip), "0x10"]


def read_once(*arguments, **options):
    """i2cget's last errno, or what it read; its status if there was neither"""
    reply = command(*arguments, **options)
    if reply["output"]:
        return reply["output"].strip()
    errors = [line.split()[-1] for line in reply["ioctls"] if not line.endswith(" -")]
    return errors[-1] if errors else f"status {reply['status']}"


# ---- refused by design ----


def policy(ask, buses):
    node = at(buses["chipset"], SPD)
    return outcome(node.smbus, WRITE, 0x40, BYTE_DATA, [0xC3]).split()[0]


def claim(ask, buses):
    reader, writer = os.pipe()
    holder = os.fork()
    if holder == 0:
        node = at(buses["chipset"], VENGEANCE)
        os.write(writer, outcome(node.smbus, WRITE, 0xA4, BYTE_DATA, [1]).split()[0].encode())
        signals.pause()
    first = os.read(reader, 100).decode()
    node = at(buses["chipset"], VENGEANCE)
    second = outcome(node.smbus, WRITE, 0xA4, BYTE_DATA, [2]).split()[0]
    node.close()
    os.kill(holder, signals.SIGKILL)
    os.waitpid(holder, 0)
    return said(f"first {first}", f"second {second}")


def force(ask, buses):
    node = Node(buses["plain"])
    return said(outcome(node.slave_force, OWNED), outcome(node.read_byte, 0x10))


def slave_failed(ask, buses):
    node = at(buses["plain"], CHIP)
    return said(
        outcome(node.slave, OWNED),
        outcome(node.read_byte, 0x10),
        outcome(node.rdwr, [[OTHER, 0, [0x10]], [OTHER, 1, 1]]),
        outcome(node.slave, OTHER),
        outcome(node.read_byte, 0x10),
    )


def rdwr_owned(ask, buses):
    node = Node(buses["plain"])
    return said(outcome(node.rdwr, [[OWNED, 0, [0x10]], [OWNED, 1, 1]]))


def pec(ask, buses):
    node = at(buses["plain"], CHIP)
    return said(outcome(node.ioctl, PEC, 1))


def tenbit(ask, buses):
    node = at(buses["plain"], CHIP)
    return said(outcome(node.ioctl, TENBIT, 1))


def process_call(ask, buses):
    node = at(buses["plain"], CHIP)
    return outcome(node.smbus, WRITE, 0x10, PROC_CALL, [0, 0]).split()[0]


def host_notify(ask, buses):
    node = Node(buses["machine"])
    return "in I2C_FUNCS" if int(node.funcs(), 16) & FUNC_SMBUS_HOST_NOTIFY else "not in I2C_FUNCS"


def message_flags(ask, buses):
    node = Node(buses["plain"])
    # of the length that the chip tells: its first byte, less what is there
    node.rdwr([[0x10, 0, [0]]])
    buffer = (ctypes.c_uint8 * 64)(1)
    pointer = ctypes.addressof(buffer)
    return said(outcome(node.rdwr_buffer_at, 0x10, 1 | M_RECV_LEN, 64, pointer), buffer[0])


def message_address(ask, buses):
    node = Node(buses["plain"])
    return said(outcome(node.rdwr, [[0x80, 1, 1]]))


def message_limits(ask, buses):
    node = Node(buses["plain"])
    many, long = outcome(node.rdwr, [[CHIP, 1, 1]] * 9), outcome(node.rdwr, [[CHIP, 1, 1025]])
    return said(many.split()[0], long.split()[0])


def read_write_limit(ask, buses):
    node = at(buses["plain"], CHIP)
    lengths = [outcome(lambda: len(node.read(9000))), outcome(node.write_many, 9000)]
    return said(*lengths)


def adapter_settings(ask, buses):
    node = Node(buses["plain"])
    return said(outcome(node.ioctl, RETRIES, 0), outcome(node.ioctl, RETRIES, 1 << 31))


def block_length(ask, buses):
    node = at(buses["machine"], 0x20)
    return said(outcome(node.smbus, WRITE, 0x10, BLOCK, [33]))


# ---- because there is a broker in between ----


def broker_killed(ask, buses):
    node = at(buses["plain"], CHIP)
    ask("hang", 1500)
    ask("kill broker soon")
    during = outcome(node.read_byte, 0x10)
    ask("hang", 0)
    return said(during, outcome(node.read_byte, 0x10))


def deadline(ask, buses):
    ask("hang", 2500)
    during = read_once(i2cget(buses["plain"]), {"RGBROKER_TIMEOUT_MS": "700"})
    ask("hang", 0)
    return during


def quarantine(ask, buses):
    node = at(buses["plain"], CHIP)
    ask("time out", CHIP, 1000)
    results = [outcome(node.read_byte, 0x10) for _ in range(5)]
    ask("time out", CHIP, 0)
    ask("restart brokers")  # who start anew have forgotten it
    return f"{len(results)} times {' '.join(sorted(set(results)))}"


def pointer_lost(ask, buses):
    ask("restart brokers")
    node = at(buses["chipset"], ENE)
    return outcome(node.smbus, WRITE, 0x01, BYTE_DATA, [1]).split()[0]


def unplug(ask, buses):
    node = at(buses["plain 2"], CHIP)
    before = outcome(node.read_byte, 0x10)
    remover = ask("unplug")
    after = outcome(node.read_byte, 0x10)
    node.close()
    ask("plug")
    return said(before, f"the remover {remover}", after)


def open_busy(ask, buses):
    """More than the shim's table holds; on two buses, since a broker has fewer places"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    nodes = [os.open(path(buses["plain"]), os.O_RDWR) for _ in range(512)]
    nodes += [os.open(path(buses["stub"]), os.O_RDWR) for _ in range(512)]
    last = outcome(os.open, path(buses["stub"]), os.O_RDWR)
    for node in nodes + ([last] if isinstance(last, int) else []):
        os.close(node)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return "opened" if isinstance(last, int) else last


def signal(ask, buses):
    """Killed 0.3 s into a transfer of 2.5 s, with a deadline of 1 s"""
    ask("hang", 2500)
    child = subprocess.Popen(
        i2cget(buses["plain"]),
        env=dict(os.environ, RGBROKER_TIMEOUT_MS="1000"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    began = time.monotonic()
    time.sleep(0.3)
    child.terminate()
    child.wait()
    took = time.monotonic() - began
    ask("hang", 0)
    return "at once" if took < 0.8 else "at the deadline" if took < 2 else "after the adapter"


# ---- because the descriptor is a socket ----


def poll(ask, buses):
    node = at(buses["plain"], CHIP)
    poller = select.poll()
    poller.register(node.fd, select.POLLIN | select.POLLOUT)
    ready = dict(poller.poll(0)).get(node.fd, 0)
    node.close()
    return said(*(name for name in ("POLLIN", "POLLOUT") if ready & getattr(select, name)))


def flags(ask, buses):
    node = at(buses["plain"], CHIP, os.O_RDONLY)
    value = fcntl.fcntl(node.fd, fcntl.F_GETFL)
    node.close()
    return said(("O_RDONLY", "O_WRONLY", "O_RDWR")[value & os.O_ACCMODE], value & os.O_NONBLOCK and "O_NONBLOCK")


def vectored(ask, buses):
    node = at(buses["plain"], CHIP)
    node.write(0x10)
    return said(
        outcome(os.readv, node.fd, [bytearray(1), bytearray(1)]),
        outcome(os.writev, node.fd, [b"\x10\x77"]),
        outcome(node.read_byte, 0x11),
    )


def fork_address(ask, buses):
    node = at(buses["plain"], CHIP)

    def child():
        node.read_byte(0x10)
        return node.slave(OTHER)

    return said(in_child(child), hex(node.read_byte(0x10)))


def two_numbers_fork(ask, buses):
    node, twin = at(buses["plain"], CHIP), Node(buses["plain"])
    os.dup2(node.fd, twin.fd)
    # or it would wait in the door for the next broker, and see no restart
    node.read_byte(0x10)
    ask("restart brokers")
    node.read_byte(0x10)

    def child():
        twin.read_byte(0x10)
        node.slave(OTHER)
        return hex(twin.read_byte(0x10))

    return said(in_child(child))


def proc(ask, buses):
    node = Node(buses["plain"])
    target = os.readlink(f"/proc/self/fd/{node.fd}")
    node.close()
    return "the node" if target == path(buses["plain"]) else target.split(":")[0]


def status(ask, buses):
    import grp

    found = os.stat(path(buses["plain"]))
    kind = "character device" if stat.S_ISCHR(found.st_mode) else "something else"
    return said(kind, oct(found.st_mode & 0o7777), grp.getgrgid(found.st_gid).gr_name)


def readdir(ask, buses):
    return "listed" if f"i2c-{buses['plain']}" in os.listdir("/dev") else "not listed"


# ---- what the shim cannot reach ----


def opens(result):
    if isinstance(result, int) and result >= 0:
        os.close(result)
        return "opened"
    return result


def own_program(ask, name):
    """A program that opens the node and ends with the errno"""
    status = command([ask("own program", name)])["status"]
    # it ends with less its descriptor's number if it has one
    return "opened" if status > 200 else os.strerror(status)


def static(ask, buses):
    return own_program(ask, "static")


def thirty_two(ask, buses):
    return own_program(ask, "thirty-two")


def go(ask, buses):
    openat = 257
    return opens(outcome(lambda: checked(libc.syscall(openat, -100, path(buses["plain"]).encode(), os.O_RDWR, 0))))


def fopen(ask, buses):
    libc.fopen.restype = ctypes.c_void_p
    file = libc.fopen(path(buses["plain"]).encode(), b"r+")
    if not file:
        return os.strerror(ctypes.get_errno())
    libc.fclose(ctypes.c_void_p(file))
    return "opened"


def other_names(ask, buses):
    here = os.getcwd()
    os.chdir("/dev")
    relative = opens(outcome(os.open, f"i2c-{buses['plain']}", os.O_RDWR))
    os.chdir(here)
    return said(relative, opens(outcome(os.open, f"/dev/../dev/i2c-{buses['plain']}", os.O_RDWR)))


def creat(ask, buses):
    return opens(outcome(lambda: checked(libc.creat(path(buses["plain"]).encode(), 0o600))))


RECEIVER = f"""
import array, ctypes, os, socket
peer = socket.socket(fileno=0)
_, control, _, _ = peer.recvmsg(1, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
libc = ctypes.CDLL(None, use_errno=True)
os.write(1, b"%d %d" % (libc.ioctl(fd, ctypes.c_ulong({SLAVE}), {CHIP}), ctypes.get_errno()))
"""


def passed(ask, buses):
    node = Node(buses["plain"])
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-S", "-c", RECEIVER], stdin=theirs, stdout=subprocess.PIPE)
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [node.fd]))])
    result, error = child.communicate()[0].split()
    node.close()
    ours.close()
    theirs.close()
    return "works" if result == b"0" else os.strerror(int(error))


def environment(ask, buses):
    return read_once(i2cget(buses["plain"]), bare=True)


# ---- liquidctl ----


def liquidctl(ask, buses):
    """Its own class of an SMBus, and its driver for the Vengeance RGB module that rgbsim has"""
    from liquidctl.driver.ddr4 import VengeanceRgb
    from liquidctl.driver.smbus import LinuxI2c, SmbusDriver

    class Probe(SmbusDriver):
        @classmethod
        def probe(cls, smbus, **kwargs):
            if smbus.description in ("rgbsim chipset", "rgbsim plain"):
                yield cls(smbus, smbus.description, address=CHIP)

    seen = []
    for device in sorted(LinuxI2c().find_devices(), key=lambda device: device.bus):
        if not isinstance(device, Probe):
            continue
        bus = device._smbus
        seen += [repr(bus), outcome(device.connect, unsafe="smbus") is device]
        if device.description == "rgbsim plain":
            seen += [
                outcome(bus.read_byte, CHIP),
                outcome(bus.read_byte_data, CHIP, 0x10),
                outcome(bus.read_word_data, CHIP, 0x10),
                outcome(bus.read_block_data, 0x10, 0),
                outcome(bus.write_byte, CHIP, 0x20),
                outcome(bus.write_byte_data, CHIP, 0x20, 1),
                outcome(bus.write_word_data, CHIP, 0x21, 0x302),
                outcome(bus.write_block_data, CHIP, 0x30, [1, 2, 3]),
                outcome(bus.read_byte_data, 0x2F, 0),
                outcome(bus.read_byte_data, OWNED, 0),
                outcome(bus.load_eeprom, CHIP),
            ]
        else:
            module = VengeanceRgb(bus, "module", address=(None, None, 0x50))
            unsafe = ["smbus", "vengeance_rgb"]
            for mode, colors in (
                ("fixed", [(1, 2, 3)]),
                ("breathing", [(0xFF, 0, 0), (0, 0xFF, 0)]),
                ("fading", [(9, 8, 7)] * 7),
                ("off", []),
            ):
                seen.append(outcome(module.set_color, "led", mode, colors, unsafe=unsafe))
            seen.append(outcome(module.get_status, unsafe=unsafe))
        device.disconnect()
    return seen
