#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: q35
# timeout: 700
#
# The tools that everybody has, as root on the nodes and as nobody under the shim: the same bytes, exit codes,
# errno and transfers. What differs is what client-lib/differences.md lists, no more and no less.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

conformance=$tests/guest-scripts/conformance
rule=/run/udev/rules.d/50-conformance.rules
devices=/etc/rgbroker/devices/conformance.conf
list=/usr/share/doc/rgbroker/differences.md
work=$(mktemp -d) || exit 1

# The buses that this test reads and writes; the others are as shipped.
buses=('rgbsim plain' 'SMBus stub driver' 'SMBus I801')

brokers()
{
    local name
    for name in "${buses[@]}" 'rgbsim chipset' 'rgbsim chipset 2' 'rgbsim plain 2'; do
        echo "rgbroker@$(bus_number "$name").service"
    done
}

take_away()
{
    local units
    mapfile -t units < <(brokers)
    systemctl stop --quiet "${units[@]}" 2>/dev/null
    echo 0x57 2>/dev/null >"/sys/bus/i2c/devices/i2c-$machine/delete_device"
    unload_rgbsim
    rmmod i2c-stub 2>/dev/null
}

end()
{
    take_away
    trace_stop /dev/null
    rm -rf "$rule" "$devices" "$work" "$tests/conformance"
    udevadm control --reload
    udevadm trigger --settle --subsystem-match=i2c-dev
}

# Everything is allowed where the floor of class custom leaves anything open.
allow_all()
{
    mkdir -p "${rule%/*}" "${devices%/*}"
    cat >"$rule" <<'RULES'
SUBSYSTEM!="i2c-dev", GOTO="conformance_end"
ATTR{name}=="rgbsim chipset 2", ENV{RGBROKER_CLASS}="smbus"
ATTR{name}=="rgbsim chipset", ENV{RGBROKER_CLASS}="custom"
ATTR{name}=="rgbsim plain*|SMBus stub driver*|SMBus I801*", ENV{RGBROKER_CLASS}="custom"
LABEL="conformance_end"
RULES
    cat >"$devices" <<'DEVICE'
[Device]
Description=Whatever is there
BusClass=custom
Address=0x08-0x77
[Recognise]
Expect=none
[Control]
Read=quick
Read=byte
Read=byte_data 0x00-0xff
Read=word_data 0x00-0xff
Read=block_data 0x00-0xff
Read=i2c_block 0x00-0xff
Read=i2c
Write=quick
Write=byte 0x00-0xff
Write=byte_data 0x00-0xff
Write=word_data 0x00-0xff
Write=block_data 0x00-0xff
Write=i2c_block 0x00-0xff
Write=i2c
DEVICE
    udevadm control --reload
}

find_buses()
{
    plain=$(bus_named 'rgbsim plain') stub=$(bus_number 'SMBus stub driver')
}

# Adapters whose chips hold what they hold at first, and drivers on some of them. The numbers come back the same,
# as each adapter takes the first that is free.
set_up()
{
    take_away
    # 0x0f7f0000: with SMBus blocks, which it leaves out otherwise
    load_rgbsim chipset=2 plain=2 && modprobe i2c-stub chip_addr=0x20,0x21,0x48,0x50 functionality=0x0f7f0000 &&
        modprobe -a lm75 at24 && udevadm settle || return
    find_buses
    echo 24c02 0x50 >"/sys/bus/i2c/devices/i2c-$plain/new_device"
    echo lm75 0x48 >"/sys/bus/i2c/devices/i2c-$plain/new_device"
    echo lm75 0x48 >"/sys/bus/i2c/devices/i2c-$stub/new_device"
    echo spd 0x57 >"/sys/bus/i2c/devices/i2c-$machine/new_device"
    udevadm trigger --settle --subsystem-match=i2c-dev
    wait_for_doors && wait_for 10 test -S "/run/rgbroker/i2c-$stub" -a -S "/run/rgbroker/i2c-$machine"
}

has_driver()
{
    test -e "/sys/bus/i2c/devices/$1/driver"
}

# bus ROLE NUMBER NAME KIND CHIPS
bus()
{
    printf '{"role": "%s", "number": %d, "name": "%s", "kind": "%s", "chips": {%s}}' "$@"
}

describe()
{
    echo "[$(bus 'an adapter with plain I2C' "$plain" 'rgbsim plain' plain \
        '"present": 32, "other": 33, "absent": 47, "nobody": 112, "owned": 80, "spare": 110'),"
    bus 'an SMBus stub' "$stub" "$(cat "/sys/bus/i2c/devices/i2c-$stub/name")" stub \
        '"present": 32, "other": 33, "absent": 34, "owned": 72, "spare": 80'
    echo ','
    bus "the machine's own SMBus" "$machine" "$(cat "/sys/bus/i2c/devices/i2c-$machine/name")" machine \
        '"present": 80, "other": 81, "absent": 32, "owned": 87, "spare": 82'
    echo ']'
}

trap end EXIT
machine=$(chipset_bus)
allow_all
check 'there are adapters to compare on' set_up || exit 1
find_buses
describe >"$work/buses"
for device in "$plain-0050" "$plain-0048" "$stub-0048" "$machine-0057"; do
    check "a kernel driver has $device" has_driver "$device"
done

check 'the kernel traces transfers' trace_start || exit 1
for side in direct brokered; do
    check "$side: the adapters are as at first" set_up || exit 1
    find_buses
    describe >"$work/buses.$side"
    expect_eq "$side: and have their numbers" "$(cat "$work/buses")" "$(cat "$work/buses.$side")"
    check "$side: all cases are carried out" \
        python3 -B "$conformance/record.py" "$side" "$work/buses" "$work/$side" || exit 1
done
python3 -B "$conformance/compare.py" "$list" "$work/buses" "$work/direct" "$work/brokered" ||
    not_ok 'the sides are compared'

check 'the adapters are as at first' set_up || exit 1
python3 -B "$conformance/differences.py" "$list" "{
    \"plain\": $plain, \"stub\": $stub, \"machine\": $machine,
    \"plain 2\": $(bus_named 'rgbsim plain 2'), \"chipset\": $(bus_named 'rgbsim chipset 2')
}" || not_ok 'the list of differences is gone through'
