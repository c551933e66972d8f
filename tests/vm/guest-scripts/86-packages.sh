#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# guest: bare
# timeout: 2400
#
# The Debian packages on a machine that runs: installed, upgraded under clients, removed, purged. In the guest they
# are files, and not installed.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"
. "${0%/*}/openrgb.sh"

packages=$tests/packages
unit_dir=/etc/systemd/system
rules=/run/udev/rules.d
work=$(mktemp -d)
names=(rgbroker rgbroker-openrgb rgbroker-shim librgbroker0 librgbroker-dev)
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# Nothing here is timed, so it may wait for brokers of a slow machine.
patience=60 counter_deadline=60000
patiently=(env RGBROKER_TIMEOUT_MS=60000)

# Its terminal's line ends are taken off.
apt()
{
    apt-get --quiet=2 --yes --no-install-recommends "$@" </dev/null 2>&1 | tr -d '\r'
}

# ---- what is there, to be compared ----

# Every name on the disk, and what is in /etc; not the tests' own, nor what a system writes by itself
files()
{
    find / -xdev \( -path /opt/rgbroker-tests -o -path "$work" -o -path "$counters" -o -path /tmp/systemd-private-\* \
        -o -path /var/tmp/systemd-private-\* \) -prune -o -print | sort
}

settings()
{
    # groups stay, and ld.so.cache is made anew with each library
    find /etc -type f ! -name 'group*' ! -name 'gshadow*' ! -name ld.so.cache -exec sha256sum {} + | sort -k 2
    find /etc -type l -printf '%p -> %l\n' | sort
}

# Owner, mode, list of rights, properties and tags of nodes: those they have now. Tags that a device once had
# (TAGS) udev keeps until it is unplugged, and since when it has kept anything.
nodes()
{
    local node
    for node in /dev/i2c-* /dev/hidraw*; do
        [[ -e $node ]] || continue
        stat -c '%n %U:%G %a' "$node"
        getfacl --omit-header --absolute-names "$node"
        udevadm info "$node" | grep -v '^E: \(\(CURRENT_\)\?TAGS\|USEC_INITIALIZED\)='
        udevadm info --query=property --property=CURRENT_TAGS --value "$node" | tr : '\n' | sort | paste -sd ' '
    done
}

# compare WHAT BEFORE AFTER
compare()
{
    check "$1" diff -U 0 "$work/$2" "$work/$3"
}

units()
{
    systemctl list-units --all --plain --no-legend 'rgbroker*' 'dev-i2c*.device' | grep -v '^rgbroker-\(tests\|shell\)'
}

owner()
{
    stat -c '%U:%G %a' "$1"
}

acl()
{
    getfacl --omit-header --absolute-names "$1" | grep . | paste -sd ' '
}

# ---- the machine before: buses, other packages' rules, OpenRGB as root ----

# The guest's disk is thrown away.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/rgbroker-tests
# What dpkg and apt keep of any package, they keep before as well.
mkdir -p "$work/nothing/DEBIAN"
cat >"$work/nothing/DEBIAN/control" <<'CONTROL'
Package: nothing
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: nothing
CONTROL
dpkg-deb --build "$work/nothing" "$work/nothing.deb" >/dev/null
check 'apt installs what it is given' apt install "$work/nothing.deb"
check 'and dpkg purges it' dpkg --purge nothing

mkdir -p "$rules"
cat >"$rules/60-openrgb.rules" <<'RULES'
KERNEL=="i2c-[0-99]*", TAG+="uaccess"
SUBSYSTEM=="hidraw", KERNELS=="0003:1209:0001.*", TAG+="uaccess"
RULES
cat >"$rules/71-zz-liquidctl.rules" <<'RULES'
KERNEL=="i2c-*", DRIVERS=="i801_smbus|piix4_smbus", TAG+="uaccess"
RULES
# the administrator's, who knows what these are
cat >"$rules/50-rgbsim.rules" <<'RULES'
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim amd*", ENV{RGBROKER_CLASS}="smbus"
SUBSYSTEM=="i2c-dev", ATTR{name}=="NVIDIA i2c adapter*", ENV{RGBROKER_CLASS}="gpu"
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim plain*", ENV{RGBROKER_CLASS}="custom"
RULES
udevadm control --reload
load_rgbsim chipset=0 plain=1 amd=1 gpu=1
modprobe uhid
exec 8<>/dev/uhid
cat >"$work/hid.py" <<'PYTHON'
import os, struct
page = bytes.fromhex("0600ff0901a1010902150026ff007508954081020903150026ff00750895409102c0")
request = struct.pack("<I128s64s64sHHIIII4096s", 11, b"lamp", b"", b"", len(page), 3, 0x1209, 1, 0, 0, page)
os.write(8, request)
PYTHON
python3 "$work/hid.py"
lamp()
{
    compgen -G '/dev/hidraw*'
}
check 'there is a lamp' wait_for $patience lamp
udevadm trigger --settle --subsystem-match=i2c-dev --subsystem-match=hidraw
chipset=$(chipset_bus)
amd=$(bus_named 'rgbsim amd')
gpu=$(bus_named 'NVIDIA i2c adapter .*')
plain=$(bus_named 'rgbsim plain')
nodes >"$work/nodes.theirs"
# by hand; not to a user, as logind takes those away where a node has uaccess
setfacl -m g:video:r "/dev/i2c-$gpu"

