#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: both
# suite: both
# timeout: 180
#
# With the device files as they are shipped: a thousand random writes over all addresses of the
# chipset's own SMBus, and the kernel's trace of what reached it.
. "${0%/*}/lib.sh"

bus=$(chipset_bus)
here=$(realpath "${0%/*}")
closed='^i2c-[0-9]+ 0x(3[0-7]|4[89a-f]|5[0-7]) W '

spd_contents()
{
    local address
    for address in 50 51 52 53 54 55 56 57; do
        i2cdump -y "$bus" "0x$address" b
    done
}

nobody()
{
    systemd-run --quiet --wait --pipe -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
        rgbroker-run "$@"
}

spd_contents >before
expect_match "the SPD EEPROMs can be read" '0123456789abcdef' "$(head -n 1 before)"

was=$(i2cget -y "$bus" 0x57 0xf0 b)

# That the trace would show it, and that the contents would tell.
trace_start
i2cset -y "$bus" 0x57 0xf0 $((was ^ 0xff)) b
trace_stop direct.trace "$bus"
expect_eq "written directly by root: the trace shows the write" 1 "$(grep -cE "$closed" direct.trace)"
spd_contents >spoilt
check_fails "and the contents have changed" cmp -s before spoilt
i2cset -y "$bus" 0x57 0xf0 "$was" b
spd_contents >restored
check "which was put back" cmp before restored

for seed in 1 2 3 4 5; do
    trace_start
    ended=$(nobody python3 "$here/random_writes.py" "$bus" 200 "$seed")
    trace_stop "brokered.$seed" "$bus"
    note "200 writes, seed $seed: $ended; on the wire: $(wc -l <"brokered.$seed")"
    expect_match "200 random writes of a nobody were answered, most refused (seed $seed)" 'EACCES=(19[0-9]|200)' "$ended"
done
cat brokered.? >brokered
expect_eq "not one write to 0x30-0x37, 0x48-0x4f or 0x50-0x57 reached the bus" '' "$(grep -E "$closed" brokered)"
# The SPDs of this machine are those of old modules: whatever is keyed by DDR4 or DDR5 stays closed.
expect_eq "the only writes that did are quick commands at 0x67" '' \
    "$(grep ' W ' brokered | grep -vE '^i2c-[0-9]+ 0x67 W quick ')"
check "and some of those did" grep -q ' W quick ' brokered
spd_contents >after
check "the SPD contents are the same" cmp before after
