#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# timeout: 500
#
# How long until a sleeping bus answers its first request? Beside it a program that only answers, activated by the
# same systemd in the same sandbox: what is more than that is the broker's own (its libraries, device files, udev
# look-ups, filter). Prints figures, and fails only if something could not be measured. By ./check bench.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"

unit_folder=/run/systemd/system
end()
{
    systemctl stop --quiet answer-only.socket answer-only.service
    rm -f "$unit_folder"/answer-only.*
    systemctl daemon-reload
    end_brokered_rgbsim
}

check 'there are simulated buses with doors' brokered_rgbsim chipset=0 plain=0 amd=1 || exit 1
trap end EXIT
# A bus that all shipped device files are read for
bus=$(bus_named 'rgbsim amd')
systemctl cat "rgbroker@$bus.service" | sed -e "s/%i/$bus/g" -e 's/^Type=.*/Type=simple/' \
    -e "s|^ExecStart=.*|ExecStart=$tests/answer-only|" -e '/^Sockets=/d' -e '/^\(BindsTo\|After\)=/d' >"$unit_folder/answer-only.service"
printf '%s\n' '[Socket]' 'ListenSequentialPacket=/run/answer-only' >"$unit_folder/answer-only.socket"
systemctl daemon-reload
check 'a program that only answers can be activated' systemctl start answer-only.socket
python3 -B "${0%/*}/cold_activation.py" "rgbroker@$bus.service=/run/rgbroker/i2c-$bus" \
    answer-only.service=/run/answer-only || not_ok 'both are measured'
