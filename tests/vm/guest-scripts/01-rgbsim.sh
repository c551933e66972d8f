#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
#
# The simulated adapters are what they say, or nothing proven on them would mean anything.

# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

check 'the module loads' load_rgbsim || exit 1
chipset=$(bus_named 'rgbsim chipset')
plain=$(bus_named 'rgbsim plain')
check 'there is a second plain adapter' bus_named 'rgbsim plain 2'

ene_pointer()
{
    # a word's low byte comes first on the wire, the pointer's high byte does
    i2cset -y "$chipset" 0x70 0x00 "0x${1:2:2}${1:0:2}" w
}

ene_read()
{
    i2cget -y "$chipset" 0x70 0x81 b
}

led()
{
    awk -v at="$1" -v n="$2" '$1 == at && $2 == n { print $3 }' "$sim_debug/chipset/leds"
}

crc()
{
    tail -n 1 "$sim_debug/chipset/eeprom"
}

# ---- the ENE controller ----

check 'the controller acknowledges a receive byte' i2cget -y "$chipset" 0x70
check 'and a send byte' i2cset -y "$chipset" 0x70 0x20
fingerprint=$(for reg in a0 a1 a7 ae af; do i2cget -y "$chipset" 0x70 "0x$reg" b; done)
expect_eq 'its fingerprint reads 0 to 15' '0x00 0x01 0x07 0x0e 0x0f' "${fingerprint//$'\n'/ }"

ene_pointer 1000
name=$(for ((i = 0; i < 16; i++)); do ene_read; done | sed 's/0x/\\x/' | tr -d '\n')
expect_eq 'its name is read byte by byte, the pointer moving' 'AUDA0-E6K5-0101\x00' "$(printf '%b' "${name%\\x00}")${name: -4}"
ene_pointer 1c02
expect_eq 'its configuration tells 8 LEDs' 0x08 "$(ene_read)"

ene_pointer 8100
check 'a block write goes to the pointer' i2cset -y "$chipset" 0x70 0x03 0x10 0xff 0x20 s
expect_eq 'and lights the first LED, red blue green' 1020ff "$(led 0x70 0)"
check 'the next block goes on behind it' i2cset -y "$chipset" 0x70 0x03 0x01 0x02 0x03 s
expect_eq 'and lights the second' 010302 "$(led 0x70 1)"
check 'a byte write stores and moves on' i2cset -y "$chipset" 0x70 0x01 0x77 b
expect_eq 'which is the third LED' 770000 "$(led 0x70 2)"
ene_pointer 8100
expect_eq 'colours can be read back' 0x10 "$(ene_read)"
ene_pointer 1000
i2cset -y "$chipset" 0x70 0x01 0x58 b
ene_pointer 1000
expect_eq 'the name cannot be overwritten' 0x41 "$(ene_read)"
ene_pointer 80f9
i2cset -y "$chipset" 0x70 0x01 0xe2 b
check 'register 80f9 moves the controller to another address' i2cget -y "$chipset" 0x71
check_fails 'and away from its old one' i2cget -y "$chipset" 0x70
i2cset -y "$chipset" 0x71 0x00 0xf980 w
i2cset -y "$chipset" 0x71 0x01 0xe0 b

# ---- the EEPROM and the Corsair controller ----

before=$(crc)
expect_eq 'the SPD tells DDR4' 0x0c "$(i2cget -y "$chipset" 0x50 2 b)"
expect_eq 'reading leaves the SPD alone' "$before" "$(crc)"
check 'a byte write to the SPD succeeds' i2cset -y "$chipset" 0x50 0x40 0xaa b
expect_eq 'and changes it' 0xaa "$(i2cget -y "$chipset" 0x50 0x40 b)"
if [[ $before == crc32\ ???????? && $before != "$(crc)" ]]; then
    ok 'and its checksum'
else
    not_ok 'and its checksum' "$before" "$(crc)"
fi
expect_eq 'the Corsair controller shows its fingerprint' '0xba 0xba' \
    "$(i2cget -y "$chipset" 0x58 0xa0 b) $(i2cget -y "$chipset" 0x58 0xaf b)"
for reg in 0xb0 0xb1 0xb2; do
    i2cset -y "$chipset" 0x58 "$reg" "0x1${reg: -1}" b
done
expect_eq 'and takes a colour' 101112 "$(led 0x58 0)"
i2cset -y "$chipset" 0x58 0xc5 0x55 b
expect_eq 'but no register beyond them' 0x00 "$(i2cget -y "$chipset" 0x58 0xc5 b)"

# ---- plain chips, plain I2C ----

expect_eq 'i2ctransfer reads registers in a row' '0x50 0x51 0x52 0x53' \
    "$(i2ctransfer -y "$plain" w1@0x40 0x10 r4)"
check 'i2ctransfer writes' i2ctransfer -y "$plain" w3@0x40 0xff 0x0a 0x0b
expect_eq 'over the end to the start' '0x0a 0x0b' "$(i2ctransfer -y "$plain" w1@0x40 0xff r2)"
expect_eq 'an SMBus block read brings as many bytes as the chip says' '0x12 0x13 0x14' \
    "$(i2cset -y "$plain" 0x41 0xd0 3 b; i2cget -y "$plain" 0x41 0xd0 s)"
