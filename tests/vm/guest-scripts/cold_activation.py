# SPDX-License-Identifier: LGPL-2.1-or-later
"""cold_activation.py SERVICE=SOCKET SERVICE=SOCKET: time to the first reply of each, while it does not run

In turn, in changing order; told are the ratios of the first to the second, round by round.
"""

import socket
import statistics
import struct
import subprocess
import sys
import time

from wire import check, note

ROUNDS = 40
INFO = struct.pack("=HHIIHH", 1, 2, 7, 1, 0, 0)


def systemctl(*words):
    return subprocess.run(["systemctl", *words], check=False, capture_output=True, text=True).stdout.strip()


def first_reply(service, path):
    """Milliseconds"""
    systemctl("stop", service)
    if systemctl("is-active", service) != "inactive":
        sys.exit(f"{service} does not stop")
    time.sleep(0.3)  # what stopping has left to do
    began = time.monotonic_ns()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(30)
        peer.connect(path)
        peer.send(INFO)
        if not peer.recv(4096):
            sys.exit(f"{service} does not answer")
    return (time.monotonic_ns() - began) / 1e6


def main():
    ways = [argument.split("=") for argument in sys.argv[1:]]
    for way in ways:
        first_reply(*way)
    times = ([], [])
    for turn in range(ROUNDS):
        for i in (0, 1) if turn % 2 else (1, 0):
            times[i].append(first_reply(*ways[i]))
    ratios = [broker / other for broker, other in zip(*times)]
    low, median, high = statistics.quantiles(ratios, n=4)
    check("both are measured", min(ratios) > 0)
    note(f"first reply of a sleeping bus / of a program that only answers: {median:.2f} ({low:.2f} - {high:.2f})")
    note(f"medians: {statistics.median(times[0]):.0f} ms and {statistics.median(times[1]):.0f} ms, emulated")


main()
