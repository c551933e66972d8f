#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 240
#
# The simulated boards and cards are what they say, down to what can be broken on them: a test that
# finds nothing broken would prove nothing otherwise.

# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

optional=(amd_vengeance=0x58 amd_corsair=0x59 amd_fury=0x5a amd_crucial=0x39)
check 'the module loads' load_rgbsim chipset=0 plain=0 amd=2 ddr5=1 gpu=2 log_entries=200000 "${optional[@]}" ||
    exit 1
amd=$(bus_named 'rgbsim amd')
ddr5=$(bus_named 'rgbsim ddr5')
gpu=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
check 'a second chipset is called so' bus_named 'rgbsim amd 2'
check 'and a second card as its driver would' bus_named 'NVIDIA i2c adapter 2 at 1:00.0'

get()
{
    i2cget -y "$@" 2>&1
}

set_()
{
    i2cset -y "$@" 2>&1
}

# ids BUS: as OpenRGB finds them, in what the adapter hangs under
ids()
{
    local parent
    parent=$(realpath "/sys/bus/i2c/devices/i2c-$1/..")
    (cd "$parent" && cat vendor device subsystem_vendor subsystem_device) | tr '\n' ' '
}

# led BUS ADDRESS LED
led()
{
    awk -v at="$2" -v n="$3" '$1 == at && $2 == n { print $3 }' "$sim_debug/$1/leds"
}

# memory BUS ADDRESS KIND: its CRC and how often it was written
memory()
{
    awk -v at="$2" -v kind="$3" '$1 == at && $2 == kind { print $3, $4 }' "$sim_debug/$1/memory"
}

writes()
{
    memory "$@" | cut -d' ' -f2
}

# changed WHAT BUS ADDRESS KIND COMMAND...: it changes by that, and is the only thing that does
changed()
{
    local what=$1 bus=$2 at=$3 kind=$4 before differs
    shift 4
    before=$(<"$sim_debug/$bus/memory")
    "$@" >/dev/null 2>&1
    differs=$(diff <(echo "$before") "$sim_debug/$bus/memory" | awk '/^>/ { print $2, $3 }')
    expect_eq "$what" "$at $kind" "$differs"
}

# unchanged WHAT BUS COMMAND...
unchanged()
{
    local what=$1 bus=$2 before
    shift 2
    before=$(<"$sim_debug/$bus/memory")
    "$@" >/dev/null 2>&1
    expect_eq "$what" "$before" "$(<"$sim_debug/$bus/memory")"
}

ene_pointer()
{
    i2cset -y "$1" "$2" 0x00 "0x${3:2:2}${3:0:2}" w
}

# ene_text BUS ADDRESS POINTER LENGTH
ene_text()
{
    local i text=''
    ene_pointer "$1" "$2" "$3"
    for ((i = 0; i < $4; i++)); do
        text+="\\x$(i2cget -y "$1" "$2" 0x81 b | cut -c3-)"
    done
    printf '%b' "$text"
}

# ene_write BUS ADDRESS POINTER VALUE
ene_write()
{
    ene_pointer "$1" "$2" "$3" && i2cset -y "$1" "$2" 0x01 "$4" b
}

# ---- who they are ----

expect_eq "a chipset's device has AMD's ids, which udev and OpenRGB read" '0x1022 0x790b 0x1849 0xffff ' "$(ids "$amd")"
expect_eq 'the DDR5 one has Intel ids' '0x8086 0x7aa3 0x1462 0x7d25 ' "$(ids "$ddr5")"
expect_eq 'the card has NVIDIA ids and its board maker' '0x10de 0x2206 0x1043 0x87b2 ' "$(ids "$gpu")"
udev_vendor=$(udevadm info --attribute-walk "/sys/class/i2c-dev/i2c-$gpu" | grep -c 'ATTRS{vendor}=="0x10de"')
expect_eq 'a udev rule can match them' 1 "$udev_vendor"
expect_eq 'plain I2C works on the card' '0x00 0xff' "$(i2ctransfer -y "$gpu" w1@0x50 0 r2)"

# ---- DDR4 SPD EEPROMs ----

