# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC1091
#
# What the pictures show, run in the guest by ./make: a line "=== NAME" begins each.
. /opt/rgbroker-tests/guest-scripts/lib.sh
. /opt/rgbroker-tests/guest-scripts/brokered.sh

# As in the demo: memory by ENE and by Corsair, a card of ASUS. Nothing is drawn of how they come.
brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 amd_ene=0x70 amd_vengeance=0x58 maker=0x029e part=CMR16GX4M2C3000C15 \
    gpu_aura=0x29 gpu_device=0x1e07 gpu_subdevice=0x866a board_driver=i801_smbus card_driver=nvidia >/dev/null 2>&1
bus=$(bus_named 'rgbsim amd')

# A program that moves light along a module, a frame a second, and tries what it must not once.
cat >/run/lights.py <<'PROGRAM'
import smbus, sys, time
bus = smbus.SMBus(int(sys.argv[1]))
bus.write_word_data(0x70, 0x00, 0x2080)         # direct mode
bus.write_byte_data(0x70, 0x01, 1)
for frame in range(600):
    bus.write_word_data(0x70, 0x00, frame % 8 * 3 << 8 | 0x81)
    bus.write_block_data(0x70, 0x03, [255, 0, 64])
    try:
        bus.write_byte_data(0x50, frame % 256, 0xff)
    except OSError:
        pass
    time.sleep(1)
PROGRAM
systemd-run --quiet --unit=lights -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
    /usr/bin/rgbroker-run python3 /run/lights.py "$bus"
wait_for 60 eval "rgbrokerctl list | grep -q 'held by'"

scene()
{
    printf '=== %s\n\e[32m#\e[0m \e[1m%s\e[0m\n' "$1" "$2"
}

scene list 'rgbrokerctl list'
rgbrokerctl list
scene show "rgbrokerctl show $bus | head -n 30"
rgbrokerctl show "$bus" | head -n 30
scene monitor "rgbrokerctl monitor $bus"
# of which the first dozen lines
timeout 90 rgbrokerctl monitor "$bus" 2>&1 | head -n 14
systemctl stop lights.service
echo '=== demo'
printf '\e[32m$\e[0m \e[1m./demo\e[0m\n'
