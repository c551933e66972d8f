#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: both
# suite: both
#
# The conflict: a service that needs the bus cannot have DynamicUser= and PrivateDevices=. And its end.
. "${0%/*}/lib.sh"

bus=$(chipset_bus)

# The same unit both times; what differs are the group and the launcher.
unit()
{
    systemd-run --quiet --wait --pipe -p DynamicUser=yes -p PrivateDevices=yes "$@"
}

truth=$(i2cget -y "$bus" 0x50 0x02)
expect_match "root reads a byte of the SPD directly" '^0x' "$truth"

before=$(unit i2cget -y "$bus" 0x50 0x02 2>&1)
status=$?
expect_eq "before: i2cget in a service with DynamicUser= and PrivateDevices= fails" 1 "$status"
expect_match "before: there is no such device" 'No such file or directory' "$before"

trace_start
after=$(unit -p Group=rgbroker rgbroker-run i2cget -y "$bus" 0x50 0x02 2>&1)
status=$?
trace_stop wire "$bus"
expect_eq "after: with Group=rgbroker and rgbroker-run it ends well" 0 "$status"
expect_eq "after: and reads what root read" "$truth" "$after"
expect_eq "after: one transfer was on the wire" 1 "$(wc -l <wire)"
expect_match "after: that one" "^i2c-$bus 0x50 R byte_data 0x02 " "$(cat wire)"

who=$(unit -p Group=rgbroker rgbroker-run sh -c 'id -u; ls -d /dev/i2c-* 2>&1; test -w / || echo "/ not writable"')
note "the service: uid $(tr '\n' ' ' <<<"$who")"
expect_match "the service is no root" '^[1-9]' "$who"
expect_match "and its /dev has no I2C node" 'cannot access' "$who"

refused=$(unit -p Group=rgbroker rgbroker-run i2cset -y "$bus" 0x50 0x02 0x00 2>&1)
status=$?
expect_eq "writing the SPD fails" 1 "$status"
note "i2cset says: $refused"
expect_eq "and changes nothing" "$truth" "$(i2cget -y "$bus" 0x50 0x02)"
without=$(unit rgbroker-run i2cget -y "$bus" 0x50 0x02 2>&1)
status=$?
expect_eq "without the group, the launcher alone gives nothing" 1 "$status"
expect_match "and says so" 'Permission denied' "$without"
