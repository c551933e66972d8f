# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reports of a test, in the form that meson counts."""

import sys

count = failures = 0


def report(good, what, *details):
    """One test. details: lines that are shown if it failed."""
    global count, failures
    count += 1
    if good:
        print(f"ok {count} - {what}")
        return
    failures += 1
    for detail in details:
        for line in str(detail).splitlines():
            print(f"# {line}")
    print(f"not ok {count} - {what}")


def same(what, on_page, in_code, where):
    """Two sets are one: nothing that the page does not know, nothing that it made up."""
    on_page, in_code = set(on_page), set(in_code)
    details = [f"in the code, not on the page: {one}" for one in sorted(in_code - on_page)]
    details += [f"on the page, not in the code: {one}" for one in sorted(on_page - in_code)]
    if not in_code:
        details.append("nothing was found in the code: is it written in another form now?")
    report(not details, what, *details, f"({where})")


def end():
    print(f"1..{count}")
    sys.exit(failures != 0 or count == 0)
