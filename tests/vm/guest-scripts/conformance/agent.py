# SPDX-License-Identifier: LGPL-2.1-or-later
"""agent.py: does on one side, as root on the nodes or as nobody under the shim, what session.py asks for

One request a line on standard input, one reply a line on standard output, as JSON; bytes as Latin-1. All of a
side's commands are run by one such process, as starting units and interpreters takes longer than the commands.
"""

import json
import os
import subprocess
import sys

import programs
from i2cdev import Node, outcome

RECORDER = "/opt/rgbroker-tests/ioctl-recorder.so"


class Catch:
    """What children write to a descriptor"""

    def __init__(self, name):
        self.descriptor = os.memfd_create(name, 0)

    def clear(self):
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)

    def text(self):
        size = os.fstat(self.descriptor).st_size
        return os.pread(self.descriptor, size, 0).decode("latin-1")


output, errors, record = Catch("output"), Catch("errors"), Catch("record")
environment = dict(
    os.environ,
    LC_ALL="C",
    CONFORMANCE_RECORD=str(record.descriptor),
    LD_PRELOAD=":".join(filter(None, (RECORDER, os.environ.get("LD_PRELOAD")))),
)


def command(argv, variables=None, bare=False, limit=60):
    """A program's standard output, standard error and exit status, and what its i2c-dev ioctls returned"""
    for catch in output, errors, record:
        catch.clear()
    child = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output.descriptor,
        stderr=errors.descriptor,
        env={} if bare else {**environment, **(variables or {})},
        close_fds=False,
    )
    status = child.wait(limit)
    ioctls = record.text().splitlines()
    return {"output": output.text(), "errors": errors.text(), "status": status, "ioctls": ioctls}


def smbus(bus, calls):
    """Methods of python3-smbus's SMBus, one after the other on one object"""
    import smbus as module

    replies = []
    handle = module.SMBus(bus)
    for name, *arguments in calls:
        if name == "pec":
            replies.append(outcome(setattr, handle, "pec", *arguments))
        else:
            replies.append(outcome(getattr(handle, name), *arguments))
    handle.close()
    return {"results": replies}


def steps(bus, flags, todo):
    """Methods of Node, one after the other on one descriptor"""
    node = Node(bus, flags)
    replies = [outcome(getattr(node, name), *arguments) for name, *arguments in todo]
    node.close()
    return {"results": replies}


def program(name, *arguments):
    return {"results": [outcome(getattr(programs, name), ask, *arguments)]}


def tell(reply):
    print(json.dumps(reply), flush=True)


def ask(what, *arguments):
    """Have the one who sees both sides do something, as root"""
    tell({"ask": [what, *arguments]})
    return json.loads(sys.stdin.readline())


kinds = {"command": command, "smbus": smbus, "steps": steps, "program": program}

if __name__ == "__main__":
    # the tools are found as root would find them
    os.environ["PATH"] = environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    programs.command = command
    for line in sys.stdin:
        kind, *arguments = json.loads(line)
        tell(kinds[kind](*arguments))
