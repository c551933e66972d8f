#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 240
#
# Addresses that a kernel driver has are refused, and the rest goes on; and a program that looks at no error then
# writes to no neighbour, as it does directly.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

here=$(realpath "${0%/*}")
trap 'release_modules; end_brokered_rgbsim' EXIT

neighbours()
{
    python3 -B "$here/neighbours.py" "$@" || not_ok "$1: is gone through"
}

check 'there is a DDR4 board' brokered_rgbsim chipset=0 plain=0 amd=1 amd_ene=0x70 || exit 1
amd=$(bus_named 'rgbsim amd')
bind_modules "$amd" ee1004 0
neighbours ddr4 amd "$amd"
release_modules

# Linux has it since 6.11.
if ! modprobe spd5118 2>/dev/null; then
    note "ddr5: this kernel, $(uname -r), has no spd5118"
    exit 0
fi
check 'there is a DDR5 board' brokered_rgbsim chipset=0 plain=0 ddr5=1 || exit 1
ddr5=$(bus_named 'rgbsim ddr5')
bind_modules "$ddr5" spd5118 0
neighbours ddr5 ddr5 "$ddr5"
# Kingston's modules are lit where the driver tells who made them.
release_modules
bind_modules "$ddr5" spd5118 0 1
python3 -B "$here/memory_kind.py" ddr5 "$ddr5" open-ddr5 'with spd5118, Kingston' || not_ok 'a Fury is lit'
check 'a DDR5 module has lit up' grep -q '^0x60 0 6100' "$sim_debug/ddr5/leds"
