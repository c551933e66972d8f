#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 300
#
# Whose a chip is: the first process's to write to it, however often that opens the bus, and until it ends,
# however that comes about. Looking takes nothing.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

trap end_brokered_rgbsim EXIT
check 'there is a simulated board with doors' \
    brokered_rgbsim chipset=0 plain=0 amd=1 amd_vengeance=0x58 log_entries=20000 || exit 1
python3 -B "${0%/*}/claims.py" "$(bus_named 'rgbsim amd')" amd || not_ok 'all of it is gone through'
