#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: stress
# machine: pc
# timeout: 2000
#
# Everything at once, for a minute or RGBROKER_CHAOS_SECONDS: hostile clients of every kind, which are killed at
# random; a bus that fails now and then; a broker that is restarted and killed. Honest clients go on all the while:
# each of their requests is answered rightly, the wire saw what was allowed and nothing else, nothing has leaked,
# and the doors are open.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

seconds=$(<"$tests/chaos-seconds")
here=$(realpath "${0%/*}")
jobs_=()
end()
{
    systemctl stop 'chaos-*' 2>/dev/null
    ((${#jobs_[@]} == 0)) || kill "${jobs_[@]}" 2>/dev/null
    end_counters
    end_brokered_rgbsim
}

check 'there are simulated buses with doors' brokered_rgbsim log_entries=20000 || exit 1
trap end EXIT
bus=$(bus_named 'rgbsim plain')
unit=rgbroker@$bus.service
door=/run/rgbroker/i2c-$bus
# Honest clients have chips 0x40 to 0x47, hostile ones 0x50 to 0x57; no register from 0x80 on.
sed -i -e 's/^Address=.*/Address=0x40-0x47 0x50-0x57/' -e 's/^\(Write=.*\) 0x00-0xff$/\1 0x00-0x7f/' \
    -e '/^Write=\(quick\|byte 0x\|i2c$\)/d' "$sim_devices"
systemctl stop --quiet "$unit" 2>/dev/null
echo 20 >"$sim_debug/plain/delay_us"

# ---- what there is at rest ----

# figures PID: descriptors, and kB of memory that nobody else has
figures()
{
    local files=("/proc/$1/fd"/*)
    echo "${#files[@]} $(awk '$1 == "Private_Dirty:" { print $2 }' "/proc/$1/smaps_rollup")"
}

start_honest()
{
    wire_begin plain
    export counter_deadline=120000
    start_counter shim i2c-dev "$bus" 0x40 1 20000
    start_counter library library "$bus" 0x41 1 20000
    start_counter shim-threads i2c-dev "$bus" 0x42 4 40000
    start_counter library-threads library "$bus" 0x43 4 40000
    systemd-run --quiet --collect --unit=chaos-honest -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
        -p BindReadOnlyPaths="$here" -p "StandardOutput=truncate:$counters/honest" \
        -p "StandardError=append:$counters/honest" --setenv=RGBROKER_TIMEOUT_MS=120000 \
        python3 -B "$here/honest.py" "$door" 0x44
}

# told FIELD: by the admin door, and with more patience than rgbrokerctl has
told()
{
    PYTHONPATH=$here python3 -B -c 'import sys, wire; print(getattr(wire.status(sys.argv[1]), sys.argv[2]))' "$bus" "$1"
}

# Four counters, and at times the one that comes and goes, and who asks
only_the_honest()
{
    (($(told clients) <= 6))
}

start_honest
check 'a broker serves the honest' wait_for 30 only_the_honest
pause 3
read -r broker_files broker_memory <<<"$(figures "$(broker_pid "$bus")")"
systemctl restart "$unit"
read -r init_files init_memory <<<"$(figures 1)"
note "at rest: the broker has $broker_files descriptors and $broker_memory kB, systemd $init_files and $init_memory kB"

# ---- chaos ----

# Two users, so that it is not only one who has the most.
for number in 1 2; do
    systemd-run --quiet --collect --unit="chaos-hostile-$number" -p DynamicUser=yes -p PrivateDevices=yes \
        -p Group=rgbroker -p LimitNOFILE=4096 -p BindReadOnlyPaths="$here" -p CPUWeight=50 \
        -p "StandardOutput=truncate:$counters/hostile-$number" -p "StandardError=append:$counters/hostile-$number" \
        python3 -B "$here/hostile.py" "$door" "$number"
done

python3 -B "$here/wire_follow.py" "$sim_debug/plain/log" "$counters/plain.wire" &
jobs_+=($!)

# It fails once, now and then, for honest and hostile ones, and at 0x47 never.
while sleep "0.$((RANDOM % 9 + 1))"; do
    echo "$((0x40 + RANDOM % 7)) $((RANDOM % 2 ? 6 : 11)) 1" >"$sim_debug/plain/fault"
    echo "$((0x50 + RANDOM % 8)) $((RANDOM % 2 ? 6 : 11)) 1" >"$sim_debug/plain/fault"
done &
jobs_+=($!)

blows=0 killed=0 unanswered=0 asked=0
end=$((SECONDS + seconds))
# the last third is one broker's, so that there is one whose memory can be looked at
while ((SECONDS < end - seconds / 3 || blows < seconds / 10)); do
    sleep "$((RANDOM % 3 + 2)).$((RANDOM % 10))"
    blows=$((blows + 1))
    if ((RANDOM % 2)); then
        systemctl --quiet restart "$unit"
    else
        killed=$((killed + 1))
        pid=$(broker_pid "$bus")
        ((pid == 0)) || kill -KILL "$pid" 2>/dev/null
    fi
done
last_broker=$(broker_pid "$bus")
while ((SECONDS < end || asked < 3)); do
    asked=$((asked + 1))
    told clients >/dev/null || unanswered=$((unanswered + 1))
    pause 1
done
last_broker=$(broker_pid "$bus")
peak=$(cat "/sys/fs/cgroup/system.slice/system-rgbroker.slice/$unit/memory.peak" 2>/dev/null)
evicted=$(told evicted)
note "in $seconds s the broker was restarted or killed $blows times, $killed of these killed"
expect_eq "an administrator was let in each time of $asked" 0 "$unanswered"

# ---- what is left ----

systemctl stop 'chaos-hostile-*'
check 'when the hostile have gone, their connections have, too' wait_for 60 only_the_honest
expect_eq 'the broker is the same since the last blow' "$last_broker" "$(broker_pid "$bus")"
pause 2
read -r files memory <<<"$(figures "$last_broker")"
note "afterwards it has $files descriptors and $memory kB; $evicted connections had to go for others"
check 'it has kept no descriptor' test "$files" -le "$((broker_files + 2))"
check "and no memory to speak of: $((memory - broker_memory)) kB" test "$((memory - broker_memory))" -le 256
[[ -z $peak ]] || note "its control group had $((peak / 1024)) kB at most"
read -r files memory <<<"$(figures 1)"
note "systemd has $files descriptors and $memory kB"
check 'systemd has kept no descriptor' test "$files" -le "$((init_files + 4))"
check "and no memory to speak of: $((memory - init_memory)) kB" test "$((memory - init_memory))" -le 1024
expect_eq 'the doors are open' $'active\nactive' "$(systemctl is-active "rgbroker@$bus.socket" "rgbroker-admin@$bus.socket")"
expect_eq 'and lead somewhere' 0x57 "$(nobody i2cget -y "$bus" 0x47 0x10)"

# ---- what was done ----

systemctl stop chaos-honest
end_counter shim library shim-threads library-threads
kill "${jobs_[@]}" 2>/dev/null
wait "${jobs_[@]}" 2>/dev/null
jobs_=()
expect_match 'the honest who come and go: all that they read was right' '^[1-9][0-9]* visits, 0 wrong' "$(tail -n 1 "$counters/honest")"
note "honest: $(tail -n 1 "$counters/honest")"
for name in shim library shim-threads library-threads; do
    note "$name: $(failures "$name"), slowest call $(slowest "$name") ms"
    expect_match "$name: told what the bus said, or that the broker was killed" \
        '^((EIO|ENXIO|EAGAIN)=[0-9]+ ?)*$' "$(failures "$name")"
done
judged 'shim: every operation is on the wire, once and in order' plain shim 0x40
judged 'library: the same' plain library 0x41
judged 'shim, 4 threads: the same' plain shim-threads 0x42
judged 'library, 4 threads: the same' plain library-threads 0x43
for number in 1 2; do
    expect_eq "hostile $number: nothing went through that may not" '' "$(grep -v '^sent' "$counters/hostile-$number")"
    note "hostile $number: $(grep '^sent' "$counters/hostile-$number" | tail -n 1)"
done
python3 -B "$here/wire_judge.py" "$counters/plain.wire"
