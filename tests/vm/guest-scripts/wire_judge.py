# SPDX-License-Identifier: LGPL-2.1-or-later
"""wire_judge.py FILE: whether a wire saw nothing but what 52-chaos.sh allows"""

import collections
import sys

from wire import check, note

HONEST, HOSTILE = range(0x40, 0x48), range(0x50, 0x58)
REGISTERS = 0x80

seen, forbidden, again = collections.Counter(), [], []
last = {}
previous = None
for line in open(sys.argv[1]):
    number, _, part, address, way, result, data = line.split()
    if previous is not None and int(number) <= previous:
        continue  # the log was read several times
    if previous is not None and int(number) != previous + 1:
        forbidden.append(f"{int(number) - previous - 1} messages were not seen before {number}")
    previous = int(number)
    address = int(address, 16)
    command = int(data[0:2], 16) if way == "W" and data != "-" else 0
    whose = "honest" if address in HONEST else "hostile"
    seen[whose] += 1
    if address not in HONEST and address not in HOSTILE or way == "W" and part == "1/1" and command >= REGISTERS:
        forbidden.append(line.strip())
    # hostile writers count as well: who was killed or failed has gaps, and nothing is there twice
    if address in HOSTILE and way == "W" and result == "0" and len(data) == 10:
        value = int(data[2:10], 16)
        if value <= last.get((address, command), -1):
            again.append(line.strip())
        last[address, command] = value
check("nothing was on the wire that may not be, and all of it was seen", not forbidden, *forbidden[:20])
check("what the hostile may do was done once at most, and in order", not again, *again[:20])
check("there was something to see of both", seen["honest"] > 100 and seen["hostile"] > 100, seen)
note(f"{sum(seen.values())} messages: {seen['honest']} at chips of the honest, {seen['hostile']} of the hostile")
