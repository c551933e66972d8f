# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another process on x86-64, seen and moved by ptrace(): its filters of system calls, and calls that it is made to
make. Needs root, and Linux with CONFIG_CHECKPOINT_RESTORE for the filters."""

import ctypes
import errno
import os
import signal
import struct

CONT, GETREGS, SETREGS, DETACH, SYSCALL = 7, 12, 13, 17, 24
SEIZE, INTERRUPT, GET_FILTER = 0x4206, 0x4207, 0x420C
TRACE_SYSCALLS_WELL = 1  # PTRACE_O_TRACESYSGOOD
SYSCALL_STOP = signal.SIGTRAP | 0x80
# struct user_regs_struct
NAMES = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs"
).split()
ARGUMENTS = "rdi rsi rdx r10 r8 r9".split()
INSTRUCTION = b"\x0f\x05"  # syscall

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=0, data=0):
    result = libc.ptrace(request, pid, address, data)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request:#x} of {pid}: {os.strerror(number)}")
    return result


class Killed(Exception):
    """By which signal it ended, or None if it exited"""

    def __init__(self, status):
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        super().__init__(f"ended with {status:#x}")


class Tracee:
    """A process with one thread, stopped; waits: in a system call, as it must in order to be made to make another"""

    def __init__(self, pid):
        self.pid = pid
        ptrace(SEIZE, pid, 0, TRACE_SYSCALLS_WELL)
        ptrace(INTERRUPT, pid)
        self._wait()
        self.registers = self._get()
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(self.registers["rip"] - len(INSTRUCTION))
            self.waits = memory.read(len(INSTRUCTION)) == INSTRUCTION

    def _wait(self):
        _, status = os.waitpid(self.pid, 0x40000000)  # __WALL
        if not os.WIFSTOPPED(status):
            raise Killed(status)
        return os.WSTOPSIG(status)

    def _get(self):
        buffer = ctypes.create_string_buffer(8 * len(NAMES))
        ptrace(GETREGS, self.pid, 0, ctypes.addressof(buffer))
        return dict(zip(NAMES, struct.unpack(f"{len(NAMES)}Q", buffer.raw)))

    def _set(self, registers):
        values = (registers[name] % (1 << 64) for name in NAMES)
        buffer = ctypes.create_string_buffer(struct.pack(f"{len(NAMES)}Q", *values))
        ptrace(SETREGS, self.pid, 0, ctypes.addressof(buffer))

    def _pending(self, number):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["SigPnd"], 16) >> number - 1 & 1

    def call(self, number, *arguments):
        """What the kernel answers; bytes are put on its stack and become their address. Raises Killed."""
        registers = dict(self.registers, rax=number, orig_rax=-1, rip=self.registers["rip"] - len(INSTRUCTION))
        below = registers["rsp"] - 256  # below the 128 bytes that its function may use
        with open(f"/proc/{self.pid}/mem", "wb", buffering=0) as memory:
            for name, argument in zip(ARGUMENTS, arguments):
                if isinstance(argument, bytes):
                    below -= -len(argument) // 16 * -16
                    memory.seek(below)
                    memory.write(argument)
                    argument = below
                registers[name] = argument
        self._set(registers)
        for _ in "in", "out":
            ptrace(SYSCALL, self.pid)
            stop = self._wait()
            if stop != SYSCALL_STOP:
                raise RuntimeError(f"{self.pid} was stopped by signal {stop}")
        if self._pending(signal.SIGSYS):
            ptrace(CONT, self.pid)
            self._wait()
        result = self._get()["rax"]
        self._set(self.registers)
        return result - (1 << 64) if result >> 63 else result

    def filters(self):
        """Of each one its instructions (code, jump if true, if false, constant), the oldest first"""
        found = []
        while True:
            try:
                count = ptrace(GET_FILTER, self.pid, len(found))
            except OSError as error:
                if error.errno == errno.ENOENT and found:
                    return found
                raise
            buffer = ctypes.create_string_buffer(8 * count)
            ptrace(GET_FILTER, self.pid, len(found), ctypes.addressof(buffer))
            found.append(list(struct.iter_unpack("=HBBI", buffer.raw)))

    def leave(self):
        ptrace(DETACH, self.pid)