cat >/run/spd.py <<'PYTHON'
# Prints what the checks below want to know about an SPD image on standard input.
import sys
data = sys.stdin.buffer.read()
crc = 0
for byte in data[:int(sys.argv[1])]:
    crc ^= byte << 8
    for _ in range(8):
        crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
at = int(sys.argv[1])
maker, part = int(sys.argv[2]), int(sys.argv[3])
print(len(data), data[:4].hex(), "crc" if data[at] | data[at + 1] << 8 == crc else "no crc",
      data[maker:maker + 2].hex(), data[part:part + 20].decode("ascii", "replace").strip())
PYTHON

# ee1004_image BUS ADDRESS: all 512 bytes, by its own hand
ee1004_image()
{
    local page at
    for page in 0 1; do
        i2cset -y "$1" "0x3$((6 + page))" 0x00
        for at in 0 64 128 192; do
            printf '%b' "$(i2ctransfer -y "$1" "w1@$2" "$at" r64 | sed 's/ *0x/\\x/g')"
        done
    done
    i2cset -y "$1" 0x36 0x00
}

expect_eq "an SPD EEPROM's 512 bytes make sense" '512 23110c02 crc 0198 KF432C16BBA/8' \
    "$(ee1004_image "$amd" 0x50 | python3 /run/spd.py 126 320 329)"
expect_eq 'page 0 is selected' 0x23 "$(get "$amd" 0x50 0 b)"
check 'and acknowledges to be' i2cget -y "$amd" 0x36
check_fails 'but nothing can be read at 0x37' i2cget -y "$amd" 0x37
check 'a send byte selects page 1' i2cset -y "$amd" 0x37 0x00
expect_eq 'for one module' 0x01 "$(get "$amd" 0x50 64 b)"
expect_eq 'and the other' 0x01 "$(get "$amd" 0x51 64 b)"
check_fails 'page 0 is selected no more' i2cget -y "$amd" 0x36
expect_eq 'the other board has a page of its own' 0x23 "$(get "$(bus_named 'rgbsim amd 2')" 0x50 0 b)"
check 'a byte write selects page 0' i2cset -y "$amd" 0x36 0x00 0xff b
expect_eq 'of both' '0x23 0x23' "$(get "$amd" 0x50 0 b) $(get "$amd" 0x51 0 b)"
python3 - "$amd" <<'PYTHON'
import smbus, sys
smbus.SMBus(int(sys.argv[1])).write_quick(0x37)
PYTHON
expect_eq 'and a quick write selects, too' 0x01 "$(get "$amd" 0x50 64 b)"

unchanged 'selecting and reading change nothing' amd eval "set_ $amd 0x36 0; get $amd 0x50 5 b; set_ $amd 0x37 0"
changed 'a byte write changes the page that is selected' amd 0x50 spd-page1 set_ "$amd" 0x50 0x60 0xaa b
expect_eq 'to that' 0xaa "$(get "$amd" 0x50 0x60 b)"
expect_match 'which the dump shows' '0x50 spd-page1 060: aa ' "$(<"$sim_debug/amd/dump")"
i2cset -y "$amd" 0x36 0x00
expect_eq 'and no other' 0xa3 "$(get "$amd" 0x50 0x60 b)"
changed 'a block write changes the other module' amd 0x51 spd-page0 set_ "$amd" 0x51 0x02 0x0b 0x0b i
expect_eq 'byte for byte' '0x0b 0x0b' "$(i2ctransfer -y "$amd" w1@0x51 2 r2)"
crc=$(memory amd 0x51 spd-page0)
changed 'the same byte once more is seen as well' amd 0x51 spd-page0 set_ "$amd" 0x51 0x02 0x0b b
expect_eq 'by its count' "${crc% *} 3" "$(memory amd 0x51 spd-page0)"

for at in 0x30 0x31 0x33 0x34 0x35; do
    [[ $at == 0x33 ]] || check "$at says that its block is not protected" i2cget -y "$amd" "$at"
    changed "a write to $at leaves a mark" amd "$at" protect set_ "$amd" "$at" 0x00
    check_fails "$at acknowledges no read any more" i2cget -y "$amd" "$at"
