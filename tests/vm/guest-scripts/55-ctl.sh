#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: admin
# machine: pc
#
# rgbrokerctl: what it says of real buses, to root and to a nobody, and its exit codes.
. "${0%/*}/lib.sh"
. "${0%/*}/json.sh"

bus=$(chipset_bus)
modprobe i2c-stub chip_addr=0x50
udevadm settle
stub=$(bus_number 'SMBus stub driver')

# ctl STATUS WHAT ARGUMENTS...: its exit code; the output is left in $output
ctl()
{
    local expected=$1 what=$2
    shift 2
    output=$(rgbrokerctl "$@" 2>&1)
    expect_eq "$what: exit code $expected" "$expected" $?
}

ctl 0 "list" list
note "$output"
expect_match "list: the chipset's bus has its class, a listening door, a broker" \
    "i2c-$bus +smbus +(listening|running) +(asleep|running) +SMBus PIIX4" "$output"
expect_match "list: the stub is not brokered, and why" \
    "i2c-$stub +- .*SMBus stub driver.*not brokered: no rule gave it a class" "$output"
nobodys=$(setpriv --reuid=65534 --regid=65534 --clear-groups rgbrokerctl list 2>&1)
expect_eq "list: a nobody sees the same" "$output" "$nobodys"
ctl 0 "list --json" --json list
expect_eq "list --json: as many adapters as the kernel has" \
    "$(find /sys/bus/i2c/devices -name 'i2c-*' | wc -l)" "$(json 'len(o)')"
expect_eq "list --json: class and path" "smbus /run/rgbroker/i2c-$bus" \
    "$(json "next(b['class'] + ' ' + b['path'] for b in o if b['bus'] == 'i2c-$bus')")"
expect_eq "list --json: why not" "no rule gave it a class" \
    "$(json "next(b['why'] for b in o if b['bus'] == 'i2c-$stub')")"

echo jc42 0x1a >"/sys/bus/i2c/devices/i2c-$bus/new_device" # registered, but no driver: not busy
ctl 0 "show" show "$bus"
note "$output"
expect_match "show: the SPD may be read" '50: r- r- r- r- r- r- r- r- ' "$output"
expect_match "show: 0x30-0x37 are closed" '30: -- -- -- -- -- -- -- -- ' "$output"
expect_match "show: ENE addresses are written once recognised" '70: r\? r\? r\? r\? r\? r\? r\? r\? ' "$output"
ctl 0 "show --json" --json show "i2c-$bus"
expect_eq "show --json: 128 addresses" 128 "$(json "len(o['addresses'])")"
expect_eq "show --json: nothing writes to the SPD" "{'no'}" \
    "$(json "set(a['write'] for a in o['addresses'][0x50:0x58])")"
ctl 0 "show of a bus that is not brokered" show "$stub"
expect_match "show: says why" 'not brokered: no rule gave it a class' "$output"
ctl 4 "show of no bus" show 99
ctl 2 "show without a bus" show

ctl 0 "check: reading the SPD" check "$bus" 0x50 read_byte_data 0x02
expect_match "check: names file and line" 'allowed: .*spd.conf:[0-9]+ allows it' "$(tr '\n' ' ' <<<"$output")"
ctl 1 "check: writing the SPD" check "$bus" 0x50 write_byte_data 0x02 0xff
expect_match "check: names the floor's row" '0x50-0x57: the SPD of a memory module' "$output"
ctl 1 "check: an ENE controller's data, of who has set no pointer" check "$bus" 0x70 write_byte_data 0x01 0xff
ctl 3 "check: an ENE controller's data" check "$bus" 0x70 write_byte_data 0x01 0xff --pointer 0x8100
expect_match "check: what it depends on" 'once the broker itself has recognised' "$output"
ctl 1 "check: an address nothing is said of" check "$bus" 0x45 read_byte
expect_match "check: nothing allows it" 'no device file allows it' "$output"
ctl 1 "check: moving an ENE controller onto an SPD" check "$bus" 0x70 write_byte_data 0x01 0xa0 --pointer 0x80f9
ctl 3 "check: moving it where its family lives" check "$bus" 0x70 write_byte_data 0x01 0xe4 --pointer 0x80f9
ctl 3 "check: its colour registers" check "$bus" 0x70 write_word_data 0x00 0x81 0x00
ctl 1 "check: process calls cannot be asked for" check "$bus" 0x50 process_call
ctl 1 "check --door admin: the administrators' door touches nothing" --door admin check "$bus" 0x50 read_byte
ctl 1 "check --json" --json check "$bus" 0x57 write_quick
expect_eq "check --json: verdict" refused "$(json "o['verdict']")"
for words in "check $bus" "check $bus 0x80 read_byte" "check $bus 0x50 explode" "check $bus 0x50 read_byte_data" \
    "check $bus 0x50 write_byte_data 1 2 3" "check x 0x50 read_byte" "--frobnicate list" "frobnicate" "list 4"; do
    # shellcheck disable=SC2086 # they are words
    ctl 2 "\"$words\"" $words
    expect_eq "\"$words\": one line of usage" 1 "$(wc -l <<<"$output")"
done

mkdir -p /etc/rgbroker/devices
printf '[Device]\nDescription=x\nBusClass=smbus\nAddress=0x45-0x40\n' >/etc/rgbroker/devices/broken.conf
ctl 0 "a broken device file does not keep show from working" show "$bus"
expect_match "and is told with file, line and reason" \
    '/etc/rgbroker/devices/broken.conf:4: range the wrong way round' "$output"
rm /etc/rgbroker/devices/broken.conf
