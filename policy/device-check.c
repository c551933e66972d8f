/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/device-reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what overlaps --- */

static bool bytes_meet(struct byte_range a, struct byte_range b)
{
	return a.first <= b.last && b.first <= a.last;
}

static bool words_meet(struct word_range a, struct word_range b)
{
	return a.first <= b.last && b.first <= a.last;
}

/* Whether some operation is named by both. */
static bool rules_meet(const struct rule *a, const struct rule *b)
{
	bool common = false;

	if (a->kind != b->kind || a->read != b->read || !words_meet(a->length, b->length))
		return false;
	for (unsigned i = 0; i < sizeof(a->commands); i++)
		common |= a->commands[i] & b->commands[i];
	for (unsigned i = 0; common && i < a->n_data && i < b->n_data; i++)
		common = bytes_meet(a->data[i], b->data[i]);
	return common;
}

/* Some of what may be read of the chip may be read before it is recognised: that is no mistake. */
static bool both_read(const struct rule *a, const struct rule *b)
{
	return a->read && a->role == RULE_PLAIN && b->role == RULE_PLAIN &&
	       a->after_recognition != b->after_recognition;
}

const char *check_rule(const struct device *device, const struct rule *rule)
{
	unsigned commands = 0;

	for (size_t i = 0; i < device->n_rules; i++)
		if (rules_meet(&device->rules[i], rule) && !both_read(&device->rules[i], rule))
			return "overlaps with a line above: an operation stands in one line only";
	for (size_t i = 0; rule->role == RULE_POINTER && i < device->n_rules; i++)
		if (device->rules[i].role == RULE_POINTER)
			return "a family has one Set=, of the file or of a drop-in";
	for (unsigned command = 0; command < 256; command++)
		commands += bitmap_has(rule->commands, command);
	if (rule->role == RULE_POINTER && (rule->kind != RGBROKER_WORD_DATA || commands != 1))
		return "Set= is word_data with one command; its data are the register";
	if (rule->role == RULE_DATA && !operation_kind_has_command(rule->kind, true))
		return "[Pointer] takes byte_data, word_data, block_data and i2c_block";
	return NULL;
}

const char *check_register(const struct device *device, const struct register_rule *rule)
{
	for (size_t i = 0; i < device->n_registers; i++)
		if (device->registers[i].read == rule->read &&
			words_meet(device->registers[i].registers, rule->registers))
			return "overlaps with a line above: a register stands in one line only";
	return NULL;
}

/* --- the floor --- */

static bool lives_at(const struct device *device, enum bus_class class, unsigned address)
{
	return device->classes & (1U << class) && bitmap_has(device->addresses, address);
}

/* The broker itself reads the fingerprint, and a rule that the floor never lets pass is a mistake.
 */
static const char *check_floor(
	const struct device *device, const struct rgbroker_operation *operation, unsigned *ret_at)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++)
		for (unsigned at = 0; at < ADDRESSES; at++)
			if (lives_at(device, class, at) &&
				floor_lift(floor_find(class, (uint8_t)at), operation) ==
					FLOOR_NEVER) {
				*ret_at = at;
				return "the floor closes one of the addresses for good";
			}
	return NULL;
}

static bool check_closed(
	const struct device_reading *reading, config_problem problem, void *userdata)
{
	const struct device *device = reading->device;
	const struct rgbroker_operation fingerprint = {.kind = RGBROKER_BYTE_DATA, .read = 1};
	unsigned at;
	const char *why = check_floor(device, &fingerprint, &at);

	if (why) {
		problem(userdata, reading->given[at].file, reading->given[at].line, why);
		return false;
	}
	for (size_t i = 0; i < device->n_rules; i++) {
		const struct rule *rule = &device->rules[i];
		const struct rgbroker_operation operation = {
			.kind = rule->kind, .read = rule->read, .length = rule->length.first};

		why = check_floor(device, &operation, &at);
		if (why) {
			problem(userdata, rule->file, rule->line, why);
			return false;
		}
	}
	return true;
}

/* Where only a recognised chip takes writes, none can be asked what it is by one. */
static bool sends_under_the_floor(const struct device *device)
{
	const struct rgbroker_operation write = {.kind = RGBROKER_I2C, .length = 1};

	for (unsigned at = 0; device_sends(device) && at < ADDRESSES; at++)
		if (lives_at(device, BUS_SMBUS, at) &&
			floor_lift(floor_find(BUS_SMBUS, (uint8_t)at), &write) != FLOOR_OPEN)
			return true;
	return false;
}

/* --- the whole --- */

/* What the broker writes in order to recognise a chip, everybody may: it has to stand there. */
static bool detect_allows(const struct device *device, const struct expectation *expectation)
{
	const struct rgbroker_operation send = {
		.kind = RGBROKER_I2C, .length = (uint16_t)expectation->n_send};

	for (size_t i = 0; i < device->n_rules; i++)
		if (!device->rules[i].after_recognition &&
			rule_misfit(&device->rules[i], &send, expectation->send) == FITS)
			return true;
	return false;
}

static bool sends_what_detect_allows(const struct device *device)
{
	for (size_t i = 0; i < device->n_expectations; i++)
		if (device->expectations[i].n_send &&
			!detect_allows(device, &device->expectations[i]))
			return false;
	return true;
}

static bool has_rule(const struct device *device, enum rule_role role)
{
	for (size_t i = 0; i < device->n_rules; i++)
		if (device->rules[i].role == role)
			return true;
	return false;
}

static const char *check_recognition(const struct device *device)
{
	if (device->no_fingerprint && (device->n_expectations || device->pause_ms))
		return "Expect=none beside another line in [Recognise]";
	if (!sends_what_detect_allows(device))
		return "Expect= sends what no Write=i2c in [Detect] allows";
	if (sends_under_the_floor(device))
		return "Expect= sends where the floor wants a recognised chip for every write";
	for (size_t i = 0; i < device->n_rules; i++)
		if (device->rules[i].after_recognition && !device->no_fingerprint &&
			!device->n_expectations)
			return "[Control] or [Pointer] without a fingerprint; Expect=none if the "
			       "family has none";
	return NULL;
}

static const char *check_pointer(const struct device *device)
{
	bool set = has_rule(device, RULE_POINTER), data = has_rule(device, RULE_DATA);

	if (set != data || set != (device->n_registers > 0))
		return "[Pointer] needs Set=, Read= or Write=, and [Registers]; none without the "
		       "others";
	for (size_t i = 0; i < device->n_rules; i++)
		if (device->rules[i].role == RULE_DATA && !device->rules[i].read &&
			device->rules[i].length.last > 1 && !device->advances)
			return "a [Pointer] Write= of several bytes needs Advance=writes";
	return NULL;
}

static const char *check_keys(const struct device *device)
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
	if (!device->memory && (device->makers[0] || device->any_slot))
		return "Maker= and Slot= need Memory=";
	if (device->memory && device->classes != 1U << BUS_SMBUS)
		return "Memory= is of BusClass=smbus alone";
	return NULL;
}

bool check_device(const struct device_reading *reading, config_problem problem, void *userdata)
{
	const struct device *device = reading->device;
	const char *why = check_keys(device);

	if (!why)
		why = check_recognition(device);
	if (!why)
		why = check_pointer(device);
	if (why)
		problem(userdata, device->file, 0, why);
	return !why && check_closed(reading, problem, userdata);
}
