#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: boards
# machine: pc
# timeout: 240
#
# OpenRGB looks for buses once, when it starts. One whose driver is loaded later is lit all the same, one that goes
# away stops nobody, and after sleep all of them are lit again.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/openrgb.sh"

cleanup()
{
    systemctl stop --quiet openrgb.service
    rm -rf /etc/systemd/system/openrgb.service /usr/local/bin/openrgb /var/lib/private/rgbroker-openrgb /var/lib/rgbroker-openrgb \
        /var/lib/rgbroker
    systemctl daemon-reload
    end_brokered_rgbsim
}
trap cleanup EXIT

install_stand_in
upstream_unit >/etc/systemd/system/openrgb.service
systemctl daemon-reload
check 'there are a board and a card' brokered_rgbsim chipset=0 plain=0 amd=1 gpu=1 || exit 1
card_driver=/sys/bus/platform/drivers/rgbsim-card
echo rgbsim-gpu.0 >"$card_driver/unbind"
has_leds()
{
    [[ $(ask leds) == "$1" ]]
}
# the server that answers is a new one, and has them all
once_more()
{
    [[ $(restarts) -gt $started ]] && has_leds 3
}
quiet()
{
    [[ $(systemctl is-active rgbroker-openrgb-refresh.timer) != active || \
        $(systemctl show --property=SubState --value rgbroker-openrgb-refresh.timer) == elapsed ]] &&
        [[ $(systemctl is-active rgbroker-openrgb-refresh.service) == inactive ]]
}

# ---- a driver that is loaded ten seconds after the server was started ----

check 'the server starts without the card' systemctl start openrgb.service
expect_eq 'and lights the board' '2 303030' "$(ask light 303030) $(colours amd)"
check 'doors that were open before bring nobody back' wait_for 30 quiet
started=$(restarts)
pause 10
expect_eq 'it was started once' "$started" "$(restarts)"
echo rgbsim-gpu.0 >"$card_driver/bind"
began=${EPOCHREALTIME/[.,]/}
check 'ten seconds later the card comes, and is found' wait_for 60 has_leds 3
note "$(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms until it was"
expect_eq 'it lights up as the profile says' 303030 "$(colours gpu)"
expect_eq 'for which the server was started once more' $((started + 1)) "$(restarts)"

# Many in a row are one reason to look again, and no reason to look no more.
started=$(restarts)
for _ in {1..12}; do
    echo rgbsim-gpu.0 >"$card_driver/unbind"
    echo rgbsim-gpu.0 >"$card_driver/bind"
    pause 0.4
done
check 'after twelve goings and comings it is there' wait_for 60 once_more
check 'and all is quiet' wait_for 60 quiet
count=$(($(restarts) - started))
check "which took $count starts, fewer than comings" test "$count" -ge 1 -a "$count" -lt 12

# ---- gone, and back ----

ask light 005050 >/dev/null
echo rgbsim-gpu.0 >"$card_driver/unbind"
expect_eq 'a card that is gone takes nothing with it' '2 600060' "$(ask light 600060) $(colours amd)"
expect_eq 'the server runs on' active "$(systemctl is-active openrgb.service)"
started=$(restarts)
echo rgbsim-gpu.0 >"$card_driver/bind"
check 'when it is back it is found' wait_for 60 once_more
expect_eq 'and lit' 600060 "$(colours gpu)"
check 'all is quiet' wait_for 60 quiet

# ---- sleep ----

# Without power the simulated controllers forget everything, as real ones do.
slept_ms()
{
    python3 -c 'from time import *; print(int((clock_gettime(CLOCK_BOOTTIME) - clock_gettime(CLOCK_MONOTONIC)) * 1000))'
}
slept=$(slept_ms)
started=$(restarts)
echo 0 >/sys/class/rtc/rtc0/wakealarm
echo +4 >/sys/class/rtc/rtc0/wakealarm
check 'the machine goes to sleep, and wakes up' timeout 60 systemctl suspend
has_slept()
{
    (($(slept_ms) > slept))
}
check 'its clocks say so' wait_for 60 has_slept
note "it slept for $(($(slept_ms) - slept)) ms ($(</sys/power/mem_sleep))"
check 'awake, the server looks again' wait_for 60 once_more
expect_eq 'and lights all as the profile says' '600060 600060' "$(colours amd) $(colours gpu)"
