#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: admin
# machine: pc
# timeout: 420
#
# rgbrokerctl audit: finds what is open beside the broker; its own advice closes it; and what it says of
# udev rules is what udev makes of them.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/json.sh"

bus=$(chipset_bus)
node=/dev/i2c-$bus

# audit STATUS WHAT: its exit code; the object is left in $output
audit()
{
    output=$(rgbrokerctl --json audit 2>&1)
    expect_eq "$2: exit code $1" "$1" $? || note "$output"
}

# finds WHAT KIND PATH [CONDITION]: a finding x of that kind and path
finds()
{
    expect_eq "$1" True "$(json "any(x['kind'] == '$2' and x.get('path', '') == '$3' and (${4:-True}) for x in f)")"
}

# ---- as it was installed ----

audit 0 'as installed'
note "$(rgbrokerctl audit)"
expect_eq 'as installed: nothing is open' '0 []' "$(json "str(o['findings']) + ' ' + str(f)")"
expect_eq 'as installed: nothing was left out' '[]' "$(json "o['unseen']")"
expect_eq "i2c-tools' rule is named, and harmless" True \
    "$(json "any(x['kind'] == 'rule' and x['path'].endswith('60-i2c-tools.rules') and x['severity'] == 'note' for x in e)")"
expect_match 'the last line counts' '^0 findings, [0-9]+ notes?$' "$(rgbrokerctl audit | tail -n 1)"
nobody i2cget -y "$bus" 0x50 0x02 >/dev/null
expect_match 'a broker has the node open' '^[1-9]' "$(broker_pid "$bus")"
audit 0 'with a running broker'
systemctl stop "rgbroker@$bus.service"

output=$(setpriv --reuid=65534 --regid=65534 --clear-groups rgbrokerctl audit 2>&1)
expect_eq 'a nobody: exit code 4' 4 $?
expect_match 'a nobody is told what he could not see' "not seen: what other users' processes have open" "$output"
rgbrokerctl audit "$bus" 2>/dev/null
expect_eq 'wrong words: exit code 2' 2 $?

# ---- opened in every way ----

rules=/usr/lib/udev/rules.d/60-openrgb.rules
cat >"$rules" <<'RULES'
# User I2C/SMBus Access
KERNEL=="i2c-[0-99]*", TAG+="uaccess"
# Super I/O Access
KERNEL=="port", TAG+="uaccess"
SUBSYSTEMS=="usb|hidraw", ATTRS{idVendor}=="1532", ATTRS{idProduct}=="0209", TAG+="uaccess"
RULES
mkdir -p /usr/local/lib/udev/rules.d /etc/udev/rules.d
cat >/usr/local/lib/udev/rules.d/71-liquidctl.rules <<'RULES'
KERNEL=="i2c-*", ATTR{name}=="SMBus PIIX4 adapter*", ATTRS{vendor}=="0x8086", TAG+="uaccess", \
    RUN{builtin}="kmod load i2c-dev"
KERNEL=="i2c-*", ATTR{name}=="NVIDIA i2c adapter 1 *", ATTRS{vendor}=="0x10de", TAG+="uaccess"
RULES
cat >/etc/udev/rules.d/99-local.rules <<'RULES'
KERNEL=="i2c-[0-9]*", MODE="0666"
KERNEL=="i2c-[0-9]*", \
    RUN+="/usr/bin/chmod 0666 %N", \
    RUN+="/usr/bin/chgrp i2c %N"
