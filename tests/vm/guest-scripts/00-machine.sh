#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: both
# timeout: 60
#
# The ground the other scripts stand on: a whole system, the chipset's SMBus, and chips on it that answer.

# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

spd_reads()
{
    i2cget -y "$1" "$2" 2 b
}

expect_eq 'systemd is process 1' systemd "$(cat /proc/1/comm)"
note "$(systemctl --version | head -n 1)"
expect_eq 'the system came up whole' running "$(systemctl is-system-running)"

bus=$(chipset_bus) || { not_ok 'the chipset has an SMBus' "$(i2cdetect -l)"; exit 1; }
ok "the chipset has an SMBus: $(cat "/sys/bus/i2c/devices/i2c-$bus/name")"
check 'its node is there' test -c "/dev/i2c-$bus"
for address in 0x50 0x57; do
    check "an SPD EEPROM answers at $address" spd_reads "$bus" "$address"
done
check_fails 'nothing answers at 0x2a' spd_reads "$bus" 0x2a

trace_start
spd_reads "$bus" 0x50 >/dev/null
i2cset -y "$bus" 0x50 0x40 0x5a b
i2cget -y "$bus" 0x2a >/dev/null 2>&1
trace_stop /run/trace "$bus"
byte=$(printf '%02x' "$(i2cget -y "$bus" 0x50 2 b)")
expect_eq 'the kernel traces what reached the wire' \
    "i2c-$bus 0x50 R byte_data 0x02 $byte 0
i2c-$bus 0x50 W byte_data 0x40 5a 0
i2c-$bus 0x2a R byte - - -6" "$(cat /run/trace)"

check 'i2c-stub loads' modprobe i2c-stub chip_addr=0x30
stub=$(bus_number 'SMBus stub driver')
check 'a chip of i2c-stub takes a byte' i2cset -y "$stub" 0x30 1 0x77 b
expect_eq 'and gives it back' 0x77 "$(i2cget -y "$stub" 0x30 1 b)"
check 'i2c-stub can be taken away' rmmod i2c-stub
