# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts beside this file start with:
#
#   #!/bin/bash
#   # machine: pc            pc (default), q35 or both
#   # suite: bookworm        bookworm (default) or both (see ./run)
#   # timeout: 60            seconds, 120 if not given
#   . "${0%/*}/lib.sh"
#
# They report one line per check; nothing but these lines is counted. A script that ends with a status other than
# 0, or without any check, counts as failed too.

# The bare shell of `run --command` takes commands as they are typed; scripts get no undefined variables.
[[ $0 == *.sh ]] && set -uo pipefail
# that is how --command gets here; the scripts it may start shall not
unset BASH_ENV

tests=/opt/rgbroker-tests
sim_debug=/sys/kernel/debug/rgbsim
PATH=$tests:$tests/bin:$PATH

# Checks may stand inside of functions whose output is taken; what they report still goes to the report.
exec 3>&1

ok()
{
    echo "ok - $1" >&3
}

# not_ok WHAT [DIAGNOSTIC...]
not_ok()
{
    echo "not ok - $1" >&3
    shift
    (($# == 0)) || printf '%s\n' "$@" | sed 's/^/# /' >&3
    return 1
}

note()
{
    printf '%s\n' "$*" | sed 's/^/#: /' >&3
}

# check WHAT COMMAND...: the command succeeds
check()
{
    local what=$1 output status
    shift
    output=$("$@" 2>&1) && { ok "$what"; return 0; }
    status=$?
    not_ok "$what" "$* ended with $status" "$output"
}

# check_fails WHAT COMMAND...: the command ends with another status than 0, and does exist
check_fails()
{
    local what=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    case $status in
        0) not_ok "$what" "$* succeeded" "$output" ;;
        126 | 127) not_ok "$what" "$* could not be run" "$output" ;;
        *) ok "$what" ;;
    esac
}

# expect_eq WHAT EXPECTED ACTUAL
expect_eq()
{
    if [[ $2 == "$3" ]]; then
        ok "$1"
    else
        not_ok "$1" "expected: $2" "got:      $3"
    fi
}

# expect_match WHAT REGEX ACTUAL
expect_match()
{
    if [[ $3 =~ $2 ]]; then
        ok "$1"
    else
        not_ok "$1" "expected a match of: $2" "got: $3"
    fi
}

# pause SECONDS: as sleep does, which as a process costs an emulated machine more than many a wait is long
exec {never}<> <(:)
pause()
{
    read -rt "$1" -u "$never"
    true
}

# wait_for SECONDS COMMAND...: until the command succeeds; silent
wait_for()
{
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        ((${EPOCHREALTIME/[.,]/} < end)) || return 1
        pause 0.2
    done
}

# A misspelt command must not pass unseen where its status is not looked at.
command_not_found_handle()
{
    not_ok "command $1 exists" "called from ${BASH_SOURCE[1]:-?} line ${BASH_LINENO[0]:-?}"
    return 127
}

# bus_number PREFIX: the number of the first adapter whose name begins so
bus_number()
{
    local dir
    for dir in /sys/bus/i2c/devices/i2c-*; do
        if [[ $(cat "$dir/name") == "$1"* ]]; then
            echo "${dir##*/i2c-}"
            return 0
        fi
    done
    return 1
}

# The number of the adapter of that very name: "rgbsim plain" is a prefix of "rgbsim plain 2".
bus_named()
{
    local name
    name=$(grep -lx -- "$1" /sys/bus/i2c/devices/i2c-*/name | head -n 1)
    name=${name%/name}
    [[ -n $name ]] && echo "${name##*/i2c-}"
}

# The chipset's own SMBus: PIIX4 on pc, I801 on q35.
chipset_bus()
{
    bus_number 'SMBus PIIX4 adapter' || bus_number 'SMBus I801 adapter'
}

# Whether brokers are passed their bus as an open descriptor (units/passed-bus.conf)
bus_is_passed()
{
    [[ $(systemctl show --property=StandardInput --value rgbroker@0.service) == file ]]
}

