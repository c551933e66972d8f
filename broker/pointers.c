/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/pointers.h"

static struct pointer_entry *find(
	struct pointers *pointers, const struct process *process, uint32_t context, uint8_t address)
{
	for (unsigned i = 0; i < pointers->n_entries; i++) {
		struct pointer_entry *entry = &pointers->entries[i];

		if (entry->process == process && entry->context == context &&
			entry->address == address) {
			entry->used = ++pointers->clock;
			return entry;
		}
	}
	return NULL;
}

/* Whoever has the most makes room, so that nobody's pointers are crowded out by another's. */
static const struct process *largest(const struct pointers *pointers)
{
	const struct process *found = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < POINTERS_MAX; i++) {
		unsigned count = 0;

		if (pointers->entries[i].process == found)
			continue;
		for (unsigned k = i; k < POINTERS_MAX; k++)
			count += pointers->entries[k].process == pointers->entries[i].process;
		if (count > most) {
			most = count;
			found = pointers->entries[i].process;
		}
	}
	return found;
}

/* A free entry, or the longest unused one of a process, which is told. */
static struct pointer_entry *make_room(struct pointers *pointers)
{
	const struct process *crowd = NULL;
	struct pointer_entry *oldest = NULL;

	for (unsigned i = 0; i < POINTERS_MAX; i++) {
		struct pointer_entry *entry = &pointers->entries[i];

		if (entry->process)
			continue;
		if (i >= pointers->n_entries)
			pointers->n_entries = i + 1;
		return entry;
	}
	crowd = largest(pointers);
	for (unsigned i = 0; i < POINTERS_MAX; i++) {
		struct pointer_entry *entry = &pointers->entries[i];

		/* by age: the clock may go round */
		if (entry->process == crowd &&
			(!oldest || pointers->clock - entry->used > pointers->clock - oldest->used))
			oldest = entry;
	}
	oldest->process->evicted = true;
	return oldest;
}

struct pointer pointers_meant(struct pointers *pointers, struct process *process, uint32_t context,
	uint8_t address, bool earlier)
{
	const struct pointer_entry *entry = find(pointers, process, context, address);
	const struct pointer unknown = {.known = false};

	if (entry)
		return entry->pointer;
	if (earlier || process->evicted || pointers->chips[address].mover != process)
		return unknown;
	return pointers->chips[address].pointer;
}

static void mean(struct pointers *pointers, struct process *process, uint32_t context,
	uint8_t address, struct pointer pointer)
{
	struct pointer_entry *entry = find(pointers, process, context, address);

	if (!entry) {
		entry = make_room(pointers);
		*entry = (struct pointer_entry){.process = process,
			.context = context,
			.address = address,
			.used = ++pointers->clock};
	}
	entry->pointer = pointer;
}

void pointers_moved(struct pointers *pointers, struct process *process, uint32_t context,
	uint8_t address, struct pointer pointer)
{
	mean(pointers, process, context, address, pointer);
	pointers->chips[address].pointer = pointer;
	pointers->chips[address].mover = process;
}

void pointers_not_set(
	struct pointers *pointers, struct process *process, uint32_t context, uint8_t address)
{
	mean(pointers, process, context, address, (struct pointer){.known = false});
}

void pointers_set_again(
	struct pointers *pointers, const struct process *process, uint8_t address, uint16_t value)
{
	pointers->chips[address].pointer = (struct pointer){true, value};
	pointers->chips[address].mover = process;
}

void pointers_lost(struct pointers *pointers, uint8_t address)
{
	pointers->chips[address].pointer.known = false;
}

bool pointers_chip_is_at(const struct pointers *pointers, uint8_t address, uint16_t value)
{
	const struct pointer *pointer = &pointers->chips[address].pointer;

	return pointer->known && pointer->value == value;
}

void pointers_forget_process(struct pointers *pointers, const struct process *process)
{
	for (unsigned i = 0; i < POINTERS_MAX; i++)
		if (pointers->entries[i].process == process)
			pointers->entries[i].process = NULL;
	for (unsigned address = 0; address < ADDRESSES; address++)
		if (pointers->chips[address].mover == process)
			pointers->chips[address].mover = NULL;
}

void pointers_lost_all(struct pointers *pointers)
{
	for (unsigned address = 0; address < ADDRESSES; address++)
		pointers_lost(pointers, (uint8_t)address);
}
