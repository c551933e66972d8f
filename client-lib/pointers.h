/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last register pointer written to each chip, by context.
 *
 * Chips like ENE's take their register number as the data of one write, and their data by the next.
 * When the broker restarts in between, it does not know the pointer and refuses the data; what is
 * kept here is then sent again first, and nobody notices.
 */
#pragma once

#include "protocol/wire.h"

#include <stdbool.h>
#include <stddef.h>

#define POINTERS_KEPT 64
#define POINTER_DATA_MAX 4

struct pointer_write {
	struct rgbroker_operation operation;
	uint8_t data[POINTER_DATA_MAX];
	uint32_t context;
	uint32_t used; /* when, in calls; 0: empty. The one longest unused makes room */
	uint32_t link; /* over which connection, counted from 0, it was written last */
};

struct pointer_memory {
	uint32_t clock;
	uint32_t link; /* which connection this is, counted from 0 */
	struct pointer_write writes[POINTERS_KEPT];
};

/** Keep a pointer write; one with more data than fits makes the address forgotten instead. */
void pointers_keep(struct pointer_memory *memory, uint32_t context,
	const struct rgbroker_operation *operation, const uint8_t *data);

/** @return what was last kept for this address and context, or NULL */
const struct pointer_write *pointers_find(
	struct pointer_memory *memory, uint32_t context, uint8_t address);

/**
 * A write failed, or nobody knows. If it looks like the pointer write that is kept for its address
 * (same kind and command), the caller meant another register since: repeating the old one would
 * send data there. Forget it.
 */
void pointers_doubt(struct pointer_memory *memory, uint32_t context,
	const struct rgbroker_operation *operation);

/** After data went through the pointer, what is kept no longer tells where it is. */
void pointers_drop(struct pointer_memory *memory, uint32_t context, uint8_t address);

/**
 * @return whether this context may have set a pointer there over an earlier connection, and over
 * this one not yet: then the broker must not take it to mean what others of the process meant
 */
bool pointers_earlier(struct pointer_memory *memory, uint32_t context, uint8_t address);