check_fails 'addresses that end in f do not acknowledge' i2cget -y "$plain" 0x2f
node=/sys/bus/i2c/devices/i2c-$plain
echo 24c02 0x52 >"$node/new_device"
check 'a kernel driver binds to a plain chip' wait_for 15 test -e "$node/$plain-0052/driver"
check_fails 'and the kernel then keeps others off' i2cget -y "$plain" 0x52
echo 0x52 >"$node/delete_device"

# ---- log, faults, hangs ----

sim_log_clear chipset
i2cget -y "$chipset" 0x50 3 b >/dev/null
i2cset -y "$chipset" 0x70 0x00 0x0081 w
i2cget -y "$chipset" 0x33 >/dev/null 2>&1
expect_eq 'the log holds every message' '1/2 0x50 W 0 03
2/2 0x50 R 0 02
1/1 0x70 W 0 008100
1/1 0x33 R -6 -' "$(sim_log chipset)"
sequence=$(awk 'END { print $1 }' "$sim_debug/chipset/log")
sim_log_clear chipset
i2cget -y "$chipset" 0x50 >/dev/null
expect_eq 'its numbers go on after it was cleared' "$((sequence + 1))" \
    "$(awk 'END { print $1 }' "$sim_debug/chipset/log")"
sim_log_clear plain
i2cdetect -y -r -a "$plain" >/dev/null
expect_eq 'it has lost nothing' '# lost 0' "$(head -n 1 "$sim_debug/plain/log")"
sim_log_clear plain
python3 - "$plain" <<'PYTHON'
import smbus, sys
bus = smbus.SMBus(int(sys.argv[1]))
for _ in range(2100):
    bus.read_byte_data(0x40, 0)
PYTHON
expect_eq 'it tells what it could not keep' '# lost 104' "$(head -n 1 "$sim_debug/plain/log")"

echo '0x50 110 2' >"$sim_debug/chipset/fault"
failures=$(for _ in 1 2 3; do i2ctransfer -y "$chipset" w1@0x50 0 r1 2>&1; done)
expect_eq 'two faults, two failures, then all is well' 'Error: Sending messages failed: Connection timed out
Error: Sending messages failed: Connection timed out
0x23' "$failures"

echo 300 >"$sim_debug/chipset/hang"
began=${EPOCHREALTIME/[.,]/}
i2cget -y "$chipset" 0x50 >/dev/null
took=$((${EPOCHREALTIME/[.,]/} - began))
if ((took >= 300000)); then
    ok 'a transfer takes as long as it is told'
else
    not_ok 'a transfer takes as long as it is told' "$took us"
fi
echo forever >"$sim_debug/chipset/hang"
i2cget -y "$chipset" 0x50 >/dev/null &
hung=$!
state()
{
    [[ $(awk '{ print $3 }' "/proc/$hung/stat") == "$1" ]]
}
check 'a hung transfer waits in state D' wait_for 15 state D
kill -KILL "$hung"
pause 0.3
check 'and does not heed SIGKILL' state D
expect_eq 'the other adapters go on' 0x50 "$(i2cget -y "$plain" 0x50 0 b)"
echo 0 >"$sim_debug/chipset/hang"
wait "$hung" 2>/dev/null
expect_eq 'until it is let go' 137 $?
# two starts, two addresses, 1 byte and 50, each of nine bits, a stop: 480 bits
echo 10 >"$sim_debug/chipset/khz"
began=${EPOCHREALTIME/[.,]/}
i2ctransfer -y "$chipset" w1@0x50 0 r50 >/dev/null
took=$((${EPOCHREALTIME/[.,]/} - began))
echo 0 >"$sim_debug/chipset/khz"
if ((took >= 48000)); then
    ok 'bytes take their time on the wire'
else
    not_ok 'bytes take their time on the wire' "$took us"
fi

# ---- coming and going ----

driver=/sys/bus/platform/drivers/rgbsim
echo rgbsim-chipset.0 >"$driver/unbind"
check 'an unbound adapter is gone' wait_for 15 test ! -e "/dev/i2c-$chipset"
echo rgbsim-chipset.0 >"$driver/bind"
check 'and comes back' wait_for 15 bus_named 'rgbsim chipset'
udevadm settle
chipset=$(bus_named 'rgbsim chipset')
expect_eq 'its chips have kept what they held' 0xaa "$(i2cget -y "$chipset" 0x50 0x40 b)"
expect_eq 'and their light' 1020ff "$(led 0x70 0)"

exec 7<>"/dev/i2c-$chipset"
# the background shell must not hold the node itself
{ echo rgbsim-chipset.0 >"$driver/unbind"; } 7>&- &
unbind=$!
pause 0.5
check 'unbinding waits for who holds the node' test -e "/proc/$unbind"
exec 7>&-
wait "$unbind"
expect_eq 'and goes through when it is let go' 0 $?
echo rgbsim-chipset.0 >"$driver/bind"
check 'the module can be unloaded' unload_rgbsim
check 'and loaded with more adapters' load_rgbsim chipset=2 plain=1 ene_address=0x77
chipset=$(bus_named 'rgbsim chipset 2')
check 'with the controller where it was asked for' i2cget -y "$chipset" 0x77 0xa5 b
