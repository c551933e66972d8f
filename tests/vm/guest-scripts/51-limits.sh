#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: stress
# machine: pc
# timeout: 300
#
# Who takes as much as can be had: the kernel's own driver on the same adapter has its part of the bus, other
# processes have theirs, everybody finds a place, and a program that never closes a bus does not notice.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

chip=0x48
end()
{
    echo "$chip" 2>/dev/null >"/sys/bus/i2c/devices/i2c-$bus/delete_device"
    end_brokered_rgbsim
}

check 'there are simulated buses with doors' brokered_rgbsim log_entries=20000 || exit 1
bus=$(bus_named 'rgbsim plain')
other=$(bus_named 'rgbsim plain 2')
trap end EXIT
check 'the kernel has a driver for a thermometer' modprobe lm75
echo "lm75 $chip" >"/sys/bus/i2c/devices/i2c-$bus/new_device"
thermometer()
{
    echo "/sys/bus/i2c/devices/$bus-00${chip#0x}/hwmon"/hwmon*/temp1_input
}
is_read()
{
    test -r "$(thermometer)"
}
check 'which it reads' wait_for 15 is_read
echo 100 | tee "$sim_debug/plain/khz" >"$sim_debug/plain2/khz"
python3 -B "${0%/*}/limits.py" "$bus" plain "$other" "$(thermometer)" || not_ok 'all of it is gone through'
