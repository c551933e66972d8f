#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 400
#
# OpenRGB's units: what systemd makes of each, and whether a program inside of it can overwrite a byte of an SPD.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/openrgb.sh"

unit_dir=/etc/systemd/system
rules=/run/udev/rules.d

cleanup()
{
    systemctl disable --quiet --now rgbroker-openrgb.service openrgb.service 2>/dev/null
    rm -rf "$unit_dir"/rgb-*.service "$unit_dir"/openrgb.service{,.d} "$unit_dir"/spd-writer.service /usr/local/bin/openrgb \
        "$rules"/60-openrgb.rules "$rules"/65-test-key.rules /etc/openrgb /root/.config/OpenRGB /srv/ada \
        /var/lib/private/rgbroker-openrgb /var/lib/rgbroker-openrgb /var/lib/rgbroker
    systemctl daemon-reload
    exec 8>&- 9>&-
    end_brokered_rgbsim
}
trap cleanup EXIT

install_stand_in
mkdir -p /etc/openrgb
check 'there are a board and a card with doors' \
    brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 log_entries=20000 || exit 1
amd=$(bus_named 'rgbsim amd')
# what process 1 would do for whom it trusts
printf '[Service]\nType=oneshot\nExecStart=i2cset -y %s 0x50 0x40 0x5a\n' "$amd" >"$unit_dir/spd-writer.service"

# measure UNIT WHAT: starts it, and sets score and spd; a unit whose program lights nothing proves nothing
measure()
{
    local said before
    systemctl daemon-reload
    check "$2: starts" systemctl start "$1"
    expect_eq "$2: lights all controllers" 3 "$(ask light "$3")"
    expect_eq "$2: so" "$3" "$(colours amd)"
    score=$(exposure "$1")
    before=$(<"$sim_debug/amd/memory")
    said=$(ask spd "$amd")
    spd=no
    [[ $before == "$(<"$sim_debug/amd/memory")" ]] || spd=yes
    note "$(printf '%-58s %4s   %s' "$2" "$score" "$spd")"
    note "    $said"
    systemctl stop "$1"
}

# theirs NAME WHAT SCORE COLOUR: the unit on standard input, which has the bus itself
theirs()
{
    cat >"$unit_dir/rgb-$1.service"
    measure "rgb-$1.service" "$2" "$4"
    expect_eq "$2: exposure" "$3" "$score"
    expect_eq "$2: a program inside can overwrite an SPD byte" yes "$spd"
}

# ours UNIT WHAT LIMIT COLOUR
ours()
{
    local wire
    sim_log_clear amd
    measure "$1" "$2" "$4"
    check "$2: exposure $score is $3 or better" awk "BEGIN { exit !(\"$score\" != \"\" && \"$score\" + 0 <= $3) }"
    expect_eq "$2: no program inside can overwrite an SPD byte" no "$spd"
    wire=$(sim_log amd | awk '$2 ~ /^0x5[0-7]$/ && $3 == "W" && length($5) > 2')
    expect_eq "$2: and no write to one is on the wire" '' "$wire"
}

# All that our own unit takes away
hardening()
{
    sed -n '/^\(IPAddress\|Restrict\|Protect\|Private\|Capab\|NoNew\|UMask\|Proc\|Remove\|Keyring\|Lock\|Memory\|System\)/p' \
        /usr/lib/systemd/system/rgbroker-openrgb.service | sed 's/ AF_NETLINK//'
}

note "$(printf '%-58s %s' 'a service that lights LEDs' 'exposure, and can it overwrite an SPD byte?')"
arch_unit | sed 's/^\[Service\]/&\nEnvironment=HOME=\/root/' |
    theirs arch 'as it usually runs: root, every device' 9.6 110000