done
expect_match 'the mark is shown' '0x31 protect 000: 01' "$(<"$sim_debug/amd/dump")"

check 'the kernel has its driver' modprobe ee1004
node=/sys/bus/i2c/devices/i2c-$amd
echo ee1004 0x50 >"$node/new_device"
eeprom=/sys/bus/i2c/devices/$amd-0050/eeprom
check 'which binds to the EEPROM' wait_for 15 test -e "$eeprom"
expect_eq 'and reads all of it' '512 23110c02 crc 0198 KF432C16BBA/8' "$(python3 /run/spd.py 126 320 329 <"$eeprom")"
expect_eq 'page 1 as it was written' aa "$(od -An -tx1 -j$((0x160)) -N1 "$eeprom" | tr -d ' ')"
check_fails 'the kernel keeps others off the page select' i2cset -y "$amd" 0x36 0x00
echo 0x50 >"$node/delete_device"

# ---- what lights up on DDR4 ----

expect_eq 'two ENE controllers' 'AUDA0-E6K5-0101 AUDA0-E6K5-0101' \
    "$(ene_text "$amd" 0x70 1000 15) $(ene_text "$amd" 0x72 1000 15)"
ene_pointer "$amd" 0x72 8115
i2cset -y "$amd" 0x72 0x03 0x10 0xff 0x20 s
expect_eq 'the eighth LED of one' '1020ff 000000' "$(led amd 0x72 7) $(led amd 0x70 7)"
ene_write "$amd" 0x72 80f9 0xa0
check 'told an address alone, it stays' i2cget -y "$amd" 0x72 0xa5 b
ene_write "$amd" 0x72 80f8 0x00
ene_write "$amd" 0x72 80f9 0xa0
check "told another slot's, too" i2cget -y "$amd" 0x72 0xa5 b
ene_write "$amd" 0x72 80f8 0x01
ene_write "$amd" 0x72 80f9 0xa0
check_fails 'told its own, it moves' i2cget -y "$amd" 0x72
expect_eq 'even onto an SPD EEPROM, and both pull at the wire' 0x01 "$(get "$amd" 0x50 0xa1 b)"

expect_eq "the Crucial one has ENE's fingerprint" 0x05 "$(get "$amd" 0x39 0xa5 b)"
expect_eq "and its maker's name" Micron "$(ene_text "$amd" 0x39 1030 6)"
for plane in 8300:0x11 8340:0x22 8380:0x33; do
    ene_write "$amd" 0x39 "${plane%:*}" "${plane#*:}"
done
expect_eq 'its colours lie in planes' 112233 "$(led amd 0x39 0)"
expect_eq 'the Vengeance is there' 0xba "$(get "$amd" 0x58 0xa0 b)"

expect_eq 'the classic Corsair one tells id and protocol' '0x1a 0x04' "$(get "$amd" 0x59 0x43 b) $(get "$amd" 0x59 0x44 b)"
cat >/run/corsair.py <<'PYTHON'
import smbus, sys
bus, at = smbus.SMBus(int(sys.argv[1])), 0x59

def crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 7 if crc & 0x80 else crc << 1) & 0xff
    return crc

bus.write_byte_data(at, 0x61, 0)
bus.write_byte_data(at, 0x21, 0)
info = [bus.read_byte_data(at, 0x40) for _ in range(32)]
print("info", info[28], bus.read_byte_data(at, 0x42) == crc8(info))
packet = [10] + [0x41, 0x42, 0x43] * 10
bus.write_block_data(at, 0x31, packet + [crc8(packet) if sys.argv[2] == "good" else 0])
if sys.argv[2] == "slow":
    data = [0x51, 0x52, 0x53, 0xff] * 10
    bus.write_byte_data(at, 0x0b, 0)
    bus.write_byte_data(at, 0x21, 0)
    for byte in data:
        bus.write_byte_data(at, 0x20, byte)
    assert bus.read_byte_data(at, 0x42) == crc8(data)
    bus.write_byte_data(at, 0x82, 2)
