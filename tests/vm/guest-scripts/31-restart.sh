#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 300
#
# Brokers are stopped, restarted, put to sleep and killed under clients that do not stop for it. The log of the
# wire tells whether anything was lost, done twice or in another order.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

# Nothing here is timed, so it may wait for brokers of a busy machine.
counter_deadline=60000

trap 'end_counters; end_brokered_rgbsim; rm -rf "$drop_in"; systemctl daemon-reload' EXIT
drop_in=/run/systemd/system/rgbroker@.service.d
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim plain')
other=$(bus_named 'rgbsim plain 2')
unit=rgbroker@$bus.service
names=(shim library shim-threads library-threads)

# Alone and with four threads on one handle, each at its own chip. The wire is slow, so that it is busy.
start_counters()
{
    echo 10 >"$sim_debug/plain/khz"
    wire_begin plain
    start_counter shim i2c-dev "$bus" 0x40 1 20000
    start_counter library library "$bus" 0x41 1 20000
    start_counter shim-threads i2c-dev "$bus" 0x42 4 20000
    start_counter library-threads library "$bus" 0x43 4 20000
}

broker=0
# From the control group, as asking systemd takes as long as what is waited for.
new_broker()
{
    local pid='' name='' group=/sys/fs/cgroup/system.slice/system-rgbroker.slice/$unit
    { read -r pid <"$group/cgroup.procs" && read -r name <"/proc/$pid/comm"; } 2>/dev/null
    [[ $name == rgbrokerd && $pid != "$broker" ]]
}

wire_number()
{
    tail -n 1 "$sim_debug/plain/log" | cut -d' ' -f1
}

wire_goes_on()
{
    [[ $(wire_number) != "$number" ]]
}

# Another broker than the last one runs, and operations reach the wire. Sets broker, its pid.
served_again()
{
    local number
    wait_for 20 new_broker || return
    number=$(wire_number)
    wait_for 20 wire_goes_on || return
    broker=$(broker_pid "$bus")
}

# The next blow falls at any point of what they do.
let_them_work()
{
    pause "0.$((RANDOM % 20 + 10))"
    wire_collect plain
}

judge_all()
{
    end_counter "${names[@]}"
    judged "$1: shim: every operation is on the wire, once and in order" plain shim 0x40
    judged "$1: library: the same" plain library 0x41
    judged "$1: shim, 4 threads: the same" plain shim-threads 0x42
    judged "$1: library, 4 threads: the same" plain library-threads 0x43
}

# ---- told to stop ----

start_counters
check 'a broker serves them' served_again
rounds=0
for verb in stop restart stop restart stop restart; do
    let_them_work
    systemctl --quiet "$verb" "$unit" 2>/dev/null
    served_again && rounds=$((rounds + 1))
done
let_them_work
expect_eq '3 times stopped and 3 times restarted, it was there again for its clients' 6 "$rounds"
judge_all stopped
for name in "${names[@]}"; do
    expect_eq "stopped: the $name client saw no error" '' "$(failures "$name")"
    note "stopped: $name: slowest call $(slowest "$name") ms"
done

# ---- killed ----

start_counters
pause 1
declare -A had=()
killed=0 more=0
for ((round = 0; round < 20; round++)); do
    let_them_work
    kill -KILL "$broker"
    served_again && killed=$((killed + 1))
    for name in "${names[@]}"; do
        now=$(grep -c '^failed' "$counters/$name")
        ((now - ${had[$name]:-0} <= 1)) || more=$((more + 1))
        had[$name]=$now
    done
done
let_them_work
expect_eq '20 times in a row killed, it was there again' 20 "$killed"
expect_eq 'no client had more than one error from one kill' 0 "$more"
judge_all killed
for name in "${names[@]}"; do
    expect_match "killed: the $name client saw EIO at most" '^(EIO=[0-9]+)?$' "$(failures "$name")"
    note "killed: $name: $(failures "$name"), slowest call $(slowest "$name") ms"
done
expect_eq 'the doors are open' $'active\nactive' "$(systemctl is-active "rgbroker@$bus.socket" "rgbroker-admin@$bus.socket")"
echo 0 >"$sim_debug/plain/khz"

# ---- asleep ----

# Requests come just when the broker is about to leave.
mkdir -p "$drop_in"
start=$(systemctl show --property=ExecStart --value "$unit" | sed 's/.*argv\[\]=\([^ ]*\) .*/\1/')
printf '[Service]\nExecStart=\nExecStart=%s --bus %%i --idle 1\n' "$start" >"$drop_in/idle.conf"
systemctl daemon-reload
systemctl stop "$unit" 2>/dev/null
began=$(date +%s)
wire_begin plain
wire_begin plain2
start_counter shim i2c-dev "$bus" 0x40 1 1000000
start_counter library library "$other" 0x41 1 1000000
slept()
{
    journalctl --quiet --since="@$began" --unit="rgbroker@$1" --output=cat --grep='going to sleep' | wc -l
}
asleep_often()
{
    (($(slept "$bus") >= 3 && $(slept "$other") >= 3))
}
check 'asleep: brokers went to sleep three times under their clients' wait_for 40 asleep_often
end_counter shim library
judged 'asleep: shim: every operation is on the wire, once and in order' plain shim 0x40
judged 'asleep: library: the same' plain2 library 0x41
for name in shim library; do
    expect_eq "asleep: the $name client saw no error" '' "$(failures "$name")"
    note "asleep: $name: slowest call $(slowest "$name") ms"
done
note "the brokers went to sleep $(slept "$bus") and $(slept "$other") times"
