#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 120
#
# One of two adapters hangs in the kernel: its clients get their deadline, the other's do not notice.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

trap 'echo 0 >"$sim_debug/plain/hang"; end_counters; end_brokered_rgbsim' EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
hung=$(bus_named 'rgbsim plain')
well=$(bus_named 'rgbsim plain 2')

state_of_broker()
{
    [[ $(awk '{ print $3 }' "/proc/$(broker_pid "$hung")/stat") == "$1" ]]
}

has_failed()
{
    grep -q '^failed' "$counters/$1"
}

# between WHAT LOW HIGH FIGURE
between()
{
    check "$1" test "$4" -ge "$2" -a "$4" -le "$3"
}

start_counters()
{
    wire_begin plain
    wire_begin plain2
    counter_deadline=2000 start_counter hung-shim i2c-dev "$hung" 0x40 1 20000
    start_counter hung-library library "$hung" 0x41 1 20000
    start_counter well-shim i2c-dev "$well" 0x40 1 20000
    start_counter well-library library "$well" 0x41 1 20000
}

start_counters
check 'one broker serves' wait_for 15 systemctl --quiet is-active "rgbroker@$hung"
check 'and the other' wait_for 15 systemctl --quiet is-active "rgbroker@$well"
echo forever >"$sim_debug/plain/hang"
check 'the broker of the one hangs in the kernel' wait_for 15 state_of_broker D
check 'its client with a deadline of 2 s is told' wait_for 6 has_failed hung-shim
check_fails 'the one with 10 s has not' has_failed hung-library
check 'until then' wait_for 15 has_failed hung-library
wire_collect plain2
check 'stopping the broker that hangs does not wait' systemctl --no-block stop "rgbroker@$hung"
pause 1
check 'it still hangs' state_of_broker D

echo 0 >"$sim_debug/plain/hang"
for name in hung-shim hung-library; do
    check "let go, the $name client works again" wait_for 15 works_again "$name" 1
done
end_counter hung-shim hung-library well-shim well-library
for name in hung-shim hung-library; do
    expect_match "the $name client got ETIMEDOUT and nothing else" '^ETIMEDOUT=[0-9]+$' "$(failures "$name")"
    note "$name: $(failures "$name"), slowest call $(slowest "$name") ms"
done
between 'the 2 s were 2 s' 2000 5000 "$(slowest hung-shim)"
between 'the 10 s were 10 s' 10000 15000 "$(slowest hung-library)"
judged 'hung-shim: nothing was done twice' plain hung-shim 0x40
judged 'hung-library: nothing was done twice' plain hung-library 0x41
for name in well-shim well-library; do
    expect_eq "the $name client, on the other adapter, saw no error" '' "$(failures "$name")"
    note "$name: slowest call $(slowest "$name") ms"
done
judged 'well-shim: every operation is on the wire' plain2 well-shim 0x40
judged 'well-library: every operation is on the wire' plain2 well-library 0x41
