# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC1091,SC2317
#
# What ./demo shows, run in the guest. Every claim is tried; the last one counts them.
. /opt/rgbroker-tests/guest-scripts/lib.sh

bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
wrong=0

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '%s\n' "$*"; }
typed() { printf '%s  $ %s%s\n' "$dim" "$*" "$plain"; }
shown() { sed -n 's/^./    &/p'; }

# claim WHAT COMMAND...
claim()
{
    local what=$1
    shift
    if "$@"; then
        printf '  %s✓%s %s\n' "$green" "$plain" "$what"
    else
        printf '  %s✗ %s%s\n' "$red" "$what" "$plain"
        wrong=$((wrong + 1))
    fi
}

differs() { [[ $1 != "$2" ]]; }
matches() { [[ $1 =~ $2 ]]; }

# unit PROPERTY... -- COMMAND...: as a service; its output, and its exit code
unit()
{
    local properties=()
    while [[ $1 != -- ]]; do
        properties+=(-p "$1")
        shift
    done
    shift
    systemd-run --quiet --wait --pipe "${properties[@]}" "$@" 2>&1
}

# The LEDs of the simulated module, as the module holds them: in colour, and as numbers.
leds()
{
    local address colour
    printf '    the LEDs:'
    while read -r address _ colour; do
        [[ $address == 0x70 ]] && printf ' \e[48;2;%d;%d;%dm  %s%s' $((16#${colour:0:2})) $((16#${colour:2:2})) \
            $((16#${colour:4:2})) "$plain" "$colour"
    done <"${sim_debug:?}/chipset/leds"
    echo
}

leds_text() { awk '$1 == "0x70" { printf "%s ", $3 }' "$sim_debug/chipset/leds"; }
spd() { i2cdump -y "$bus" 0x50 b 2>/dev/null | sha256sum; }
exposure() { systemd-analyze security --no-pager "$1" 2>/dev/null | sed -n 's/.*: \([0-9.]*\) [A-Z]*.*/\1/p'; }

load_rgbsim plain=0
mkdir -p /run/udev/rules.d
echo 'SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim chipset", ENV{RGBROKER_CLASS}="smbus"' \
    >/run/udev/rules.d/60-demo.rules
udevadm control --reload
udevadm trigger --settle --subsystem-match=i2c-dev
bus=$(bus_named 'rgbsim chipset')
wait_for 10 test -S "/run/rgbroker/i2c-$bus"

# A program as RGB software is: it opens the node, selects the chip, sends.
cat >/usr/local/bin/light <<'PROGRAM'
#!/usr/bin/python3
# light BUS RED GREEN BLUE: all LEDs of an ENE controller at 0x70, with python3-smbus
import smbus, sys
number, red, green, blue = (int(argument) for argument in sys.argv[1:5])
bus = smbus.SMBus(number)
bus.write_word_data(0x70, 0x00, 0x2080)         # direct mode
bus.write_byte_data(0x70, 0x01, 1)
for led in range(8):
    bus.write_word_data(0x70, 0x00, led * 3 << 8 | 0x81)
    bus.write_block_data(0x70, 0x03, [red, blue, green])
PROGRAM
chmod 755 /usr/local/bin/light

title '1. A machine with memory modules'
say "  An SMBus (i2c-$bus): the SPD of a module at 0x50, which a machine needs in order to boot, and its"
say '  LED controller at 0x70. RGB programs open /dev/i2c-*, and with that they can write to both.'
leds

title '2. Harden the RGB service, and it goes dark'
typed "systemd-run -p DynamicUser=yes -p PrivateDevices=yes light $bus 255 64 0"
output=$(unit DynamicUser=yes PrivateDevices=yes -- light "$bus" 255 64 0)
status=$?
shown <<<"$output"
claim 'without a device it fails, so people run it as root, or open the node to a group' differs 0 $status

title '3. Give it the device, and it can ruin the module'
before=$(spd)
old=$(i2cget -y "$bus" 0x50 0x02)
typed "systemd-run -p ProtectSystem=strict -p NoNewPrivileges=yes -p PrivateNetwork=yes … i2cset $bus 0x50 0x02 0xff"
unit ProtectSystem=strict ProtectHome=yes PrivateTmp=yes NoNewPrivileges=yes PrivateNetwork=yes \
    DynamicUser=yes Group=rgbroker-i2c -- i2cset -y "$bus" 0x50 0x02 0xff | shown
claim 'a well hardened unit with direct access has overwritten a byte of the SPD' differs "$before" "$(spd)"
i2cset -y "$bus" 0x50 0x02 "$old"
claim '(which we put back)' test "$before" = "$(spd)"

title '4. The same service through rgbroker: no device, no root, no home'
typed "systemd-run -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker rgbroker-run light $bus 255 64 0"
sim_log_clear chipset
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run light "$bus" 255 64 0)
status=$?
shown <<<"$output"
leds
claim 'an unmodified program has lit the LEDs' matches "$(leds_text)" '^(ff4000 ){8}$'
claim 'and ended well' test $status = 0
typed "systemd-run -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker rgbroker-run i2cget $bus 0x50 0x02"
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run i2cget -y "$bus" 0x50 0x02)
shown <<<"$output"
claim 'it may read the SPD' test "$output" = "$old"

title '5. And it can do nothing else on the bus'
sim_log_clear chipset
typed "… rgbroker-run i2cset $bus 0x50 0x02 0xff"
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run i2cset -y "$bus" 0x50 0x02 0xff)
status=$?
shown <<<"$output"
claim 'writing the SPD is refused' differs 0 $status
claim 'the SPD is what it was' test "$before" = "$(spd)"
claim 'no write to it was on the wire' test -z "$(sim_log chipset | awk '$2 == "0x50" && $3 == "W" && length($5) > 2')"
say '  Why, in the journal:'
journalctl --no-pager -o cat -u "rgbroker@$bus.service" -g refused -n 1 | fold -s -w 100 | shown
say '  And asked beforehand:'
typed "rgbrokerctl check $bus 0x50 write_byte_data 0x02 0xff"
rgbrokerctl check "$bus" 0x50 write_byte_data 0x02 0xff | shown

title '6. What an administrator sees'
typed 'rgbrokerctl list'
rgbrokerctl list | shown
typed "rgbrokerctl show $bus"
rgbrokerctl show "$bus" | sed -n '1,14p' | shown

title '7. What systemd makes of it (systemd-analyze security, lower is better)'
systemd-run --quiet --unit=plain-rgb sleep 60
systemd-run --quiet --unit=brokered-rgb -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
    -p CapabilityBoundingSet= -p ProtectSystem=strict -p ProtectHome=yes -p ProtectProc=invisible \
    -p ProcSubset=pid -p PrivateUsers=yes -p ProtectClock=yes -p ProtectHostname=yes -p ProtectKernelLogs=yes \
    -p ProtectKernelModules=yes -p ProtectKernelTunables=yes -p ProtectControlGroups=yes -p LockPersonality=yes \
    -p MemoryDenyWriteExecute=yes -p NoNewPrivileges=yes -p RestrictRealtime=yes -p RestrictSUIDSGID=yes \
    -p RestrictNamespaces=yes -p SystemCallArchitectures=native -p SystemCallFilter=@system-service \
    -p 'SystemCallFilter=~@privileged @resources' -p UMask=0077 -p PrivateTmp=yes -p IPAddressDeny=any \
    -p IPAddressAllow=localhost -p 'RestrictAddressFamilies=AF_UNIX AF_INET' rgbroker-run sleep 60
direct=$(exposure plain-rgb.service) server=$(exposure brokered-rgb.service) broker=$(exposure "rgbroker@$bus.service")
printf '    %-58s %s\n' 'an RGB server as it usually runs: root, every device' "$direct" \
    'the RGB server behind rgbroker' "$server" "the broker itself, the one process that has the bus" "$broker"
claim 'the server: 0.9 or better' awk "BEGIN { exit !(\"$server\" != \"\" && \"$server\" + 0 <= 0.9) }"
claim 'the broker: 0.6 or better' awk "BEGIN { exit !(\"$broker\" != \"\" && \"$broker\" + 0 <= 0.6) }"
systemctl stop plain-rgb.service brokered-rgb.service

echo
if ((wrong)); then
    say "${red}$wrong of the claims above did not hold.${plain}"
else
    say "${green}All of it held.${plain}"
fi
exit $((wrong > 0))
