# SPDX-License-Identifier: LGPL-2.1-or-later
"""i2c-dev's own calls, without anything in between"""

import ctypes
import errno
import os

RETRIES, TIMEOUT, SLAVE, TENBIT, FUNCS, SLAVE_FORCE, RDWR, PEC = range(0x701, 0x709)
SMBUS = 0x720
WRITE, READ = 0, 1
QUICK, BYTE, BYTE_DATA, WORD_DATA, PROC_CALL, BLOCK, I2C_BROKEN, BLOCK_PROC_CALL, I2C_BLOCK = range(9)
M_TEN, M_RECV_LEN, M_NO_RD_ACK, M_IGNORE_NAK, M_REV_DIR_ADDR, M_NOSTART = 0x10, 0x400, 0x800, 0x1000, 0x2000, 0x4000
FUNC_SMBUS_PEC, FUNC_SMBUS_BLOCK_PROC_CALL, FUNC_SMBUS_PROC_CALL = 0x8, 0x8000, 0x800000
FUNC_SMBUS_HOST_NOTIFY = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)


class Message(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint16) for name in ("addr", "flags", "len")] + [("buf", ctypes.c_void_p)]


class Messages(ctypes.Structure):
    _fields_ = [("msgs", ctypes.c_void_p), ("nmsgs", ctypes.c_uint32)]


class SmbusArguments(ctypes.Structure):
    _fields_ = [
        ("read_write", ctypes.c_uint8),
        ("command", ctypes.c_uint8),
        ("size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    ]


def outcome(call, *arguments, **options):
    """What a call returns, or its errno's name, or its complaint"""
    try:
        value = call(*arguments, **options)
    except OSError as error:
        # Python has two names for this one, and takes the other
        return "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return value.hex() if isinstance(value, (bytes, bytearray)) else value


def path(bus):
    return f"/dev/i2c-{bus}"


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


class Node:
    fd = -1

    def __init__(self, bus, flags=os.O_RDWR):
        self.fd = os.open(path(bus), flags)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __del__(self):
        self.close()

    def ioctl(self, request, value=0):
        argument = ctypes.c_void_p(value) if isinstance(value, int) else ctypes.byref(value)
        return checked(libc.ioctl(self.fd, ctypes.c_ulong(request), argument))

    def slave(self, address):
        return self.ioctl(SLAVE, address)

    def slave_force(self, address):
        return self.ioctl(SLAVE_FORCE, address)

    def funcs(self):
        value = ctypes.c_ulong()
        self.ioctl(FUNCS, value)
        return f"{value.value:#x}"

    def smbus(self, read_write, command, size, data=()):
        """@return the result, and all 34 bytes of the data: none may change that the kernel would not"""
        buffer = (ctypes.c_uint8 * 64)(*data)
        arguments = SmbusArguments(read_write, command, size, ctypes.addressof(buffer))
        return f"{self.ioctl(SMBUS, arguments)} {bytes(buffer).hex()}"

    def smbus_at(self, read_write, command, size, pointer):
        return self.ioctl(SMBUS, SmbusArguments(read_write, command, size, pointer))

    def read_byte(self, command):
        return int(self.smbus(READ, command, BYTE_DATA).split()[1][:2], 16)

    def rdwr(self, messages):
        """Messages: [address, flags, bytes to write, or how many to read]"""
        buffers, headers = [], (Message * len(messages))()
        for header, (address, flags, data) in zip(headers, messages):
            content = bytes(data)
            buffer = (ctypes.c_uint8 * len(content))(*content)
            buffers.append(buffer)
            header.addr, header.flags, header.len, header.buf = address, flags, len(buffer), ctypes.addressof(buffer)
        result = self.ioctl(RDWR, Messages(ctypes.addressof(headers), len(messages)))
        return " ".join([str(result)] + [bytes(buffer).hex() for buffer in buffers])

    def rdwr_at(self, messages, count):
        return self.ioctl(RDWR, Messages(messages, count))

    def rdwr_buffer_at(self, address, flags, length, pointer):
        header = Message(address, flags, length, pointer)
        return self.ioctl(RDWR, Messages(ctypes.addressof(header), 1))

    def read(self, count):
        return os.read(self.fd, count)

    def write(self, *data):
        return os.write(self.fd, bytes(data))

    def write_many(self, count):
        return os.write(self.fd, bytes(count))