# The widely read recipe: the same, less what root and the bus do not let it have
theirs hardened 'root, hardened as far as the bus lets' 4.5 220000 <<UNIT
[Service]
ExecStart=openrgb --server --noautoconnect
Environment=HOME=/root
ReadWritePaths=/root
$(hardening | grep -v '^Private\|^ProtectClock\|^ProtectHome\|^Capab\|^SystemCallError')
UNIT
upstream_unit | theirs upstream "OpenRGB's own unit" 9.0 330000
theirs best 'hardened by hand, with the node and nothing else' 1.1 440000 <<UNIT
[Service]
ExecStart=openrgb --server --server-host 127.0.0.1
Environment=HOME=/var/lib/rgb-best XDG_CONFIG_HOME=/var/lib/rgb-best
StateDirectory=rgb-best
DynamicUser=yes
Group=rgbroker-i2c
DevicePolicy=closed
DeviceAllow=char-i2c rw
$(hardening | grep -v '^PrivateDevices\|^PrivateNetwork')
UNIT
rm -rf /var/lib/private/rgb-best /var/lib/rgb-best

# ---- (a): over theirs, and of our own ----

upstream_unit >"$unit_dir/openrgb.service"
ours openrgb.service "OpenRGB's own unit and our drop-in" 0.5 005500
arch_unit >"$unit_dir/openrgb.service"
ours openrgb.service "Arch's unit and our drop-in" 0.5 006600
rm "$unit_dir/openrgb.service"
check 'the complete unit can be enabled' systemctl enable --quiet rgbroker-openrgb.service
ours rgbroker-openrgb.service 'a complete unit of ours' 0.5 007700
expect_eq 'which is openrgb.service as well' rgbroker-openrgb.service \
    "$(systemctl show --property=Id --value openrgb.service)"

systemctl start openrgb.service
ask leds >/dev/null
pid=$(systemctl show --property=MainPID --value openrgb.service)
for option in DynamicUser PrivateDevices ProtectClock ProtectHome NoNewPrivileges; do
    expect_eq "what had to be given up is there: $option" yes \
        "$(systemctl show --property=$option --value openrgb.service)"
done
check_fails 'it is not root' test "$(awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status")" = 0
expect_eq 'it has no capability' 0000000000000000 "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$pid/status")"
expect_match 'of the sockets in /run it sees the doors' "/run/rgbroker/i2c-$amd" \
    "$(find "/proc/$pid/root/run" -type s)"
expect_eq "and none besides, not D-Bus's or the resolver's" '' \
    "$(find "/proc/$pid/root/run" -type s -not -path '*/run/rgbroker/*')"
expect_eq 'it sees no node' '' "$(compgen -G "/proc/$pid/root/dev/i2c*")"
expect_eq 'it is in a network of its own' lo "$(awk -F: 'NR > 2 { print $1 }' "/proc/$pid/net/dev" | xargs)"
expect_eq 'it is reached from this machine only' '0100007F:1A56' "$(awk '$4 == "0A" && $2 ~ /:1A56$/ { print $2 }' /proc/net/tcp)"
expect_eq 'its state is its own' '700' "$(stat -c %a /var/lib/private/rgbroker-openrgb)"
expect_eq 'with its profile in it' 007700 "$(</var/lib/rgbroker-openrgb/OpenRGB/stand-in.orp)"
expect_eq 'which lights up again with it' 007700 "$(colours amd)"
systemctl stop openrgb.service

mkdir -p "$unit_dir/openrgb.service.d"
printf '[Service]\nEnvironment="OPENRGB_OPTIONS=--profile Evening"\n' >"$unit_dir/openrgb.service.d/options.conf"
echo 123456 >/var/lib/private/rgbroker-openrgb/OpenRGB/Evening.orp
systemctl daemon-reload
systemctl start openrgb.service
ask leds >/dev/null
expect_eq 'more for its command line comes from a drop-in' 123456 "$(colours amd)"
systemctl stop openrgb.service
rm "$unit_dir/openrgb.service.d/options.conf"

printf '[Service]\nUser=root\n' >"$unit_dir/openrgb.service.d/override.conf"
systemctl daemon-reload
systemctl start openrgb.service
expect_eq 'an old drop-in that makes it root keeps it from starting' 'inactive exec-condition' \
    "$(systemctl is-active openrgb.service) $(systemctl show --property=Result --value openrgb.service)"
expect_match 'and is told so' 'a drop-in has made this root again' \
    "$(journalctl --quiet --boot -o cat -u rgbroker-openrgb.service)"
