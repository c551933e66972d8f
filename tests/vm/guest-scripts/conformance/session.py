# SPDX-License-Identifier: LGPL-2.1-or-later
"""The two sides: an agent as root on the nodes, and one as nobody under the shim; and the kernel's trace"""

import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
AGENT = ["/usr/bin/python3", "-B", os.path.join(HERE, "agent.py")]
UNIT = "systemd-run --quiet --wait --pipe --collect -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker"
NOBODY = UNIT.split()

LINE = re.compile(r"\s*(?P<who>.+)-\d+ +\[\d+\] .*?: (?P<event>(?:smbus|i2c)_(?:read|write|reply|result): .*)")


# In which memory the kernel's data lies (I2C_M_DMA_SAFE): the broker has read() and write() done as I2C_RDWR.
DMA_SAFE = 0x0200
FLAGS = re.compile(r"\bf=([0-9a-f]{4})\b")


def without_memory(event):
    return FLAGS.sub(lambda flags: f"f={int(flags[1], 16) & ~DMA_SAFE:04x}", event)


class Trace:
    """The smbus and i2c events of the instance that lib.sh's trace_start has set up, as the kernel prints them"""

    def __init__(self):
        self.pipe = os.open("/sys/kernel/tracing/instances/rgbroker/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.lost = 0
        self.who = []
        self.take()

    def take(self):
        """What happened since; all of it was over before the reply came, so that it is there"""
        text = b""
        try:
            while piece := os.read(self.pipe, 65536):
                text += piece
        except BlockingIOError:
            pass
        lines = text.decode().splitlines()
        self.lost += sum("LOST" in line for line in lines)
        matches = [match for match in map(LINE.match, lines) if match]
        self.who = sorted({match["who"].strip() for match in matches})
        return [without_memory(match["event"]) for match in matches]


def transfers(events):
    """How many; where the kernel emulates SMBus, the messages of a transfer end just before it does"""
    kinds = [event.split(":")[0] for event in events if not event.startswith("smbus_reply")]
    emulated = sum(pair == ("i2c_result", "smbus_result") for pair in zip(kinds, kinds[1:]))
    return kinds.count("i2c_result") + kinds.count("smbus_result") - emulated


class Session:
    def __init__(self, trace, brokered, actions=None):
        words = NOBODY + ["rgbroker-run"] + AGENT if brokered else AGENT
        self.brokered = brokered
        self.trace = trace
        self.actions = actions or {}
        self.agent = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, message):
        self.agent.stdin.write(json.dumps(message) + "\n")
        self.agent.stdin.flush()

    def do(self, *request):
        """The agent's reply, and as "wire" what it put there"""
        self.tell(request)
        while True:
            line = self.agent.stdout.readline()
            if not line:
                raise RuntimeError(f"the agent ended during {request}")
            reply = json.loads(line)
            if "ask" not in reply:
                break
            name, *arguments = reply["ask"]
            self.tell(self.actions[name](self, *arguments))
        reply["wire"] = self.trace.take()
        return reply

    def end(self):
        self.agent.stdin.close()
        self.agent.wait()
