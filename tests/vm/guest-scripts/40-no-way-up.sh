#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 200
#
# No way up: whoever has taken over a broker has one bus, and nothing else. A program of ours runs in
# the broker's own unit, with its user and its whole sandbox but without the filter the broker puts on
# itself, and tries. As plain root the same program must succeed, or its failures would show nothing.

. "${0%/*}/lib.sh"

probe=/opt/rgbroker-tests/guest-scripts/no-way-up-probe.py
bus=$(chipset_bus)
mkdir -p /run/udev/rules.d
cat >/run/udev/rules.d/50-no-way-up.rules <<'RULES'
SUBSYSTEM=="i2c-dev", ATTR{name}=="SMBus stub driver*", ENV{RGBROKER_CLASS}="custom"
RULES
udevadm control --reload
modprobe i2c-stub chip_addr=0x30
udevadm trigger --settle --subsystem-match=i2c-dev
other=$(bus_number 'SMBus stub driver')
check 'another bus has a door' wait_for 10 test -S "/run/rgbroker/i2c-$other"

# ---- what is there to be had ----

unit=/run/systemd/system/no-way-up-victim-start.service
printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo started >>/run/no-way-up-started"\n' >"$unit"
systemctl daemon-reload
systemd-run --quiet --unit=no-way-up-victim sleep 600
victim=$(systemctl show --property=MainPID --value no-way-up-victim)
install -m 4755 /usr/bin/id /usr/local/bin/no-way-up-id
python3 -c "
import socket, time
door = socket.socket(socket.AF_UNIX)
door.bind('\0no-way-up')
door.listen()
time.sleep(600)" &
listener=$!
modprobe msr 2>/dev/null

# ---- plain root can ----

passed=''
if bus_is_passed; then
    passed=passed
fi
as_root=$(python3 "$probe" "$bus" "$other" "$victim" $passed <"/dev/i2c-$bus" 2>&1)
root_fails=$(grep -v $'\tdone$' <<<"$as_root")
expect_eq 'plain root can do all that is tried below' '' "$root_fails"
expect_eq 'two units were started on the way' 2 "$(wc -l </run/no-way-up-started)"
rm -f /run/no-way-up-started

# ---- the broker cannot ----

unit_dropin=/run/systemd/system/rgbroker@$bus.service.d
mkdir -p "$unit_dropin"
cat >"$unit_dropin/probe.conf" <<UNIT
[Service]
Type=oneshot
Restart=no
TimeoutStartSec=120
ExecStart=
ExecStart=/usr/bin/python3 $probe $bus $other $victim $passed
ExecStart=/bin/sh -c 'grep -E "^(Uid|Gid|Groups|CapBnd|CapEff|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status'
StandardOutput=append:/run/no-way-up.output
StandardError=append:/run/no-way-up.output
UNIT
systemctl daemon-reload
systemctl stop "rgbroker@$bus.service" 2>/dev/null
check 'the same program runs in the unit of the broker' systemctl start "rgbroker@$bus.service"
output=$(cat /run/no-way-up.output)
tried=0
while IFS=$'\t' read -r attempt outcome; do
    if [[ $attempt == own:* ]]; then
        expect_eq "it can ${attempt#own: }" 'done' "$outcome"
    else
        expect_match "it cannot $attempt: $outcome" '^E[A-Z0-9]+$' "$outcome"
        tried=$((tried + 1))
    fi
done < <(grep -vE '^[A-Z][A-Za-z]*:' <<<"$output")
expect_eq 'it has tried all' "$(grep -vc '^own:' <<<"$as_root")" "$tried"
check 'no unit was started' test ! -e /run/no-way-up-started
check 'the other service is untouched' kill -0 "$victim"

status()
{
    awk -v name="$1:" '$1 == name { print $2 }' <<<"$output"
}

check_fails 'its user is not root' test "$(status Uid)" = 0
if [[ $passed ]]; then
    expect_eq 'its group is its own' "$(status Uid)" "$(status Gid)"
else
    expect_eq 'its group is the one of the node' "$(getent group rgbroker-i2c | cut -d: -f3)" "$(status Gid)"
fi
expect_eq 'it is in no other' '' \
    "$(grep '^Groups:' <<<"$output" | tr -s '\t ' '\n' | sed 1d | grep -vx "$(status Gid)" | grep -vx "$(status Uid)")"
for name in CapBnd CapEff CapAmb; do
    expect_eq "it has no capability: $name" 0000000000000000 "$(status "$name")"
done
expect_eq 'it gets no new privileges' 1 "$(status NoNewPrivs)"
expect_eq 'a filter of system calls is on' 2 "$(status Seccomp)"

# ---- the device right by itself ----

# Another user, all nodes in view and no filter on top: what is left is the kernel's check of devices.
# Where the bus is passed, that is what systemd itself needs in order to open it for reading.
access='<>' besides=''
if [[ $passed ]]; then
    access='<' besides="ExecStart=/bin/sh -c '! (exec 3<>/dev/i2c-$bus)'"
fi
cat >"$unit_dropin/probe.conf" <<UNIT
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/bin/sh -c 'exec 3$access/dev/i2c-$bus'
ExecStart=/bin/sh -c '! (exec 3$access/dev/i2c-$other)'
$besides
DynamicUser=no
User=root
Group=root
PrivateDevices=no
BindPaths=
UNIT
systemctl daemon-reload
check "root with all nodes in view opens (sh: $access), in this unit, its own bus only" systemctl start "rgbroker@$bus.service"
expect_match 'as the kernel refuses the other' 'Operation not permitted' \
    "$(journalctl --quiet --boot --unit="rgbroker@$bus.service" --output=cat | grep "i2c-$other")"

kill "$listener"
systemctl stop no-way-up-victim
rm -r "$unit_dropin" "$unit" /run/udev/rules.d/50-no-way-up.rules
systemctl daemon-reload
udevadm control --reload
systemctl stop "rgbroker@$other.service" 2>/dev/null
rmmod i2c-stub
