#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 240
#
# A bus that does not do what it is told: nobody acknowledges, arbitration is lost, it times out, once or for good,
# a chip stretches the clock for 4 s. Its clients get the kernel's answer or their deadline; those of another bus
# do not notice; one that keeps timing out is left alone. And who stops a broker waits for one operation.
# (One that hangs for good: 32-hang.sh.)
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

trap 'echo 0 >"$sim_debug/plain/hang"; end_counters; end_brokered_rgbsim' EXIT
check 'there are simulated buses with doors' brokered_rgbsim log_entries=20000 || exit 1
bus=$(bus_named 'rgbsim plain')
well=$(bus_named 'rgbsim plain 2')
wire_begin plain2
start_counter well-shim i2c-dev "$well" 0x40 1 20000
start_counter well-library library "$well" 0x41 1 20000
check 'the other bus is busy' wait_for 20 eval 'sim_log plain2 | grep -q .'
python3 -B "${0%/*}/faults.py" "$bus" plain plain2 || not_ok 'all of it is gone through'
end_counter well-shim well-library
for name in well-shim well-library; do
    expect_eq "the $name client, on the other bus, saw no error" '' "$(failures "$name")"
    note "$name: slowest call $(slowest "$name") ms"
done
judged 'well-shim: every operation is on the wire' plain2 well-shim 0x40
judged 'well-library: every operation is on the wire' plain2 well-library 0x41
