/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where register pointers are. A chip has one; each context (a thread of a process) means its own.
 * Where the two differ, another context has moved the chip's since, and it is set again before the
 * datum.
 */
#pragma once

#include "broker/process.h"
#include "policy/policy.h"

#define POINTERS_MAX 256 /* contexts times chips that are remembered */

struct pointer_entry {
	struct process *process; /* NULL: free */
	uint32_t context;
	uint8_t address;
	uint32_t used; /* when, in uses; the longest unused makes room */
	struct pointer pointer;
};

struct pointers {
	struct {
		struct pointer pointer;
		const struct process *mover; /* whose context it was */
	} chips[ADDRESSES];
	struct pointer_entry entries[POINTERS_MAX];
	unsigned n_entries; /* that were ever used: the first ones */
	uint32_t clock;
};

/*
 * Where a context means the pointer to be. One that never set it means where its process has left
 * it, unless somebody else has moved it since, or it may have set one where this table has no
 * memory: over an earlier connection, or before an eviction.
 */
struct pointer pointers_meant(struct pointers *pointers, struct process *process, uint32_t context,
	uint8_t address, bool earlier);
/* A context has moved it, and so means it to be there. */
void pointers_moved(struct pointers *pointers, struct process *process, uint32_t context,
	uint8_t address, struct pointer pointer);
/* The broker itself has set the chip's again, for a context of that process. */
void pointers_set_again(
	struct pointers *pointers, const struct process *process, uint8_t address, uint16_t value);
/* Where the chip's is, nobody knows: a transfer failed. What contexts mean stays. */
void pointers_lost(struct pointers *pointers, uint8_t address);
/* The chip's stays where it was, but this context meant to set another, which was not done. */
void pointers_not_set(
	struct pointers *pointers, struct process *process, uint32_t context, uint8_t address);
bool pointers_chip_is_at(const struct pointers *pointers, uint8_t address, uint16_t value);
void pointers_forget_process(struct pointers *pointers, const struct process *process);
/* After a suspend no chip is where it was; what contexts mean stays. */
void pointers_lost_all(struct pointers *pointers);