RULES
useradd joe
useradd ann
gpasswd --add joe i2c >/dev/null
gpasswd --add ann rgbroker-i2c >/dev/null
gpasswd --add joe rgbroker >/dev/null
udevadm control --reload
udevadm trigger --settle "$node"
# Whether that has opened it already is for audit to know, too.
late=note
[[ $(stat -c '%U:%G %a' "$node") == 'root:i2c 666' ]] && late=finding
chgrp i2c "$node"
chmod 0666 "$node"
setfacl -m u:joe:rw,g:ann:r "$node"
setfacl -m u:joe:rw /dev/port
chmod o+r /dev/mem
chmod 0666 "/run/rgbroker/i2c-$bus" "/run/rgbroker/admin/i2c-$bus"
mkdir /dev/i2c
mknod "/dev/i2c/$bus" c 89 "$bus"
systemd-run --quiet --unit=holder -p DeviceAllow="$node rw" -p DeviceAllow=char-i2c \
    python3 -c "import time; f = open('$node', 'rb', 0); time.sleep(1000)"
# in a scope, as a session is one: stopping that would end more than the process
systemd-run --quiet --scope --unit=plain sleep 1000 <"$node" &
plain=$!
holds()
{
    [[ $(readlink "/proc/$(systemctl show --property=MainPID --value holder.service)"/fd/*) == *"$node"* ]]
}
check 'a service holds the node' wait_for 20 holds
check 'so does a process' wait_for 20 grep -q plain.scope "/proc/$plain/cgroup"
wait_for 20 grep -q sleep "/proc/$plain/comm"

audit 1 'opened'
note "$(rgbrokerctl audit)"
finds "OpenRGB's rule for /dev/port" rule "$rules" "x['line'] == 4 and x['key'] == 'TAG' and x['nodes'] == '/dev/port'"
expect_eq "OpenRGB's rule for I2C is taken back" "['note']" \
    "$(json "[x['severity'] for x in e if x.get('path') == '$rules' and x['line'] == 2]")"
expect_eq "and that for USB is not ours to tell" 2 "$(json "sum(x.get('path') == '$rules' for x in e)")"
expect_eq "liquidctl's rule is taken back; that for another adapter is left out" "[('note', 1)]" \
    "$(json "[(x['severity'], x['line']) for x in e if x.get('path') == '/usr/local/lib/udev/rules.d/71-liquidctl.rules']")"
expect_eq 'a late MODE is overruled' "['note']" \
    "$(json "[x['severity'] for x in e if x.get('path') == '/etc/udev/rules.d/99-local.rules' and x['line'] == 1]")"
expect_eq "a late chmod is a $late, as it did" "['$late']" \
    "$(json "[x['severity'] for x in e if x.get('path') == '/etc/udev/rules.d/99-local.rules' and x['line'] == 2 and x['key'] == 'RUN']")"
finds 'the node is open to everybody' world "$node" "x['bus'] == 'i2c-$bus'"
finds 'to a group, and its members' group "$node" "x['who'] == 'i2c' and x['members'] == ['joe']"
finds 'to a user by a list' acl-user "$node" "x['who'] == 'joe'"
finds 'to a group by a list, for reading only' acl-group "$node" "x['who'] == 'ann'"
finds 'in a service' process "$node" "x['unit'] == 'holder.service' and x['uid'] == 0 and x['command'] == 'python3'"
finds 'in a process' process "$node" "x['pid'] == $plain and x['command'] == 'sleep'"
finds 'there is a second node' copy "/dev/i2c/$bus"
finds '/dev/port is open to a user' acl-user /dev/port "x['who'] == 'joe'"
finds '/dev/mem is open to everybody' world /dev/mem
finds 'the door is open to everybody' world "/run/rgbroker/i2c-$bus"
finds "the administrators' door too" world "/run/rgbroker/admin/i2c-$bus"
finds "a user is in the brokers' group" member '' "x['who'] == 'ann'"
expect_eq 'who may use the broker is told' "['joe']" \
    "$(json "next(x['members'] for x in e if x['kind'] == 'may-use-broker')")"
expect_eq 'the unit with the device is told' "[('note', 'holder.service')]" \
    "$(json "[(x['severity'], x['unit']) for x in e if x['kind'] == 'unit']")"
expect_eq 'each finding says how to close it' True "$(json "all(x['close'] for x in f)")"
ln -s /dev/null /etc/udev/rules.d/99-zz-rgbroker-lock.rules
audit 1 'with a rules file of ours masked'
finds 'a rules file of ours is masked' lock /etc/udev/rules.d/99-zz-rgbroker-lock.rules
finds "so OpenRGB's rule for I2C is not taken back" rule "$rules" "x['line'] == 2"
finds "nor is liquidctl's" rule /usr/local/lib/udev/rules.d/71-liquidctl.rules "x['line'] == 1"
output=$(setpriv --reuid=65534 --regid=65534 --clear-groups rgbrokerctl audit 2>&1)
expect_eq 'a nobody finds something too: exit code 1' 1 $?

# ---- closed, as it says ----

rgbrokerctl --json audit >/tmp/audit.json
python3 -c 'import json
for x in json.load(open("/tmp/audit.json"))["entries"]:
    if "close" in x:
        print(x["close"])' >/tmp/advice
note "$(cat /tmp/advice)"
while read -r command; do
    check "advice: $command" bash -c "$command"
done </tmp/advice
wait_for 15 test ! -e "/proc/$plain"
audit 0 'after its advice'
expect_eq 'after its advice: nothing is open' '[]' "$(json f)"
expect_eq 'after its advice: the kernel guards the SPD' 0 "$(json "o['advice']")"
udevadm trigger --settle
audit 0 'and after an event for every device'
expect_eq 'the node is locked' 'root:rgbroker-i2c 660' "$(stat -c '%U:%G %a' "$node")"
check "OpenRGB's rule for USB is still in force" grep -q '^SUBSYSTEMS=="usb|hidraw"' /etc/udev/rules.d/60-openrgb.rules
rm -f "$rules" /etc/udev/rules.d/60-openrgb.rules /usr/local/lib/udev/rules.d/71-liquidctl.rules \
    /etc/udev/rules.d/{71-liquidctl,99-local}.rules

# ---- a graphics card's bus is left as found ----

modprobe i2c-stub chip_addr=0x30
mkdir -p /run/udev/rules.d
echo 'SUBSYSTEM=="i2c-dev", ATTR{name}=="SMBus stub driver*", ENV{RGBROKER_CLASS}="gpu"' >/run/udev/rules.d/50-stub.rules
udevadm control --reload
udevadm settle
stub=$(bus_number 'SMBus stub driver')
udevadm trigger --settle "/dev/i2c-$stub"
chmod 0666 "/dev/i2c-$stub"
audit 0 'an open node of class gpu'
expect_eq 'an open node of class gpu is a note' "['note']" \
    "$(json "[x['severity'] for x in e if x['kind'] == 'world' and x['path'] == '/dev/i2c-$stub']")"
expect_eq 'the brokers group in its list is none' 0 "$(json "sum(x['kind'] == 'acl-group' for x in e)")"

# ---- what is said of rules is what udev makes of them ----

acl()
{
    getfacl -cp "$node" | tr '\n' ' '
}

# somebody sits at the machine, to whom logind and 73-seat-late open what has the tag uaccess
systemd-run --quiet --unit=seat -p PAMName=login -p User=joe -p TTYPath=/dev/tty1 -p StandardInput=tty \
    sleep 1000
check 'joe sits at the machine' wait_for 20 grep -qx 'ACTIVE_UID=1000' /run/systemd/seats/seat0

# What makes a node open right now, for whoever logs in next, or once an event's programs have run: udev 252
# may or may not carry out a tag that was taken away, so what it says it would run counts, too.
signs()
{
    [[ $(stat -c '%U:%G' "$node") == root:rgbroker-i2c ]] || echo owner
    [[ $(acl) == 'user::rw- group::rw- other::---  ' ]] || acl
    udevadm info --query=property --property=CURRENT_TAGS --value "$node" | grep uaccess
    udevadm test "/sys/class/i2c-dev/i2c-$bus" 2>/dev/null |
        awk '/^run: .*setfacl -b/ { after = 0 } /^run: .uaccess/ { after = 1 } END { if (after) print "runs uaccess" }'
}

truth()
{
    [[ -n $(signs) ]] && echo open || echo locked
}

# rule FILE LINE: a list given by hand before the event is to be taken away by the lock
rule()
{
    local file=/etc/udev/rules.d/$1 says
    printf '%b\n' "${2/#\#/KERNEL==\"i2c-[0-9]*\",}" >"$file"
    udevadm control --reload
    setfacl -m u:nobody:rw "$node"
    udevadm trigger --settle "$node"
    output=$(rgbrokerctl --json audit)
    says=$(json "'open' if any(x['kind'] == 'rule' and x['path'] == '$file' and '$node' in x['nodes'] for x in f) else 'locked'")
    expect_eq "$1: $2: audit says what udev does: $says" "$(truth)" "$says" || note "$(signs)"
    verdicts+=" $says"
    rm "$file"
    udevadm control --reload
    chown root:rgbroker-i2c "$node"
    chmod 0660 "$node"
    udevadm trigger --settle "$node"
}

# shellcheck disable=SC2016 # udev puts it in
setfacl='RUN+="/usr/bin/setfacl -m u:nobody:rw $devnode"'
verdicts=''
expect_eq 'to begin with it is locked' '' "$(signs)"
rule 60-x.rules '# MODE="0666", OWNER="nobody", GROUP="i2c"'
rule 60-x.rules '# MODE:="0666"'
rule 60-x.rules '# OWNER:="nobody"'
rule 60-x.rules '# GROUP:="i2c"'
rule 60-x.rules '# TAG+="uaccess"'
# shellcheck disable=SC2016 # the same
rule 60-x.rules '# RUN+="/usr/bin/chmod 0666 $devnode"'
rule 60-x.rules "# $setfacl"
rule 60-x.rules '# RUN:="/usr/bin/true"'
rule 60-x.rules 'DRIVERS=="i801_smbus", MODE:="0666"'
rule 60-x.rules 'SUBSYSTEMS=="pci", DRIVERS=="piix4_smbus", ATTRS{vendor}=="0x8086", MODE:="0666"'
rule 60-x.rules 'SUBSYSTEMS=="pci", DRIVERS=="piix4_smbus", ATTRS{vendor}!="0x8086", MODE:="0666"'
rule 60-x.rules 'SUBSYSTEM=="i2c-dev", GOTO="end"\nMODE:="0666"\nLABEL="end"'
rule 60-x.rules 'SUBSYSTEM!="i2c-dev|tty", GOTO="end"\n  MODE:= "0666" , \\\n  OWNER="nobody"\nLABEL="end"'
rule 60-x.rules '# MODE:="0666" nonsense'
rule 72-s.rules '# TAG+="uaccess"'
rule 72-s.rules '# MODE:="0666", OWNER:="nobody"'
rule 80-x.rules '# TAG+="uaccess"'
rule 80-x.rules "# $setfacl"
rule 80-x.rules '# RUN="/usr/bin/true"'
rule 80-x.rules '# RUN:="/usr/bin/true"'
rule 80-x.rules '# RUN{builtin}+="uaccess"'
rule 99-x.rules '# MODE="0666"'
rule 99-zzz.rules '# TAG+="uaccess"'
rule 99-zzz.rules "# $setfacl"
rule 99-zzz.rules '# RUN="/usr/bin/true"'
expect_match 'some opened it, and some did not' 'open.*locked|locked.*open' "$verdicts"

# What the advice has bound, the scripts after this one would find in use.
for chip in "/sys/bus/i2c/devices/$bus"-005?; do
    [[ -e $chip ]] && echo "0x${chip: -2}" >"/sys/bus/i2c/devices/i2c-$bus/delete_device"
done
true
