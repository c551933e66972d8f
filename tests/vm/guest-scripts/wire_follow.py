# SPDX-License-Identifier: LGPL-2.1-or-later
"""wire_follow.py LOG FILE: keeps what a simulated wire's log shows, for longer than the adapter does, until SIGTERM"""

import signal
import sys
import time


def end(*_):
    global ended
    ended = True


ended, last = False, -1
signal.signal(signal.SIGTERM, end)
with open(sys.argv[2], "a") as kept:
    while True:
        last_time = ended
        with open(sys.argv[1]) as log:
            for line in log:
                number = line.split(maxsplit=1)[0]
                if number != "#" and int(number) > last:
                    last = int(number)
                    kept.write(line)
        kept.flush()
        if last_time:
            break
        time.sleep(1)
