#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 400
#
# A hostile nobody at the boards' memory: whatever is asked for, the SPD EEPROMs and hubs, their protection and
# their voltage regulators hold afterwards what they held before, byte for byte.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

requests=100000
trap end_brokered_rgbsim EXIT
check 'there are simulated boards with doors' brokered_rgbsim chipset=0 plain=0 amd=1 ddr5=1 || exit 1
amd=$(bus_named 'rgbsim amd')
ddr5=$(bus_named 'rgbsim ddr5')

# All that must not change, and how often it was written; that page 0 of the SPD EEPROMs is what shows
state()
{
    cat "$sim_debug/$1/memory" "$sim_debug/$1/dump"
    [[ $1 != amd ]] || i2cget -y "$amd" 0x36
}

# hostile SIM BUS SEED
hostile()
{
    as_service "$tests/random-requests" "/run/rgbroker/i2c-$2" "$requests" "$3" >"said.$1"
}

# That it would be seen
for write in "amd $amd 0x51 0xf0 0x55 b" "amd $amd 0x31 0x00 0x00 b" "ddr5 $ddr5 0x51 0xff 0x55 b" \
    "ddr5 $ddr5 0x49 0x21 0x55 b"; do
    read -r sim set <<<"$write"
    state "$sim" >before
    # shellcheck disable=SC2086 # they are words
    i2cset -y $set
    state "$sim" >after
    check_fails "root's write to $set would be seen" cmp -s before after
done

state amd >amd.before
state ddr5 >ddr5.before
began=$SECONDS
hostile amd "$amd" 1 &
hostile ddr5 "$ddr5" 2 &
wait
took=$((SECONDS - began))
for sim in amd ddr5; do
    state "$sim" >"$sim.after"
    expect_eq "$sim: $requests random requests were answered" "$requests" \
        "$(tr ' ' '\n' <"said.$sim" | awk -F= '{ sum += $2 } END { print sum }')"
    check "$sim: some of them were allowed" grep -q '^allowed=[1-9]' "said.$sim"
    check "$sim: what must not change is byte for byte the same, and was not written" \
        cmp "$sim.before" "$sim.after"
    note "$sim: $(<"said.$sim")"
done
expect_match "amd: no LED controller was moved to where none may be" '^(0x(7[0-7]|4f|6[67]|3[9a-d]) ?)+$' \
    "$(cut -d' ' -f1 "$sim_debug/amd/leds" | sort -u | xargs)"
note "$(wc -l <amd.before) and $(wc -l <ddr5.before) lines compared; $took s"
