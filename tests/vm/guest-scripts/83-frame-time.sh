#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 120
#
# What a frame of eight LEDs takes on a wire of 100 kHz: as root on the node, and as a nobody through the broker.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

rounds=8 frames=15
trap end_brokered_rgbsim EXIT
check 'there is a board' brokered_rgbsim chipset=0 plain=0 amd=1 log_entries=1000 || exit 1
bus=$(bus_named 'rgbsim amd')
echo 100 >"$sim_debug/amd/khz"

: >direct
: >brokered
for ((i = 0; i < rounds; i++)); do
    frame-time "$bus" 0x70 $frames >>direct
    nobody "$tests/frame-time" "$bus" 0x70 $frames >>brokered
done
expect_eq 'both lit the same' $((rounds * frames)) "$(wc -w <direct)"
expect_eq 'as often' $((rounds * frames)) "$(wc -w <brokered)"
expect_eq 'and as it was asked' '0x70 7 0e0710' "$(awk '$1 == "0x70" && $2 == 7' "$sim_debug/amd/leds")"
python3 - <<'PYTHON' | while read -r line; do note "$line"; done
from statistics import median, quantiles
# a frame is 8 x (a word: start, 4 bytes, stop; a block: start, 6 bytes, stop), ten microseconds a bit
wire = 8 * ((2 + 9 * 4) + (2 + 9 * 6)) * 10
direct, brokered = ([int(word) for word in open(name).read().split()] for name in ("direct", "brokered"))
print(f"a frame takes {wire} us on the wire; directly {median(direct):.0f} us, "
      f"through shim and broker {median(brokered):.0f} us (medians of {len(direct)})")
print(f"ratio {median(brokered) / median(direct):.3f}; "
      f"quartiles {quantiles(brokered)[0] / median(direct):.3f} and {quantiles(brokered)[2] / median(direct):.3f}")
PYTHON
