/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a bus without asking its broker: its policy, and the kernel's drivers on it. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/parse.h"

bool parse_one(const char *text, unsigned max, uint16_t *ret_value)
{
	struct word_range range;

	if (parse_range(text, max, &range) || range.first != range.last)
		return false;
	*ret_value = range.first;
	return true;
}

int find_bus(const char *text, struct adapter *ret_adapter)
{
	unsigned number;
	int end = 0, r;

	if (strncmp(text, "i2c-", 4) == 0)
		text += 4;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5 ||
		sscanf(text, "%u%n", &number, &end) != 1)
		return CTL_USAGE;
	r = adapter_find(number, ret_adapter);
	if (r == 0)
		return CTL_OK;
	fprintf(stderr, "rgbrokerctl: no adapter i2c-%u%s\n", number,
		r == -ENODEV ? " (is the module i2c-dev loaded?)" : ": udev cannot be asked");
	return CTL_FAILED;
}

static void tell_problem(void *userdata, const char *file, int line, const char *why)
{
	if (line)
		fprintf(stderr, "%s:%d: %s; this file is left out\n", file, line, why);
	else
		fprintf(stderr, "%s: %s; this file is left out\n", file, why);
}

int load_policy(
	const struct options *options, const struct adapter *adapter, struct policy *ret_policy)
{
	int r = policy_load(ret_policy, adapter, options->folders, tell_problem, NULL);

	if (r == 0)
		return CTL_OK;
	fprintf(stderr, "rgbrokerctl: a folder of device or door files cannot be read: %s\n",
		strerror(-r));
	return CTL_FAILED;
}

const char *find_driver(const struct adapter *adapter, unsigned address, char *buffer, size_t size)
{
	char path[96], target[256];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/i2c/devices/%u-%04x/driver", adapter->number,
		address);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return NULL;
	target[length] = '\0';
	name = strrchr(target, '/');
	snprintf(buffer, size, "%s", name ? name + 1 : target);
	return buffer;
}

void find_owners(const struct adapter *adapter, struct facts *facts)
{
	char name[64];

	for (unsigned address = 0; address < ADDRESSES; address++)
		facts->owner[address] = find_driver(adapter, address, name, sizeof(name))
						? OWNER_KERNEL
						: OWNER_NONE;
}

const char *addresses_text(const struct device *device, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (unsigned first = 0; first < ADDRESSES; first++) {
		unsigned last = first;

		if (!bitmap_has(device->addresses, first))
			continue;
		while (last + 1 < ADDRESSES && bitmap_has(device->addresses, last + 1))
			last++;
		used += (size_t)snprintf(
			buffer + used, size - used, "%s0x%02x", used ? " " : "", first);
		if (last > first && used < size)
			used += (size_t)snprintf(buffer + used, size - used, "-0x%02x", last);
		if (used >= size)
			break;
		first = last;
	}
	return buffer;
}

static uint8_t first_command(const struct rule *rule)
{
	/* Where the kind has no command all bits are set: 0. */
	for (unsigned command = 0; command < 256; command++)
		if (bitmap_has(rule->commands, command))
			return (uint8_t)command;
	return 0;
}

void example_of_rule(const struct rule *rule, uint8_t address, struct example *ret_example)
{
	bool counted = rule->read &&
		       (rule->kind == RGBROKER_BLOCK_DATA || rule->kind == RGBROKER_I2C_BLOCK);
	uint16_t length = rule->length.first;

	if (length < rule->n_data)
		length = (uint16_t)rule->n_data;
	*ret_example = (struct example){.operation = {.kind = rule->kind,
						.read = rule->read,
						.address = address,
						.command = first_command(rule),
						.length = (uint16_t)(length + counted)}};
	for (unsigned i = 0; i < rule->n_data; i++)
		ret_example->data[i] = rule->data[i].first;
}

const char *verdict_name(const struct judgement *judgement)
{
	static const char *const names[] = {
		[VERDICT_ALLOWED] = "allowed",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_NEEDS_FACT] = "depends",
	};

	return names[judgement->verdict];
}
