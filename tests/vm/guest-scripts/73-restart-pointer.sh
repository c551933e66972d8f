#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 400
#
# The broker is restarted and killed between "set the pointer" and "write the datum" of an ENE controller: the datum
# lands in its register, or is refused as one without a pointer; nowhere else.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

trap end_brokered_rgbsim EXIT
check 'there is a simulated board with doors' \
    brokered_rgbsim chipset=0 plain=0 amd=1 log_entries=20000 || exit 1
python3 -B "${0%/*}/restart_pointer.py" "$(bus_named 'rgbsim amd')" amd 50 || not_ok 'all of it is gone through'
