#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: admin
# machine: pc
# timeout: 300
#
# rgbrokerctl and running brokers: chips and who holds them, live requests, counts, a hang, and the files
# that brokers read.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/json.sh"

work=$(mktemp -d)
chmod 755 "$work"

end()
{
    echo 0 >"$sim_debug/chipset/hang"
    rm -rf "$work" /etc/rgbroker/devices /run/rgbroker/devices
    end_brokered_rgbsim
}

trap end EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim chipset')
plain=$(bus_named 'rgbsim plain')

# ctl STATUS WHAT ARGUMENTS...: its exit code; the output is left in $output
ctl()
{
    local expected=$1 what=$2
    shift 2
    output=$(rgbrokerctl "$@" 2>&1)
    expect_eq "$what: exit code $expected" "$expected" $? || note "$output"
}

# a_nobody ARGUMENTS...: rgbrokerctl as somebody without rights; the output is left in $output
a_nobody()
{
    output=$(setpriv --reuid=65534 --regid=65534 --clear-groups rgbrokerctl "$@" 2>&1)
}

asleep()
{
    [[ $(systemctl show --property=SubState --value "rgbroker@$1.service") == dead ]]
}

# ---- who sleeps is not woken ----

check 'at first the brokers sleep' asleep "$bus"
ctl 0 'list' list
expect_match 'list: what sleeping means' 'asleep: recognises no chip' "$output"
ctl 0 'show' show "$bus"
expect_match 'show: the broker sleeps' 'Broker: asleep, recognises no chip' "$output"
ctl 0 'status' status "$bus"
expect_match 'status: the broker sleeps' "i2c-$bus: asleep" "$output"
ctl 1 'release: of a broker that sleeps nobody has a chip' release "$bus" 0x70
check 'none of them woke it' asleep "$bus"
ctl 0 'show --wake' show --wake "$bus"
expect_match 'show --wake: nothing is recognised yet' 'Recognised chips: none yet' "$output"
check 'that woke it' eval "! asleep $bus"

# ---- live requests ----

rgbrokerctl monitor "$bus" >"$work/all" 2>"$work/all.err" &
monitors=$!
rgbrokerctl --json monitor "$bus" --verdict refused --address 0x50 >"$work/refused" 2>"$work/refused.err" &
monitors+=" $!"
rgbrokerctl monitor --own --address 0x70 >"$work/own" 2>"$work/own.err" &
monitors+=" $!"
rgbrokerctl monitor "$bus" --pid 1 >"$work/pid" 2>"$work/pid.err" &
monitors+=" $!"
monitored=$SECONDS
for monitor in all refused own pid; do
    check "monitor > $monitor: it watches" wait_for 10 grep -q "^rgbrokerctl: i2c-$bus: watching" "$work/$monitor.err"
done

nobody i2cset -y "$bus" 0x70 0x00 0x2080 w # register 0x8020, then its value
nobody i2cset -y "$bus" 0x50 0x10 0x33 2>/dev/null
nobody i2cget -y "$bus" 0x50 0x02 >/dev/null
wait_for 10 grep -q 'read byte_data 0x02 at 0x50' "$work/all"
wait_for 10 test -s "$work/refused" -a -s "$work/own"
expect_match 'monitor: what was allowed, by which file, for whom' \
    "i2c-$bus allowed write word_data 0x00 at 0x70: 80 20, pid [0-9]+ .*, ene-dram, uid [0-9]+, door rgb" \
    "$(cat "$work/all")"
expect_match 'monitor: what was refused, and why' 'refused write byte_data 0x10 at 0x50: 33, floor' "$(cat "$work/all")"
expect_eq 'monitor: nothing of its own unless asked for' '' "$(grep ' own ' "$work/all")"
output=$(cat "$work/refused")
note "$(cat "$work/all")"
expect_eq 'monitor --verdict --address: that one alone' 1 "$(wc -l <"$work/refused")"
expect_eq 'monitor --json: an object a line' 'refused floor 0x50 33 EACCES' \
    "$(json "' '.join([o['verdict'], o['reason'], o['address'], o['data'], o['error']])")"
