/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device files: one family of hardware each. See devices/README.md for the form. */
#include "policy/config.h"
#include "policy/parse.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const out_of_memory = "out of memory";

static const char *set_string(char **slot, const char *value)
{
	if (*slot)
		return "given twice";
	*slot = strdup(value);
	return *slot ? NULL : out_of_memory;
}

static const char *set_classes(struct device *device, const char *value)
{
	char copy[64], *save = NULL;

	if (strlen(value) >= sizeof(copy))
		return "line too long";
	strcpy(copy, value);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		enum bus_class class = bus_class_from_name(word);

		if (class == BUS_NONE)
			return "unknown class (smbus, gpu, custom)";
		device->classes |= 1U << class;
	}
	return NULL;
}

static const char *device_section(struct device *device, const char *key, const char *value)
{
	if (strcmp(key, "Description") == 0)
		return set_string(&device->description, value);
	if (strcmp(key, "Adapter") == 0)
		return set_string(&device->adapter, value);
	if (strcmp(key, "BusClass") == 0)
		return set_classes(device, value);
	if (strcmp(key, "Address") == 0)
		return parse_addresses(value, device->addresses);
	return "unknown key in [Device] (Description, BusClass, Adapter, Address)";
}

static const char *add_expectation(struct device *device, const char *key, const char *value)
{
	struct expectation expectation, *grown;
	const char *why;

	if (strcmp(key, "Expect") != 0)
		return "unknown key in [Recognise] (Expect)";
	if (strcmp(value, "none") == 0) {
		device->no_fingerprint = true;
		return NULL;
	}
	why = parse_expectation(value, &expectation);
	if (why)
		return why;
	grown = realloc(
		device->expectations, (device->n_expectations + 1) * sizeof(*device->expectations));
	if (!grown)
		return out_of_memory;
	device->expectations = grown;
	grown[device->n_expectations++] = expectation;
	return NULL;
}

static void rule_free(struct rule *rule)
{
	free(rule->file);
	free(rule->text);
}

/* What the reader of one file, or drop-in, is working on. */
struct device_reading {
	struct device *device;
	const char *file;
};

static const char *add_rule(struct device_reading *reading, bool after_recognition, const char *key,
	const char *value, int line)
{
	struct device *device = reading->device;
	bool read = strcmp(key, "Read") == 0;
	struct rule rule, *grown;
	const char *why;

	if (!read && strcmp(key, "Write") != 0)
		return "unknown key here (Read, Write)";
	why = parse_rule(value, read, &rule);
	if (why)
		return why;
	rule.after_recognition = after_recognition;
	rule.line = line;
	if (asprintf(&rule.text, "%s=%s", key, value) < 0)
		return out_of_memory;
	rule.file = strdup(reading->file);
	grown = realloc(device->rules, (device->n_rules + 1) * sizeof(*device->rules));
	if (grown)
		device->rules = grown;
	if (!grown || !rule.file) {
		rule_free(&rule);
		return out_of_memory;
	}
	grown[device->n_rules++] = rule;
	return NULL;
}

static const char *device_key(
	void *userdata, const char *section, const char *key, const char *value, int line)
{
	struct device_reading *reading = userdata;

	if (strcmp(section, "Device") == 0)
		return device_section(reading->device, key, value);
	if (strcmp(section, "Recognise") == 0)
		return add_expectation(reading->device, key, value);
	if (strcmp(section, "Detect") == 0)
		return add_rule(reading, false, key, value, line);
	if (strcmp(section, "Control") == 0)
		return add_rule(reading, true, key, value, line);
	return "unknown section ([Device], [Recognise], [Detect], [Control])";
}

/* The fingerprint is read by the broker itself, so the floor must leave those reads open. */
static const char *check_floor(const struct device *device)
{
	const struct rgbroker_operation read = {.kind = RGBROKER_BYTE_DATA, .read = 1};

	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		for (unsigned address = 0; address < ADDRESSES; address++) {
			if (!(device->classes & (1U << class)) ||
				!bitmap_has(device->addresses, address))
				continue;
			if (floor_lift(floor_find(class, (uint8_t)address), &read) == FLOOR_NEVER)
				return "Address holds one that the floor closes for good";
		}
	}
	return NULL;
}

/* What only the whole file can tell. */
static const char *check_device(const struct device *device)
{
	static const uint8_t nowhere[ADDRESSES / 8];

	if (!device->description)
		return "no Description= in [Device]";
	if (!device->classes)
		return "no BusClass= in [Device]";
	if (memcmp(device->addresses, nowhere, sizeof(nowhere)) == 0)
		return "no Address= in [Device]";
	if (!device->n_rules)
		return "no Read= or Write= in [Detect] or [Control]";
	if (device->no_fingerprint && device->n_expectations)
		return "Expect=none beside another Expect=";
	for (size_t i = 0; i < device->n_rules; i++)
		if (device->rules[i].after_recognition && !device->no_fingerprint &&
			!device->n_expectations)
			return "[Control] without a fingerprint; Expect=none if the family has "
			       "none";
	return check_floor(device);
}

struct device *device_load(
	const char *name, char *const *files, config_problem problem, void *userdata)
{
	struct device *device = calloc(1, sizeof(*device));
	const char *why = out_of_memory;
	bool good = device;

	for (char *const *file = files; device && *file; file++) {
		struct device_reading reading = {.device = device, .file = *file};

		good &= config_read(*file, device_key, &reading, problem, userdata);
	}
	if (device) {
		device->name = strdup(name);
		device->file = strdup(files[0]);
		why = device->name && device->file ? check_device(device) : out_of_memory;
	}
	if (good && why)
		problem(userdata, files[0], 0, why);
	if (!good || why) {
		device_free(device);
		return NULL;
	}
	return device;
}

void device_free(struct device *device)
{
	if (!device)
		return;
	for (size_t i = 0; i < device->n_rules; i++)
		rule_free(&device->rules[i]);
	free(device->rules);
	free(device->expectations);
	free(device->adapter);
	free(device->description);
	free(device->file);
	free(device->name);
	free(device);
}

bool device_matches(const struct device *device, const struct adapter *adapter)
{
	if (!(device->classes & (1U << adapter->class)))
		return false;
	return !device->adapter || fnmatch(device->adapter, adapter->name, 0) == 0;
}
