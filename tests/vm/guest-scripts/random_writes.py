#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random writes of every kind over all addresses of a bus, by the plain i2c-dev interface.

usage: random_writes.py BUS COUNT SEED      prints how many ended how, by errno name
"""
import collections
import ctypes
import errno
import fcntl
import os
import random
import sys

I2C_SLAVE, I2C_RDWR, I2C_SMBUS = 0x0703, 0x0707, 0x0720
QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA, I2C_BLOCK = 0, 1, 2, 3, 5, 8
PLAIN = -1


class SmbusData(ctypes.Union):
    _fields_ = [("byte", ctypes.c_uint8), ("word", ctypes.c_uint16), ("block", ctypes.c_uint8 * 34)]


class SmbusCall(ctypes.Structure):
    _fields_ = [("read_write", ctypes.c_uint8), ("command", ctypes.c_uint8), ("size", ctypes.c_uint32),
                ("data", ctypes.POINTER(SmbusData))]


class Message(ctypes.Structure):
    _fields_ = [("addr", ctypes.c_uint16), ("flags", ctypes.c_uint16), ("len", ctypes.c_uint16),
                ("buf", ctypes.POINTER(ctypes.c_uint8))]


class Transfer(ctypes.Structure):
    _fields_ = [("msgs", ctypes.POINTER(Message)), ("nmsgs", ctypes.c_uint32)]


def plain_write(fd, address, data):
    buffer = (ctypes.c_uint8 * len(data))(*data)
    message = Message(address, 0, len(data), ctypes.cast(buffer, ctypes.POINTER(ctypes.c_uint8)))
    fcntl.ioctl(fd, I2C_RDWR, Transfer(ctypes.pointer(message), 1))


def smbus_write(fd, address, kind, rng):
    data = SmbusData()
    for i in range(34):
        data.block[i] = rng.randrange(256)
    if kind in (BLOCK_DATA, I2C_BLOCK):
        data.block[0] = rng.randint(1, 32)
    fcntl.ioctl(fd, I2C_SLAVE, address)
    fcntl.ioctl(fd, I2C_SMBUS, SmbusCall(0, rng.randrange(256), kind, ctypes.pointer(data)))


def main():
    bus, count, seed = (int(argument) for argument in sys.argv[1:4])
    rng = random.Random(seed)
    ended = collections.Counter()
    fd = os.open(f"/dev/i2c-{bus}", os.O_RDWR)
    for _ in range(count):
        address = rng.randrange(128)
        kind = rng.choice([QUICK, BYTE, BYTE_DATA, WORD_DATA, BLOCK_DATA, I2C_BLOCK, PLAIN])
        try:
            if kind == PLAIN:
                plain_write(fd, address, [rng.randrange(256) for _ in range(rng.randint(1, 40))])
            else:
                smbus_write(fd, address, kind, rng)
            ended["passed"] += 1
        except OSError as error:
            ended[errno.errorcode[error.errno]] += 1
    print(" ".join(f"{how}={ended[how]}" for how in sorted(ended)))


main()