rm "$unit_dir/openrgb.service.d/override.conf"
systemctl daemon-reload

# ---- (b): USB and HID besides ----

# hid NAME PRODUCT DESCRIPTOR: a device with a hidraw node, for as long as that descriptor is open
cat >/run/hid.py <<'PYTHON'
import os, struct, sys
name, product, number = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
vendor_page = bytes.fromhex("0600ff0901a1010902150026ff007508954081020903150026ff007508954091 02c0".replace(" ", ""))
request = struct.pack("<I128s64s64sHHIIII4096s", 11, name, b"", b"", len(vendor_page), 3, 0x1209, product, 0, 0, vendor_page)
os.write(number, request)
PYTHON
modprobe uhid
exec 8<>/dev/uhid 9<>/dev/uhid
cat >"$rules/60-openrgb.rules" <<'RULES'
KERNEL=="i2c-[0-99]*", TAG+="uaccess"
SUBSYSTEM=="hidraw", KERNELS=="0003:1209:0001.*", TAG+="uaccess", TAG+="Lamp"
RULES
echo 'SUBSYSTEM=="hidraw", KERNELS=="0003:1209:0002.*", TAG+="uaccess"' >"$rules/65-test-key.rules"
udevadm control --reload
python3 /run/hid.py lamp 1 8
python3 /run/hid.py key 2 9

