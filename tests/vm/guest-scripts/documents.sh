# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Types what documents say, out of the documents, as the reader they are for. For scripts that have lib.sh and
# brokered.sh, whose head names the documents (see tests/documents.py, which checks that none of their blocks is
# left out):
#
#   # documents: docs/off.md
#   . "${0%/*}/documents.sh"
#   trap end_reader EXIT
#   reader_machine || exit 1
#   block root 'systemctl mask'
#
# What a block printed is left in $printed.

documents=${tests:?}/documents
read -ra named < <(sed -n 's/^# documents: *//p' "$0")
work=$(mktemp -d)
chmod 755 "$work"
printed=''

# The machine of the documents: an SMBus, i2c-4, with memory modules of ENE and Corsair, a card of ASUS, i2c-5; i2c-0
# is the chipset's own, of i2c-1 to i2c-3 nothing is known.
reader_board=(chipset=0 plain=3 amd=1 gpu=1 amd_ene=0x70 amd_vengeance=0x58 maker=0x029e part=CMR16GX4M2C3000C15
    gpu_aura=0x29 gpu_device=0x1e07 gpu_subdevice=0x866a board_driver=i801_smbus card_driver=nvidia log_entries=20000)

# That, with rgbroker; and ada, who has no right to anything.
reader_machine()
{
    stop_sim_brokers
    simulated_rule
    udevadm control --reload
    check 'there is a board with a card' load_rgbsim "${reader_board[@]}" || return
    check 'their doors are open' wait_for 30 doors_open 4 5
    new_ada
}

# Simulated ones get the classes that their likes have by themselves.
simulated_rule()
{
    local rule=${sim_rule:?}
    mkdir -p "${rule%/*}"
    cat >"$rule" <<'RULES'
SUBSYSTEM=="i2c-dev", ATTR{name}=="rgbsim amd", ENV{RGBROKER_CLASS}="smbus"
SUBSYSTEM=="i2c-dev", ATTR{name}=="NVIDIA i2c adapter*", ENV{RGBROKER_CLASS}="gpu"
RULES
}

# doors_open BUS...
doors_open()
{
    local bus
    for bus; do
        test -S "/run/rgbroker/i2c-$bus" -a -S "/run/rgbroker/admin/i2c-$bus" || return
    done
}

new_ada()
{
    userdel --remove ada 2>/dev/null
    useradd --create-home --shell /bin/bash ada
}

end_reader()
{
    release_modules
    end_brokered_rgbsim
    userdel --remove ada 2>/dev/null
    rm -rf "$work"
}

# as USER COMMAND...: as after a login of that user now. Of the tests' own there is patience in the environment, with
# machines that are emulated on a busy one.
as()
{
    local home
    home=$(getent passwd "$1" | cut -d: -f6)
    env -i -C "$home" HOME="$home" USER="$1" LOGNAME="$1" SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
        RGBROKER_TIMEOUT_MS=120000 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        setpriv --reuid="$1" --regid="$1" --init-groups -- "${@:2}"
}

# typed USER: standard input, into a shell that stops at the first failure. What is asked (by apt), Enter answers.
typed()
{
    as "$1" bash -e -c "$(cat)" 2>&1 < <(yes '' 2>/dev/null)
}

# save PATH: standard input, as the reader's editor does
save()
{
    if [[ $1 == /* ]]; then
        mkdir -p "${1%/*}" && cat >"$1"
    else
        as ada tee "$1" >/dev/null
    fi
}

# show_printed: for the report
show_printed()
{
    [[ -z $printed ]] || printf '%s\n' "$printed" | sed 's/^/#   /' >&3
}

# block KIND TEXT: does what the block says, of that kind with that text (kinds: see tests/documents.py, "_" for " ")
block()
{
    local kind=${1//_/ } document path status first
    for document in "${named[@]}"; do
        python3 "$tests/documents.py" block "$documents/$document" "$kind" "$2" >"$work/block" 2>/dev/null && break
        document=''
    done
    if [[ -z $document ]]; then
        not_ok "there is a block '$kind' with '$2'"
        return
    fi
    path=$(head -n 1 "$work/block")
    sed -i 1d "$work/block"
    first=$(head -n 1 "$work/block" | cut -c -70)
    case $kind in
        root | 'root fails' | ada | 'ada fails')
            printed=$(typed "${kind%% *}" <"$work/block")
            status=$?
            if [[ $kind == *fails ]]; then
                check "$document: fails, as it says: $first" test "$status" -gt 0 -a "$status" -lt 126 || show_printed
            else
                expect_eq "$document: ${kind%% *} types: $first" 0 "$status" || show_printed
            fi
            ;;
        file) check "$document: $path is saved" save "$path" <"$work/block" ;;
        output)
            printf '%s\n' "$printed" >"$work/printed"
            check "$document: prints: $first" python3 "$tests/documents.py" same "$work/block" "$work/printed"
            ;;
        map) printed=$(<"$work/block") ;;
    esac
}

# program_that_lights PATH VALUE: a program by which all LEDs of the ENE controller have that byte for each colour
program_that_lights()
{
    cat >"$1" <<PROGRAM
#!/usr/bin/python3
import smbus
bus = smbus.SMBus(4)
bus.write_word_data(0x70, 0x00, 0x2080)
bus.write_byte_data(0x70, 0x01, 1)
for led in range(8):
    bus.write_word_data(0x70, 0x00, 3 * led << 8 | 0x81)
    bus.write_block_data(0x70, 0x03, [$2, $2, $2])
PROGRAM
    chmod 755 "$1"
}

# lit SIM ADDRESS: the colours that the LEDs of one controller have, each once
lit()
{
    awk -v at="$2" '$1 == at { print $3 }' "${sim_debug:?}/$1/leds" | sort -u | xargs
}
