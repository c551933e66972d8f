#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/sandbox.md
#
# docs/sandbox.md, typed.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

machine=/var/lib/machines/rgb

cleanup()
{
    umount "$machine"
    rm -rf "$machine" /run/rgb-machine
    end_reader
}
trap cleanup EXIT

reader_machine || exit 1
adduser --quiet ada rgbroker
sim_log_clear amd
block ada 'i2cdetect'
block output '70: 70'
check 'the scan was on the wire' eval 'sim_log amd | grep -q "0x70 R 0"'
block ada_fails '/dev/i2c-4'
block output 'No such file'
block ada 'LD_PRELOAD'
block output '0xc'
# the machine's own system, seen through an overlay, is the container's
modprobe overlay
mkdir -p "$machine" /run/rgb-machine/{upper,work}
check 'there is a container' mount -t overlay overlay \
    -o lowerdir=/,upperdir=/run/rgb-machine/upper,workdir=/run/rgb-machine/work "$machine"
systemd-id128 new >"$machine/etc/machine-id"
block root 'systemd-nspawn'
block output '0x0c'
