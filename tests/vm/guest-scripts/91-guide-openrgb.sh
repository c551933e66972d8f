#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# machine: pc
# guest: guides
# timeout: 600
# documents: docs/openrgb.md
#
# docs/openrgb.md, typed: an OpenRGB with a unit of its own, one without, and what can be set.
. "${0%/*}/lib.sh"
. "${0%/*}/brokered.sh"
. "${0%/*}/openrgb.sh"
. "${0%/*}/documents.sh"

unit_dir=/etc/systemd/system

cleanup()
{
    systemctl unmask --quiet rgbroker-openrgb-sdk.socket
    systemctl stop --quiet openrgb.service rgbroker-openrgb.service rgbroker-openrgb-sdk.socket 2>/dev/null
    systemctl disable --quiet rgbroker-openrgb.service 2>/dev/null
    rm -rf "$unit_dir"/openrgb.service{,.d} /usr/local/bin/openrgb /etc/openrgb \
        /var/lib/private/rgbroker-openrgb /var/lib/rgbroker-openrgb /var/lib/rgbroker
    systemctl daemon-reload
    end_reader
}
trap cleanup EXIT

property()
{
    systemctl show --property="$1" --value openrgb.service
}

reader_machine || exit 1
install_stand_in
mkdir -p /etc/openrgb
echo 101010 >/etc/openrgb/stand-in.orp
upstream_unit >"$unit_dir/openrgb.service"
systemctl daemon-reload
block root 'enable --now openrgb.service'
ask leds >/dev/null
expect_eq 'it lights the profile it had' 101010 "$(lit amd 0x70)"
expect_eq 'without root, without a device' 'yes yes' "$(property DynamicUser) $(property PrivateDevices)"
systemctl disable --quiet --now openrgb.service
rm "$unit_dir/openrgb.service"
systemctl daemon-reload
block root 'enable --now rgbroker-openrgb.service'
expect_match 'where it brought no unit, there is one, of the same name' '^[1-9]' "$(ask light 202020)"
expect_eq 'which lights' 202020 "$(lit amd 0x70)"
expect_eq 'openrgb.service' rgbroker-openrgb.service "$(property Id)"

systemctl stop openrgb.service
as ada mkdir -p .config/OpenRGB
echo 303030 | as ada tee .config/OpenRGB/Evening.orp >/dev/null
block root 'rgbroker-openrgb-migrate'
block root '60-usb.conf'
expect_eq 'it has devices besides' no "$(property PrivateDevices)"
block file 'OPENRGB_OPTIONS'
systemctl daemon-reload
systemctl restart openrgb.service
ask leds >/dev/null
expect_eq "what was ada's is lit, as its command line says" 303030 "$(lit amd 0x70)"
block file 'PrivateNetwork=no'
block root 'rgbroker-openrgb-sdk.socket'
expect_match 'it is in the network, with one address' '^no .*192\.0\.2\.7/32' "$(property PrivateNetwork) $(property IPAddressAllow)"
expect_match 'and serves the port by itself' '^[1-9]' "$(ask leds)"
expect_eq 'not systemd for it' inactive "$(systemctl is-active rgbroker-openrgb-sdk.socket)"

block root 'disable --now'
expect_eq 'it does not run any more' inactive "$(systemctl is-active openrgb.service)"
rm "$unit_dir"/openrgb.service.d/*.conf
upstream_unit >"$unit_dir/openrgb.service"
systemctl daemon-reload
systemctl start openrgb.service
block root '50-rgbroker.conf'
expect_eq 'it is as it came' 'no active' "$(property DynamicUser) $(systemctl is-active openrgb.service)"
