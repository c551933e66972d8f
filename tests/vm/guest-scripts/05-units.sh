#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: both
# suite: both
# timeout: 300
#
# What systemd and udev were told: which adapters have doors, who may open nodes, when doors come and go.

. "${0%/*}/lib.sh"

# ask DOOR: the name of the adapter behind it
ask=$tests/adapter-name

as_nobody()
{
    setpriv --reuid=65534 --regid="$1" --clear-groups "${@:2}"
}

property()
{
    udevadm info --query=property --property="$2" --value "/sys/class/i2c-dev/i2c-$1"
}

owner()
{
    stat -c '%U:%G %a' "/dev/i2c-$1"
}

acl()
{
    getfacl --omit-header --absolute-names "/dev/i2c-$1" | grep . | paste -sd ' '
}

trigger()
{
    udevadm control --reload && udevadm trigger --settle --subsystem-match=i2c-dev
}

# Broker and doors of one bus: their states, in that order
states()
{
    systemctl is-active "rgbroker@$1.service" "rgbroker@$1.socket" "rgbroker-admin@$1.socket" | paste -sd ' '
}

# the machine is up, but udev may be at an adapter still
udevadm settle
bus=$(chipset_bus)
name=$(cat "/sys/bus/i2c/devices/i2c-$bus/name")
door=/run/rgbroker/i2c-$bus
admin_door=/run/rgbroker/admin/i2c-$bus

# ---- after boot ----

expect_eq "the chipset's bus is an smbus" smbus "$(property "$bus" RGBROKER_CLASS)"
expect_eq 'its node is the brokers'"'" 'root:rgbroker-i2c 660' "$(owner "$bus")"
expect_eq 'nobody is in their group' '' "$(getent group rgbroker-i2c | cut -d: -f4)"
expect_eq 'its doors are open and no broker runs' 'inactive active active' "$(states "$bus")"
expect_eq "the rgb door is the group's" 'root:rgbroker 660' "$(stat -c '%U:%G %a' "$door")"
expect_eq "the admin door is root's" 'root:root 600' "$(stat -c '%U:%G %a' "$admin_door")"

check_fails 'a user who is not in the group is not let in' as_nobody nogroup python3 -c \
    "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect('$door')"
expect_eq 'one who is gets an answer' "$name" "$(as_nobody rgbroker "$ask" "$door")"
expect_eq 'for which the broker was started' 'active active active' "$(states "$bus")"
expect_eq 'the other door is answered while it runs' "$name" "$("$ask" "$admin_door")"
check_fails 'but not to the group' as_nobody rgbroker python3 -c \
    "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect('$admin_door')"

pid=$(systemctl show --property=MainPID --value "rgbroker@$bus")
check_fails 'the broker is not root' test "$(awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status")" = 0
expect_eq 'it has no capability' 0000000000000000 "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$pid/status")"
nodes=$(compgen -G "/proc/$pid/root/dev/i2c*")
if bus_is_passed; then
    expect_eq 'it was passed its bus' "/dev/i2c-$bus" "$(readlink "/proc/$pid/fd/0")"
    expect_eq 'it sees no I2C node' '' "$nodes"
    check_fails 'it is not in the group that may open one' grep -qw "$(getent group rgbroker-i2c | cut -d: -f3)" \
        <(grep -E '^(Gid|Groups):' "/proc/$pid/status")
else
    expect_eq 'it sees one I2C node' "/proc/$pid/root/dev/i2c-$bus" "$nodes"
fi

# ---- what the analysers say ----