PYTHON
expect_eq 'and itself, with a checksum' 'info 4 True' "$(python3 /run/corsair.py "$amd" bad)"
expect_eq 'a packet with a wrong one lights nothing' 000000 "$(led amd 0x59 9)"
python3 /run/corsair.py "$amd" good >/dev/null
expect_eq 'a right one does' 414243 "$(led amd 0x59 9)"
python3 /run/corsair.py "$amd" slow >/dev/null
expect_eq 'so do bytes one by one' 515253 "$(led amd 0x59 9)"

# fury NAME BUS ADDRESS MODEL
fury()
{
    local reg text=''
    expect_eq "the Fury $1 says nothing unasked" 0x0000 "$(get "$2" "$3" 1 w)"
    i2cset -y "$2" "$3" 0x08 0x53 b
    for reg in 1 2 3 4; do
        text+="\\x$(i2cget -y "$2" "$3" "$reg" w | cut -c3-4)"
    done
    expect_eq 'but its name when it was woken' FURY "$(printf '%b' "$text")"
    expect_eq 'and its model' "$4" "$(get "$2" "$3" 6 w)"
    i2cset -y "$2" "$3" 0x50 0x61 b
    i2cset -y "$2" "$3" 0x52 0x63 b
    expect_eq 'colours wait' 000000 "$(led "$1" "$3" 0)"
    i2cset -y "$2" "$3" 0x08 0x44 b
    expect_eq 'until they are applied' 610063 "$(led "$1" "$3" 0)"
}

fury amd "$amd" 0x5a 0x2300
fury ddr5 "$ddr5" 0x60 0x1000
fury ddr5 "$ddr5" 0x61 0x1000
expect_eq 'DDR4 has 10 LEDs, DDR5 12' '10 12' \
    "$(grep -c '^0x5a' "$sim_debug/amd/leds") $(grep -c '^0x60' "$sim_debug/ddr5/leds")"

# ---- DDR5 hubs ----

# hub_image ADDRESS: all 1024 bytes
hub_image()
{
    local page at
    for page in {0..7}; do
        i2cset -y "$ddr5" "$1" 0x0b "$page" b
        for at in 0x80 0xc0; do
            printf '%b' "$(i2ctransfer -y "$ddr5" "w1@$1" "$at" r64 | sed 's/ *0x/\\x/g')"
        done
    done
    i2cset -y "$ddr5" "$1" 0x0b 0 b
}

expect_eq 'a hub says so' '0x51 0x18' "$(get "$ddr5" 0x50 0 b) $(get "$ddr5" 0x50 1 b)"
expect_eq 'its 1024 bytes make sense' '1024 30101202 crc 0198 KF560C40BBA-16' \
    "$(hub_image 0x50 | python3 /run/spd.py 510 512 521)"
unchanged 'what it is cannot be changed' ddr5 set_ "$ddr5" 0x50 0x00 0x00 b
changed 'a page is selected in a register' ddr5 0x51 hub-registers set_ "$ddr5" 0x51 0x0b 4 b
expect_eq 'of one hub only' '0x98 0x10' "$(get "$ddr5" 0x51 0x81 b) $(get "$ddr5" 0x50 0x81 b)"
changed 'a write changes the page that is selected' ddr5 0x51 hub-memory set_ "$ddr5" 0x51 0x81 0x77 b
expect_match 'there' '0x51 hub-memory 200: 01 77 ' "$(<"$sim_debug/ddr5/dump")"
changed 'MR12 protects blocks' ddr5 0x51 hub-registers set_ "$ddr5" 0x51 0x0c 0x01 b
changed 'and lets none go' ddr5 0x51 hub-registers set_ "$ddr5" 0x51 0x0c 0x00 b
expect_eq 'ever' 0x01 "$(get "$ddr5" 0x51 0x0c b)"
i2cset -y "$ddr5" 0x51 0x0b 0 b
unchanged 'a protected block takes no write' ddr5 set_ "$ddr5" 0x51 0x82 0x00 b
changed 'the next one does' ddr5 0x51 hub-memory set_ "$ddr5" 0x51 0xc0 0x00 b
i2cset -y "$ddr5" 0x51 0x0b 0x08 b
expect_eq 'with two address bytes, who sends one is misled' 0 \
    "$([[ $(get "$ddr5" 0x51 0 b) == 0x51 && $(get "$ddr5" 0x51 1 b) == 0x18 ]]; echo $((1 - $?)))"
