/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is no mistake in a device file, but to be thought about twice. */
#include "ctl/lint.h"

#include <stdio.h>
#include <string.h>

/* A rule that leaves the register open leaves it to the program what it writes where. */
static bool wide_open(const struct rule *rule)
{
	if (rule->read || rule->kind == RGBROKER_QUICK)
		return false;
	if (rule->kind == RGBROKER_I2C)
		return rule->n_data == 0; /* its first byte stands for the command */
	for (unsigned command = 0; command < 256; command++)
		if (!bitmap_has(rule->commands, command))
			return false;
	return true;
}

static void warn_of_rule(const struct rule *rule, config_problem warn, void *userdata)
{
	if (!rule->read && !rule->after_recognition)
		warn(userdata, rule->file, rule->line,
			"a write in [Detect]: it is sent to whatever chip is there");
	if (wide_open(rule))
		warn(userdata, rule->file, rule->line,
			rule->kind == RGBROKER_I2C
				? "any bytes may be written: name the first ones by data"
				: "all 256 commands may be written: name those that are needed");
}

void lint_warn(const struct device *device, config_problem warn, void *userdata)
{
	if (device->no_fingerprint)
		warn(userdata, device->file, 0,
			"no fingerprint (Expect=none): whoever is at its addresses is written to");
	for (size_t i = 0; i < device->n_rules; i++)
		warn_of_rule(&device->rules[i], warn, userdata);
}

/* One number each of what a file allows. */
struct sums {
	unsigned detect_reads, detect_writes, reads, writes, registers_read, registers_written;
};

static void count_rules(const struct device *device, struct sums *sums)
{
	for (size_t i = 0; i < device->n_rules; i++) {
		const struct rule *rule = &device->rules[i];

		if (rule->after_recognition)
			*(rule->read ? &sums->reads : &sums->writes) += 1;
		else
			*(rule->read ? &sums->detect_reads : &sums->detect_writes) += 1;
	}
	for (size_t i = 0; i < device->n_registers; i++) {
		const struct register_rule *rule = &device->registers[i];

		*(rule->read ? &sums->registers_read : &sums->registers_written) +=
			rule->registers.last - rule->registers.first + 1U;
	}
}

json_object *lint_summary(const struct device *device)
{
	json_object *object = json_object_new_object();
	struct sums sums = {0};
	char text[512];

	count_rules(device, &sums);
	add_text(object, "description", device->description);
	add_text(object, "addresses", addresses_text(device, text, sizeof(text)));
	add_number(object, "fingerprint_reads", device->n_expectations);
	add_number(object, "detect_reads", sums.detect_reads);
	add_number(object, "detect_writes", sums.detect_writes);
	add_number(object, "control_reads", sums.reads);
	add_number(object, "control_writes", sums.writes);
	add_number(object, "registers_read", sums.registers_read);
	add_number(object, "registers_written", sums.registers_written);
	return object;
}