# hidraw PRODUCT: its node
hidraw()
{
    basename /sys/bus/hid/devices/0003:1209:000"$1".*/hidraw/*
}
has_both()
{
    test -e "/dev/$(hidraw 1)" -a -e "/dev/$(hidraw 2)"
}
check 'there are a lamp and a security key' wait_for 15 has_both
udevadm settle
udevadm trigger --settle --subsystem-match=hidraw
lamp=/dev/$(hidraw 1) key=/dev/$(hidraw 2)

systemctl start openrgb.service
expect_eq '(a) has no lamp' ENOENT "$(ask open "$lamp")"
systemctl stop openrgb.service
ln -s /usr/share/rgbroker/openrgb-usb.conf "$unit_dir/openrgb.service.d/60-usb.conf"
ours openrgb.service 'with USB and HID devices' 0.7 008800
systemctl start openrgb.service
ask leds >/dev/null
expect_eq '(b) opens the lamp that its own udev rules open' 'done' "$(ask open "$lamp")"
expect_eq 'not the key that others open' EACCES "$(ask open "$key")"
# not only because the nodes are not its own
for node in "/dev/i2c-$amd" /dev/mem /dev/vda /dev/uhid; do
    mode=$(stat -c %a "$node")
    chmod 0666 "$node"
    expect_eq "nor $node, even if everybody may" EPERM "$(ask open "$node")"
    chmod "$mode" "$node"
done
systemctl stop openrgb.service
rm "$unit_dir/openrgb.service.d/60-usb.conf"
expect_eq 'its journal is quiet' '' \
    "$(journalctl --quiet --boot -o cat -u openrgb.service -u rgbroker-openrgb.service | grep -v 'a drop-in has made this root\|was skipped\|Skipped due\|Condition check\|^St\(arting\|arted\|opping\|opped\) \|Deactivated successfully\|Consumed .* CPU')"

# ---- what was set up before ----

systemctl disable --quiet rgbroker-openrgb.service
rm -rf /var/lib/private/rgbroker-openrgb /var/lib/rgbroker-openrgb /var/lib/rgbroker /etc/openrgb /root/.config/OpenRGB
upstream_unit >"$unit_dir/openrgb.service"
systemctl daemon-reload
mkdir -p /etc/openrgb/profiles /root/.config/OpenRGB/logs
echo '{"of": "etc"}' >/etc/openrgb/OpenRGB.json
echo 0a0b0c >/etc/openrgb/stand-in.orp
echo blue >'/etc/openrgb/profiles/My Blue.json'
echo etc >/etc/openrgb/Evening.orp
ln -s /etc/shadow /etc/openrgb/link.orp
touch -d '1 hour ago' /etc/openrgb/OpenRGB.json
echo '{"of": "root"}' >/root/.config/OpenRGB/OpenRGB.json
echo root >/root/.config/OpenRGB/Evening.orp
echo night >"/root/.config/OpenRGB/Night with
two lines.orp"
echo log >/root/.config/OpenRGB/logs/x.log
before=$(tar -cP /etc/openrgb /root/.config/OpenRGB | sha256sum)
state=/var/lib/private/rgbroker-openrgb/OpenRGB

# what FILE: its content there
what()
{
    cat "$state/$1" 2>&1
}

check 'OpenRGB starts where it was set up before' systemctl start openrgb.service
ask leds >/dev/null
expect_eq 'and lights what was its profile' 0a0b0c "$(colours amd)"
expect_eq 'the settings used last are in force' '{"of": "root"}' "$(what OpenRGB.json)"
expect_eq 'the others are kept' '{"of": "etc"}' "$(what 'OpenRGB (from etc-openrgb).json')"
expect_eq 'of two profiles of one name both are there' 'root etc' "$(what Evening.orp) $(what 'Evening (from etc-openrgb).orp')"
expect_eq 'with blanks, folders and line ends in their names' 'blue night' \
    "$(what 'profiles/My Blue.json') $(what $'Night with\ntwo lines.orp')"
check_fails 'no link came along' test -e "$state/link.orp" -o -L "$state/link.orp"
check_fails 'and no log' test -e "$state/logs"
expect_eq 'all belong to whom the service runs as' 1 "$(find /var/lib/private/rgbroker-openrgb -printf '%U\n' | sort -u | wc -l)"
check_fails 'while it runs, nothing is taken over by hand' rgbroker-openrgb-migrate
systemctl stop openrgb.service
files()
{
    (cd "$state" && find . -type f -exec sha256sum {} + | sort)
}
files >files.before
check 'once it is stopped it can be done again' rgbroker-openrgb-migrate
files >files.after
check 'which changes nothing' cmp files.before files.after
expect_eq 'what was there before is what it was' "$before" "$(tar -cP /etc/openrgb /root/.config/OpenRGB | sha256sum)"
rm "$state/Evening.orp"
systemctl start openrgb.service
ask leds >/dev/null
check_fails 'by itself it happens once: what was deleted since stays so' test -e "$state/Evening.orp"
systemctl stop openrgb.service

# What OpenRGB, or a user, may have put in the way
odd=/srv/ada/.config/OpenRGB
mkdir -p "$odd/locked/up" "$odd/plugins"
echo dash >"$odd/-b.orp"
echo locked >"$odd/locked/up/x.orp"
echo code >"$odd/plugins/x.so"
echo fine >"$odd/z fine.orp"
mkfifo "$odd/pipe.orp"
cp /etc/shadow "$odd/secret.orp"
chmod 0600 "$odd/secret.orp"
chown -R 1234:1234 "$odd"
chown root:root "$odd/secret.orp"
chmod -R a-w "$odd/locked"
rm -f "$state/z fine.orp"
mkfifo "$state/z fine.orp"
mkdir "$state/../import.left"
check_fails 'a folder of a user is taken over, but for what he may not read' \
    timeout 100 rgbroker-openrgb-migrate "$odd"
expect_eq 'whatever it is called, and where' 'dash locked' "$(what -b.orp) $(what locked/up/x.orp)"
expect_eq 'a fifo in its place makes nobody wait' fine "$(what 'z fine (from srv-ada-.config-OpenRGB).orp')"
check_fails "a user's code does not come along" test -e "$state/plugins/x.so"
check_fails 'nor what only root may read' test -e "$state/secret.orp"
expect_eq 'nothing is left behind' '' "$(compgen -G "$state/../import.*")"
ln -s /etc /srv/ada/link
check_fails 'no link is followed' rgbroker-openrgb-migrate /srv/ada/link
rm -rf /srv/ada

mv "$state" "$state.aside"
ln -s /etc "$state"
ls -lR /etc >etc.before
rgbroker-openrgb-migrate >/dev/null 2>&1
ls -lR /etc >etc.after
check 'a link in its folder leads nowhere' cmp etc.before etc.after
