# SPDX-License-Identifier: LGPL-2.1-or-later
"""honest.py DOOR ADDRESS: comes, writes and reads back in a batch, and goes again; until SIGTERM

Nobody else writes to its chip, so what it reads in a batch is what it has written there, also if another broker
had to go on in the middle of it. The last line tells how it went.
"""

import collections
import ctypes
import errno
import random
import signal
import sys
import time

PAIRS, SIZE = 12, 24
I2C_BLOCK = 8


class Op(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint8) for name in ("kind", "read", "address", "command", "joined")]
    _fields_ += [("length", ctypes.c_uint16), ("data", ctypes.POINTER(ctypes.c_uint8))]


library = ctypes.CDLL("librgbroker.so.0")
door, address = sys.argv[1].encode(), int(sys.argv[2], 16)
visits = wrong = 0
failed = collections.Counter()
slowest = 0
ended = False


def end(*_):
    global ended
    ended = True


def tell():
    print(f"{visits} visits, {wrong} wrong, failed {dict(failed)}, the slowest took {slowest * 1000:.0f} ms", flush=True)


def batch(handle):
    """The result, and how many of the reads that were done brought something else than was written before"""
    written = [bytes(random.randrange(256) for _ in range(SIZE)) for _ in range(PAIRS)]
    buffers = [(ctypes.c_uint8 * 32)(*data) for data in written for _ in range(2)]
    ops = (Op * (2 * PAIRS))()
    for number, buffer in enumerate(buffers):
        if number % 2:
            buffer[:] = [0] * 32
        ops[number] = Op(I2C_BLOCK, number % 2, address, 0x10, 0, SIZE, buffer)
    done = ctypes.c_size_t()
    result = library.rgbroker_batch(handle, ops, len(ops), ctypes.byref(done))
    bad = sum(bytes(buffers[number])[:SIZE] != written[number // 2] for number in range(1, done.value, 2))
    return result, bad + (result == 0 and done.value != len(ops))


signal.signal(signal.SIGTERM, end)
while not ended:
    handle = ctypes.c_void_p()
    began = time.monotonic()
    result = library.rgbroker_open_path(ctypes.byref(handle), door)
    if result == 0:
        result, bad = batch(handle)
        wrong += bad
        library.rgbroker_close(handle)
    slowest = max(slowest, time.monotonic() - began)
    visits += 1
    if result < 0:
        failed[errno.errorcode[-result]] += 1
    if visits % 20 == 0:
        tell()
    time.sleep(0.05)
tell()
sys.exit(0)
