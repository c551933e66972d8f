# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # of lib.sh: tests, sim_debug
#
# Clients that go on while things go wrong, and the log of the wire as their judge. For scripts that have lib.sh
# and brokered.sh. See tests/vm/tools/counter.c for what such a client does.

counters=$(mktemp -d)

# start_counter NAME i2c-dev|library ARGUMENT...: reports into $counters/NAME; counter_deadline= is for its calls
start_counter()
{
    local name=$1 way=$2 as_unit
    shift 2
    as_unit=(systemd-run --quiet --collect --unit="counter-$name" -p DynamicUser=yes -p PrivateDevices=yes
        -p Group=rgbroker --setenv="RGBROKER_TIMEOUT_MS=${counter_deadline:-10000}"
        -p "StandardOutput=truncate:$counters/$name" -p "StandardError=append:$counters/$name")
    if [[ $way == i2c-dev ]]; then
        "${as_unit[@]}" rgbroker-run "$tests/counter-i2c-dev" "$@"
    else
        "${as_unit[@]}" "$tests/counter-library" "$@"
    fi
}

# end_counter NAME...: it finishes what it is at, and writes the end of its report
end_counter()
{
    systemctl stop "${@/#/counter-}" 2>/dev/null
}

end_counters()
{
    end_counter '*'
    rm -rf "$counters"
}

# How many of what kind: "ENODEV=12 EIO=1"
failures()
{
    awk '$1 == "failed" { count[$4]++ } END { for (kind in count) print kind "=" count[kind] }' "$counters/$1" |
        sort | paste -sd ' '
}

# The slowest call of all its threads, in milliseconds
slowest()
{
    awk '$1 == "done" && $4 > slowest { slowest = $4 } END { print slowest + 0 }' "$counters/$1"
}

# works_again NAME FAILURES: after having failed so often at least, it has succeeded
works_again()
{
    awk -v least="$2" '$1 == "failed" { failed++; again = 0 } $1 == "again" { again = 1 }
        END { exit !(failed >= least && again) }' "$counters/$1"
}

# ---- the log of a simulated wire, for longer than the adapter keeps it ----

wire_begin()
{
    sim_log_clear "$1"
    : >"$counters/$1.wire"
}

# Often enough: it holds 4096 messages.
wire_collect()
{
    grep -v '^#' "$sim_debug/$1/log" >>"$counters/$1.wire"
}

# judged WHAT SIMBUS COUNTER ADDRESS: nothing of what it was told had succeeded is missing, nothing is there twice
judged()
{
    local said
    wire_collect "$2"
    said=$(python3 "$(dirname "${BASH_SOURCE[0]}")/judge.py" "$counters/$3" "$counters/$2.wire" "$4")
    if ! grep -q '^problem' <<<"$said"; then
        ok "$1"
        note "$3: $said"
    else
        not_ok "$1" "$said"
    fi
}
