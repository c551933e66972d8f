/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy for one adapter, from all files that count. */
#include "policy/config.h"
#include "policy/parse.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int load_devices(
	struct policy *policy, const char *const *folders, config_problem problem, void *userdata)
{
	struct config_entry *entries = config_find(folders, "devices");
	int r = entries ? 0 : -errno;

	for (struct config_entry *entry = entries; entry && entry->name; entry++) {
		struct device *device = device_load(entry->name, entry->files, problem, userdata);

		if (!device)
			continue;
		if (!device_matches(device, &policy->adapter)) {
			device_free(device);
		} else if (policy->n_devices == POLICY_DEVICES_MAX) {
			problem(userdata, device->file, 0, "more than 64 families on one bus");
			device_free(device);
		} else {
			policy->devices[policy->n_devices++] = device;
		}
	}
	config_free(entries);
	return r;
}

static int load_doors(
	struct policy *policy, const char *const *folders, config_problem problem, void *userdata)
{
	struct config_entry *entries = config_find(folders, "doors");
	int r = entries ? 0 : -errno;

	for (struct config_entry *entry = entries; entry && entry->name; entry++) {
		struct door door;

		if (policy->n_doors == POLICY_DOORS_MAX)
			problem(userdata, entry->files[0], 0, "more than 16 doors");
		else if (door_load(&door, entry->name, entry->files, policy, problem, userdata))
			policy->doors[policy->n_doors++] = door;
	}
	config_free(entries);
	return r;
}

int policy_load(struct policy *ret_policy, const struct adapter *adapter,
	const char *const *folders, config_problem problem, void *userdata)
{
	int r;

	if (!folders)
		folders = config_folders;
	*ret_policy = (struct policy){.adapter = *adapter};
	r = load_devices(ret_policy, folders, problem, userdata);
	return r < 0 ? r : load_doors(ret_policy, folders, problem, userdata);
}

void policy_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_devices; i++)
		device_free(policy->devices[i]);
	for (size_t i = 0; i < policy->n_doors; i++)
		free(policy->doors[i].name);
	*policy = (struct policy){0};
}

/* --- doors --- */

struct door_reading {
	struct door door;
	bool transfer, inspect, release; /* given */
	const struct policy *policy;
};

/* Families by glob over their names: those of this bus. */
static const char *add_devices(struct door_reading *reading, const char *value)
{
	char copy[256], *save = NULL;

	if (strlen(value) >= sizeof(copy))
		return "line too long";
	strcpy(copy, value);
	for (char *glob = strtok_r(copy, " ", &save); glob; glob = strtok_r(NULL, " ", &save))
		for (unsigned i = 0; i < reading->policy->n_devices; i++)
			if (fnmatch(glob, reading->policy->devices[i]->name, 0) == 0)
				reading->door.devices |= UINT64_C(1) << i;
	return NULL;
}

static const char *set_transfer(struct door_reading *reading, const char *value)
{
	static const char *const names[] = {"nothing", "read-only", "read-write"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			reading->door.transfer = (enum door_transfer)i;
			return NULL;
		}
	}
	return "Transfer= is nothing, read-only or read-write";
}

static bool once(bool *given)
{
	bool first = !*given;

	*given = true;
	return first;
}

static const char *door_key(
	void *userdata, const char *section, const char *key, const char *value, int line)
{
	static const char *const twice = "given twice";
	struct door_reading *reading = userdata;

	if (strcmp(section, "Door") != 0)
		return "unknown section ([Door])";
	if (!key)
		return NULL;
	if (strcmp(key, "Transfer") == 0)
		return once(&reading->transfer) ? set_transfer(reading, value) : twice;
	if (strcmp(key, "Inspect") == 0)
		return once(&reading->inspect) ? parse_bool(value, &reading->door.inspect) : twice;
	if (strcmp(key, "Release") == 0)
		return once(&reading->release) ? parse_bool(value, &reading->door.release) : twice;
	if (strcmp(key, "Devices") == 0)
		return add_devices(reading, value);
	return "unknown key in [Door] (Transfer, Inspect, Release, Devices)";
}

bool door_load(struct door *ret_door, const char *name, char *const *files,
	const struct policy *policy, config_problem problem, void *userdata)
{
	struct door_reading reading = {.policy = policy};
	bool good = true;

	for (char *const *file = files; *file; file++) {
		/* A drop-in may say otherwise; one file may not. */
		reading.transfer = reading.inspect = reading.release = false;
		good &= config_read(*file, door_key, &reading, problem, userdata);
	}
	if (!good)
		return false;
	reading.door.name = strdup(name);
	if (!reading.door.name) {
		problem(userdata, files[0], 0, "out of memory");
		return false;
	}
	*ret_door = reading.door;
	return true;
}
