#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 900
# documents: README.md
#
# The five minutes of README.md: from packages to the first lit LED with nothing typed but what stands there, on a
# machine that runs and has no rgbroker. For a guest to which the packages were given and in which they are not
# installed (run --packages DIR --not-installed), as packages.sh. Not on Debian 13, whose liquidctl finds no module
# with its kernel.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

check_fails 'there is no rgbroker' command -v rgbrokerctl
# the board of reader_machine, whose buses an administrator has given their classes
simulated_rule
udevadm control --reload
check 'there is a board with a card' load_rgbsim "${reader_board[@]}"
new_ada
cp -r "$tests/packages" /root/packages
expect_eq 'all is dark' 000000 "$(lit amd 0x58)"
check_fails 'ada may not open the bus' as ada test -w /dev/i2c-4

block root 'apt install' || note "$printed"
block root 'rgbrokerctl list'
block output 'listening'
block root 'modprobe ee1004'
block ada 'color fixed ff4000'
expect_eq 'the module is orange' ff4000 "$(lit amd 0x58)"
sim_log_clear amd
before=$(<"$sim_debug/amd/memory")
block ada_fails 'i2cset'
expect_eq 'nothing of it is on the wire' '' "$(sim_log amd | awk '$2 == "0x51" && $3 == "W" && length($5) > 2')"
expect_eq 'SPDs and their protection are what they were' "$before" "$(<"$sim_debug/amd/memory")"
block root 'journalctl'
block output 'refused'
note "$SECONDS s"
