#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: both
# timeout: 120
#
# The adapter's driver is taken away under clients. A program that holds the node itself makes the remover wait
# for ever; clients of a broker do not, are told ENODEV, and work again when the adapter is back.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/counters.sh"

trap 'end_counters; end_brokered_rgbsim' EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1

now_ms()
{
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# look_up BUS: sets driver, its folder, and device, the adapter's device there
look_up()
{
    device=$(realpath "/sys/bus/i2c/devices/i2c-$1/..")
    driver=$(realpath "$device/driver")
    device=${device##*/}
}

ended()
{
    ! kill -0 "$1"
}

# Whoever unbinds waits for a program that holds the node.
direct_holder()
{
    local name=$1 bus=$2 device driver holder unbind began
    look_up "$bus"
    sleep 60 7<>"/dev/i2c-$bus" &
    holder=$!
    began=$(now_ms)
    { echo "$device" >"$driver/unbind"; } &
    unbind=$!
    pause 3
    check "$name: after 3 s, unbinding still waits for a program that holds the node" kill -0 "$unbind"
    kill "$holder"
    check "$name: and goes on when that has ended" wait_for 15 ended "$unbind"
    note "$name: unbinding took $(($(now_ms) - began)) ms with a direct holder, who was ended after 3 s"
    echo "$device" >"$driver/bind"
    check "$name: the door comes back with the adapter" wait_for 10 test -S "/run/rgbroker/i2c-$bus"
    udevadm settle
}

# brokered NAME BUS ADDRESS OTHER ARGUMENT...: three times, with the same two client processes, one at each address
brokered()
{
    local name=$1 bus=$2 device driver began took times=() round way
    look_up "$bus"
    start_counter i2c-dev i2c-dev "$bus" "$3" "${@:5}"
    start_counter library library "$bus" "$4" "${@:5}"
    for round in 1 2 3; do
        check "$name: a broker serves the clients, round $round" \
            wait_for 10 systemctl --quiet is-active "rgbroker@$bus.service"
        pause 0.5
        began=$(now_ms)
        { echo "$device" >"$driver/unbind"; } &
        # who waits there cannot be killed, only helped
        wait_for 10 ended $! || systemctl kill --signal=KILL "rgbroker@$bus.service" "counter-*"
        took=$(($(now_ms) - began))
        times+=("$took")
        check "$name: unbinding its driver under two busy clients took less than 2 s, round $round" \
            test "$took" -lt 2000
        check "$name: its door is gone" wait_for 15 test ! -e "/run/rgbroker/i2c-$bus"
        pause 0.3
        echo "$device" >"$driver/bind"
        for way in i2c-dev library; do
            check "$name: the $way client works again" wait_for 10 works_again "$way" "$round"
        done
    done
    note "$name: unbinding took ${times[*]} ms with two busy clients of the broker"
    end_counter i2c-dev library
    for way in i2c-dev library; do
        note "$name: the $way client: $(failures "$way"), slowest call $(slowest "$way") ms"
        told=$(failures "$way")
        # On a busy host the chipset's own driver may time out once; that comes long before the client's deadline.
        if [[ $name == chipset ]] && (($(slowest "$way") < 9000)); then
            told=${told/% ETIMEDOUT=1/}
        fi
        expect_match "$name: the $way client was told ENODEV and nothing else" '^ENODEV=[0-9]+$' "$told"
    done
}

# a door of an admin's own, as docs/door.md has it
third_door()
{
    mkdir -p /run/systemd/system/rgbroker@.socket.d
    cat >/run/systemd/system/rgbroker-third@.socket <<'UNIT'
[Unit]
BindsTo=dev-i2c\x2d%i.device
After=dev-i2c\x2d%i.device
[Socket]
ListenSequentialPacket=/run/third-%i
Service=rgbroker@%i.service
RemoveOnStop=yes
UNIT
    printf '[Unit]\nWants=rgbroker-third@%%i.socket\n' >/run/systemd/system/rgbroker@.socket.d/third.conf
    systemctl daemon-reload
    systemctl start "rgbroker-third@$1.socket"
}

no_third_door()
{
    systemctl stop "rgbroker-third@$1.socket"
    rm -r /run/systemd/system/rgbroker-third@.socket /run/systemd/system/rgbroker@.socket.d
    systemctl daemon-reload
}

# back_at_once NAME BUS: while its doors are still being closed, as something that is bound to the bus takes its time
back_at_once()
{
    local name=$1 bus=$2 device driver before after
    local doors=("/run/rgbroker/i2c-$2" "/run/rgbroker/admin/i2c-$2" "/run/third-$2")
    inodes()
    {
        stat --format=%i "${doors[@]}"
    }
    all_are_new()
    {
        local now
        now=$(inodes) && [[ -z $(sort <<<"$before"$'\n'"$now" | uniq --repeated) ]]
    }
    look_up "$bus"
    third_door "$bus"
    # A unit that is After= a door is stopped before it.
    systemd-run --quiet --unit=slow-to-leave --property=RemainAfterExit=yes --property=ExecStop='sleep 3' \
        --property="BindsTo=dev-i2c\\x2d$bus.device" \
        --property="After=rgbroker@$bus.socket rgbroker-admin@$bus.socket rgbroker-third@$bus.socket" true
    before=$(inodes)
    echo "$device" >"$driver/unbind"
    echo "$device" >"$driver/bind"
    expect_eq "$name: back at once, its doors are those of before" "$before" "$(inodes)"
    check "$name: which are closed, and opened anew" wait_for 15 all_are_new
    after=$(inodes)
    udevadm settle
    pause 1
    expect_eq "$name: and stay so" "$after" "$(inodes)"
    check "$name: they lead to the bus" rgbroker-run i2cget -y "$bus" 0x40 2
    udevadm trigger --action=add --settle "/dev/i2c-$bus"
    pause 1
    expect_eq "$name: told of once more, they stay open" "$after" "$(inodes)"
    # the broker runs, which lets no door be opened
    rm "/run/udev/data/c89:$bus"
    before=$after
    udevadm trigger --action=add --settle "/dev/i2c-$bus"
    check "$name: forgotten by udev, and so taken for a new one, they are opened anew" wait_for 15 all_are_new
    no_third_door "$bus"
}

direct_holder 'rgbsim plain' "$(bus_named 'rgbsim plain')"
direct_holder 'chipset' "$(chipset_bus)"
back_at_once 'rgbsim plain' "$(bus_named 'rgbsim plain')"

brokered chipset "$(chipset_bus)" 0x50 0x51 1 20000 read
wire_begin plain
brokered 'rgbsim plain' "$(bus_named 'rgbsim plain')" 0x40 0x41 2 20000
judged 'through all of it, nothing was lost or done twice for the i2c-dev client' plain i2c-dev 0x40
judged 'nor for the library client' plain library 0x41
