#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 300
#
# What a real OpenRGB sent (tests/traces), through shim and broker: it reaches the wire and nothing else does.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

here=$(realpath "${0%/*}")
trap end_brokered_rgbsim EXIT

# boards: as they are when they are switched on
boards()
{
    check "$1: there are a board and a card with doors" \
        brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 log_entries=100000 || exit 1
    amd=$(bus_named 'rgbsim amd') gpu=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
}

for recording in "$tests"/traces/*.txt; do
    name=$(basename "$recording" .txt)
    boards "$name"
    python3 -B "$here/replay.py" "$name" "$amd" "$gpu" || not_ok "$name is sent again"
done

# One thing of each write of a frame is another: address, command, register, length, operation.
boards mutated
sim_log_clear amd
cp "$sim_debug/amd/memory" before
said=$(as_service python3 -B "$here/mutations.py" send "/run/rgbroker/i2c-$amd")
expect_match 'mutated: all are answered' '^[1-9][0-9]* mutated writes, [1-9][0-9]* of them allowed$' "$said"
note "$said"
python3 -B "$here/mutations.py" judge amd "$amd" || not_ok 'mutated: the wire is judged'
check 'mutated: the SPD EEPROMs hold what they held' cmp before "$sim_debug/amd/memory"
