#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 180
#
# Broker and libraries are replaced under clients that do not stop for it, as a package manager does it. Of the
# same version of the protocol, nobody notices; of another, all are told so at once, and go on when it fits again.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

# Nothing here is timed, so it may wait for brokers of a busy machine.
counter_deadline=60000

end()
{
    end_counters
    [[ ! -e $kept ]] || install_file "$kept" "$broker"
    rm -f "$kept"
    end_brokered_rgbsim
}

check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim plain')
unit=rgbroker@$bus.service
broker=$(systemctl show --property=ExecStart --value "$unit" | sed 's/.*argv\[\]=\([^ ]*\) .*/\1/')
kept=$broker.kept
mapfile -t libraries < <(find /usr/lib -name 'librgbroker.so.0.*' -o -path '*/rgbroker/i2c-dev.so')
names=(shim library library-threads)

# install_file FROM TO: another file in its place, while the old one is in use
install_file()
{
    cp -p "$1" "$2.new" && mv "$2.new" "$2"
}

upgrade()
{
    local library
    install_file "$1" "$broker" || return
    for library in "${libraries[@]}"; do
        install_file "$library" "$library" || return
    done
    systemctl try-restart "$unit"
}

broker_is()
{
    [[ $(realpath "/proc/$(broker_pid "$bus")/exe") -ef $broker ]]
}

start_counters()
{
    echo 30 >"$sim_debug/plain/khz"
    wire_begin plain
    start_counter shim i2c-dev "$bus" 0x40 1 20000
    start_counter library library "$bus" 0x41 1 20000
    start_counter library-threads library "$bus" 0x43 4 20000
}

judge_all()
{
    local name
    end_counter "${names[@]}"
    judged "$1: shim: every operation is on the wire, once and in order" plain shim 0x40
    judged "$1: library: the same" plain library 0x41
    judged "$1: library, 4 threads: the same" plain library-threads 0x43
    for name in "${names[@]}"; do
        note "$1: $name: $(failures "$name"), slowest call $(slowest "$name") ms"
    done
}

expect_eq 'broker, library and shim are found' 2 "${#libraries[@]}"
check 'the broker is kept' cp -p "$broker" "$kept"
trap end EXIT

# ---- the same version ----

start_counters
check 'a broker serves them' wait_for 20 systemctl --quiet is-active "$unit"
rounds=0
for ((round = 0; round < 4; round++)); do
    pause 0.5
    wire_collect plain
    upgrade "$kept" && wait_for 10 broker_is && rounds=$((rounds + 1))
done
pause 1
expect_eq 'four times it was the new file that ran' 4 "$rounds"
judge_all 'same version'
for name in "${names[@]}"; do
    expect_eq "same version: the $name client saw no error" '' "$(failures "$name")"
done

# ---- another version ----

# has_failed NAME: as often as it would not by chance
has_failed()
{
    (($(grep -c '^failed' "$counters/$1") >= 5))
}

start_counters
pause 1
wire_collect plain
began=$(date +%s)
check 'a broker of another version comes' upgrade "$tests/rgbrokerd-other"
for name in "${names[@]}"; do
    check "another version: the $name client is told" wait_for 10 has_failed "$name"
done
lines=$(journalctl --quiet --since="@$began" --unit="$unit" --output=cat |
    grep -c 'speaks version 1 of the protocol, this broker version 99')
check "another version: the journal says which, once a connection: $lines lines" test "$lines" -ge 3 -a "$lines" -le 6
wire_collect plain
before=$(sim_log plain | wc -l)
pause 1
expect_eq 'another version: nothing reaches the wire' "$before" "$(sim_log plain | wc -l)"
output=$(rgbrokerctl status "$bus" 2>&1)
expect_eq 'another version: rgbrokerctl cannot ask it: exit code 4' 4 $?
expect_match 'another version: and says what to do' "of another version than rgbrokerctl: systemctl restart '$unit'" "$output"
check 'the right one comes back' upgrade "$kept"
for name in "${names[@]}"; do
    check "another version: the $name client works again" wait_for 10 works_again "$name" 5
done
pause 0.5
judge_all 'another version'
for name in "${names[@]}"; do
    expect_match "another version: the $name client was told EPROTO and nothing else" '^EPROTO=[0-9]+$' "$(failures "$name")"
done
expect_eq 'the doors are open' $'active\nactive' "$(systemctl is-active "rgbroker@$bus.socket" "rgbroker-admin@$bus.socket")"
