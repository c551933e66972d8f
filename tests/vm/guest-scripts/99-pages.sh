#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: SECURITY.md devices/README.md
#
# What else is to be typed, in pages that are no guides.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

trap 'rm -rf /etc/rgbroker/devices; end_reader' EXIT
reader_machine || exit 1

# ---- SECURITY.md: a call that the broker does not make is the end of it ----

nobody i2cget -y 4 0x50 2 >/dev/null
pid=$(broker_pid 4)
strace -qq -o /dev/null -p "$pid" -e trace=recvmsg -e inject=recvmsg:error=EPERM:syscall=getppid &
check 'another call takes the place of one' wait_for 10 grep -q 'TracerPid:.[1-9]' "/proc/$pid/status"
nobody i2cget -y 4 0x50 2 >/dev/null
check 'the broker is ended' wait_for 10 test ! -e "/proc/$pid"
block root 'journalctl'
expect_match 'the kernel tells the call' "pid=$pid .*syscall=110 " "$printed"

# ---- devices/README.md ----

block root 'msi-v1-gpu.conf /etc'
expect_match 'the family is on' 'msi-v1-gpu +active' "$(rgbrokerctl devices)"
block root 'rgbrokerctl lint'
