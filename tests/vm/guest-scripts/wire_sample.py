# SPDX-License-Identifier: LGPL-2.1-or-later
"""wire_sample.py WHAT SIM BUS CLASS: after random writes of a nobody, holds what reached the wire against the
device files

Only what they let be written before anything is recognised, what the broker itself reads, and registers behind the
pointer of a controller that it has recognised.
"""

import collections
import sys

from device_files import on_bus
from wire import Ene, check, expect_eq, is_read, note, read_log

SPD = range(0x50, 0x58)
what, sim, bus, bus_class = sys.argv[1:]
families = on_bus(bus_class, bus)
pointer_families = [family for family in families if list(family.registers("Write"))]
chips, found = collections.defaultdict(Ene), collections.Counter()


def is_own_read(transfer):
    """To recognise a family, to see which memory there is, or whether anybody answers"""
    sent = transfer.data[0] if transfer.ways[0] == "W" else b""
    if transfer.address in SPD or not sent:
        return True
    return any(transfer.address in family.addresses and sent in family.expects() for family in families)


def is_register(transfer):
    chip = chips[transfer.address]
    before = len(chip.written)
    chip.transfer(transfer)
    message = transfer.data[0]
    for family in pointer_families:
        if transfer.address not in family.addresses:
            continue
        if len(chip.written) > before:
            return all(family.may_write(*pair) for pair in chip.written[before:])
        return len(message) == 3 and message[0] == 0 and family.may_point(chip.pointer)
    return False


def kind_of(transfer):
    if is_read(transfer) and is_own_read(transfer):
        return "reads of the broker's own"
    if transfer.ways == "W":
        message = transfer.data[0]
        if any(transfer.address in it.addresses and it.may_detect(message) for it in families):
            return "writes that detection may send"
        if is_register(transfer):
            return "registers of recognised controllers"
    return "others"


transfers = read_log(sim)
others = []
for one in transfers:
    kind = kind_of(one)
    found[kind] += 1
    if kind == "others":
        others.append(one)
expect_eq(f"{what}: nothing else reached the wire", [], others[:5])
if bus_class == "smbus":  # of the card's family nothing is open by chance
    check(f"{what}: something did", len(transfers) > 0)
note(f"{what}: {len(transfers)} transfers on the wire: " + ", ".join(f"{found[kind]} {kind}" for kind in sorted(found)))
