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

program_that_lights /usr/bin/your-rgb-program 0x50
block file 'your-rgb-program'
systemctl daemon-reload
check 'the service of the README runs' systemctl start lights.service
expect_eq 'and lights' 505050 "$(lit amd 0x70)"
