#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
#
# A broker that is handed its bus as an open descriptor named "bus" opens no node itself.
. "${0%/*}/lib.sh"

bus=$(chipset_bus)
cat >launch.py <<'PYTHON'
import os, socket, sys
bus, node = sys.argv[1:3]
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
door.bind(f"i2c-{bus}")
door.listen(4)
os.dup2(os.open(node, os.O_RDWR), 12)
os.dup2(door.fileno(), 11)
os.dup2(11, 3)
os.dup2(12, 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="rgb:bus")
os.execv("/usr/libexec/rgbroker/rgbrokerd", ["rgbrokerd", "--bus", bus])
PYTHON

strace -f -e trace=openat,open -o opened python3 launch.py "$bus" "/dev/i2c-$bus" 2>told &
broker=$!
check "the broker listens" wait_for 10 grep -q 'device families' told
truth=$(i2cget -y "$bus" 0x50 0x02)
expect_eq "it serves the bus it was handed" "$truth" \
    "$(RGBROKER_SOCKET_DIR=$PWD rgbroker-run i2cget -y "$bus" 0x50 0x02)"
expect_eq "the node was opened once, by who handed it over" 1 "$(grep -c "\"/dev/i2c-$bus\"" opened)"
pkill rgbrokerd
wait "$broker"

rm "i2c-$bus"
python3 launch.py "$bus" /dev/null 2>told
expect_eq "handed something else, it ends" 1 $?
expect_match "and says why" "Inappropriate ioctl for device" "$(cat told)"
