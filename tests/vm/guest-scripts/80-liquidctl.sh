#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 240
#
# liquidctl as Debian has it, by its command line, as a service without device, root and home: the modules and the
# cards light up as was asked for, and nothing else of them or of their bus is touched.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

optional=/etc/rgbroker/devices/evga-pascal-gpu.conf
trap 'rm -f "$optional"; release_modules; end_brokered_rgbsim' EXIT

# As on a board of Intel's with Corsair's modules, and a card of the board's maker; what liquidctl looks for
boards()
{
    release_modules
    check "there are a board and a card: $1" brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 amd_ene=0x70 \
        amd_vengeance=0x58 maker=0x029e part=CMR16GX4M2C3000C15 board_driver=i801_smbus card_driver=nvidia \
        log_entries=10000 "${@:2}" || exit 1
    board=$(bus_named 'rgbsim amd') card=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
    bind_modules "$board" ee1004 0 1
}

# writes SIM: where anything was written, and at which register
writes()
{
    sim_log "$1" | awk '$3 == "W" && length($5) > 2 { print $2, "0x" substr($5, 1, 2) }' | sort -u | xargs
}

# touched SIM: which chips acknowledged
touched()
{
    sim_log "$1" | awk '$4 == 0 { print $2 }' | sort -u | xargs
}

leds()
{
    awk -v at="$2" '$1 == at { print $3 }' "$sim_debug/$1/leds" | xargs
}

liquidctl_nobody()
{
    nobody liquidctl --unsafe=smbus,vengeance_rgb "$@"
}

boards 'an ASUS card' gpu_aura=0x29 gpu_device=0x1e07 gpu_subdevice=0x866a
expect_eq 'as a nobody it lists what it may light' \
    'ASUS Strix RTX 2080 Ti OC Corsair Vengeance RGB DIMM1 Corsair Vengeance RGB DIMM2' \
    "$(liquidctl_nobody list | sed 's/^Device #[0-9]*: //' | sort | xargs)"
for sim in amd gpu; do
    cp "$sim_debug/$sim/memory" "$sim.before"
    sim_log_clear "$sim"
done
check 'it sets a module' liquidctl_nobody --match DIMM1 set led color fixed ff4000
expect_eq 'which lights up so' ff4000 "$(leds amd 0x58)"
expect_eq "and only that module's registers were written" '0x58 0xa4 0x58 0xa6 0x58 0xa7 0x58 0xb0 0x58 0xb1 0x58 0xb2' \
    "$(writes amd)"
check 'it lets one breathe' liquidctl_nobody --match DIMM1 set led color breathing 00ff00 0000ff
expect_eq 'the first colour is seen' 00ff00 "$(leds amd 0x58)"
expect_eq 'besides, only SPDs were read, by the kernel driver and its pages' '0x36 0x37 0x50 0x51 0x58' "$(touched amd)"
expect_eq 'the card was left alone' '' "$(writes gpu)"
sim_log_clear amd
check 'it sets the card' liquidctl_nobody --match strix set led color fixed 2040ff
expect_eq 'which lights up so, too' 2040ff "$(leds gpu 0x29)"
expect_eq "and only that controller's registers were written" '0x29 0x04 0x29 0x05 0x29 0x06 0x29 0x07' "$(writes gpu)"
expect_eq "neither the card's other controller nor the display has heard anything" 0x29 "$(touched gpu)"
expect_eq 'the board was left alone' '' "$(writes amd)"
expect_match 'it reads back what it has set' 'Mode Fixed .*Color 2040ff' \
    "$(liquidctl_nobody --match strix -v status | xargs | sed 's/[├└]─*//g')"
for sim in amd gpu; do
    check "$sim: SPD and display hold what they held" cmp "$sim.before" "$sim_debug/$sim/memory"
done
note "$(sim_log amd | wc -l) and $(sim_log gpu | wc -l) messages on the two wires"

# A card whose controller tells nothing of itself: an administrator has to say that it is there.
boards 'an EVGA card' gpu_evga=0x49 gpu_device=0x1b80 gpu_subvendor=0x3842 gpu_subdevice=0x6286
sim_log_clear gpu
check_fails 'what has no fingerprint is closed' liquidctl_nobody --match evga set led color fixed 10e020
expect_eq 'and unlit' 000000 "$(leds gpu 0x49)"
expect_eq 'without a write' '' "$(writes gpu)"
ln -s /usr/lib/rgbroker/devices/optional/evga-pascal-gpu.conf "$optional"
systemctl stop "rgbroker@$card.service"
check 'linked, it is open' liquidctl_nobody --match evga set led color fixed 10e020
expect_eq 'and lights up' 10e020 "$(leds gpu 0x49)"
expect_eq 'by its registers' '0x49 0x09 0x49 0x0a 0x49 0x0b 0x49 0x0c' "$(writes gpu)"
