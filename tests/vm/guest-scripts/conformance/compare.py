# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.py LIST BUSES DIRECT BROKERED: every case is the same on both sides, or differs as it is to by design

LIST is client-lib/differences.md: nothing may differ under an id that it has not.

Reports as the scripts of this ring do: "ok - ", "not ok - ", "# " and "#: ".
"""

import json
import sys
from collections import defaultdict

from cases import Bus, generate
from differences import listed
from i2cdev import FUNC_SMBUS_BLOCK_PROC_CALL, FUNC_SMBUS_HOST_NOTIFY, FUNC_SMBUS_PEC, FUNC_SMBUS_PROC_CALL
from session import transfers

# How a difference shows: one of these is what the transfer, or the call before it, fails with.
ERRNO = {
    "policy": "EACCES",
    "force": "EPERM",
    "rdwr-owned": "EBUSY",
    "slave-failed": "EBUSY",
    "pec": "EOPNOTSUPP",
    "tenbit": "EOPNOTSUPP",
    "message-address": "EINVAL",
    "process-call": "EOPNOTSUPP",
    "message-flags": "EOPNOTSUPP",
    "message-limits": "EINVAL",
    "read-write-limit": "EINVAL",
}
# i2cdetect -F's lines of what is not in I2C_FUNCS
ABSENT_FUNCTIONS = "SMBus Process Call", "SMBus Block Process Call", "SMBus PEC", "SMBus Host Notify"
ABSENT_BITS = FUNC_SMBUS_PROC_CALL | FUNC_SMBUS_BLOCK_PROC_CALL | FUNC_SMBUS_PEC | FUNC_SMBUS_HOST_NOTIFY
SHOWN = 5  # of the cases that are wrong


def is_within(part, whole):
    """Whether all of part is in whole, in that order"""
    rest = iter(whole)
    return all(event in rest for event in part)


def without_absent(text):
    return [
        line[: -len("yes")] + "no" if line.startswith(ABSENT_FUNCTIONS) and line.endswith("yes") else line
        for line in text.splitlines()
    ]


def without_absent_bits(value):
    return f"{int(value, 16) & ~ABSENT_BITS:#x}"


def functions(direct, brokered):
    """I2C_FUNCS, where exactly these are absent"""
    if "output" in direct:
        return without_absent(direct["output"]) == brokered["output"].splitlines()
    return [without_absent_bits(value) for value in direct["results"]] == brokered["results"]


def fails_with(name, reply):
    return any(line.endswith(" " + name) for line in reply.get("ioctls", [])) or name in reply.get("results", [])


def by_design(case, direct, brokered):
    """What is wrong with a case that is to differ; "" if nothing"""
    if direct == brokered:
        return "does not differ"
    if not is_within(brokered["wire"], direct["wire"]):
        return "puts on the wire what is not there directly"
    if "-F" in case.text.split() or "funcs" in case.text:
        return "" if functions(direct, brokered) else "has other functions"
    return "" if fails_with(ERRNO[case.differs], brokered) else f"does not fail with {ERRNO[case.differs]}"


def differences(direct, brokered):
    for part in direct:
        if direct[part] != brokered[part]:
            yield f"  {part} directly: {json.dumps(direct[part])[:300]}"
            yield f"  {part} brokered: {json.dumps(brokered[part])[:300]}"


class Group:
    def __init__(self):
        self.cases = self.transfers = 0
        self.wrong = []

    def add(self, case, direct, brokered, problem):
        self.cases += 1
        self.transfers += transfers(direct["wire"])
        if problem:
            self.wrong += [f"{case.text}: {problem}", *differences(direct, brokered)]

    def report(self, what):
        what = f"{what}: {self.cases} cases, {self.transfers} transfers"
        print(f"ok - {what}" if not self.wrong else f"not ok - {what}")
        for line in self.wrong[: 3 * SHOWN]:
            print(f"# {line}")


known, buses, *files = sys.argv[1:]
cases = generate([Bus(**bus) for bus in json.load(open(buses))])
direct, brokered = (json.load(open(file)) for file in files)
same, different = defaultdict(Group), defaultdict(Group)
for case, one, other in zip(cases, direct["replies"], brokered["replies"], strict=True):
    if case.differs:
        different[case.differs].add(case, one, other, by_design(case, one, other))
    else:
        same[case.group].add(case, one, other, "" if one == other else "differs")
for name, group in same.items():
    group.report(f"the same: {name}")
for name, group in different.items():
    group.report(f"differs as listed under {name}")
unlisted = sorted(set(different) - set(listed(known)))
print("ok - all of these are listed" if not unlisted else f"not ok - these are not listed: {unlisted}")
commands = sum(case.request[0] == "command" for case in cases)
total = sum(transfers(reply["wire"]) for reply in direct["replies"])
events = sum(len(reply["wire"]) for reply in direct["replies"])
print(f"{'ok' if commands >= 100 else 'not ok'} - at least 100 commands: {commands}")
print(f"{'ok' if not direct['lost'] + brokered['lost'] else 'not ok'} - the kernel's trace has lost nothing")
print(
    f"#: {len(cases)} cases: {commands} commands, {len(cases) - commands} series of calls; "
    f"{total} transfers in {events} events of the trace; "
    f"{direct['seconds']:.0f} s directly, {brokered['seconds']:.0f} s brokered"
)
