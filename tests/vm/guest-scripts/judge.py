# SPDX-License-Identifier: LGPL-2.1-or-later
"""judge.py REPORT WIRE ADDRESS: what a counter said against what its chip was sent (see counters.sh)

Each value that was written successfully is on the wire exactly once and in its place; one that failed, once or
not at all.
"""

import collections
import sys

problems = []


def problem(text):
    problems.append(f"problem: {text}")


def read_report(path):
    failed, done = collections.defaultdict(dict), {}
    for line in open(path):
        kind, *words = line.split()
        if kind == "failed" and len(words) == 3:
            failed[int(words[0])][int(words[1])] = words[2]
        elif kind == "done":
            done[int(words[0])] = int(words[1])
        elif kind != "again":
            problem(f"the counter says: {line.strip()}")
    if not done:
        problem("the counter has not ended its report")
    return failed, done


def read_wire(path, address):
    """What each register was sent, in order. The log was read several times: lines come more than once."""
    lines = {int(line.split()[0]): line.split() for line in open(path)}
    numbers = sorted(lines)
    if numbers and numbers[-1] - numbers[0] + 1 != len(numbers):
        problem(f"the log of the wire lost {numbers[-1] - numbers[0] + 1 - len(numbers)} messages")
    sent = collections.defaultdict(list)
    for number in numbers:
        _, _, _, to, way, result, data = lines[number]
        if to == address and way == "W" and result == "0":
            sent[int(data[0:2], 16)].append(int(data[4:6] + data[2:4], 16))
    return sent


def judge(thread, count, failed, sent):
    seen = collections.Counter(sent)
    for value, times in seen.items():
        if times > 1:
            problem(f"thread {thread}: {value} was done {times} times")
        if value >= count:
            problem(f"thread {thread}: {value} was never written")
    if sent != sorted(sent):
        problem(f"thread {thread}: not in order")
    lost = [value for value in range(count) if value not in seen and value not in failed]
    if lost:
        problem(f"thread {thread}: {len(lost)} values were lost, among them {lost[:5]}")


failed, done = read_report(sys.argv[1])
sent = read_wire(sys.argv[2], sys.argv[3])
for thread in done:
    judge(thread, done[thread], failed[thread], sent[thread])
kinds = collections.Counter(kind for values in failed.values() for kind in values.values())
unclear = sum(value in sent[thread] for thread in failed for value in failed[thread])
print(
    f"{sum(done.values())} values by {len(done)} threads, {sum(map(len, sent.values()))} on the wire; "
    f"{sum(kinds.values())} failed {dict(kinds)}, {unclear} of these are on the wire nevertheless"
)
print("\n".join(problems[:20]), end="")
