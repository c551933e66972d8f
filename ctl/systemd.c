/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd says of the units; anybody may ask it, and where nobody answers it is "unknown". */
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#define DESTINATION "org.freedesktop.systemd1"

struct systemd {
	sd_bus *bus; /* NULL: not asked yet */
};

struct systemd *systemd_open(void)
{
	return calloc(1, sizeof(struct systemd));
}

/*
 * Opened by the first question: whoever connects and says nothing for half a minute is hung up on
 * (dbus-daemon(1), auth_timeout), and monitor may have nothing to ask for hours. A connection that
 * one question finds lost, and so stays without an answer, is made again for the next.
 */
static sd_bus *connection(struct systemd *systemd)
{
	if (!systemd)
		return NULL;
	if (systemd->bus && sd_bus_is_open(systemd->bus) <= 0)
		systemd->bus = sd_bus_close_unref(systemd->bus);
	if (!systemd->bus && sd_bus_open_system(&systemd->bus) < 0)
		systemd->bus = NULL;
	return systemd->bus;
}

void systemd_close(struct systemd *systemd)
{
	if (systemd)
		sd_bus_flush_close_unref(systemd->bus);
	free(systemd);
}

const char *systemd_unit_state(struct systemd *systemd, const char *unit, char *buffer, size_t size)
{
	sd_bus *bus = connection(systemd);
	char *path = NULL, *state = NULL;

	snprintf(buffer, size, "unknown");
	if (bus && sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0 &&
		sd_bus_get_property_string(
			bus, DESTINATION, path, DESTINATION ".Unit", "SubState", NULL, &state) >= 0)
		snprintf(buffer, size, "%s", state);
	free(state);
	free(path);
	return buffer;
}

pid_t systemd_main_pid(struct systemd *systemd, const char *unit)
{
	sd_bus *bus = connection(systemd);
	uint32_t pid = 0;
	char *path = NULL;

	if (bus && sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0)
		sd_bus_get_property_trivial(
			bus, DESTINATION, path, DESTINATION ".Service", "MainPID", NULL, 'u', &pid);
	free(path);
	return (pid_t)pid;
}
