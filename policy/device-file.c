/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device files: one family of hardware each. See devices/README.md for the form. */
#include "policy/device-reading.h"
#include "policy/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MAX 20 /* ms: a broker does nothing else meanwhile */

static const char *const out_of_memory = "out of memory";

/* --- [Recognise] --- */

static const char *add_expectation(struct device_reading *reading, const char *value)
{
	struct device *device = reading->device;
	struct expectation expectation, *slot;
	const char *why;

	if (strcmp(value, "none") == 0) {
		why = device->no_fingerprint ? "given twice" : NULL;
		device->no_fingerprint = true;
		return why;
	}
	why = parse_expectation(value, &expectation);
	if (why)
		return why;
	for (size_t i = 0; i < device->n_expectations; i++)
		if (expectation.kind != RGBROKER_I2C &&
			device->expectations[i].kind == expectation.kind &&
			device->expectations[i].command == expectation.command)
			return "this is expected already, by another line";
	slot = device_grow(&device->expectations, &device->n_expectations, sizeof(expectation));
	if (!slot)
		return out_of_memory;
	*slot = expectation;
	return NULL;
}

static const char *set_pause(struct device_reading *reading, const char *value)
{
	struct word_range pause;

	if (parse_range(value, PAUSE_MAX, &pause) || pause.first != pause.last)
		return "Pause= is a number of milliseconds up to 20";
	reading->device->pause_ms = pause.first;
	return NULL;
}

/* --- rules --- */

static const char *add_rule(struct device_reading *reading, const char *value, bool read,
	enum rule_role role, bool after_recognition)
{
	struct device *device = reading->device;
	struct rule rule, *slot;
	const char *why = parse_rule(value, read, &rule);

	if (why)
		return why;
	rule.role = role;
	rule.after_recognition = after_recognition;
	rule.line = reading->line;
	why = check_rule(device, &rule);
	if (why)
		return why;
	slot = device_grow(&device->rules, &device->n_rules, sizeof(rule));
	if (!slot)
		return out_of_memory;
	*slot = rule;
	slot->file = strdup(reading->file);
	return slot->file && asprintf(&slot->text, "%s=%s", reading->key, value) >= 0
		       ? NULL
		       : out_of_memory;
}

static const char *detect_read(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, true, RULE_PLAIN, false);
}

static const char *detect_write(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, false, RULE_PLAIN, false);
}

static const char *control_read(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, true, RULE_PLAIN, true);
}

static const char *control_write(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, false, RULE_PLAIN, true);
}

static const char *pointer_set(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, false, RULE_POINTER, true);
}

static const char *pointer_read(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, true, RULE_DATA, true);
}

static const char *pointer_write(struct device_reading *reading, const char *value)
{
	return add_rule(reading, value, false, RULE_DATA, true);
}

static const char *set_advance(struct device_reading *reading, const char *value)
{
	reading->device->advances = strcmp(value, "writes") == 0;
	return reading->device->advances || strcmp(value, "no") == 0 ? NULL
								     : "Advance= is writes or no";
}

static const char *add_register(
	struct device_reading *reading, const char *value, bool read, bool moves)
{
	struct device *device = reading->device;
	struct register_rule rule, *slot;
	const char *why = parse_register_rule(value, &rule);

	if (!why && rule.n_values && (read || moves))
		why = read ? "value: a read writes none" : "Move= knows which values are addresses";
	if (why)
		return why;
	rule.read = read;
	rule.moves = moves;
	rule.line = reading->line;
	why = check_register(device, &rule);
	if (why)
		return why;
	slot = device_grow(&device->registers, &device->n_registers, sizeof(rule));
	if (!slot)
		return out_of_memory;
	*slot = rule;
	slot->file = strdup(reading->file);
	return slot->file && asprintf(&slot->text, "%s=%s", reading->key, value) >= 0
		       ? NULL
		       : out_of_memory;
}

static const char *register_read(struct device_reading *reading, const char *value)
{
	return add_register(reading, value, true, false);
}

static const char *register_write(struct device_reading *reading, const char *value)
{
	return add_register(reading, value, false, false);
}

static const char *register_move(struct device_reading *reading, const char *value)
{
	return add_register(reading, value, false, true);
}

/* Every key there is. */
static const struct key {
	const char *section, *name;
	const char *(*take)(struct device_reading *reading, const char *value);
	bool once;
} keys[] = {
	{"Device", "Description", device_set_description, true},
	{"Device", "BusClass", device_add_classes, false},
	{"Device", "Adapter", device_add_adapter, false},
	{"Device", "Board", device_add_board, false},
	{"Device", "Pci", device_add_pci, false},
	{"Device", "Address", device_add_addresses, false},
	{"Device", "Memory", device_add_memory, false},
	{"Device", "Maker", device_add_makers, false},
	{"Device", "Slot", device_set_slot, true},
	{"Detect", "Read", detect_read, false},
	{"Detect", "Write", detect_write, false},
	{"Recognise", "Expect", add_expectation, false},
	{"Recognise", "Pause", set_pause, true},
	{"Control", "Read", control_read, false},
	{"Control", "Write", control_write, false},
	{"Pointer", "Set", pointer_set, true},
	{"Pointer", "Read", pointer_read, false},
	{"Pointer", "Write", pointer_write, false},
	{"Pointer", "Advance", set_advance, true},
	{"Registers", "Read", register_read, false},
	{"Registers", "Write", register_write, false},
	{"Registers", "Move", register_move, false},
};

static const char *take_key(
	void *userdata, const char *section, const char *name, const char *value, int line)
{
	struct device_reading *reading = userdata;
	bool known_section = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		known_section = true;
		if (!name || strcmp(keys[i].name, name) != 0)
			continue;
		if (keys[i].once && reading->seen & (UINT32_C(1) << i))
			return "given twice";
		reading->seen |= UINT32_C(1) << i;
		reading->line = line;
		reading->key = name;
		return keys[i].take(reading, value);
	}
	if (!known_section)
		return "unknown section ([Device], [Detect], [Recognise], [Control], [Pointer], "
		       "[Registers])";
	return name ? "unknown key in this section, see rgbroker-devices(5)" : NULL;
}

struct device *device_load(
	const char *name, char *const *files, config_problem problem, void *userdata)
{
	struct device *device = calloc(1, sizeof(*device));
	struct device_reading reading = {.device = device};
	bool good = device;

	if (device) {
		device->name = strdup(name);
		device->file = strdup(files[0]);
		good = device->name && device->file;
	}
	if (!good)
		problem(userdata, files[0], 0, out_of_memory);
	for (char *const *file = files; good && *file; file++) {
		reading.file = *file;
		reading.seen = 0; /* a drop-in may say otherwise; one file may not */
		good &= config_read(*file, take_key, &reading, problem, userdata);
	}
	if (good)
		good = check_device(&reading, problem, userdata);
	if (!good) {
		device_free(device);
		return NULL;
	}
	return device;
}
