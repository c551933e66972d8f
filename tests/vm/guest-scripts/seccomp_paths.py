# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a filter of system calls decides, for all arguments at once: its instructions are followed on every path that
some argument may take."""

import ctypes

X86_64, I386 = 0xC000003E, 0x40000003
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
# struct seccomp_data: number, architecture, instruction pointer, six arguments
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
LOAD, JUMP, EQUAL, GREATER, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x05, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06
TESTS = {
    EQUAL: lambda value, constant: value == constant,
    GREATER: lambda value, constant: value > constant,
    AT_LEAST: lambda value, constant: value >= constant,
    ANY_BIT: lambda value, constant: value & constant != 0,
}


def paths(program, number, architecture=X86_64):
    """(conditions, action) of each; a condition: (offset, mask, test, constant, held)"""
    known = {NUMBER: number, ARCHITECTURE: architecture}
    todo = [(0, None, 0xFFFFFFFF, ())]
    while todo:
        at, offset, mask, conditions = todo.pop()
        code, if_true, if_false, constant = program[at]
        if code == RETURN:
            yield conditions, constant
        elif code == LOAD:
            todo.append((at + 1, constant, 0xFFFFFFFF, conditions))
        elif code == AND:
            todo.append((at + 1, offset, mask & constant, conditions))
        elif code == JUMP:
            todo.append((at + 1 + constant, offset, mask, conditions))
        elif code not in TESTS:
            raise ValueError(f"instruction {at} is a {code:#x}")
        elif offset in known or mask == 0:
            held = TESTS[code](known.get(offset, 0) & mask, constant)
            todo.append((at + 1 + (if_true if held else if_false), offset, mask, conditions))
        elif offset < ARGUMENTS:
            raise ValueError(f"instruction {at} looks at {offset}")
        else:
            for held, jump in (True, if_true), (False, if_false):
                todo.append((at + 1 + jump, offset, mask, conditions + ((offset, mask, code, constant, held),)))


def actions(program, number, architecture=X86_64):
    return {action for _, action in paths(program, number, architecture)}


def needs(conditions):
    """What the arguments have to be, "1=0x703 2&0x4=0x0": of the 64 bits of each, those that are looked at. That they
    are none of other values is left out, so that more may be told than there is, but never less."""
    masks, values = {}, {}
    for offset, mask, test, constant, held in conditions:
        if test != EQUAL or not held:
            if test != EQUAL:
                raise ValueError("arguments are compared for more than being equal")
            continue
        argument, high = divmod(offset - ARGUMENTS, 8)
        shift = 32 if high else 0
        masks[argument] = masks.get(argument, 0) | mask << shift
        values[argument] = values.get(argument, 0) | constant << shift
    words = []
    for argument, mask in sorted(masks.items()):
        which = "" if mask == (1 << 64) - 1 else f"&{mask:#x}"
        words.append(f"{argument}{which}={values[argument]:#x}")
    return " ".join(words)


def allowed(program, number, architecture=X86_64):
    """The needs of all paths that let it pass; [""]: it always does"""
    return sorted({needs(way) for way, action in paths(program, number, architecture) if action == ALLOW})


libseccomp = ctypes.CDLL("libseccomp.so.2")
libseccomp.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p


def call_name(number):
    """As libseccomp knows it, or the number"""
    name = libseccomp.seccomp_syscall_resolve_num_arch(X86_64, number)
    return ctypes.string_at(name).decode() if name else str(number)


def call_number(name):
    number = libseccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        raise KeyError(name)
    return number
