/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See pointers.h. */
#include "client-lib/pointers.h"

#include <string.h>

static struct pointer_write *find(struct pointer_memory *memory, uint32_t context, uint8_t address)
{
	for (size_t i = 0; i < POINTERS_KEPT; i++) {
		struct pointer_write *write = &memory->writes[i];

		if (write->used != 0 && write->context == context &&
			write->operation.address == address)
			return write;
	}
	return NULL;
}

static struct pointer_write *room(struct pointer_memory *memory)
{
	struct pointer_write *oldest = &memory->writes[0];

	for (size_t i = 1; i < POINTERS_KEPT; i++)
		if (memory->writes[i].used < oldest->used)
			oldest = &memory->writes[i];
	return oldest;
}

/* When the clock has gone round, the order of use is lost, and with it no promise. */
static uint32_t tick(struct pointer_memory *memory)
{
	if (++memory->clock == 0)
		memory->clock = 1;
	return memory->clock;
}

void pointers_keep(struct pointer_memory *memory, uint32_t context,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct pointer_write *write = find(memory, context, operation->address);

	if (operation->length > POINTER_DATA_MAX) {
		if (write != NULL)
			write->used = 0;
		return;
	}
	if (write == NULL)
		write = room(memory);
	write->operation = *operation;
	write->operation.joined = 0; /* what followed it is not repeated */
	write->context = context;
	write->link = memory->link;
	write->used = tick(memory);
	if (operation->length > 0)
		memcpy(write->data, data, operation->length);
}

const struct pointer_write *pointers_find(
	struct pointer_memory *memory, uint32_t context, uint8_t address)
{
	struct pointer_write *write = find(memory, context, address);

	if (write != NULL)
		write->used = tick(memory);
	return write;
}

void pointers_doubt(
	struct pointer_memory *memory, uint32_t context, const struct rgbroker_operation *operation)
{
	struct pointer_write *write = find(memory, context, operation->address);

	if (write != NULL && !operation->read && write->operation.kind == operation->kind &&
		write->operation.command == operation->command)
		write->used = 0;
}

void pointers_drop(struct pointer_memory *memory, uint32_t context, uint8_t address)
{
	struct pointer_write *write = find(memory, context, address);

	if (write != NULL)
		write->used = 0;
}

bool pointers_earlier(struct pointer_memory *memory, uint32_t context, uint8_t address)
{
	struct pointer_write *write;

	if (memory->link == 0)
		return false; /* as for most, for ever: nothing is looked for */
	write = find(memory, context, address);
	return write == NULL || write->link != memory->link;
}
