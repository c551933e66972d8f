/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [Device]: what a family is called, and where it may be. */
#include "policy/device-reading.h"
#include "policy/parse.h"

#include <stdlib.h>
#include <string.h>

static const char *const out_of_memory = "out of memory";
static const char *const nothing = "nothing behind the =";

void *device_grow(void *items_of, size_t *count, size_t size)
{
	void **items = items_of;
	char *grown = realloc(*items, (*count + 1) * size);

	if (!grown)
		return NULL;
	*items = grown;
	return memset(grown + (*count)++ * size, 0, size);
}

const char *device_set_description(struct device_reading *reading, const char *value)
{
	if (!*value)
		return nothing;
	free(reading->device->description);
	reading->device->description = strdup(value);
	return reading->device->description ? NULL : out_of_memory;
}

static const char *take_class(void *userdata, const char *word)
{
	struct device *device = userdata;
	enum bus_class class = bus_class_from_name(word);

	if (class == BUS_NONE)
		return "unknown class (smbus, gpu, custom)";
	if (device->classes & (1U << class))
		return "a class given twice";
	device->classes |= 1U << class;
	return NULL;
}

const char *device_add_classes(struct device_reading *reading, const char *value)
{
	return parse_words(value, take_class, reading->device);
}

/* One that is empty would match where the name is not known. */
static const char *add_glob(struct globs *globs, const char *value)
{
	char **item;

	if (!*value)
		return nothing;
	/* An indented line goes on with the key above it: a Key= in it was meant as one. */
	if (strchr(value, '='))
		return "a name with '=': is the line indented by mistake?";
	item = device_grow(&globs->items, &globs->count, sizeof(*globs->items));
	if (!item)
		return out_of_memory;
	*item = strdup(value);
	return *item ? NULL : out_of_memory;
}

const char *device_add_adapter(struct device_reading *reading, const char *value)
{
	return add_glob(&reading->device->adapters, value);
}

const char *device_add_board(struct device_reading *reading, const char *value)
{
	return add_glob(&reading->device->boards, value);
}

static const char *take_pci(void *userdata, const char *word)
{
	struct device *device = userdata;
	struct pci_match match, *slot;
	const char *why = parse_pci(word, &match);

	if (why)
		return why;
	for (size_t i = 0; i < device->n_pci; i++)
		if (memcmp(&device->pci[i], &match, sizeof(match)) == 0)
			return "PCI ids given twice";
	slot = device_grow(&device->pci, &device->n_pci, sizeof(match));
	if (!slot)
		return out_of_memory;
	*slot = match;
	return NULL;
}

const char *device_add_pci(struct device_reading *reading, const char *value)
{
	return parse_words(value, take_pci, reading->device);
}

const char *device_add_addresses(struct device_reading *reading, const char *value)
{
	uint8_t before[ADDRESSES / 8];
	const char *why;

	memcpy(before, reading->device->addresses, sizeof(before));
	why = parse_addresses(value, reading->device->addresses);
	for (unsigned address = 0; address < ADDRESSES; address++)
		if (bitmap_has(reading->device->addresses, address) &&
			!bitmap_has(before, address)) {
			reading->given[address].file = reading->file;
			reading->given[address].line = reading->line;
		}
	return why;
}

static const char *take_memory(void *userdata, const char *word)
{
	struct device *device = userdata;
	unsigned kind = strcmp(word, "ddr4") == 0   ? 1U << MEMORY_DDR4
			: strcmp(word, "ddr5") == 0 ? 1U << MEMORY_DDR5
						    : 0;

	if (!kind)
		return "unknown memory (ddr4, ddr5)";
	if (device->memory & kind)
		return "a kind of memory given twice";
	device->memory |= kind;
	return NULL;
}

const char *device_add_memory(struct device_reading *reading, const char *value)
{
	return parse_words(value, take_memory, reading->device);
}

static const char *take_maker(void *userdata, const char *word)
{
	struct device *device = userdata;
	struct word_range maker;
	const char *why = parse_range(word, 0xffff, &maker);
	unsigned count = 0;

	if (why || maker.first != maker.last || maker.first == 0)
		return why ? why : "a maker is one number: the two bytes of the SPD";
	for (; count < MAKERS_MAX && device->makers[count]; count++)
		if (device->makers[count] == maker.first)
			return "a maker given twice";
	if (count == MAKERS_MAX)
		return "more than eight makers";
	device->makers[count] = maker.first;
	return NULL;
}

const char *device_add_makers(struct device_reading *reading, const char *value)
{
	return parse_words(value, take_maker, reading->device);
}

const char *device_set_slot(struct device_reading *reading, const char *value)
{
	reading->device->any_slot = strcmp(value, "any") == 0;
	return reading->device->any_slot || strcmp(value, "address") == 0
		       ? NULL
		       : "Slot= is address (that at address modulo 8) or any";
}