# load_rgbsim [PARAMETER=VALUE...]: fresh simulated adapters, in place of those there may be
load_rgbsim()
{
    unload_rgbsim && insmod "$tests/rgbsim.ko" "$@" && udevadm settle
}

# A program that still holds a node would make this wait for ever: ask for a refusal instead, and for a while.
unload_rgbsim()
{
    [[ ! -e /sys/module/rgbsim ]] || wait_for 10 rmmod rgbsim
}

# sim_log BUS: what the simulated wire saw, without sequence and time: I/N ADDRESS R|W RESULT BYTES
sim_log()
{
    awk '!/^#/ { print $3, $4, $5, $6, $7 }' "$sim_debug/$1/log"
}

sim_log_clear()
{
    echo >"$sim_debug/$1/log"
}

# ---- the kernel's own trace of what reached the adapters ----

trace_dir=/sys/kernel/tracing/instances/rgbroker

trace_start()
{
    mkdir -p "$trace_dir" &&
        echo 0 >"$trace_dir/tracing_on" &&
        echo 4096 >"$trace_dir/buffer_size_kb" &&
        echo >"$trace_dir/trace" &&
        echo 1 >"$trace_dir/events/smbus/enable" &&
        echo 1 >"$trace_dir/events/i2c/enable" &&
        echo 1 >"$trace_dir/tracing_on"
}

# trace_stop FILE [BUSNUMBER]: one line per SMBus transfer and I2C message, in the order they ended:
#
#   i2c-N 0xAA W|R OPERATION COMMAND BYTES RESULT     ("-" where there is none; block counts left out)
#   i2c-N 0xAA W|R msg BYTES RESULT
#
# Where the kernel emulates SMBus both are there: the messages, then the SMBus transfer they were for.
trace_stop()
{
    echo 0 >"$trace_dir/tracing_on"
    trace_normalise "${2:+i2c-$2}" <"$trace_dir/trace" >"$1"
}

# The kernel prints every adapter's transfers in order, those of different adapters mixed.
trace_normalise()
{
    awk -v only="$1" '
        function bytes(   text) {
            if (!match($0, /\[[0-9a-f-]*\]$/))
                return ""
            text = substr($0, RSTART + 1, RLENGTH - 2)
            gsub(/-/, "", text)
            return text
        }
        function field(name,   i) {
            for (i = at + 2; i <= NF; i++)
                if (index($i, name "=") == 1)
                    return substr($i, length(name) + 2)
            return ""
        }
        function dash(text) { return text == "" ? "-" : text }
        function chip() { return "0x" substr(field("a"), 2) }
        function smbus(   name, command, data) {
            name = tolower($(at + 5))
            data = kept[bus]
            if (name ~ /block/)
                data = substr(data, 3)
            command = "0x" substr("0" field("c"), length(field("c")))
            if (name == "quick" || (name == "byte" && $(at + 6) == "rd"))
                command = "-"
            print bus, chip(), $(at + 6) == "wr" ? "W" : "R", name, command, dash(data), field("res")
            delete kept[bus]
        }
        function messages(   i, result) {
            result = field("ret") < 0 ? field("ret") : 0
            for (i = 0; (bus, i) in way; i++) {
                print bus, whom[bus, i], way[bus, i], "msg", dash(data[bus, i]), result
                delete way[bus, i]
            }
        }
        {
            for (at = 1; at <= NF && $at !~ /^(smbus|i2c)_(read|write|reply|result):$/; at++);
            if (at > NF)
                next
            event = $at
            bus = $(at + 1)
            if (only != "" && bus != only)
                next
            number = substr($(at + 2), 2)
        }
        event == "smbus_read:" { kept[bus] = "" }
        event == "smbus_write:" || event == "smbus_reply:" { kept[bus] = bytes() }
        event == "smbus_result:" { smbus() }
        event == "i2c_read:" || event == "i2c_write:" {
            way[bus, number] = event == "i2c_read:" ? "R" : "W"
            whom[bus, number] = chip()
            data[bus, number] = bytes()
        }
        event == "i2c_reply:" { data[bus, number] = bytes() }
        event == "i2c_result:" { messages() }
    '
}
