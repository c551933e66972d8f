# SPDX-License-Identifier: LGPL-2.1-or-later
"""limits.py BUS SIM OTHER-BUS THERMOMETER: who takes as much as can be had (see 51-limits.sh)"""

import errno
import multiprocessing
import os
import select
import socket
import struct
import subprocess
import sys
import time

from wire import SIM, Program, check, expect_eq, note, status

bus, sim, other, thermometer = sys.argv[1:5]
BYTE_DATA, I2C_BLOCK, I2C = 2, 8, 16
STOPPING = 10
DONE = ("-", 0)


# ---- who floods ----


def operation(kind, length, address):
    return struct.pack("=BBBBHBB", kind, 0, address, 0, length, 0, 0)


def request(kind, length, count=1, address=0x40):
    operations = operation(kind, length, address) * count
    return struct.pack("=HHIIHH", 1, 1, 7, 0, count, length * count) + operations + bytes(length * count)


SHAPES = {
    "bytes": request(BYTE_DATA, 1),
    "blocks": request(I2C_BLOCK, 32),
    "batches of 64 blocks": request(I2C_BLOCK, 32, 64),
    "messages of 1000 bytes": request(I2C, 1000),
}


def connect(number, door=""):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.connect(f"/run/rgbroker/{door}i2c-{number}")
    peer.settimeout(60)
    return peer


def reason(reply):
    return struct.unpack_from("=HH", reply)[1]


def flood(number, message, sent):
    """One connection, one request after the other"""
    peer = connect(number)
    while True:
        peer.send(message)
        assert reason(peer.recv(4096)) == 0
        sent.value += 1


def crowd(number, message, count):
    """Many connections of one process, a request always under way on each; those that are closed come again"""
    peers = {}

    def ask(peer):
        try:
            peer.send(message)
        except OSError:
            peers.pop(peer.fileno(), None)
            peer.close()

    while True:
        while len(peers) < count:
            peer = connect(number)
            peers[peer.fileno()] = peer
            ask(peer)
        for fd in select.select(list(peers), [], [])[0]:
            peer = peers[fd]
            if not peer.recv(4096):
                del peers[fd]
                peer.close()
            else:
                ask(peer)


class Background:
    """A process of its own, until the end of the block"""

    def __init__(self, function, *arguments):
        self.process = multiprocessing.Process(target=function, args=arguments, daemon=True)

    def __enter__(self):
        self.process.start()

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


# ---- the kernel's driver ----


def log_lines():
    with open(f"{SIM}/{sim}/log") as log:
        return [line.split() for line in log if not line.startswith("#")]


def clear():
    with open(f"{SIM}/{sim}/log", "w") as log:
        log.write("\n")


def reads_in(seconds):
    """How often the thermometer is read, a second"""
    fd = os.open(thermometer, os.O_RDONLY)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        os.pread(fd, 16, 0)
        count += 1
    os.close(fd)
    return count / seconds


def beside(name, message):
    """The rate beside a flood there and, for comparison, on the other bus, in turns. Both need the processors."""
    rates = {bus: [], other: []}
    clear()
    for number in (other, bus, other, bus):
        sent = multiprocessing.Value("i", 0)
        with Background(flood, number, message, sent):
            while sent.value < 3:
                time.sleep(0.01)
            rates[number].append(reads_in(1.2))
    mine, free = (sum(rates[number]) / len(rates[number]) for number in (bus, other))
    note(f"beside {name}: the kernel's thermometer is read {mine:.0f} times a second, of {free:.0f}: {mine / free:.0%}")


def reads_between_transfers():
    """How many times it was read on average between two transfers of the flood"""
    flooded = [line[3] == "0x40" for line in log_lines()]
    first = flooded.index(True)
    last = len(flooded) - flooded[::-1].index(True)
    reads = flooded[first:last].count(False) / 2  # a command and a word each
    return reads / max(1, flooded.count(True) - 1)


def the_kernel_has_its_part():
    for name in SHAPES:
        beside(name, SHAPES[name])
    between = reads_between_transfers()
    # the kernel's lock lets one reader in between two transfers; more come only if the bus is left alone
    check("the bus is left alone for it: it is read several times between two messages of 1000 bytes", between > 3,
          f"{between:.1f}")
    note(f"{between:.1f} times between two of them, on average")


# ---- other processes ----


def wait_of_newcomer():
    """Of one that connects and writes a byte to a chip of its own: seconds, and others' transfers in between"""
    before = int(log_lines()[-1][0])
    began = time.monotonic()
    with connect(bus) as peer:
        peer.send(request(BYTE_DATA, 1, address=0x41))
        assert reason(peer.recv(4096)) == 0
    took = time.monotonic() - began
    return took, next(int(line[0]) for line in log_lines() if line[3] == "0x41" and int(line[0]) > before) - before


def newcomers():
    with Background(crowd, bus, SHAPES["batches of 64 blocks"], 200):
        while status(bus).evicted < 72:
            time.sleep(0.05)
        waits = [wait_of_newcomer() for _ in range(5)]
        told = status(bus)
    check("beside 200 connections with batches a newcomer waits for a few of them at most",
          all(transfers <= 4 * 64 for _, transfers in waits), waits)
    seconds = " ".join(f"{took:.2f}" for took, _ in waits)
    note(f"newcomers waited for {seconds} s, and for {' '.join(str(transfers) for _, transfers in waits)} transfers")
    check("of one process there were 128 connections at most", told.clients <= 128 + 2, told)


# ---- places ----


def sockets_of_broker():
    words = ["systemctl", "show", "--property=MainPID", "--value", f"rgbroker@{bus}.service"]
    pid = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    return sum(link.startswith("socket:") for link in links)


def rescans():
    """As OpenRGB does it: the bus is opened again each time, and never closed"""
    leaker, second = Program(A=bus), Program(A=bus)
    line = "a A 0x42 W byte_data 0x10 {:02x}"
    expect_eq("a program writes to a chip", DONE, leaker.do(line.format(0)))
    failed = []
    for number in range(300):
        opened, written = leaker.do("open A"), leaker.do(line.format(number % 256))
        if (opened, written) != (DONE, DONE):
            failed.append((number, opened, written))
    expect_eq("300 times opened again without closing, it does not notice", [], failed)
    expect_eq("what it wrote last is there", ("2b", 0), leaker.do("a A 0x42 R byte_data 0x10 -"))
    expect_eq("and the chip is its own", ("-", -errno.EBUSY), second.do(line.format(0)))
    check("it has a bounded number of places", 100 <= sockets_of_broker() <= 140, sockets_of_broker())
    leaker.end()
    second.end()


def hold(count):
    """So many connections that ask nothing"""
    peers = [connect(bus) for _ in range(count)]
    while peers:
        time.sleep(60)


def everybody_finds_a_place():
    holders = [Background(hold, 128) for _ in range(5)]
    evicted = status(bus).evicted
    for holder in holders:
        holder.__enter__()
    while status(bus).evicted < evicted + 100:
        time.sleep(0.05)
    told = status(bus)
    expect_eq("all places are taken", 512, told.clients)
    words = ["rgbrokerctl", "status", bus]
    shown = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    check("an administrator is let in", shown.returncode == 0, shown.stdout)
    late = Program(A=bus)
    expect_eq("and so is who comes last", DONE, late.do("a A 0x43 W byte_data 0x10 01"))
    late.end()
    note(f"{status(bus).evicted - evicted} connections had to go for it")
    for holder in holders:
        holder.__exit__()


the_kernel_has_its_part()
newcomers()
rescans()
everybody_finds_a_place()
