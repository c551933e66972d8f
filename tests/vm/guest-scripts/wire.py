# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the proofs on the wire share: programs that do one transfer at a time, what a simulated wire saw of them,
and what the broker says of itself"""

import collections
import socket
import struct
import subprocess

TOOLS = "/opt/rgbroker-tests"
SIM = "/sys/kernel/debug/rgbsim"
UNIT = "systemd-run --quiet --wait --pipe --collect -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker".split()
SIZES = {"byte_data": 1, "word_data": 2}


# ---- the report (see lib.sh) ----


def note(text):
    print(f"#: {text}", flush=True)


def check(what, good, *diagnostics):
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)
    if not good:
        for line in diagnostics:
            print(f"# {line}", flush=True)


def expect_eq(what, expected, actual):
    check(what, expected == actual, f"expected: {expected}", f"got:      {actual}")


# ---- programs under test ----


class Program:
    """in-turn (see tests/vm/tools): as a nobody under the shim, or as root on the nodes"""

    def __init__(self, brokered=True, **buses):
        words = UNIT + ["rgbroker-run"] if brokered else []
        words = words + [f"{TOOLS}/in-turn"] + [f"{name}={bus}" for name, bus in buses.items()]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.process.stdout.readline())

    def send(self, line):
        self.process.stdin.write(line + "\n")

    def answer(self):
        """Data ("-": none) and result"""
        data, result = self.process.stdout.readline().split()
        return data, int(result)

    def do(self, line):
        self.send(line)
        self.process.stdin.flush()
        return self.answer()

    def do_all(self, lines, at_once=100):
        answers = []
        for first in range(0, len(lines), at_once):
            some = lines[first : first + at_once]
            self.process.stdin.write("\n".join(some) + "\n")
            self.process.stdin.flush()
            answers += [self.answer() for _ in some]
        return answers

    def end(self):
        self.process.stdin.close()
        self.process.wait()


# ---- the wire ----

# way: of the messages, "W" or "R" each; data: bytes written each, of reads what came (None: nothing)
Transfer = collections.namedtuple("Transfer", "address ways data result")


def clear_log(sim):
    with open(f"{SIM}/{sim}/log", "w") as log:
        log.write("\n")


def read_log(sim):
    """All transfers since it was cleared; it must not have lost any."""
    transfers, ways, data = [], "", []
    with open(f"{SIM}/{sim}/log") as log:
        for line in log:
            words = line.split()
            if words[0] == "#":
                if words[2] != "0":
                    check(f"the log of {sim} is whole", False, line)
                continue
            number, count = words[2].split("/")
            ways += words[4]
            data.append(b"" if words[6] == "-" else bytes.fromhex(words[6]))
            if words[5] != "0" or number == count:
                transfers.append(Transfer(int(words[3], 16), ways, data, int(words[5])))
                ways, data = "", []
    return transfers


Request = collections.namedtuple("Request", "address way operation command data")


def parse(line):
    """What a line of in-turn, or of a recording, asks for"""
    address, way, operation, command, data = line.split()[-5:]
    return Request(
        int(address, 16),
        way,
        operation,
        b"" if command == "-" else bytes([int(command, 16)]),
        b"" if data == "-" else bytes.fromhex(data),
    )


def messages(request):
    """The messages that the kernel makes of it: ways, and what is written in each"""
    block = bytes([len(request.data)]) if request.operation == "block_data" else b""
    if request.way == "W":
        return "W", [request.command + block + request.data]
    if request.operation in ("quick", "byte"):
        return "R", [b""]
    return "WR", [request.command, b""]


def is_on_wire(request, transfer):
    ways, data = messages(request)
    seen = len(transfer.ways)
    return (
        request.address == transfer.address
        and ways[:seen] == transfer.ways
        and (seen == len(ways) or transfer.result < 0)
        and all(way == "R" or wanted == sent for way, wanted, sent in zip(ways, data, transfer.data))
    )


def match(requests, transfers):
    """Finds the requests in the transfers, in order. Which one each was (None: on its own), and those not found."""
    owner, missing, at = [None] * len(transfers), [], 0
    for number, request in enumerate(requests):
        found = at
        while found < len(transfers) and not is_on_wire(request, transfers[found]):
            found += 1
        if found == len(transfers):
            missing.append(number)
        else:
            owner[found] = number
            at = found + 1
    return owner, missing


class Ene:
    """An ENE controller: what was written to which register, in order"""

    def __init__(self):
        self.pointer = 0
        self.written = []

    def transfer(self, transfer):
        bytes_ = transfer.data[0]
        if transfer.result < 0:
            return
        if transfer.ways == "WR" and bytes_ == b"\x81":
            self.pointer += len(transfer.data[1])
        elif transfer.ways == "W" and len(bytes_) == 3 and bytes_[0] == 0:
            self.pointer = bytes_[1] << 8 | bytes_[2]
        elif transfer.ways == "W" and len(bytes_) == 2 and bytes_[0] == 1:
            self.store(bytes_[1:])
        elif transfer.ways == "W" and len(bytes_) > 1 and bytes_[0] == 3:
            self.store(bytes_[2:][: bytes_[1]])

    def store(self, values):
        for value in values:
            self.written.append((self.pointer, value))
            self.pointer += 1


def is_pointer(transfer):
    """Whether it sets the pointer of an ENE controller"""
    return transfer.ways == "W" and len(transfer.data[0]) == 3 and transfer.data[0][0] == 0


def is_read(transfer):
    """Whether it is one, or the beginning of one where nobody acknowledged"""
    return transfer.ways[-1] == "R" or (transfer.result < 0 and transfer.ways == "W" and len(transfer.data[0]) == 1)


# ---- the broker ----

Status = collections.namedtuple(
    "Status",
    "requests operations refused failed own_reads pointer_set clients rows "
    "quarantines spared quarantine_since quarantine_until quarantined evicted",
)


def status(bus):
    """What the broker counted since it started (protocol/inspect.h)"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(20)
        door.connect(f"/run/rgbroker/admin/i2c-{bus}")
        door.send(struct.pack("=HHIIHH", 1, 3, 1, 0, 0, 0))
        return Status(*struct.unpack_from("=6Q2I4Q16sQ", door.recv(4096), 32))
