#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 400
#
# A broker in its own unit has been taken over: what can it still ask the kernel for? Its filter is read out and
# judged for every number, and running brokers are made to make calls. tests/daemon/test-sandbox.c has every number
# tried on a broker.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

trap end_brokered_rgbsim EXIT
check 'there are simulated buses with doors' brokered_rgbsim chipset=0 plain=4 || exit 1
buses=()
for number in '' 2 3 4; do
    buses+=("$(bus_named "rgbsim plain${number:+ $number}")" "plain$number")
done
began=$(date +%s)
python3 -B "${0%/*}/sandbox_probe.py" "${buses[@]}" || not_ok 'all of it is gone through'

# What an administrator sees of it
expect_match "the unit's result tells of the signal" "code=(killed|dumped), status=31/SYS.*result '(signal|core-dump)'" \
    "$(journalctl --quiet --since="@$began" --unit="rgbroker@${buses[0]}" --output=cat | head -n 20 | paste -sd ' ')"
check 'and so does the kernel' \
    journalctl --quiet --boot --since="@$began" --output=cat --grep 'comm="rgbrokerd".*sig=31 .*syscall='
