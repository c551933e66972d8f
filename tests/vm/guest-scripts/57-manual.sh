#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: admin
# machine: pc
# timeout: 400
#
# What the manual says to type, as it stands in the pages that are installed, and the journal's fields.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/json.sh"

unit_folder=/etc/systemd/system

end()
{
    systemctl stop 'rgbroker-look@*.socket' 'rgbroker@*.service'
    rm -rf "$unit_folder"/rgbroker-look@.socket "$unit_folder"/rgbroker@*.d "$unit_folder/led.service" /etc/rgbroker
    systemctl daemon-reload
    userdel -r joe 2>/dev/null
    end_brokered_rgbsim
}

# example PAGE TEXT: the code block of a page that has this text
example()
{
    python3 - "/usr/share/man/man${1##*.}/$1" "$2" <<'PYTHON'
import gzip, os, re, sys
# as a package has it, or as meson installs it
packed = os.path.exists(sys.argv[1] + ".gz")
page = (gzip.open(sys.argv[1] + ".gz", "rt", encoding="utf-8") if packed else open(sys.argv[1], encoding="utf-8")).read()
blocks = re.findall(r"^\.nf\n\.RS 4\n(.*?)^\.fi$", page, re.DOTALL | re.MULTILINE)
(block,) = [block for block in blocks if sys.argv[2] in block.replace("\\&", "")]
print(block.replace("\\&", "").replace("\\\\", "\\"), end="")
PYTHON
}

# edit UNIT: as "systemctl edit" puts standard input
edit()
{
    mkdir -p "$unit_folder/$1.d" && cat >"$unit_folder/$1.d/override.conf" && systemctl daemon-reload
}

journal()
{
    journalctl --quiet --no-pager -o cat "$@"
}

trap end EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim chipset')

# ---- rgbrokerd(8) ----

check_fails 'a nobody does not write to an SPD' nobody i2cset -y "$bus" 0x50 0 0xff
line='i2c-[0-9]+: pid ([0-9]+) uid ([0-9]+) at door rgb: refused write byte_data 0x00 at 0x50: closed by'
expect_match 'the example for an SPD finds what was refused' "$line" \
    "$(bash -c "$(example rgbrokerd.8 'ADDRESS=0x50')" 2>&1)"
[[ $(journal RGBROKER_ADDRESS=0x50) =~ $line ]]
pid=${BASH_REMATCH[1]:-none} uid=${BASH_REMATCH[2]:-none}
for field in "RGBROKER_BUS=$bus" RGBROKER_ADDRESS=0x50 RGBROKER_DOOR=rgb "RGBROKER_PEER_PID=$pid" "RGBROKER_PEER_UID=$uid" \
    'RGBROKER_OPERATION=write byte_data 0x00 at 0x50' RGBROKER_REASON=floor \
    MESSAGE_ID=0f704aa1297749c894f09868fa25158d; do
    expect_match "the journal can be filtered by ${field%%=*}" "$line" "$(journal "$field")"
done
expect_eq 'and what does not match is not found' '' "$(journal RGBROKER_ADDRESS=0x51)"
expect_match 'the example for a user finds it' "$line" \
    "$(bash -c "$(example rgbrokerd.8 'PEER_UID' | sed "s/=1000/=$uid/; s/=4/=$bus/")" 2>&1)"
expect_match 'the broker itself has that field, too' "i2c-$bus \\(rgbsim chipset.*\\): class smbus" "$(journal "RGBROKER_BUS=$bus")"

# somebody has a chip, and another one is refused
systemd-run --quiet --unit=rgb-holder --collect -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker \
    /usr/bin/rgbroker-run python3 -c "
import smbus, time
bus = smbus.SMBus($bus)
bus.write_word_data(0x70, 0x00, 0x2080)
bus.write_byte_data(0x70, 0x01, 1)
time.sleep(600)"
held() { rgbrokerctl list | grep -q 'held by'; }
check 'somebody holds a chip' wait_for 20 held
holder=$(systemctl show --property=MainPID --value rgb-holder.service)
check_fails 'another one is refused' nobody i2cset -y "$bus" 0x70 0x00 0x2080 w
output=$(timeout 20 bash -c "$(example rgbrokerd.8 'REASON=claimed' | grep -v -e ' -f ')" 2>&1)
for field in MESSAGE_ID=c272985a42304909bd3117178d6aedf7 "RGBROKER_HOLDER_PID=$holder" RGBROKER_DEVICE=ene-dram; do
    expect_match "the example for programs that were in each other's way: ${field%%=*}" " $field"$'\n' "$output"