units=(/usr/lib/systemd/system/rgbroker*@.s[eo]*[et])
instances=()
for unit in "${units[@]}"; do
    unit=${unit##*/}
    instances+=("${unit/@/@$bus}")
done
expect_eq 'systemd-analyze verify has nothing to say' '' "$(systemd-analyze verify --man=no "${instances[@]}" 2>&1)"
exposure=$(systemd-analyze security --no-pager "rgbroker@$bus.service")
note "$(tail -n 1 <<<"$exposure")"
grep '^✗' <<<"$exposure" | while read -r line; do
    note "  $(tr -s ' ' <<<"$line")"
done
check 'exposure is 0.4 or better' \
    systemd-analyze security --no-pager --threshold=4 "rgbroker@$bus.service"

# ---- nodes, whatever other packages say ----

mkdir -p /run/udev/rules.d
cat >/run/udev/rules.d/60-openrgb.rules <<'RULES'
KERNEL=="i2c-[0-99]*", TAG+="uaccess"
RULES
cat >/run/udev/rules.d/71-zz-liquidctl.rules <<'RULES'
KERNEL=="i2c-*", DRIVERS=="i801_smbus|piix4_smbus", TAG+="uaccess"
RULES
cat >/run/udev/rules.d/99-web.rules <<'RULES'
KERNEL=="i2c-[0-9]*", MODE="0666"
DRIVERS=="i801_smbus|piix4_smbus", OWNER="nobody", TAG+="uaccess"
RULES
check 'i2c-tools brings the rule that opens nodes to i2c' grep -q 'GROUP="i2c"' /usr/lib/udev/rules.d/60-i2c-tools.rules
setfacl -m u:nobody:rw "/dev/i2c-$bus"
modprobe i2c-stub chip_addr=0x30
stub=$(bus_number 'SMBus stub driver')
trigger
expect_eq 'the node stays locked against i2c-tools, OpenRGB, liquidctl and the web' 'root:rgbroker-i2c 660' \
    "$(owner "$bus")"
expect_eq 'what a user was given before is taken away' 'user::rw- group::rw- other::---' "$(acl "$bus")"
check_fails 'it has no uaccess' grep -q uaccess <<<"$(property "$bus" CURRENT_TAGS)"
expect_eq 'an adapter without a class is left to them' 'root:i2c 666' "$(owner "$stub")"
check 'with its uaccess' grep -q uaccess <<<"$(property "$stub" CURRENT_TAGS)"
expect_eq 'it has no class' '' "$(property "$stub" RGBROKER_CLASS)"
expect_eq 'which is told why' 'no rule gave it a class' "$(property "$stub" RGBROKER_WHY)"
check 'it has no door' test ! -e "/run/rgbroker/i2c-$stub"

# ---- the admin's own classes ----

cat >/run/udev/rules.d/50-local.rules <<'RULES'
SUBSYSTEM=="i2c-dev", ATTR{name}=="SMBus stub driver*", ENV{RGBROKER_CLASS}="gpu"
RULES
trigger
expect_eq 'the node of a gpu keeps its owner and mode' 'root:i2c 666' "$(owner "$stub")"
expect_match 'and lets the brokers in' 'group:rgbroker-i2c:rw-' "$(acl "$stub")"
rm /run/udev/rules.d/99-web.rules
chmod 0600 "/dev/i2c-$stub"
trigger
expect_eq 'also where it was open to nobody else' 'user::rw- group::rw- group:rgbroker-i2c:rw- mask::rw- other::---' \
    "$(acl "$stub")"
check 'a rule change opens doors on adapters that were there' \
    wait_for 15 test -S "/run/rgbroker/i2c-$stub" -a -S "/run/rgbroker/admin/i2c-$stub"
expect_match 'its broker can open the node' 'SMBus stub driver' "$("$ask" "/run/rgbroker/i2c-$stub")"

sed -i 's/"gpu"/"custom"/' /run/udev/rules.d/50-local.rules
trigger
expect_eq 'a custom one is locked' 'root:rgbroker-i2c 660' "$(owner "$stub")"
expect_eq 'without what was there before' 'user::rw- group::rw- other::---' "$(acl "$stub")"

# ---- coming and going (30-unplug.sh has more) ----

stub_gone()
{
    [[ $(states "$stub") == 'inactive inactive inactive' ]] &&
        ! compgen -G "/run/rgbroker/i2c-$stub" && ! compgen -G "/run/rgbroker/admin/i2c-$stub"
}

expect_eq 'before the adapter goes, doors are open' 'active active' "$(states "$stub" | cut -d' ' -f2-)"
# i2c-stub knows no unbinding: nobody may hold it
systemctl stop "rgbroker@$stub.service" 2>/dev/null
check 'the adapter can go' rmmod i2c-stub
check 'its doors and their files go with it' wait_for 10 stub_gone
modprobe i2c-stub chip_addr=0x30
stub=$(bus_number 'SMBus stub driver')
check 'they come back with it' wait_for 10 test -S "/run/rgbroker/i2c-$stub"
rm /run/udev/rules.d/{50-local,60-openrgb,71-zz-liquidctl}.rules
rmmod i2c-stub
trigger

systemctl stop "rgbroker@$bus.socket" "rgbroker-admin@$bus.socket" "rgbroker@$bus.service"
check 'no file is left where a door was closed' test ! -e "$door" -a ! -e "$admin_door"
trigger
check 'udevadm trigger opens it again' wait_for 15 test -S "$door" -a -S "$admin_door"

# ---- a broker that dies ----

answered=0
for ((i = 0; i < 20; i++)); do
    [[ $("$ask" "$door" 2>&1) != "$name" ]] || answered=$((answered + 1))
    systemctl kill --signal=KILL "rgbroker@$bus.service"
done
expect_eq 'killed 20 times in a row, it answers each time' 20 "$answered"
for limit in StartLimitIntervalUSec:service TriggerLimitIntervalUSec:socket; do
    expect_eq "nothing closes its doors for good: ${limit%:*}" 0 \
        "$(systemctl show --property="${limit%:*}" --value "rgbroker@$bus.${limit#*:}")"
done

mkdir -p "/run/systemd/system/rgbroker@$bus.service.d"
printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >"/run/systemd/system/rgbroker@$bus.service.d/broken.conf"
systemctl daemon-reload
systemctl stop "rgbroker@$bus.service"
# those of the killed ones do not count
systemctl reset-failed "rgbroker@$bus.service"
timeout 5 "$ask" "$door" >/dev/null 2>&1
restarts()
{
    systemctl show --property=NRestarts --value "rgbroker@$bus.service"
}
starts=$(restarts)
is_tried_again()
{
    (($(restarts) >= 2))
}
check "one that cannot start is not tried all the time ($starts restarts in 5 s)" test "$starts" -le 12
check 'but again' wait_for 30 is_tried_again
expect_eq 'and leaves the doors open' 'active active' "$(states "$bus" | cut -d' ' -f2-)"
rm -r "/run/systemd/system/rgbroker@$bus.service.d"
systemctl daemon-reload
expect_eq 'mended, it answers' "$name" "$("$ask" "$door" 2>&1)"

expect_eq 'udev had nothing to complain about' '' \
    "$(journalctl --quiet --boot --identifier=systemd-udevd --priority=warning --output=cat | grep -i 'rgbroker\|setfacl')"
