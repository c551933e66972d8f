#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/door.md
#
# docs/door.md, typed: a door through which memory modules are lit, and no cards.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

trap end_reader EXIT
reader_machine || exit 1

light()
{
    as ada env RGBROKER_SOCKET_DIR=/run/rgbroker-memory rgbroker-run i2cset -y "$@" 2>&1
}

block file '[Door]'
block file 'ListenSequentialPacket'
block file 'Sockets='
block file 'Wants='
block root 'groupadd memory'
block ada 'read_byte'
block output 'allowed'
block ada 'RGBROKER_SOCKET_DIR'
block output '0x0c'
block ada_fails 'rgbroker-run i2cget -y 4 0x50 2'
block output 'Permission denied'
check 'a memory module is written to through it' light 4 0x70 0x00 0x2080 w
systemctl restart rgbroker@5.socket
check "with a bus's first door it opens by itself" wait_for 10 test -S /run/rgbroker-memory/i2c-5
sim_log_clear gpu
check_fails 'a card is not' light 5 0x29 0x04 0x10
expect_eq 'nothing of it on the wire' '' "$(sim_log gpu | awk '$3 == "W" && length($5) > 2')"
expect_match 'told under the name of the door' 'at door memory: refused write byte_data 0x04 at 0x29' \
    "$(journalctl --quiet --boot -o cat RGBROKER_DOOR=memory)"
block root 'groupdel'
check_fails 'nothing is left of it' compgen -G '/run/rgbroker-memory/*'
