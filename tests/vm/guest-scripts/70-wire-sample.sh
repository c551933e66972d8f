#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 300
#
# Ten thousand random writes of a nobody over all addresses, with the device files as they are shipped: on a bus full
# of chips that nobody knows, on a board and a card whose controllers nobody has touched before.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

here=$(realpath "${0%/*}")
rule=/run/udev/rules.d/51-wire-sample.rules
trap 'rm -f "$rule"; end_brokered_rgbsim' EXIT

# The register chips as a chipset's: what they are written they keep, and so would anything else.
mkdir -p "${rule%/*}"
echo 'SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim plain*", ENV{RGBROKER_CLASS}="smbus"' >"$rule"
check 'there are simulated buses with doors' \
    brokered_rgbsim chipset=0 plain=1 amd=1 ddr5=1 gpu=1 log_entries=300000 || exit 1

# sample WHAT SIM BUS CLASS SEED
sample()
{
    local said
    sim_log_clear "$2"
    said=$(as_service "$tests/random-requests" "/run/rgbroker/i2c-$3" 10000 "$5" writes)
    expect_eq "$1: 10000 random writes were answered" 10000 \
        "$(tr ' ' '\n' <<<"$said" | awk -F= '{ sum += $2 } END { print sum }')"
    note "$1: $said"
    python3 -B "$here/wire_sample.py" "$1" "$2" "$3" "$4" || not_ok "$1: the wire is judged"
}

sample 'a bus of unknown chips' plain "$(bus_named 'rgbsim plain')" smbus 1
cp "$sim_debug/amd/memory" amd.before
cp "$sim_debug/ddr5/memory" ddr5.before
cp "$sim_debug/gpu/memory" gpu.before
sample 'a DDR4 board' amd "$(bus_named 'rgbsim amd')" smbus 2
sample 'a DDR5 board' ddr5 "$(bus_named 'rgbsim ddr5')" smbus 3
sample 'a graphics card' gpu "$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')" gpu 4
for sim in amd ddr5 gpu; do
    check "$sim: memory and display hold what they held" cmp "$sim.before" "$sim_debug/$sim/memory"
done
