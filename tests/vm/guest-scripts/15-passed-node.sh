#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
#
# A broker that is handed its bus as an open descriptor, named "bus" or as standard input, opens no node itself.
. "${0%/*}/lib.sh"

bus=$(chipset_bus)
cat >launch.py <<'PYTHON'
import os, socket, sys
bus, node, where = sys.argv[1:4]
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
door.bind(f"i2c-{bus}")
door.listen(4)
os.dup2(os.open(node, os.O_RDWR), 12)
os.dup2(door.fileno(), 11)
os.dup2(11, 3)
os.dup2(12, 4 if where == "named" else 0)
names = "rgb:bus" if where == "named" else "rgb"
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names.split(":"))), LISTEN_FDNAMES=names)
os.execv("/usr/libexec/rgbroker/rgbrokerd", ["rgbrokerd", "--bus", bus])
PYTHON

for where in named stdin; do
    strace -f -e trace=openat,open -o opened python3 launch.py "$bus" "/dev/i2c-$bus" "$where" 2>told &
    broker=$!
    check "$where: the broker listens" wait_for 10 grep -q 'device families' told
    truth=$(i2cget -y "$bus" 0x50 0x02)
    expect_eq "$where: it serves the bus it was handed" "$truth" \
        "$(RGBROKER_SOCKET_DIR=$PWD rgbroker-run i2cget -y "$bus" 0x50 0x02)"
    expect_eq "$where: the node was opened once, by who handed it over" 1 "$(grep -c "\"/dev/i2c-$bus\"" opened)"
    pkill rgbrokerd
    wait "$broker"
    rm "i2c-$bus"
done

modprobe i2c-stub chip_addr=0x50
for wrong in /dev/null "/dev/i2c-$(bus_number 'SMBus stub driver')"; do
    python3 launch.py "$bus" "$wrong" named 2>told
    expect_eq "handed $wrong, it ends" 1 $?
    expect_match 'and says why' "descriptor 4 was passed as the bus, but is not /dev/i2c-$bus" "$(cat told)"
    rm "i2c-$bus"
done
rmmod i2c-stub
