/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What units were given, and whether the kernel itself guards the memory modules. */
#include "ctl/audit.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SYSTEMD "org.freedesktop.systemd1"

/* ---- units ---- */

/* "/dev/i2c-4" or "char-i2c", or the latter in part: not "char-*", which names nobody's devices. */
static bool names_i2c(const char *device)
{
	return strncmp(device, "/dev/i2c", 8) == 0 ||
	       (strncmp(device, "char-i", 6) == 0 && fnmatch(device, "char-i2c", 0) == 0);
}

/* The first device of the unit's list that is ours, into a buffer. */
static bool find_allowed(sd_bus *bus, const char *path, char *buffer, size_t size)
{
	sd_bus_message *reply = NULL;
	const char *device, *rights;
	bool found = false;

	if (sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Service", "DeviceAllow", NULL, &reply,
		    "a(ss)") >= 0 &&
		sd_bus_message_enter_container(reply, 'a', "(ss)") >= 0) {
		while (!found && sd_bus_message_read(reply, "(ss)", &device, &rights) > 0) {
			found = names_i2c(device);
			snprintf(buffer, size, "%s %s", device, rights);
		}
	}
	sd_bus_message_unref(reply);
	return found;
}

static bool has_group(sd_bus *bus, const char *path)
{
	char *group = NULL, **others = NULL;
	bool found;

	sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Service", "Group", NULL, &group);
	sd_bus_get_property_strv(
		bus, SYSTEMD, path, SYSTEMD ".Service", "SupplementaryGroups", NULL, &others);
	found = group && strcmp(group, NODE_GROUP) == 0;
	for (char **other = others; other && *other; other++) {
		found = found || strcmp(*other, NODE_GROUP) == 0;
		free(*other);
	}
	free(others);
	free(group);
	return found;
}

static void look_at_unit(struct audit *audit, const char *unit, const char *path)
{
	const struct entry may = {.severity = NOTE, .kind = "unit"};
	const struct entry is = {.severity = FINDING, .kind = "unit-group"};
	const char *end = strrchr(unit, '.');
	json_object *object;
	char device[256];

	if (!end || strcmp(end, ".service") != 0 || strncmp(unit, "rgbroker@", 9) == 0)
		return;
	if (find_allowed(audit->systemd, path, device, sizeof(device))) {
		object = audit_add(audit, &may,
			"%s has DeviceAllow=%s: it may use what its user may open", unit, device);
		audit_text(object, "unit", unit);
	}
	if (has_group(audit->systemd, path)) {
		object = audit_add(audit, &is,
			"%s runs in the group " NODE_GROUP ", which may open every locked node; "
			"take Group= or SupplementaryGroups= out of it and start it again",
			unit);
		audit_text(object, "unit", unit);
		audit_close(object, "systemctl disable --now '%s'", unit);
	}
}

static void look_at_units(struct audit *audit, sd_bus_message *reply)
{
	const char *unit, *path;

	if (sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0)
		return;
	while (sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, NULL, NULL, NULL,
		       &path, NULL, NULL, NULL) > 0)
		look_at_unit(audit, unit, path);
}

void audit_units(struct audit *audit)
{
	sd_bus_message *reply = NULL;

	if (!audit->systemd)
		return;
	if (sd_bus_call_method(audit->systemd, SYSTEMD, "/org/freedesktop/systemd1",
		    SYSTEMD ".Manager", "ListUnits", NULL, &reply, NULL) < 0)
		audit_unseen(audit, "the units (systemd does not list them)");
	else
		look_at_units(audit, reply);
	sd_bus_message_unref(reply);
}

/* ---- memory modules ---- */

static bool has_driver(unsigned bus, unsigned address)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/i2c/devices/%u-%04x/driver", bus, address);
	return access(path, F_OK) == 0;
}

static bool is_guarded(const struct adapter *adapter)
{
	for (unsigned address = 0x50; address <= 0x57; address++)
		if (has_driver(adapter->number, address))
			return true;
	return false;
}

static bool list_has(const char *list, const char *module)
{
	struct utsname kernel;
	char path[512], wanted[64], line[4096];
	bool found = false;
	FILE *file;

	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/%s", kernel.release, list);
	snprintf(wanted, sizeof(wanted), "/%s.ko", module);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, wanted) != NULL;
	}
	if (file)
		fclose(file);
	return found;
}

static bool kernel_has(const char *module)
{
	return list_has("modules.dep", module) || list_has("modules.builtin", module);
}

/* What the firmware says, as udev has read it. */
static const char *memory_type(struct audit *audit, char *buffer, size_t size)
{
	struct udev_device *machine =
		udev_device_new_from_subsystem_sysname(audit->udev, "dmi", "id");

	snprintf(buffer, size, "unknown");
	for (unsigned module = 0; machine && module < 16; module++) {
		char key[40];
		const char *type;

		snprintf(key, sizeof(key), "MEMORY_DEVICE_%u_TYPE", module);
		type = udev_device_get_property_value(machine, key);
		if (type && strncmp(type, "DDR", 3) == 0)
			snprintf(buffer, size, "%s", type);
	}
	udev_device_unref(machine);
	return buffer;
}

/* The module for that type, NULL if this kernel has none. DDR4's is not to be put onto DDR5. */
static const char *find_module(const char *type)
{
	bool unknown = strcmp(type, "unknown") == 0;

	if ((unknown || strstr(type, "DDR4")) && kernel_has("ee1004"))
		return "ee1004";
	if ((unknown || strstr(type, "DDR5")) && kernel_has("spd5118"))
		return "spd5118";
	return NULL;
}

static void advise(struct audit *audit, const struct adapter *adapter, const char *module)
{
	const struct entry entry = {.severity = ADVICE, .kind = "spd", .adapter = adapter};
	json_object *object = audit_add(audit, &entry,
		"no kernel driver has an SPD here (0x50-0x57): not bound. If memory modules are on "
		"this bus, nothing but the broker keeps their SPD from being written, and devices "
		"known by their module's maker stay closed. %s%s",
		module ? "For each module, at its address, bind "
		       : "This kernel has no driver for it",
		module ? module : "");

	if (module)
		audit_close(object,
			"modprobe %s && echo %s 0x50 >/sys/bus/i2c/devices/i2c-%u/new_device",
			module, module, adapter->number);
}

void audit_spd(struct audit *audit)
{
	const char *module;
	char type[32];

	module = find_module(memory_type(audit, type, sizeof(type)));
	/* Where modules are guarded is where they are; a chipset has other buses of the kind. */
	for (size_t i = 0; i < audit->n_adapters; i++)
		if (audit->adapters[i].class == BUS_SMBUS && is_guarded(&audit->adapters[i]))
			return;
	for (size_t i = 0; i < audit->n_adapters; i++)
		if (audit->adapters[i].class == BUS_SMBUS)
			advise(audit, &audit->adapters[i], module);
}