expect_eq 'and who sends two is not' '0x51 0x18' "$(i2ctransfer -y "$ddr5" w2@0x51 0x00 0x00 r2)"
expect_eq 'wherever that is' '0x01 0x77' "$(i2ctransfer -y "$ddr5" w2@0x51 0x80 0x04 r2)"
i2ctransfer -y "$ddr5" w3@0x51 0x0b 0x00 0x00
expect_eq 'there is no way back' 0x08 "$(i2ctransfer -y "$ddr5" w2@0x51 0x0b 0x00 r1)"
for at in 0x48 0x49; do
    changed "a PMIC takes every write ($at)" ddr5 "$at" pmic set_ "$ddr5" "$at" 0x21 0xff b
    changed 'and remembers it' ddr5 "$at" pmic set_ "$ddr5" "$at" 0x21 0xff b
done
check_fails 'nobody answers to a DDR4 page select' i2cset -y "$ddr5" 0x36 0x00

# ---- the card and its display ----

expect_eq 'the card has an ENE controller' AUMA0-E6K5-0107 "$(ene_text "$gpu" 0x67 1000 15)"
expect_eq 'with 4 LEDs' 4 "$(grep -c '^0x67' "$sim_debug/gpu/leds")"
ene_pointer "$gpu" 0x67 8109
i2cset -y "$gpu" 0x67 0x03 0x01 0x02 0x03 s
expect_eq 'that light up' 010302 "$(led gpu 0x67 3)"
edid=$(i2ctransfer -y "$gpu" w1@0x50 0 r256)
expect_match 'the display has an EDID' '^0x00 0xff 0xff 0xff 0xff 0xff 0xff 0x00 0x4d 0x2d ' "$edid"
expect_eq 'of two blocks that add up' '0 0' \
    "$(python3 -c 'b = [int(x, 16) for x in input().split()]; print(sum(b[:128]) % 256, sum(b[128:]) % 256)' \
        <<<"$edid")"
changed 'a write changes it' gpu 0x50 edid set_ "$gpu" 0x50 0xab 0x55 b
expect_eq 'to that' 0x55 "$(get "$gpu" 0x50 0xab b)"
for at in 0x30 0x37 0x3a; do
    check "$at acknowledges" i2cget -y "$gpu" "$at"
    changed "$at remembers a byte" gpu "$at" display set_ "$gpu" "$at" 0x00
    changed 'and another one' gpu "$at" display set_ "$gpu" "$at" 0x51 0x82 0x01 i
done
expect_eq 'each of them' 4 "$(writes gpu 0x37 display)"
expect_eq 'the other card has seen none of it' 0 "$(writes gpu2 0x37 display)"
echo 0 >"$sim_debug/gpu/display"
for at in 0x30 0x37 0x3a 0x50; do
    check_fails "unplugged, $at is gone" i2cget -y "$gpu" "$at"
done
check 'the LEDs are not' i2cget -y "$gpu" 0x67 0xa0 b
check 'nor is the other display' i2cget -y "$(bus_named 'NVIDIA i2c adapter 2 at 1:00.0')" 0x50
echo 1 >"$sim_debug/gpu/display"
expect_eq 'plugged in again, it holds what it held' 0x55 "$(get "$gpu" 0x50 0xab b)"

# ---- a long log ----

sim_log_clear gpu
python3 - "$gpu" <<'PYTHON'
import smbus, sys
bus = smbus.SMBus(int(sys.argv[1]))
for _ in range(100500):
    bus.read_byte_data(0x67, 0xa0)
PYTHON
expect_eq 'the log keeps as much as was asked for' '# lost 1000 200000' \
    "$(head -n 1 "$sim_debug/gpu/log") $(sim_log gpu | wc -l)"

# ---- coming and going, and other boards ----

