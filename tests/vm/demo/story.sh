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

# leds [ADDRESS...]: what is lit on the board and the card, as the controllers hold it, in colour and as numbers
leds()
{
    local sim name address colour last=''
    for sim in amd gpu; do
        while read -r address _ colour; do
            (($# == 0)) || [[ " $* " == *" $address "* ]] || continue
            name='memory module'
            [[ $sim == amd ]] || name='graphics card'
            if [[ $sim$address != "$last" ]]; then
                [[ -z $last ]] || echo
                printf '    %-14s %s ' "$name" "$address"
                last=$sim$address
            fi
            printf ' \e[48;2;%d;%d;%dm   %s%s' $((16#${colour:0:2})) $((16#${colour:2:2})) \
                $((16#${colour:4:2})) "$plain" "$colour"
        done <"${sim_debug:?}/$sim/leds"
    done
    echo
}

# leds_are SIM ADDRESS COLOUR: all of one controller
leds_are()
{
    [[ $(awk -v at="$2" '$1 == at { print $3 }' "$sim_debug/$1/leds" | sort -u) == "$3" ]]
}

spd() { i2cdump -y "$bus" 0x50 b 2>/dev/null | sha256sum; }
exposure() { systemd-analyze security --no-pager "$1" 2>/dev/null | sed -n 's/.*: \([0-9.]*\) [A-Z]*.*/\1/p'; }

. /opt/rgbroker-tests/guest-scripts/brokered.sh
# memory by ENE and by Corsair, a card of ASUS: what RGB programs know
brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 amd_ene=0x70 amd_vengeance=0x58 maker=0x029e part=CMR16GX4M2C3000C15 \
    gpu_aura=0x29 gpu_device=0x1e07 gpu_subdevice=0x866a board_driver=i801_smbus card_driver=nvidia
bus=$(bus_named 'rgbsim amd')
card=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')

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

title '1. A machine with lights'
say "  An SMBus (i2c-$bus): the SPDs of memory modules at 0x50 and 0x51, which a machine needs in order to boot,"
say "  and their LED controllers at 0x70 and 0x58. A graphics card (i2c-$card): LED controllers at 0x29 and 0x67, and"
say "  a display's EDID at 0x50. RGB programs open /dev/i2c-*, and with that they can write to all of them."
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
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run light "$bus" 255 64 0)
status=$?
shown <<<"$output"
leds 0x70
claim 'an unmodified program has lit the LEDs' leds_are amd 0x70 ff4000
claim 'and ended well' test $status = 0
typed "systemd-run -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker rgbroker-run i2cget $bus 0x50 0x02"
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run i2cget -y "$bus" 0x50 0x02)
shown <<<"$output"
claim 'it may read the SPD' test "$output" = "$old"

title '5. And it can do nothing else on the bus'
sim_log_clear amd
typed "… rgbroker-run i2cset $bus 0x50 0x02 0xff"
output=$(unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- rgbroker-run i2cset -y "$bus" 0x50 0x02 0xff)
status=$?
shown <<<"$output"
claim 'writing the SPD is refused' differs 0 $status
claim 'the SPD is what it was' test "$before" = "$(spd)"
claim 'no write to it was on the wire' test -z "$(sim_log amd | awk '$2 == "0x50" && $3 == "W" && length($5) > 2')"
say '  Why, in the journal:'
journalctl --no-pager -o cat -u "rgbroker@$bus.service" -g refused -n 1 | fold -s -w 100 | shown
say '  And asked beforehand:'
typed "rgbrokerctl check $bus 0x50 write_byte_data 0x02 0xff"
rgbrokerctl check "$bus" 0x50 write_byte_data 0x02 0xff | shown

title '6. liquidctl, as Debian has it, the same way'
say '  It wants the kernel to read the SPD for it (ee1004), and finds a module of Corsair and a card of ASUS.'
modprobe ee1004
echo ee1004 0x50 >"/sys/bus/i2c/devices/i2c-$bus/new_device"
systemctl stop "rgbroker@$bus.service" 2>/dev/null
before=$(<"$sim_debug/amd/memory")$(<"$sim_debug/gpu/memory")
liquidctl_nobody()
{
    typed "… rgbroker-run liquidctl --unsafe=smbus,vengeance_rgb $*"
    unit DynamicUser=yes PrivateDevices=yes Group=rgbroker -- \
        rgbroker-run liquidctl --unsafe=smbus,vengeance_rgb "$@" | shown
}
liquidctl_nobody list
say '  before:'
leds
liquidctl_nobody --match vengeance set led color fixed 00c0ff
liquidctl_nobody --match strix set led color fixed c000ff
say '  after:'
leds
claim 'it has lit the module' leds_are amd 0x58 00c0ff
claim 'and the card' leds_are gpu 0x29 c000ff
claim 'SPDs, their protection and the display are what they were' \
    test "$before" = "$(<"$sim_debug/amd/memory")$(<"$sim_debug/gpu/memory")"
echo 0x50 >"/sys/bus/i2c/devices/i2c-$bus/delete_device"

title '7. What an administrator sees'
typed 'rgbrokerctl list'
rgbrokerctl list | shown
typed "rgbrokerctl show $bus"
rgbrokerctl show "$bus" | sed -n '1,14p' | shown

title '8. What systemd makes of it (systemd-analyze security, lower is better)'
systemd-run --quiet --unit=plain-rgb sleep 60
# a server that does nothing, in the place of OpenRGB
printf '#!/bin/sh\nexec sleep 60\n' >/usr/local/bin/openrgb
chmod 755 /usr/local/bin/openrgb
systemctl start rgbroker-openrgb.service
direct=$(exposure plain-rgb.service) server=$(exposure rgbroker-openrgb.service) broker=$(exposure "rgbroker@$bus.service")
printf '    %-58s %s\n' 'an RGB server as it usually runs: root, every device' "$direct" \
    'OpenRGB behind rgbroker (rgbroker-openrgb.service)' "$server" "the broker itself, the one process that has the bus" "$broker"
claim 'the server: 0.9 or better' awk "BEGIN { exit !(\"$server\" != \"\" && \"$server\" + 0 <= 0.9) }"
claim 'the broker: 0.6 or better' awk "BEGIN { exit !(\"$broker\" != \"\" && \"$broker\" + 0 <= 0.6) }"
systemctl stop plain-rgb.service rgbroker-openrgb.service

echo
if ((wrong)); then
    say "${red}$wrong of the claims above did not hold.${plain}"
else
    say "${green}All of it held.${plain}"
fi
exit $((wrong > 0))
