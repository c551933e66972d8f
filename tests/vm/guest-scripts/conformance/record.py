# SPDX-License-Identifier: LGPL-2.1-or-later
"""record.py direct|brokered BUSES FILE: runs all cases on one side and writes down what came of them"""

import json
import sys
import time

from cases import Bus, generate
from session import Session, Trace

side, buses, file = sys.argv[1:]
cases = generate([Bus(**bus) for bus in json.load(open(buses))])
trace = Trace()
session = Session(trace, side == "brokered")
began = time.monotonic()
replies = [session.do(*case.request) for case in cases]
session.end()
with open(file, "w") as out:
    json.dump({"seconds": time.monotonic() - began, "lost": trace.lost, "replies": replies}, out)
