#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/desktop.md
#
# docs/desktop.md, typed.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/openrgb.sh"
. "${0%/*}/documents.sh"

applications=/usr/share/applications
rule=/usr/lib/udev/rules.d/60-openrgb.rules

cleanup()
{
    systemctl stop --quiet holder.service 2>/dev/null
    rm -f /usr/local/bin/openrgb "$applications/org.openrgb.OpenRGB.desktop" "$rule"
    end_reader
}
trap cleanup EXIT

reader_machine || exit 1
# as OpenRGB has these; the window is played by a program that lights, as what is looked at here is the way to a bus
program_that_lights /usr/local/bin/openrgb 0x40
mkdir -p "$applications"
printf '[Desktop Entry]\nType=Application\nName=OpenRGB\nExec=openrgb\n' >"$applications/org.openrgb.OpenRGB.desktop"
echo 'KERNEL=="i2c-[0-99]*", TAG+="uaccess"' >"$rule"
udevadm control --reload
udevadm trigger --settle --subsystem-match=i2c-dev

block root 'adduser ada rgbroker'
block ada 'id -nG'
block output 'ada rgbroker'
block ada 'openrgb --list-devices'
expect_eq 'her program has lit the module' 404040 "$(lit amd 0x70)"
block ada 'applications'
expect_eq 'the entry of her menu starts it so' 'Exec=rgbroker-run openrgb' \
    "$(grep Exec= ~ada/.local/share/applications/org.openrgb.OpenRGB.desktop)"
block root 'rgbrokerctl audit'
block output '0 findings'
block ada_fails 'rgbrokerctl check'
block output 'depends'
check_fails 'she writes to no SPD' as ada rgbroker-run i2cset -y 4 0x50 2 0xff
block root 'journalctl'
expect_match 'the journal has what was refused to her' 'refused write byte_data 0x02 at 0x50' "$printed"
echo 'import time; time.sleep(1000)' | cat /usr/local/bin/openrgb - >"$work/holder"
systemd-run --quiet --unit=holder -p Group=rgbroker rgbroker-run python3 "$work/holder"
wait_for 20 eval "rgbrokerctl list | grep -q python3"
expect_match 'who has a chip is named' '0x70 .*python3' "$(rgbrokerctl list)"
block root 'release'
expect_eq 'and has it no more' '' "$(rgbrokerctl list | grep python3)"
