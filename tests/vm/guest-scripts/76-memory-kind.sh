#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 300
#
# Families that are open only on modules of one kind and maker, by what the kernel's ee1004 driver shows; and cards
# whose bus goes to a display.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

here=$(realpath "${0%/*}")
family=/etc/rgbroker/devices/test-display.conf
trap 'rm -f "$family"; release_modules; end_brokered_rgbsim' EXIT

# boards PARAMETER...: a Fury in slot 0, a Vengeance in slot 1
boards()
{
    release_modules
    check "there is a board: $*" \
        brokered_rgbsim chipset=0 plain=0 amd=1 amd_fury=0x58 amd_vengeance=0x59 "$@" || exit 1
    amd=$(bus_named 'rgbsim amd')
}

is()
{
    python3 -B "$here/memory_kind.py" "$@" || not_ok "$4: is gone through"
}

boards
is amd "$amd" closed 'without ee1004'
is amd "$amd" vengeance-open 'without ee1004, unbuffered'
bind_modules "$amd" ee1004 0 1
is amd "$amd" open 'with ee1004, Kingston'
is amd "$amd" vengeance-open 'with ee1004, unbuffered'

# The broker opens what ee1004 shows when it starts, and holds nobody by it.
broker=$(broker_pid "$amd")
expect_eq "the broker has ee1004's files open" 2 "$(find "/proc/$broker/fd" -lname '*/eeprom' | wc -l)"
release_modules
check 'nevertheless ee1004 and its module can go' wait_for 15 rmmod ee1004
expect_eq 'under the same broker' "$broker" "$(broker_pid "$amd")"
modprobe ee1004

boards maker=0x04cd
bind_modules "$amd" ee1004 0 1
is amd "$amd" closed 'with ee1004, another maker'
is amd "$amd" vengeance-open 'with ee1004, another maker'

boards registered=1
is amd "$amd" vengeance-closed 'without ee1004, registered'
bind_modules "$amd" ee1004 0 1
is amd "$amd" closed 'with ee1004, registered'
is amd "$amd" vengeance-closed 'with ee1004, registered'
release_modules

# ---- displays ----

# No family that is shipped writes there on this card: one that would.
cat >"$family" <<'DEVICE'
[Device]
Description=Whatever is where a display may be
BusClass=gpu
Address=0x30 0x37 0x3a 0x50
[Recognise]
Expect=none
[Control]
Write=quick
Write=byte 0x00-0xff
Write=byte_data 0x00-0xff
Write=i2c_block 0x00-0xff
DEVICE
check 'there is a card with a display' brokered_rgbsim chipset=0 plain=0 gpu=1 || exit 1
gpu=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
echo 0 >"$sim_debug/gpu/display"
is gpu "$gpu" no-display 'none plugged in: the family may write'
echo 1 >"$sim_debug/gpu/display"
cp "$sim_debug/gpu/memory" before
is gpu "$gpu" display 'plugged in while the broker runs'
check 'it holds what it held' cmp before "$sim_debug/gpu/memory"
