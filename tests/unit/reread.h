/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shipped device files, read once more and in another way: what the reader under test makes of
 * them is held against it. It takes only files that are known to be good, and looks at no rule of
 * policy/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/adapter.h"
#include "protocol/wire.h"

#define SAID_MAX 48
#define CARDS_MAX 400

/* A Read=, Write= or Set= line. */
struct said {
	char section[16], text[192];
	int line;
	bool read, set, explained; /* a comment stands above it or its group */
	uint8_t kind;
	bool commands[256];
	unsigned shortest, longest, n_data;
	unsigned low[8], high[8];
};

struct said_register {
	bool read, move;
	unsigned first, last, n_values;
	unsigned low[16], high[16];
};

struct family {
	char name[64], file[256];
	bool smbus, gpu, ddr4, ddr5, any_slot, no_fingerprint, optional;
	bool address[128];
	char adapters[8][64], boards[32][64];
	unsigned n_adapters, n_boards, n_makers, n_cards, n_said, n_registers;
	unsigned makers[8];
	char cards[CARDS_MAX][24]; /* as in Pci= */
	struct said said[SAID_MAX];
	struct said_register registers[SAID_MAX];
};

/* All *.conf of a folder, by name. The caller frees the array. */
struct family *reread(const char *folder, bool optional, size_t *ret_count);
bool family_matches(const struct family *family, const struct adapter *adapter);
/* "10de:2206:1043:87b2"; what is not said is 0. */
void card_ids(const char *card, uint16_t *ret_ids);
/* An adapter on which a family may be, by its card. */
struct adapter family_adapter(const struct family *family, unsigned card);

bool said_holds(
	const struct said *said, const struct rgbroker_operation *operation, const uint8_t *data);
/*
 * Whether some line says it; and behind a pointer, which is known, all registers. recognised: lines
 * of [Control] and [Pointer] count.
 */
bool family_says(const struct family *family, bool recognised, unsigned pointer,
	const struct rgbroker_operation *operation, const uint8_t *data);
