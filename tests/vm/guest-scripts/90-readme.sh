#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 600
# documents: README.md
#
# README.md, but for its five minutes (85-five-minutes.sh): the map is what a wire has seen, the service lights.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

map_script=$(realpath "${0%/*}/write_map.py")

cleanup()
{
    rm -f /etc/systemd/system/lights.service /usr/bin/your-rgb-program
    end_reader
}
trap cleanup EXIT

wire()
{
    cat "$sim_debug/amd/log" >"$work/$1"
}

# ---- what can be written to ----

reader_machine || exit 1
sim_log_clear amd
note "with the node: $(python3 "$map_script" try 4 1)"
wire open
# with another machine, as that one is spoilt
reader_machine || exit 1
sim_log_clear amd
note "behind rgbroker: $(nobody python3 "$map_script" try 4 256)"
wire brokered
block map 'behind rgbroker'
drawn=$(python3 "$map_script" draw "$work/open" "$work/brokered")
check 'the map of the README is that of these two' test "$drawn" = "$printed" || note "$drawn"

# ---- a service ----

cat >/usr/bin/your-rgb-program <<'PROGRAM'
#!/usr/bin/python3
import smbus
bus = smbus.SMBus(4)
bus.write_word_data(0x70, 0x00, 0x2080)
bus.write_byte_data(0x70, 0x01, 1)
for led in range(8):
    bus.write_word_data(0x70, 0x00, 3 * led << 8 | 0x81)
    bus.write_block_data(0x70, 0x03, [0x50, 0x50, 0x50])
PROGRAM
chmod 755 /usr/bin/your-rgb-program
block file 'your-rgb-program'
systemctl daemon-reload
check 'the service of the README runs' systemctl start lights.service
expect_eq 'and lights' 505050 "$(lit amd 0x70)"
