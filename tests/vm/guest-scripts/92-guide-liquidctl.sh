#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 600
# documents: docs/liquidctl.md
#
# docs/liquidctl.md, typed.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

trap 'rm -rf /etc/rgbroker/devices /etc/systemd/system/lights.service; end_reader' EXIT
reader_machine || exit 1
block root 'adduser ada rgbroker'
block root 'modprobe ee1004'
block ada 'list'
block output 'Vengeance'
block ada 'ff4000'
expect_eq 'the module is lit' ff4000 "$(lit amd 0x58)"
expect_eq 'the card is lit' 2040ff "$(lit gpu 0x29)"
block file 'The colours of this machine'
block root 'enable --now'
expect_eq 'the service has lit the module' 00ff40 "$(lit amd 0x58)"
expect_eq 'and is there when the machine starts' enabled "$(systemctl is-enabled lights.service)"
block root 'ln -s'
expect_match 'the family is on' 'evga-pascal-gpu +active' "$(rgbrokerctl devices)"
block root 'deluser'
expect_eq 'nothing is left' '' "$(compgen -G '/etc/rgbroker/devices/*'; id -nG ada | grep -o rgbroker)"
