# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# OpenRGB's units with a stand-in for it, for scripts that have lib.sh and brokered.sh.

# install_stand_in: as a distribution's OpenRGB would lie there
install_stand_in()
{
    install -m 755 "${0%/*}/openrgb_stand_in.py" /usr/local/bin/openrgb
}

# openrgb.service as OpenRGB's own package has it, in what it says: as root, the whole of /dev, a folder of its own
upstream_unit()
{
    cat <<'UNIT'
[Unit]
Description=RGB server
After=network.target lm_sensors.service
[Service]
ExecStart=openrgb --server --config /etc/openrgb
Restart=always
RuntimeDirectory=openrgb
WorkingDirectory=/run/openrgb
ProtectSystem=strict
ProtectHome=true
PrivateDevices=false
ProtectKernelTunables=false
ProtectControlGroups=false
ReadWritePaths=/etc/openrgb
ReadWritePaths=/run/openrgb
Environment=XDG_CONFIG_HOME=/etc/openrgb
[Install]
WantedBy=multi-user.target
UNIT
}

# and as Arch has it
arch_unit()
{
    cat <<'UNIT'
[Unit]
Description=RGB server
After=network.target
[Service]
RemainAfterExit=no
ExecStart=openrgb --server --noautoconnect
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
}

# ask COMMAND...: of the one that serves now, or soon: until it does, connections are refused or closed
ask()
{
    python3 - "$*" <<'PYTHON'
import socket, sys, time
for _ in range(300):
    try:
        with socket.create_connection(("127.0.0.1", 6742), timeout=60) as server, server.makefile("rw") as lines:
            print(sys.argv[1], file=lines, flush=True)
            answer = lines.readline().strip()
            if answer:
                print(answer)
                sys.exit()
    except (ConnectionError, BrokenPipeError):
        pass
    time.sleep(0.1)
sys.exit("nobody serves")
PYTHON
}

# exposure UNIT: what systemd-analyze security makes of the running unit
exposure()
{
    systemd-analyze security --no-pager "$1" 2>/dev/null | sed -n 's/.*: \([0-9.]*\) [A-Z]*.*/\1/p'
}

# colours SIM: of all LEDs, each once
colours()
{
    awk '{ print $3 }' "${sim_debug:?}/$1/leds" | sort -u | xargs
}

# How often the service was started
restarts()
{
    journalctl --quiet --boot -o cat -u openrgb.service -u rgbroker-openrgb.service | grep -c '^Started'
}
