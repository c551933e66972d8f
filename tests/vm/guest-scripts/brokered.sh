# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Simulated adapters with brokers, for scripts that have lib.sh:
#
#   . "${0%/*}/lib.sh"
#   . "${0%/*}/brokered.sh"
#   check 'there are simulated buses with doors' brokered_rgbsim || exit 1
#   trap end_brokered_rgbsim EXIT
#
# "rgbsim chipset", "rgbsim amd", "rgbsim ddr5" and their likes get class smbus and what is shipped for that,
# the simulated cards' class gpu; "rgbsim plain" and its likes get class custom and a device file that allows
# everything.

sim_rule=/run/udev/rules.d/50-rgbsim.rules
sim_devices=/etc/rgbroker/devices/rgbsim-plain.conf

# The file that allows everything on "rgbsim plain"
allow_plain()
{
    mkdir -p "${sim_devices%/*}"
    cat >"$sim_devices" <<'DEVICE'
[Device]
Description=A plain register chip
BusClass=custom
Adapter=rgbsim plain*
Address=0x10-0x6f
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
}

# brokered_rgbsim [PARAMETER=VALUE...]: fresh adapters (see rgbsim.c), each with open doors and no broker yet
brokered_rgbsim()
{
    mkdir -p "${sim_rule%/*}"
    cat >"$sim_rule" <<'RULES'
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim chipset*", ENV{RGBROKER_CLASS}="smbus"
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim amd*|rgbsim ddr5*", ENV{RGBROKER_CLASS}="smbus"
SUBSYSTEM=="i2c-dev", ATTR{name}=="NVIDIA i2c adapter*", ENV{RGBROKER_CLASS}="gpu"
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim plain*", ENV{RGBROKER_CLASS}="custom"
RULES
    allow_plain
    udevadm control --reload && stop_sim_brokers && load_rgbsim "$@" && wait_for_doors
}

end_brokered_rgbsim()
{
    stop_sim_brokers
    unload_rgbsim
    rm -f "$sim_rule" "$sim_devices"
    udevadm control --reload
}

# The numbers of all simulated adapters
sim_buses()
{
    grep -ls -e '^rgbsim' -e '^NVIDIA i2c adapter' /sys/bus/i2c/devices/i2c-*/name | sed 's,/name$,,; s,.*/i2c-,,'
}

wait_for_doors()
{
    local bus
    for bus in $(sim_buses); do
        wait_for 10 test -S "/run/rgbroker/i2c-$bus" -a -S "/run/rgbroker/admin/i2c-$bus" || return
    done
}

# A running broker holds its adapter's module, and has read its device files.
# (What systemctl says is that their doors could start them again.)
stop_sim_brokers()
{
    local bus units=()
    for bus in $(sim_buses); do
        units+=("rgbroker@$bus.service")
    done
    ((${#units[@]} == 0)) || systemctl stop --quiet "${units[@]}" 2>/dev/null
}

# as_service COMMAND...: what a unit without any privilege runs, its output and its status
as_service()
{
    systemd-run --quiet --wait --pipe --collect -p DynamicUser=yes -p PrivateDevices=yes -p Group=rgbroker "$@"
}

# nobody COMMAND...: the same, by the launcher
nobody()
{
    as_service rgbroker-run "$@"
}

broker_pid()
{
    systemctl show --property=MainPID --value "rgbroker@$1.service"
}

# bind_modules BUS DRIVER SLOT...: the kernel's driver is told what is in the slots; brokers see it when they start
bind_modules()
{
    local bus=$1 driver=$2 slot
    shift 2
    modprobe "$driver"
    for slot in "$@"; do
        echo "$driver" "0x5$slot" >"/sys/bus/i2c/devices/i2c-$bus/new_device"
        check "$driver has the module at 0x5$slot" wait_for 15 test -e "/sys/bus/i2c/devices/$bus-005$slot/eeprom"
    done
    stop_sim_brokers
}

# A bound driver would hold the adapter's module.
release_modules()
{
    local at
    for at in /sys/bus/i2c/drivers/{ee1004,spd5118}/*-005[0-7]; do
        [[ ! -e $at ]] || echo "0x${at: -2}" >"$(realpath "$at")/../delete_device"
    done
}
