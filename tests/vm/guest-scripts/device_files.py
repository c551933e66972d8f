# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed device files (devices/README.md), as far as a judge of the wire needs them

Read by code that has nothing in common with the broker's: what is on the wire is held against what the files say.
"""

import collections
import fnmatch
import glob
import os

FOLDER = "/usr/lib/rgbroker/devices"
KINDS = ("quick", "byte", "byte_data", "word_data", "block_data", "i2c_block", "i2c")
PAYLOAD = {"quick": 0, "byte": 0, "byte_data": 1, "word_data": 2}


def read_values(words):
    """The numbers of "0x70-0x77 0x39", one set each"""
    for word in words:
        first, _, last = word.partition("-")
        yield range(int(first, 0), int(last or first, 0) + 1)


def numbers(words):
    return {number for values in read_values(words) for number in values}


class Operation:
    """What one Read= or Write= of [Detect], [Control] or [Pointer] allows"""

    def __init__(self, text):
        parts = collections.defaultdict(list)
        key = "command"
        self.kind, *words = text.split()
        assert self.kind in KINDS, text
        for word in words:
            if word in ("length", "data"):
                key = word
            else:
                parts[key].append(word)
        self.commands = numbers(parts["command"])
        self.lengths = numbers(parts["length"])
        self.data = list(read_values(parts["data"]))

    def allows(self, message):
        """Whether the message on the wire can be this write"""
        command, data = message[:1], message[1:]
        if self.kind in ("quick", "i2c"):
            command, data = b"", message
        elif not command or command[0] not in self.commands:
            return False
        if self.kind == "block_data":
            if not data or data[0] != len(data) - 1:
                return False
            data = data[1:]
        if self.kind in PAYLOAD:
            fits = len(data) == PAYLOAD[self.kind]
        else:
            fits = not self.lengths or len(data) in self.lengths
        return fits and len(data) >= len(self.data) and all(byte in values for byte, values in zip(data, self.data))


class Device:
    def __init__(self, path):
        self.name = os.path.basename(path).removesuffix(".conf")
        self.keys = collections.defaultdict(list)
        section = key = None
        with open(path) as file:
            for line in file:
                text = line.strip()
                if not text or text.startswith("#"):
                    continue
                if line[0].isspace() and key:
                    self.keys[key][-1] += " " + text
                elif text.startswith("["):
                    section = text.strip("[]")
                else:
                    name, _, value = text.partition("=")
                    key = section, name
                    self.keys[key].append(value)
        self.addresses = numbers(self.words("Address"))

    def words(self, name):
        return " ".join(self.keys["Device", name]).split()

    def is_on(self, bus_class, adapter, pci):
        """May it be on an adapter of that class, name and "vendor:device:subsystem vendor:subsystem device"?"""
        pcis = [words + ":*" * (3 - words.count(":")) for words in self.words("Pci")]
        adapters = self.keys["Device", "Adapter"]
        return (
            bus_class in self.words("BusClass")
            and not self.keys["Device", "Board"]
            and (not pcis or any(fnmatch.fnmatchcase(pci, glob_) for glob_ in pcis))
            and (not adapters or any(fnmatch.fnmatchcase(adapter, glob_) for glob_ in adapters))
        )

    def writes(self, section):
        return [Operation(text) for text in self.keys[section, "Write"]]

    def may_detect(self, message):
        """Is the message one that is allowed before anything is recognised?"""
        return any(write.allows(message) for write in self.writes("Detect"))

    def expects(self):
        """What the broker sends to recognise it: the first message of each read"""
        for text in self.keys["Recognise", "Expect"]:
            kind, *words = text.split()
            if kind == "i2c":
                yield bytes(int(word, 0) for word in words[1 : words.index("length")])
            elif kind != "none":
                yield bytes([int(words[0], 0)])

    def registers(self, name):
        """Of [Registers] Read= and Write=: the registers, with the values that may be written"""
        for text in self.keys["Registers", name]:
            place, *values = text.split()
            yield numbers([place]), numbers(values[1:]) if values else range(256)

    def may_point(self, register):
        places = [place for name in ("Read", "Write") for place, _ in self.registers(name)]
        return any(register in place for place in places) or self.moves(register)

    def moves(self, register):
        return register in numbers(self.keys["Registers", "Move"])

    def may_write(self, register, value):
        if self.moves(register):
            return value % 2 == 0 and value // 2 in self.addresses
        return any(register in place and value in values for place, values in self.registers("Write"))


def on_bus(bus_class, bus):
    """The families that may be on /dev/i2c-BUS"""
    node = f"/sys/bus/i2c/devices/i2c-{bus}"
    parent = os.path.dirname(os.path.realpath(node))

    def read(path):
        try:
            with open(path) as file:
                return file.read().strip()
        except OSError:
            return ""

    ids = ("vendor", "device", "subsystem_vendor", "subsystem_device")
    pci = ":".join(read(f"{parent}/{name}").removeprefix("0x") for name in ids)
    devices = [Device(path) for path in sorted(glob.glob(f"{FOLDER}/*.conf"))]
    return [device for device in devices if device.is_on(bus_class, read(f"{node}/name"), pci)]
