#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 300
#
# Two and three threads of one program write to one ENE controller, which has one register pointer: directly they
# write into each other's registers, through the broker they cannot.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

trap end_brokered_rgbsim EXIT
check 'there is a simulated board with doors' \
    brokered_rgbsim chipset=0 plain=0 amd=1 log_entries=20000 || exit 1
python3 -B "${0%/*}/thread_orders.py" "$(bus_named 'rgbsim amd')" amd || not_ok 'all orders are gone through'
