# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be written to on a bus, address by address.

    write_map.py try BUS COMMANDS      writes to that many registers of each address, by i2c-dev
    write_map.py draw LOG LOG          draws the addresses whose registers these two logs of the wire show written
"""

import sys

ADDRESSES = 128
HEADS = ["/dev/i2c-4 is open to it", "behind rgbroker"]


def attempt(bus, commands):
    import smbus

    adapter = smbus.SMBus(int(bus))
    said = {}
    for address in range(ADDRESSES):
        # where a register's number is data, this sets it to one that many families have
        tries = [lambda: adapter.write_word_data(address, 0x00, 0x2080)]
        tries += [lambda command=command: adapter.write_byte_data(address, command, 0) for command in range(int(commands))]
        for one in tries:
            try:
                one()
                error = 0
            except OSError as problem:
                error = problem.errno
            said[error] = said.get(error, 0) + 1
    print(said)


def written(path):
    """Addresses of messages that carry more than the number of a register"""
    fields = [line.split() for line in open(path, encoding="ascii") if not line.startswith("#")]
    return {int(line[3], 16) for line in fields if line[4] == "W" and len(line) > 6 and len(line[6]) > 2}


def draw(*logs):
    digits = " ".join(f"{digit:x}" for digit in range(16))
    gap = " " * 7
    print(f"      {HEADS[0]:<31}{gap}{HEADS[1]}\n      {digits}{gap}{digits}")
    maps = [written(log) for log in logs]
    for row in range(0, ADDRESSES, 16):
        halves = [" ".join("W" if address in one else "." for address in range(row, row + 16)) for one in maps]
        print(f"0x{row:02x}  {halves[0]}{gap}{halves[1]}")


{"try": attempt, "draw": draw}[sys.argv[1]](*sys.argv[2:])
