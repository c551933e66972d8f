#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: stress
# machine: pc
# timeout: 180
#
# What is no request, more clients than there are descriptors for, device files with mistakes, words that no
# program knows: each is answered, told in the journal where that is the place, and nobody else notices.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

drop_in=/run/systemd/system/rgbroker@.service.d
devices=/etc/rgbroker/devices
trap 'end_counters; rm -rf "$drop_in" "$devices"/broken-*.conf; systemctl daemon-reload; end_brokered_rgbsim' EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim plain')
unit=rgbroker@$bus.service
door=/run/rgbroker/i2c-$bus
here=$(realpath "${0%/*}")

# What this broker told the journal since $began
told()
{
    journalctl --quiet --since="@$began" --unit="$unit" --identifier=rgbrokerd --output=cat
}

descriptors_of()
{
    local files=("/proc/$1/fd"/*)
    echo "${#files[@]}"
}

# ticks PID: how much processor time it has had, in hundredths of a second
ticks()
{
    awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# ---- messages ----

began=$(date +%s)
wire_begin plain
start_counter bystander i2c-dev "$bus" 0x41 1 20000
check 'a broker serves a bystander' wait_for 10 eval 'sim_log plain | grep -q .'
pid=$(broker_pid "$bus")
before=$(descriptors_of "$pid")
said=$(as_service python3 "$here/bad_messages.py" "$door")
kinds=$(tail -n 1 <<<"$said")
expect_eq 'whatever is malformed gets -EPROTO and the end of its connection' '' "$(head -n -1 <<<"$said")"
expect_match 'that were many kinds' '^[4-9][0-9]$' "$kinds"
lines=$(told | grep -cE "^i2c-$bus: pid [1-9][0-9]* uid [1-9][0-9]* at door rgb: connection closed: it sent ")
# Peers can cause such lines at will: 20 in 10 s are written, and how many were not.
check 'they have lines in the journal, with pid and uid' test "$lines" -ge 20 -a "$lines" -le "$kinds"
expect_eq 'the broker is the same process' "$pid" "$(broker_pid "$bus")"
expect_eq 'and has kept no descriptor' "$before" "$(descriptors_of "$pid")"
end_counter bystander
expect_eq 'the bystander saw no error' '' "$(failures bystander)"
judged 'and all it did is on the wire, once' plain bystander 0x41
note "the bystander's slowest call took $(slowest bystander) ms"
expect_eq 'nothing of the rest is on the wire' '' "$(sim_log plain | grep ' 0x40 ')"

# ---- no free descriptors ----

# crowd DOOR COUNT: connects so often and stays until its standard input ends
crowd='import socket, sys
peers = []
for _ in range(int(sys.argv[2])):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.connect(sys.argv[1])
    peers.append(peer)
print("all connected", flush=True)
sys.stdin.read()'

mkdir -p "$drop_in"
printf '[Service]\nLimitNOFILE=32\n' >"$drop_in/few.conf"
systemctl daemon-reload
systemctl stop "$unit" 2>/dev/null
began=$(date +%s)
start_counter early i2c-dev "$bus" 0x42 1 20000
check 'a client is early' wait_for 10 systemctl --quiet is-active "$unit"
pause 0.5
pid=$(broker_pid "$bus")
mkfifo "$counters/crowd.life"
python3 -c "$crowd" "$door" 100 <"$counters/crowd.life" >"$counters/crowd" &
exec 7>"$counters/crowd.life"
check 'a hundred others connect to a broker with 32 descriptors' wait_for 10 grep -q connected "$counters/crowd"
check 'it says that it accepts no more for now' wait_for 15 \
    eval 'told | grep -q "not accepting for a moment: Too many open files"'
# but for one, by which it finds out who comes
check 'it has all it may have' test "$(descriptors_of "$pid")" -ge 31
end_counter early
start_counter early i2c-dev "$bus" 0x42 1 1000000
pause 0.5
spent=$(ticks "$pid")
pause 3
spent=$(($(ticks "$pid") - spent))
note "in 3 s of not accepting it used ${spent}0 ms of processor time, and told $(told | grep -c accepting) lines so far"
check 'it does not spin' test "$spent" -le 20
exec 7>&-
wait
few_descriptors()
{
    (($(descriptors_of "$pid") < 20))
}
check 'when they have gone, their descriptors are free' wait_for 10 few_descriptors
nobody i2cget -y "$bus" 0x40 0 >"$counters/late"
expect_eq 'and who came late is answered' 0x40 "$(cat "$counters/late")"
end_counter early
expect_eq 'the early client saw no error' '' "$(failures early)"
expect_eq 'it was one broker all the time' "$pid" "$(broker_pid "$bus")"
rm -r "$drop_in"
systemctl daemon-reload

# ---- device files with mistakes ----

# broken NAME LINE: a good file but for that line, its seventh
broken()
{
    printf '%s\n' '[Device]' 'Description=Broken' 'BusClass=custom' 'Address=0x40' '[Detect]' 'Read=byte' "$2" \
        >"$devices/broken-$1.conf"
}

broken operation 'Write=everything'
broken key 'Allow=everything'
broken number 'Read=byte_data 0x100'
broken section $'[Everything]\nRead=byte'
broken text 'what is this'
printf '[Device]\nDescription=Half\n' >"$devices/broken-half.conf"
head -c 4096 /dev/urandom >"$devices/broken-noise.conf"
systemctl stop "$unit" 2>/dev/null
began=$(date +%s)
expect_eq 'with broken device files the broker starts, and the good ones count' 0x40 "$(nobody i2cget -y "$bus" 0x40 0)"
expect_match 'it says how many' "i2c-$bus \(rgbsim plain\): class custom, 1 device families" "$(told)"
for name in operation key number section text; do
    line=$(told | grep "^$devices/broken-$name.conf:[78]: ")
    expect_match "broken-$name.conf is left out, with line and reason" ': [^;]+; this file is left out$' "$line"
    note "${line#*broken-}"
done
expect_match 'so is one that lacks something' 'broken-half.conf.*; this file is left out' "$(told | grep broken-half)"
expect_match 'and one of noise' 'broken-noise.conf.*; this file is left out' "$(told | grep broken-noise)"

# ---- words ----

broker=$(systemctl show --property=ExecStart --value "$unit" | sed 's/.*argv\[\]=\([^ ]*\) .*/\1/')

# usage COMMAND...: one line on standard error, nothing on standard output, status 2
usage()
{
    local output status
    output=$("$@" 2>"$counters/usage")
    status=$?
    expect_eq "$*: status 2" 2 "$status"
    expect_eq "$*: nothing on standard output" '' "$output"
    expect_match "$*: one line of usage" "^[Uu]sage: $(basename "$1")[^"$'\n'"]*$" "$(cat "$counters/usage")"
}

for words in '' '--nonsense' '--bus' '--bus x' '--bus -1' '--bus 1 more' '--bus 1 --idle soon'; do
    # shellcheck disable=SC2086 # several words
    usage "$broker" $words
done
for words in '' 'nonsense' '--nonsense' 'list more' 'show' 'show x' 'check 1'; do
    # shellcheck disable=SC2086 # several words
    usage rgbrokerctl $words
done
for words in '' '--nonsense' '-x i2cdetect'; do
    # shellcheck disable=SC2086 # several words
    usage rgbroker-run $words
done