install_stand_in
mkdir -p /etc/openrgb "$unit_dir/openrgb.service.d"
upstream_unit >"$unit_dir/openrgb.service"
systemctl daemon-reload
check "OpenRGB runs, as it comes" systemctl enable --quiet --now openrgb.service
expect_match 'and lights' '^[1-9]' "$(ask light 101010)"
expect_eq 'as root' no "$(systemctl show --property=DynamicUser --value openrgb.service)"

files >"$work/files.before"
settings >"$work/settings.before"
nodes >"$work/nodes.before"
units >"$work/units.before"

note "the machine: $SECONDS s"

# ---- installed ----

install_all()
{
    apt install "$packages"/*.deb >"$work/said"
}
install_again()
{
    dpkg --install "$packages"/*.deb >"$work/said" 2>&1
}
check 'the packages are installed' install_all || note "$(<"$work/said")"
bus_open()
{
    test -S "/run/rgbroker/i2c-$1" -a -S "/run/rgbroker/admin/i2c-$1"
}
for bus in "$chipset" "$amd" "$gpu" "$plain"; do
    check "the doors of $(<"/sys/bus/i2c/devices/i2c-$bus/name") are open at once" wait_for $patience bus_open "$bus"
done
for bus in "$chipset" "$amd" "$plain"; do
    expect_eq "i2c-$bus is locked" 'root:rgbroker-i2c 660 user::rw- group::rw- other::---' \
        "$(owner "/dev/i2c-$bus") $(acl "/dev/i2c-$bus")"
done
expect_eq "the card's node is as it was, and the brokers' too" \
    'root:i2c 660 user::rw- group::rw- group:video:r-- group:rgbroker-i2c:rw- mask::rw- other::---' \
    "$(owner "/dev/i2c-$gpu") $(acl "/dev/i2c-$gpu")"
expect_eq "who may light, and how, is told once: the group" 1 "$(grep -c 'adduser NAME rgbroker$' "$work/said")"
expect_eq 'the launcher' 1 "$(grep -c 'rgbroker-run PROGRAM$' "$work/said")"
file=$(grep -o '/usr/share/doc[^ ]*' "$work/said")
check 'what it refers to is in the package' grep -qx "${file:-none}" <(dpkg-query --listfiles rgbroker)
expect_eq 'and no complaint' '' "$(grep -i 'warning\|fail\|error\|cannot' "$work/said")"
expect_match 'a nobody reads an SPD by the launcher' '^0x' "$(nobody "${patiently[@]}" i2cget -y "$amd" 0x50 0)"
check_fails 'and does not write to it' nobody "${patiently[@]}" i2cset -y "$amd" 0x50 0x40 0x5a
expect_eq 'OpenRGB, which was running, is behind the brokers' yes \
    "$(systemctl show --property=DynamicUser --value openrgb.service)"
expect_match 'and lights' '^[1-9]' "$(ask light 202020)"
expect_eq 'which is to be seen' 202020 "$(colours amd)"
expect_match "OpenRGB's lamp is open to it" group:rgbroker-usb:rw- "$(acl "$(lamp)")"
expect_eq 'nothing is enabled that was not' disabled "$(systemctl is-enabled rgbroker-openrgb.service)"
expect_eq 'nothing failed' '' "$(systemctl list-units --failed --plain --no-legend)"
expect_eq 'dpkg finds all in order' '' "$(dpkg --audit)"

note "installed: $SECONDS s"

# ---- upgraded, under clients ----

upgrade_all()
{
    apt install "$packages"/next/*.deb >"$work/said"
}
# socket_starts: since when each door is open
socket_starts()
{
    systemctl show --property=Id,ActiveEnterTimestampMonotonic 'rgbroker*@*.socket'
}

# a broker reads its files when it starts
allow_plain
stop_sim_brokers
wire_begin plain
start_counter shim i2c-dev "$plain" 0x40 1 20000
start_counter library library "$plain" 0x41 1 20000
# both_after NUMBER: transfers of either client are on the wire after that one
both_after()
{
    awk -v from="$1" '$1 + 0 > from + 0 { seen[$4] } END { exit !("0x40" in seen && "0x41" in seen) }' \
        "$sim_debug/plain/log"
}
last_transfer()
{
    tail -n 1 "$sim_debug/plain/log" | cut -d' ' -f1
}
check 'two clients work' wait_for $patience both_after 0
before=$(broker_pid "$plain")
socket_starts >"$work/sockets.before"
# The adapter's log is short.
while wire_collect plain; do sleep 3; done &
collector=$!
check 'the packages are upgraded' upgrade_all || note "$(<"$work/said")"
after=$(broker_pid "$plain")
check 'another broker runs than before' test "$after" != 0 -a "$after" != "$before"
expect_eq 'it is the new one' "$(stat -c %i /usr/libexec/rgbroker/rgbrokerd)" "$(stat -L -c %i "/proc/$after/exe")"
check 'both clients work on' wait_for $patience both_after "$(last_transfer)"
kill "$collector"
end_counter shim library
judged 'shim: every operation is on the wire, once and in order' plain shim 0x40
judged 'library: the same' plain library 0x41
for name in shim library; do
    expect_eq "the $name client saw no error" '' "$(failures "$name")"
done
socket_starts >"$work/sockets.after"
compare 'the doors were open all the time' sockets.before sockets.after
expect_match 'all are of the next version' '^[^ ]*\+next$' \
    "$(dpkg-query --show --showformat='${Version}\n' "${names[@]}" | sort -u)"
expect_eq 'nothing is told again' 0 "$(grep -c adduser "$work/said")"
expect_eq 'OpenRGB lights again with its profile' 3 "$(ask leds)"
expect_eq 'so' 202020 "$(colours amd)"

note "upgraded: $SECONDS s"

# ---- removed ----

remove_all()
{
    apt "$1" "${names[@]}" >"$work/said"
}
is_root_again()
{
    [[ $(systemctl show --property=DynamicUser --value openrgb.service) == no ]]
}
brokers()
{
    pgrep -x rgbrokerd || compgen -G '/run/rgbroker/*' || compgen -G '/run/rgbroker/admin/*'
}

check 'the packages are removed' remove_all remove || note "$(<"$work/said")"
check_fails 'no broker and no door is left' brokers
check_fails 'nor where doors were' test -e /run/rgbroker
nodes >"$work/nodes.removed"
compare "nodes are what other packages' rules say" nodes.before nodes.removed
units >"$work/units.removed"
compare 'systemd knows none of the units' units.before units.removed
check 'OpenRGB runs as it did before' is_root_again
# and keeps in /etc/openrgb what it kept there before
expect_match 'and lights' '^[1-9]' "$(ask light 101010)"
expect_eq 'which is to be seen' 101010 "$(colours amd)"
check "the administrator's file is kept" test -e "$sim_devices"
expect_eq 'as are the profiles' 202020 "$(cat /var/lib/private/rgbroker-openrgb/OpenRGB/stand-in.orp 2>&1)"
expect_eq 'the groups stay' 3 "$(getent group rgbroker rgbroker-i2c rgbroker-usb | wc -l)"
expect_eq 'without complaint' '' "$(grep -i 'warning\|fail\|error\|cannot' "$work/said")"

note "removed: $SECONDS s"

# ---- purged ----

check 'installed again' install_again || note "$(<"$work/said")"
check 'the doors are open again' wait_for $patience bus_open "$amd"
expect_eq 'OpenRGB has its profile again' 3 "$(ask leds)"
expect_eq 'and lights so' 202020 "$(colours amd)"
ln -s /usr/share/rgbroker/openrgb-usb.conf "$unit_dir/openrgb.service.d/60-usb.conf"
check 'the packages are purged' remove_all purge || note "$(<"$work/said")"
files >"$work/files.after"
settings >"$work/settings.after"
nodes >"$work/nodes.after"
units >"$work/units.after"
compare 'not one file is left' files.before files.after
compare 'what is set up is as before' settings.before settings.after
compare 'nodes are as before' nodes.before nodes.after
compare 'systemd knows none of the units' units.before units.after
check_fails 'nothing is left in /run' compgen -G '/run/rgbroker/*'
check 'OpenRGB runs as it did before' is_root_again
expect_eq 'nothing failed' '' "$(systemctl list-units --failed --plain --no-legend)"

note "purged: $SECONDS s"

# ---- where no other package has a rule, and OpenRGB no unit of its own ----

systemctl disable --quiet --now openrgb.service
rm "$unit_dir/openrgb.service" "$rules"/*.rules
systemctl daemon-reload
ln -s /dev/null "$rules/60-i2c-tools.rules"
udevadm control --reload
exec 8>&-
load_rgbsim chipset=0 plain=0 amd=1 gpu=1
modprobe --remove i2c_piix4 && modprobe i2c_piix4 && udevadm settle
chipset=$(chipset_bus)
nodes >"$work/nodes.before"
settings >"$work/settings.before"
expect_eq 'nodes are as the kernel makes them' 'root:root 600' "$(owner "/dev/i2c-$chipset")"
check 'packages are installed' dpkg --install "$packages"/{rgbroker,rgbroker-shim,rgbroker-openrgb}_*.deb
check 'its door is open at once' wait_for $patience bus_open "$chipset"
check "OpenRGB's whole unit is enabled" systemctl enable --quiet --now rgbroker-openrgb.service
check 'and runs' systemctl --quiet is-active openrgb.service
check 'they are purged' dpkg --purge rgbroker rgbroker-shim rgbroker-openrgb
check_fails 'it does not run any more' pgrep -f /usr/local/bin/openrgb
nodes >"$work/nodes.after"
compare "nodes are root's alone, as before" nodes.before nodes.after
settings >"$work/settings.after"
compare 'what is set up is as before' settings.before settings.after
