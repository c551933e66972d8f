#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/off.md
#
# docs/off.md, typed: everything is off at once, and on again.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

cleanup()
{
    systemctl unmask --quiet rgbroker@.service rgbroker@.socket rgbroker-admin@.socket
    systemctl stop --quiet rgb-tool.service 2>/dev/null
    rm -rf /usr/local/bin/rgb-tool /etc/udev/rules.d/50-local.rules /etc/rgbroker/devices
    end_reader
}
trap cleanup EXIT

# set_pointer: what lights begin with
set_pointer()
{
    as ada rgbroker-run i2cset -y 4 0x70 0x00 0x2080 w
}
# udev has settled, systemd may not have opened it yet
has_door()
{
    wait_for 10 test -S /run/rgbroker/i2c-4
}
on_wire()
{
    sim_log amd | grep '0x70 W'
}

reader_machine || exit 1
adduser --quiet ada rgbroker
check 'it is on' set_pointer
cp /usr/bin/sleep /usr/local/bin/rgb-tool
systemd-run --quiet --unit=rgb-tool bash -c 'exec 7<>/dev/i2c-4; exec rgb-tool infinity'
check 'something else has a bus open' wait_for 30 pgrep -x rgb-tool
block root 'systemctl mask'
sim_log_clear amd
check_fails 'it is off' set_pointer
expect_eq 'nothing is on the wire' '' "$(on_wire)"
check_fails 'no door is open' compgen -G '/run/rgbroker/*i2c-*'
check_fails 'no broker runs' pgrep -x rgbrokerd
modprobe --remove i2c_piix4
modprobe i2c_piix4
udevadm settle
check_fails 'nor for a bus that is plugged in now' compgen -G '/run/rgbroker/*i2c-*'
block root 'rgbrokerctl list'
block output 'i2c-4    smbus'
block root_fails 'rgbrokerctl audit'
block output 'rgb-tool'
systemctl stop rgb-tool.service
block root 'systemctl unmask'
check 'the door is open again' has_door
check 'it is on again' set_pointer
check 'on the wire' on_wire
block file 'rgbsim amd'
# the simulated board has its class by a rule of the test's own
rm "$sim_rule"
block root 'rgbroker@4'
check_fails 'that adapter has no door' test -e /run/rgbroker/i2c-4
check 'another has' test -e /run/rgbroker/i2c-0
rm /etc/udev/rules.d/50-local.rules
echo 'SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim amd", ENV{RGBROKER_CLASS}="smbus"' >"$sim_rule"
udevadm control --reload
udevadm trigger --settle --subsystem-match=i2c-dev
check 'it has one again' has_door
check 'which lets its clients through' set_pointer
block root '/dev/null'
check_fails 'and that family is off' set_pointer