expect_match 'monitor --own: what the broker read to recognise the chip' \
    'own allowed read byte_data 0xaf at 0x70: 0f' "$(cat "$work/own")"
expect_eq 'monitor --pid: nothing of others' '' "$(cat "$work/pid")"

# ---- chips, and who holds them ----

cat >"$work/holder.py" <<'PYTHON'
import fcntl, os, struct, sys, time, ctypes
# what i2cset does, and then stays
class Data(ctypes.Union):
    _fields_ = [("byte", ctypes.c_uint8), ("word", ctypes.c_uint16), ("block", ctypes.c_uint8 * 34)]
class Smbus(ctypes.Structure):
    _fields_ = [("rw", ctypes.c_uint8), ("command", ctypes.c_uint8), ("size", ctypes.c_uint32),
                ("data", ctypes.POINTER(Data))]
fd = os.open(f"/dev/i2c-{sys.argv[1]}", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
def write(command, size, value):
    request = Smbus(0, command, size, ctypes.pointer(Data(word=value)))
    if libc.ioctl(fd, 0x0720, ctypes.byref(request)) < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
libc.ioctl(fd, 0x0703, 0x70)
write(0x00, 3, 0x2080)
write(0x01, 2, 0x01)
print("holds", flush=True)
time.sleep(600)
PYTHON
systemd-run --quiet --unit=rgb-holder --collect -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
    -p BindReadOnlyPaths="$work" /usr/bin/rgbroker-run python3 "$work/holder.py" "$bus"

held()
{
    rgbrokerctl list | grep -q 'held by'
}

check 'somebody holds a chip' wait_for 20 held
ctl 0 'list' list
note "$output"
expect_match 'list: the chip, its file, who holds it, of which unit' \
    '0x70 ene-dram, held by pid [0-9]+ \(python3, rgb-holder.service\)' "$output"
ctl 0 'list --json' --json list
expect_eq 'list --json: the same' '0x70 ene-dram python3 rgb-holder.service' "$(json "next(
    ' '.join([c['address'], c['device'], c['holder']['command'], c['holder']['unit']])
    for b in o if b['bus'] == 'i2c-$bus' for c in b['chips'])")"
ctl 0 'show' show "$bus"
expect_match 'show: who holds it' '0x70 ene-dram, held by pid [0-9]+ \(python3, rgb-holder.service\)' "$output"
nobody i2cset -y "$bus" 0x70 0x00 0x2080 w 2>/dev/null
expect_eq 'another one is refused meanwhile' 1 $?
wait_for 15 grep -q claimed "$work/all"
expect_match 'monitor: as claimed' 'refused write word_data 0x00 at 0x70: 80 20, claimed' "$(cat "$work/all")"
ctl 0 'release' release "$bus" 0x70
ctl 1 'release: once only' release "$bus" 0x70
expect_match 'release: nobody has it' 'nobody had claimed it' "$output"
check 'another one may write now' nobody i2cset -y "$bus" 0x70 0x00 0x2080 w
ctl 0 'list' list
expect_match 'list: recognised, and nobody has it' $'0x70 ene-dram\n' "$output"
systemctl stop rgb-holder

# ---- counts ----

ctl 0 'status' status "$bus"
note "$output"
expect_match 'status: requests and operations' '[1-9][0-9]* requests, [1-9][0-9]* refused, 0 failed' "$output"
expect_match 'status: by door' 'door +rgb +[1-9][0-9]* allowed' "$output"
expect_match 'status: by device file' 'device +ene-dram +[1-9][0-9]* allowed' "$output"
expect_match 'status: refusals by reason' 'refused +floor +1' "$output"
nobody i2cget -y "$bus" 0x57 0x00 2>/dev/null
ctl 0 'status --json' --json status "$bus"
failures="[(c['name'][0], c['failed']) for c in o[0]['counts'] if c['of'] == 'failed']"
expect_eq 'status --json: failures by errno' "1 [('E', 1)]" "$(json "str(o[0]['failed']) + ' ' + str($failures)")"
wait_for 15 grep -q 'failed read byte_data 0x00 at 0x57' "$work/all"
expect_match 'monitor: what failed, with its errno' 'failed read byte_data 0x00 at 0x57, E[A-Z]+' "$(cat "$work/all")"
expect_eq 'status --json: nothing hangs' 'False None' "$(json "str(o[0]['hangs']) + ' ' + str(o[0]['in_kernel'])")"

# ---- somebody without rights ----

a_nobody list
expect_eq 'a nobody may list' 0 $?
expect_match 'a nobody is told in one line who may know more' \
    "rgbrokerctl: chips of i2c-[0-9]+ are not told: only root may ask it, through .*: try sudo" "$output"
for words in "status $bus" "monitor $bus" monitor "release $bus 0x70"; do
    # shellcheck disable=SC2086 # they are words
    a_nobody $words
    expect_eq "a nobody: $words: exit code 4" 4 $?
    expect_match "a nobody: $words: who may" 'only root may ask it' "$output"
done
a_nobody devices
expect_eq 'a nobody may see the device files' 0 $?

# ---- a hang ----

echo forever >"$sim_debug/chipset/hang"
nobody i2cset -y "$bus" 0x70 0x00 0x2180 w >/dev/null 2>&1 &
hung=$!
# once i2cset has come that far
hangs()
{
    [[ $(rgbrokerctl status "$bus") == *'hangs: '* ]]
}
check 'it hangs' wait_for 20 hangs
pause 2
ctl 1 'status of a bus that hangs' status "$bus"
note "$output"
expect_match 'status: what it hangs at, since when, for whom' \
    'hangs: has been in the kernel for [0-9]+\.[0-9] s: write word_data 0x00 at 0x70, for pid [0-9]+ \(i2cset' "$output"
expect_match 'status: the rest is not told' 'not told: it answers when the kernel lets it go' "$output"
ctl 1 'status --json of a bus that hangs' --json status "$bus"
expect_eq 'status --json: it hangs' 'True True' "$(json "str(o[0]['hangs']) + ' ' + str(o[0]['in_kernel']['seconds'] > 2)")"
ctl 1 'status of all buses, one of which hangs' status
ctl 4 'release at a bus that hangs' release "$bus" 0x70
expect_match 'release: what tells more' "it does not answer: rgbrokerctl status $bus" "$output"
echo 0 >"$sim_debug/chipset/hang"
wait "$hung"
ctl 0 'let go: status' status "$bus"
text() { systemctl show --property=StatusText --value "rgbroker@$bus.service"; }
check 'systemctl status tells it now that it is over' wait_for 10 eval "text | grep -q 'hung for '"
expect_match 'systemctl status: for how long, and until when' '; hung for ([4-9]|[1-9][0-9]+)\.[0-9] s until 2[0-9-]+ [0-9:]{8}$' "$(text)"

# ---- brokers come and go ----

# Longer than the message bus bears somebody who has connected to it and says nothing: half a minute.
((SECONDS - monitored >= 35)) || pause $((35 + monitored - SECONDS))
systemctl stop "rgbroker@$bus.service"
check 'monitor says that its broker went' wait_for 15 grep -q 'has gone to sleep' "$work/all.err"
pause 2.5
check 'and wakes no other' asleep "$bus"
nobody i2cget -y "$bus" 0x50 0x02 >/dev/null
check 'monitor comes back with it' wait_for 15 eval "(( \$(grep -c watching '$work/all.err') == 2 ))"
note "$(cat "$work/all.err")"
nobody i2cget -y "$bus" 0x50 0x03 >/dev/null
check 'and goes on' wait_for 15 grep -q 'read byte_data 0x03 at 0x50' "$work/all"
for monitor in $monitors; do
    kill "$monitor"
    wait "$monitor"
    expect_eq 'told to end, monitor ends with 0' 0 $?
done
rgbrokerctl monitor "$plain" >"$work/plain" 2>"$work/plain.err" &
monitor=$!
check 'a bus that is named is woken' wait_for 15 grep -q watching "$work/plain.err"
stop_sim_brokers
unload_rgbsim
check 'monitor ends when its bus is unplugged' wait_for 10 eval "! kill -0 $monitor"
wait "$monitor"
expect_eq 'with 0' 0 $?
check 'there are simulated buses again' brokered_rgbsim
bus=$(bus_named 'rgbsim chipset')

# ---- device files ----

mkdir -p /etc/rgbroker/devices /run/rgbroker/devices
ln -s /dev/null /etc/rgbroker/devices/spd.conf
cp /usr/lib/rgbroker/devices/ene-dram.conf /run/rgbroker/devices/
ln -s /usr/lib/rgbroker/devices/optional/hyperx-dram.conf /etc/rgbroker/devices/
printf '[Device]\nDescription=x\nBusClass=smbus\nAddress=0x45-0x40\n' >/etc/rgbroker/devices/broken.conf
ctl 1 'devices: one is refused' devices
note "$output"
expect_match 'devices: masked' $'\nspd +masked +/etc/rgbroker/devices/spd.conf\n' "$output"
expect_match 'devices: what a mask stands before' \
    'spd +overridden +/usr/lib/rgbroker/devices/spd.conf, by /etc/rgbroker/devices/spd.conf' "$output"
expect_match 'devices: active, and where' \
    "ene-dram +active +/run/rgbroker/devices/ene-dram.conf, [i0-9,c-]*i2c-$bus" "$output"
expect_match 'devices: overridden' \
    'ene-dram +overridden +/usr/lib/rgbroker/devices/ene-dram.conf, by /run/rgbroker/devices/ene-dram.conf' "$output"
expect_match 'devices: optional' 'msi-v1-gpu +optional +/usr/lib/rgbroker/devices/optional/msi-v1-gpu.conf, -' "$output"
expect_eq 'devices: an optional one that is switched on stands there once' \
    'hyperx-dram active /etc/rgbroker/devices/hyperx-dram.conf,' \
    "$(awk '$1 == "hyperx-dram" { print $1, $2, $3 }' <<<"$output")"
expect_match 'devices: refused, with file, line and reason' \
    $'broken +refused +/etc/rgbroker/devices/broken.conf\n +/etc/rgbroker/devices/broken.conf:4: range the wrong way round' \
    "$output"
ctl 1 'devices --json' --json devices
expect_eq 'devices --json: the same' 'masked,overridden' \
    "$(json "','.join(r['state'] for r in o if r['name'] == 'spd')")"
rm -r /etc/rgbroker/devices/broken.conf /etc/rgbroker/devices/spd.conf /run/rgbroker/devices
ctl 0 'devices: none is refused' devices

# ---- lint ----

ctl 0 'lint of what is shipped' lint /usr/lib/rgbroker/devices/*.conf /usr/lib/rgbroker/devices/optional/*.conf \
    /usr/lib/rgbroker/doors/*.conf
expect_match 'lint: what a file allows' 'ene-dram.conf: ENE .*, at 0x39-0x3d .*0 of writes' "$output"
expect_match 'lint: a door' 'doors/admin.conf: a door: Transfer=nothing' "$output"
cat >"$work/open.conf" <<'DEVICE'
[Device]
Description=Anything
BusClass=custom
Address=0x20
[Detect]
Write=quick
[Recognise]
Expect=none
[Control]
Write=byte_data 0x00-0xff
Write=i2c
DEVICE
ctl 0 'lint: warnings are no mistakes' lint "$work/open.conf"
expect_match 'lint: no fingerprint' "$work/open.conf: warning: no fingerprint" "$output"
expect_match 'lint: a write in [Detect]' "$work/open.conf:6: warning: a write in \[Detect\]" "$output"
expect_match 'lint: all commands' "$work/open.conf:10: warning: all 256 commands" "$output"
expect_match 'lint: any bytes' "$work/open.conf:11: warning: any bytes" "$output"
mkdir "$work/open.conf.d"
printf '[Device]\nAddress=0x21\nColour=red\n[Detect]\nRead=explode\n' >"$work/open.conf.d/more.conf"
ctl 1 'lint: with drop-ins' lint "$work/open.conf"
expect_match 'lint: their mistakes, each' \
    "open.conf.d/more.conf:3: unknown key.*more.conf:5: " "$(tr '\n' ' ' <<<"$output")"
printf '[Door]\nTransfer=much\n' >"$work/door.conf"
ctl 1 'lint: a bad door' --json lint "$work/door.conf"
expect_eq 'lint --json: its line' 2 "$(json "o[0]['problems'][0]['line']")"
ctl 1 'lint of no file' lint "$work/none.conf"
ctl 2 'lint of nothing' lint

# ---- every step of a verdict ----

ctl 0 'check --explain: reading the SPD' check "$bus" 0x50 read_byte_data 0x02 --explain
note "$output"
expect_match 'check --explain: door and floor' \
    'door: rgb has Transfer=read-write, which gives a right to it.floor: 0x50-0x57 leaves this open' \
    "$(tr '\n' ' ' <<<"$output")"
expect_match 'check --explain: a rule that does not hold' 'Read=byte: another operation' "$output"
expect_match 'check --explain: the one that does' 'Read=byte_data 0x00-0xff: holds' "$output"
ctl 1 'check --explain: writing it' check "$bus" 0x50 write_byte_data 0x02 0xff --explain
expect_match 'check --explain: the floor ends it' 'floor: 0x50-0x57 closes this for good' "$output"
expect_eq 'check --explain: behind the floor no rule is looked at' 0 "$(grep -c 'file ' <<<"$output")"
ctl 1 'check --explain: data without a pointer' check "$bus" 0x70 write_byte_data 0x01 0x01 --explain
expect_match 'check --explain: says which option tells' 'no register pointer \(--pointer REGISTER\)' "$output"
ctl 3 'check --explain --pointer' check "$bus" 0x70 write_byte_data 0x01 0x01 --explain --pointer 0x8020
note "$output"
expect_match 'check --explain: what is supposed, and the contrary' \
    'chip: the chip at 0x70 answers as .* \(supposed; otherwise refused, not-recognised\)' "$output"
expect_match 'check --explain: and by which register line' 'so allowed: .*register 0x8020 by line' "$output"
ctl 1 'check --pointer: a register that no line has' check "$bus" 0x70 write_byte_data 0x01 0x01 --pointer 0x9000
ctl 3 'check --explain: moving a chip' check "$bus" 0x70 write_byte_data 0x01 0xe2 --explain --pointer 0x80f9
expect_match 'check --explain: nobody may be there' 'move: nobody answers at 0x71 \(supposed; otherwise refused' "$output"
ctl 1 'check: moving it onto an SPD' check "$bus" 0x70 write_byte_data 0x01 0xa0 --pointer 0x80f9
ctl 1 'check --claimed' check "$bus" 0x70 write_word_data 0x00 0x80 0x20 --explain --claimed
expect_match 'check --claimed: says so' 'another process has claimed the chip' "$output"
ctl 3 'check --explain: a module is asked for' check "$bus" 0x58 write_byte_data 0xa4 0x01 --explain
expect_match 'check --explain: which one' \
    'module: the module with its SPD at 0x50 is an unbuffered ddr4 one.*otherwise refused' "$output"
ctl 3 'check --explain --json' --json check "$bus" 0x70 write_word_data 0x00 0x80 0x20 --explain
expect_eq 'check --explain --json: its steps' 'door floor owner claim chip' "$(json "' '.join(
    [s['step'] for s in o['explanation']['steps']] +
    [s['step'] for d in o['explanation']['devices'] if d['name'] == 'ene-dram' for r in d['rules'] if r['holds'] for s in r['steps']])")"
for words in "list --explain" "check $bus 0x70 read_byte --wake" "monitor --verdict odd" "monitor --address 0x80" \
    "check $bus 0x70 read_byte --pointer x" "release $bus" "release $bus 0x80" "status $bus $bus" "devices x"; do
    # shellcheck disable=SC2086 # they are words
    ctl 2 "\"$words\"" $words
done
