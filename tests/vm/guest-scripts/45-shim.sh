#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# suite: both
# timeout: 120
#
# The same program, which knows i2c-dev only, as root on the node and as nobody under the shim: fork, vfork,
# exec, dup, close_range, threads, read() and write(), access() and stat(), and thousands of opens.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

work=$(mktemp -d) || exit 1
trap 'end_brokered_rgbsim; rm -rf "$work"' EXIT
check 'there are simulated buses with doors' brokered_rgbsim || exit 1
bus=$(bus_named 'rgbsim plain')
node=/dev/i2c-$bus
program=$tests/i2c-program

# both NAME ARGUMENT...: its reports NAME.direct and NAME.shim, and what either put on the wire, in files
both()
{
    local name=$1
    shift
    sim_log_clear plain
    "$program" "$node" "$@" >"$work/$name.direct" 2>&1
    expect_eq "$name: directly, the program ends well" 0 $?
    sim_log plain >"$work/$name.direct.wire"
    sim_log_clear plain
    nobody "$program" "$node" "$@" >"$work/$name.shim" 2>&1
    expect_eq "$name: under the shim, the program ends well" 0 $?
    sim_log plain >"$work/$name.shim.wire"
}

same()
{
    local what=$1 difference
    if difference=$(diff "$2" "$3"); then
        ok "$what"
    else
        not_ok "$what" "directly <, under the shim >" "$difference"
    fi
}

# ---- everything that one program and its children do ----

both all
note "$(wc -l <"$work/all.direct") results, $(wc -l <"$work/all.direct.wire") messages on the wire"
same 'every result is the same' "$work/all.direct" "$work/all.shim"
same 'and so is every message on the wire' "$work/all.direct.wire" "$work/all.shim.wire"
check 'among them some from beyond vfork and exec' grep -q '^vfork and exec: ended with: 7' "$work/all.shim"

both threads threads
same '8 threads find nothing wrong' "$work/threads.direct" "$work/threads.shim"
expect_eq 'nor did they directly' '' "$(grep -v ': 0$' "$work/threads.direct")"
same 'they have sent the same, in whatever order' \
    <(sort "$work/threads.direct.wire") <(sort "$work/threads.shim.wire")

# ---- what 2,000 opens and closes leave behind ----

holdings()
{
    local pid=$1 files=("/proc/$1/fd"/*)
    echo "${#files[@]} descriptors, $(awk '/^VmData/ { print $2 }' "/proc/$pid/status") kB"
}

nobody "$program" "$node" reopen 100 >/dev/null
pid=$(broker_pid "$bus")
before=$(holdings "$pid")
both reopen reopen 2000
expect_eq 'the program has kept nothing of 2,000 opens' \
    'failed: 0 descriptors more: 0 kB of memory more: 0' "$(paste -sd ' ' "$work/reopen.shim")"
expect_eq 'neither has the broker' "$before" "$(holdings "$pid")"
note "the broker has $before, before and after"
expect_eq 'which is still the same process' "$pid" "$(broker_pid "$bus")"

# ---- a program that has nothing to do with I2C ----

# Opens, reads, stats, forks and execs, as many times as told.
bystander()
{
    # shellcheck disable=SC2016 # the inner shell's
    echo 'for ((i = 0; i < '"$1"'; i++)); do [[ -e /etc/passwd && ! -w / ]]; read -r _ </etc/passwd; (:); done'
    echo 'exec sort /etc/group /etc/passwd'
}

# calls FILE WORD...: how often each system call was made, NAME COUNT; the words are for strace
calls()
{
    local file=$1
    shift
    strace -f -c -U calls,name -o "$file.table" "$@" >"$file.output" 2>&1 </dev/null
    awk '$1 ~ /^[0-9]+$/ && $2 != "total" { print $2, $1 }' "$file.table" | sort >"$file"
}

# more OF THAN: the calls of which one has more or less than the other
more()
{
    join -a 1 -a 2 -e 0 -o 0,1.2,2.2 "$1" "$2" | awk '$2 != $3 { print $1, $2 - $3 }'
}

shim=$(sed -n "s/^shim='\\(.*\\)'$/\\1/p" /usr/bin/rgbroker-run)
check 'the launcher tells where the shim lies' test -f "$shim"
for rounds in 2 20; do
    calls "$work/without.$rounds" bash -c "$(bystander "$rounds")"
    calls "$work/with.$rounds" -E LD_PRELOAD="$shim" bash -c "$(bystander "$rounds")"
    more "$work/with.$rounds" "$work/without.$rounds" >"$work/more.$rounds"
done
same 'a program without I2C says the same under the shim' "$work/without.20.output" "$work/with.20.output"
note "system calls more: $(paste -sd ',' "$work/more.20")"
same 'what its loader does more is all, however much the program does' "$work/more.2" "$work/more.20"