driver=/sys/bus/platform/drivers/rgbsim-card
echo rgbsim-gpu.0 >"$driver/unbind"
check 'an unbound card is gone' wait_for 15 test ! -e "/dev/i2c-$gpu"
echo rgbsim-gpu.0 >"$driver/bind"
check 'and comes back' wait_for 15 bus_named 'NVIDIA i2c adapter 1 at 1:00.0'
gpu=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
expect_eq 'as the same one' '0x10de 0x2206 0x1043 0x87b2 0x55' "$(ids "$gpu")$(get "$gpu" 0x50 0xab b)"

check 'there are other boards' load_rgbsim chipset=0 plain=0 amd=1 ddr5=1 gpu=1 amd_ene=0x77,0x77 registered=1 \
    maker=0x04cd gpu_vendor=0x1002 gpu_device=0x73bf gpu_subvendor=0x1849 gpu_subdevice=0x5201 display=0 \
    gpu_aura=0x29 gpu_evga=0x49 board_driver=i801_smbus card_driver=nvidia part=CMR16GX4M2
amd=$(bus_named 'rgbsim amd')
ddr5=$(bus_named 'rgbsim ddr5')
gpu=$(bus_named 'NVIDIA i2c adapter 1 at 1:00.0')
expect_eq 'with registered modules of another maker' '512 23110c01 crc 04cd CMR16GX4M2' \
    "$(ee1004_image "$amd" 0x51 | python3 /run/spd.py 126 320 329)"
expect_eq 'DDR5 ones, too' '1024 30101201 crc 04cd KF560C40BBA-16' "$(hub_image 0x51 | python3 /run/spd.py 510 512 521)"
expect_eq 'another card' '0x1002 0x73bf 0x1849 0x5201 ' "$(ids "$gpu")"
check_fails 'and no display' i2cget -y "$gpu" 0x50
expect_eq 'whose driver has the name that programs know' 'i801_smbus nvidia' \
    "$(basename -a "$(readlink -f "/sys/bus/i2c/devices/i2c-$amd/../driver")" \
        "$(readlink -f "/sys/bus/i2c/devices/i2c-$gpu/../driver")" | xargs)"
expect_eq 'with an older Aura controller' '0x15 0x89' "$(get "$gpu" 0x29 0x20 b) $(get "$gpu" 0x29 0x21 b)"
i2cset -y "$gpu" 0x29 0x05 0x33 b
i2cset -y "$gpu" 0x29 0x20 0x44 b
expect_eq 'that lights up, and stays what it is' '003300 0x15' "$(led gpu 0x29 0) $(get "$gpu" 0x29 0x20 b)"
i2cset -y "$gpu" 0x49 0x0b 0x66 b
expect_eq 'and one of EVGA' '000066' "$(led gpu 0x49 0)"
check_fails 'nothing is there that was not asked for' i2cget -y "$amd" 0x58
expect_eq 'two modules at one address answer as one' AUDA0-E6K5-0101 "$(ene_text "$amd" 0x77 1000 15)"
ene_write "$amd" 0x77 8100 0x42
expect_eq 'and both take what is written' '42 42' "$(awk '$2 == 0 { print substr($3, 1, 2) }' "$sim_debug/amd/leds" | xargs)"
ene_write "$amd" 0x77 80f8 0x00
ene_write "$amd" 0x77 80f9 0xe0
check 'the first one is moved' i2cget -y "$amd" 0x70 0xa5 b
check 'away from the second' i2cget -y "$amd" 0x77 0xa5 b
ene_write "$amd" 0x77 8100 0x43
expect_eq 'which now shines alone' '0x70 420000 0x77 430000' \
    "$(awk '$2 == 0 { print $1, $3 }' "$sim_debug/amd/leds" | xargs)"
ene_write "$amd" 0x77 80f8 0x01
ene_write "$amd" 0x77 80f9 0xe2
check 'until it is moved as well' i2cget -y "$amd" 0x71 0xa5 b
check_fails 'then the shared address is free' i2cget -y "$amd" 0x77
unload_rgbsim
check_fails 'an address out of range is refused' insmod "$tests/rgbsim.ko" amd=1 amd_fury=1
check_fails 'so are too many adapters' insmod "$tests/rgbsim.ko" amd=15 gpu=2
check 'nothing of it stays' load_rgbsim
unload_rgbsim
