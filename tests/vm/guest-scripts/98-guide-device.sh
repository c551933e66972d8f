#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/device.md
#
# docs/device.md, typed: a lamp that nobody knew.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

trap 'rm -rf /etc/udev/rules.d/50-lamp.rules /etc/rgbroker/devices; end_reader' EXIT
reader_machine || exit 1
adduser --quiet ada rgbroker
check_fails 'its bus has no door' test -e /run/rgbroker/i2c-1
block file 'SUBSYSTEM'
block root 'udevadm control'
check 'now it has' wait_for 15 test -S /run/rgbroker/i2c-1
block file '[Recognise]'
block ada 'lint'
block output 'lamp.conf: A lamp'
block root 'rgbrokerctl show 1'
block output '40: r?'
block ada 'i2cset'
expect_eq 'the lamp has what was written' 'I ff' "I $(sim_log plain | awk '$2 == "0x40" && $3 == "W" && $5 ~ /^10../ { print substr($5, 3) }')"
block ada_fails '0x12 0xff'
block output 'depends'
block ada_fails 'check 1 0x40 write_byte_data 0x13'
block output 'refused: write'
sim_log_clear plain
block ada_fails 'i2cset -y 1 0x40 0x13'
block output 'Write failed'
expect_eq 'nothing of it on the wire' '' "$(sim_log plain | awk '$3 == "W" && $5 ~ /^13/')"