done
expect_match 'and the line of the file that would have allowed it' \
    "RGBROKER_RULE=/usr/lib/rgbroker/devices/ene-dram.conf:[1-9][0-9]*"$'\n' "$output"
systemctl stop rgb-holder

# what systemctl status says
status_text() { systemctl show --property=StatusText --value "rgbroker@$bus.service"; }
says() { [[ $(status_text) == "$1" ]]; }
output=$(rgbrokerctl --json status "$bus")
refused=$(json 'o[0]["refused"]')
expect_match 'something was refused' '^[1-9][0-9]*$' "$refused"
check 'systemctl status counts clients and refusals' \
    wait_for 10 says "i2c-$bus ($(<"/sys/bus/i2c/devices/i2c-$bus/name")): 0 clients, $refused refused"
note "$(systemctl status "rgbroker@$bus.service" | grep Status:)"
systemctl stop "rgbroker@$bus.service"
check 'and says why it has gone' says "i2c-$bus ($(<"/sys/bus/i2c/devices/i2c-$bus/name")): told to stop; $refused refused"
printf '[Device]\nDescription=x\nBusClass=smbus\nAddress=0x45-0x40\n' |
    { mkdir -p /etc/rgbroker/devices && cat >/etc/rgbroker/devices/broken.conf; }
systemctl stop "rgbroker@$bus.service"
nobody i2cget -y "$bus" 0x50 2 >/dev/null
expect_match 'the example for mistakes in files finds one' 'broken.conf:4: range the wrong way round' \
    "$(bash -c "$(example rgbrokerd.8 'rgbroker@4' | sed "s/@4/@$bus/" | grep -e '-p err')" 2>&1)"
expect_match 'so do file and line' 'broken.conf:4: range' \
    "$(journal CONFIG_FILE=/etc/rgbroker/devices/broken.conf CONFIG_LINE=4 MESSAGE_ID=f8543cbb9ea549bc9b90aaca8f23c654)"
rm -r /etc/rgbroker
example rgbrokerd.8 '--idle' | edit "rgbroker@$bus.service"
systemctl stop "rgbroker@$bus.service"
nobody i2cget -y "$bus" 0x50 2 >/dev/null
expect_match 'the example for a broker that never sleeps makes one' "--bus $bus --idle 0 \$" \
    "$(tr '\0' ' ' <"/proc/$(broker_pid "$bus")/cmdline")"
rm -r "$unit_folder/rgbroker@$bus.service.d"

# ---- rgbroker(7) ----

groupadd --force lookers
mkdir -p /etc/rgbroker/doors
example rgbroker.7 'Transfer=read-only' >/etc/rgbroker/doors/look.conf
example rgbroker.7 'FileDescriptorName=look' >"$unit_folder/rgbroker-look@.socket"
example rgbroker.7 'Sockets=' | edit rgbroker@.service
systemctl stop "rgbroker@$bus.service"
check 'the example of another door opens one' systemctl start "rgbroker-look@$bus.socket"
look()
{
    RGBROKER_SOCKET_DIR=/run/rgbroker-look setpriv --reuid=65534 --regid=65534 --groups="$1" rgbroker-run "${@:2}" 2>&1
}
expect_eq 'its group reads through it' 0x0c "$(look lookers i2cget -y "$bus" 0x50 2)"
check_fails 'others do not' look nogroup i2cget -y "$bus" 0x50 2
check_fails 'and its group does not write' look lookers i2cset -y "$bus" 0x39 0 0
expect_match 'which the journal has under the name of that door' \
    'at door look: refused .* at 0x39: this door gives no right to it' "$(journal RGBROKER_DOOR=look)"
expect_eq 'the first door is as it was' 0x0c "$(nobody i2cget -y "$bus" 0x50 2)"

example rgbroker.7 'your-rgb-program' | sed "s,/usr/bin/your-rgb-program,i2cget -y $bus 0x50 2," >"$unit_folder/led.service"
systemctl daemon-reload
check 'the example of a service runs' systemctl start led.service
wait_for 10 eval "journal -u led.service | grep -q 0x0c"
expect_match 'and has asked the broker' '^0x0c$' "$(journal -u led.service _COMM=i2cget | head -n 1)"

check 'the example of switching families is carried out' bash -c "$(example rgbroker.7 'msi-v1-gpu')"
devices=$(rgbrokerctl devices)
expect_match 'one is switched on' 'msi-v1-gpu +active +/etc/' "$devices"
expect_match 'the other off' 'asus-ene-gpu +masked +/etc/' "$devices"
useradd joe
check 'the example of a user is carried out' bash -c "$(example rgbroker.7 'usermod')"
expect_match 'and he is in the group' '\brgbroker\b' "$(id joe)"
