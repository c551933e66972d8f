#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 400
# documents: docs/program.md
#
# docs/program.md, typed: the programs are built and light.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/documents.sh"

trap 'rm -f /usr/local/bin/colour /etc/systemd/system/colour.service; end_reader' EXIT
reader_machine || exit 1
adduser --quiet ada rgbroker
block file 'int main'
block ada 'cc -Wall'
expect_eq 'the compiler has nothing to say' '' "$printed"
expect_eq 'the module is lit' ff4000 "$(lit amd 0x70)"
block ada_fails './colour 5'
block output 'no device file'
block file 'import smbus'
block ada 'colour.py'
expect_eq 'Python has lit it' 00ff40 "$(lit amd 0x70)"
block file 'DynamicUser'
block root 'colour.service'
expect_eq 'a service has lit it' 4000ff "$(lit amd 0x70)"
