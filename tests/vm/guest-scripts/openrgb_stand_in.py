#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""openrgb [--server] [--server-host HOST] [--profile NAME]...: what OpenRGB is to a unit, in small

As it does, this makes its folder in XDG_CONFIG_HOME (or HOME) first thing, looks for buses and LED controllers
once, when it starts, lights them as its profile says, and then serves on a port. There it is asked, a line each:

    leds            how many controllers it has
    light RRGGBB    lights them, and keeps that as its profile; answers how many took it
    open PATH       opens a node for reading and writing, past any preloaded library: "done" or the errno's name
    spd BUS         overwrites a byte of the SPD EEPROM at 0x50, in all the ways it knows
"""

import argparse
import ctypes
import errno
import fcntl
import os
import pathlib
import socket
import subprocess
import sys

I2C_SLAVE, I2C_SMBUS = 0x0703, 0x0720
READ, WRITE = 1, 0
BYTE_DATA, WORD_DATA, BLOCK_DATA = 2, 3, 5
SYS_ioctl, SYS_mknodat, SYS_openat = 16, 259, 257
AT_FDCWD = -100
PORT = 6742

libc = ctypes.CDLL(None, use_errno=True)


class Smbus(ctypes.Structure):
    _fields_ = [("way", ctypes.c_uint8), ("command", ctypes.c_uint8), ("size", ctypes.c_uint32), ("data", ctypes.c_void_p)]


def raw(number, *arguments):
    """A system call that no preloaded library sees"""
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def raw_open(path, flags=os.O_RDWR):
    return raw(SYS_openat, AT_FDCWD, os.fsencode(path), flags, 0)


def transfer(ioctl, node, address, way, command, size, data):
    buffer = (ctypes.c_uint8 * 34)(*data)
    ioctl(node, I2C_SLAVE, address)
    ioctl(node, I2C_SMBUS, Smbus(way, command, size, ctypes.addressof(buffer)))
    return buffer


def plain_ioctl(node, request, argument):
    fcntl.ioctl(node, request, argument)


def raw_ioctl(node, request, argument):
    raw(SYS_ioctl, node, request, argument if isinstance(argument, int) else ctypes.byref(argument))


# ---- LED controllers of ENE's kind ----


def is_ene(node, address):
    try:
        found = [transfer(plain_ioctl, node, address, READ, 0xA0 + i, BYTE_DATA, [])[0] for i in range(16)]
    except OSError:
        return False
    return found == list(range(16))


def look(profile):
    found = []
    for path in sorted(pathlib.Path("/sys/bus/i2c/devices").glob("i2c-*")):
        try:
            node = os.open(f"/dev/{path.name}", os.O_RDWR)
        except OSError:
            continue
        found += [(node, address) for address in (0x67, *range(0x70, 0x78)) if is_ene(node, address)]
    light(found, profile)
    return found


def set_pointer(node, address, register):
    transfer(plain_ioctl, node, address, WRITE, 0x00, WORD_DATA, [register >> 8, register & 0xFF])


def light_one(node, address, color):
    red, green, blue = bytes.fromhex(color)
    set_pointer(node, address, 0x1C02)
    count = transfer(plain_ioctl, node, address, READ, 0x81, BYTE_DATA, [])[0]
    set_pointer(node, address, 0x8020)
    transfer(plain_ioctl, node, address, WRITE, 0x01, BYTE_DATA, [1])
    for led in range(count):
        set_pointer(node, address, 0x8100 + 3 * led)
        transfer(plain_ioctl, node, address, WRITE, 0x03, BLOCK_DATA, [3, red, blue, green])


def light(controllers, color):
    count = 0
    for node, address in controllers:
        try:
            light_one(node, address, color)
            count += 1
        except OSError:
            pass
    return count


# ---- what it would do if it were taken over ----


def overwrite(ioctl, node):
    transfer(ioctl, node, 0x50, WRITE, 0x40, BYTE_DATA, [0x5A])


def by_own_node(bus):
    path = f"{os.environ.get('HOME', '/tmp')}/node-{os.getpid()}"
    raw(SYS_mknodat, AT_FDCWD, os.fsencode(path), 0o20600, os.makedev(89, bus))
    try:
        overwrite(raw_ioctl, raw_open(path))
    finally:
        os.unlink(path)


def by_process_1():
    run = subprocess.run(["systemctl", "start", "spd-writer.service"], capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    if run.returncode:
        raise PermissionError(errno.EACCES, run.stderr.decode())


def spd(bus):
    ways = {
        "as-it-lights": lambda: overwrite(plain_ioctl, os.open(f"/dev/i2c-{bus}", os.O_RDWR)),
        "node": lambda: overwrite(raw_ioctl, raw_open(f"/dev/i2c-{bus}")),
        "by-number": lambda: overwrite(raw_ioctl, raw_open(f"/dev/char/89:{bus}")),
        "init's-root": lambda: overwrite(raw_ioctl, raw_open(f"/proc/1/root/dev/i2c-{bus}")),
        "own-node": lambda: by_own_node(bus),
        "process-1": by_process_1,
    }
    return " ".join(f"{way}={attempt(do)}" for way, do in ways.items())


def attempt(do):
    try:
        do()
        return "done"
    except OSError as failure:
        return errno.errorcode.get(failure.errno, str(failure.errno))
    except subprocess.TimeoutExpired:
        return "ETIMEDOUT"


# ---- the server ----


def answer(controllers, profile, line):
    word, *arguments = line.split()
    if word == "leds":
        return str(len(controllers))
    if word == "light":
        profile.write_text(arguments[0])
        return str(light(controllers, arguments[0]))
    if word == "open":
        return attempt(lambda: os.close(raw_open(arguments[0])))
    return spd(int(arguments[0]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--noautoconnect", action="store_true")
    parser.add_argument("--server-host", default="0.0.0.0")
    parser.add_argument("--config")
    parser.add_argument("--profile", default="stand-in")
    arguments = parser.parse_args()
    home = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("HOME", "") + "/.config"
    folder = pathlib.Path(home, "OpenRGB")
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / f"{arguments.profile}.orp"
    if not profile.exists():
        profile.write_text("101010")
    controllers = look(profile.read_text())
    server = socket.create_server((arguments.server_host, PORT))
    while True:
        client, _ = server.accept()
        with client, client.makefile("rw") as lines:
            for line in lines:
                print(answer(controllers, profile, line), file=lines, flush=True)


sys.exit(main())
