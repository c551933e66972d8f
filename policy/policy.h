/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be done on one bus: the rules read from files, the built-in floor, and the verdict over
 * both. Nothing here touches a bus: what must be known of one is handed in as facts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/adapter.h"
#include "protocol/wire.h"

#define POLICY_DEVICES_MAX 64 /* one bit each in struct facts */
#define POLICY_DOORS_MAX 16
#define RULE_DATA_MAX 8 /* leading data bytes a rule can constrain */
#define EXPECT_VALUES_MAX 4
#define ADDRESSES 128 /* 7 bits */

struct byte_range {
	uint8_t first, last;
};

struct word_range {
	uint16_t first, last;
};

/* One Read= or Write= line of a device file. */
struct rule {
	uint8_t kind; /* enum rgbroker_kind */
	bool read;
	bool after_recognition;    /* of [Control], not of [Detect] */
	uint8_t commands[256 / 8]; /* bitmap; all set where the kind has no command */
	struct word_range length;  /* payload bytes; a block's count does not count */
	unsigned n_data;           /* how many of data are constrained */
	struct byte_range data[RULE_DATA_MAX];
	int line;   /* in the file, for explanations */
	char *file; /* where it stands: the device file or a drop-in */
	char *text; /* "Write=byte_data 0xa4", as the file says it */
};

/* One Expect= line: a read whose answer tells the family. */
struct expectation {
	uint8_t kind; /* RGBROKER_BYTE_DATA or RGBROKER_WORD_DATA */
	uint8_t command;
	unsigned n_values;
	struct word_range values[EXPECT_VALUES_MAX];
};

/* One family of hardware: a device file. */
struct device {
	char *name; /* of the file, without .conf */
	char *file;
	char *description;
	unsigned classes;                 /* 1 << enum bus_class */
	char *adapter;                    /* glob over the adapter's name, NULL: any */
	uint8_t addresses[ADDRESSES / 8]; /* bitmap */
	bool no_fingerprint;              /* Expect=none: there is none, and the file says so */
	struct expectation *expectations;
	size_t n_expectations;
	struct rule *rules;
	size_t n_rules;
};

enum door_transfer { DOOR_NOTHING, DOOR_READ_ONLY, DOOR_READ_WRITE };

/* What a listening socket of that name gives right to. */
struct door {
	char *name;
	enum door_transfer transfer;
	bool inspect;
	uint64_t devices; /* bit i: devices[i] */
};

struct policy {
	struct adapter adapter;
	struct device *devices[POLICY_DEVICES_MAX]; /* those that match the adapter */
	size_t n_devices;
	struct door doors[POLICY_DOORS_MAX];
	size_t n_doors;
};

/* What is known of the bus. All zero: nothing. */
enum owner { OWNER_UNKNOWN, OWNER_NONE, OWNER_KERNEL };
struct facts {
	uint64_t recognised[ADDRESSES]; /* bit i: the chip answered as devices[i] expects */
	uint64_t stranger[ADDRESSES];   /* bit i: it did not */
	uint8_t owner[ADDRESSES];       /* enum owner */
};

/* Forget what may change between two requests: bound drivers, and chips that were not there. */
void facts_refresh(struct facts *facts);
/* Forget that a chip was recognised: it failed to answer. */
void facts_forget(struct facts *facts, uint8_t address);

enum floor_lift {
	FLOOR_OPEN,          /* the floor has no say */
	FLOOR_CHIP,          /* only for a recognised chip */
	FLOOR_CHIP_NOT_DDR5, /* only for a recognised chip on a bus proven not to hold DDR5 */
	FLOOR_NOT_DISPLAY,   /* only where no display answers */
	FLOOR_NEVER,
};

struct floor_row {
	enum bus_class class;
	uint8_t first, last;
	enum floor_lift read, write, quick;
	const char *why;
};

/* The row that closes this, or NULL. */
const struct floor_row *floor_find(enum bus_class class, uint8_t address);
enum floor_lift floor_lift(const struct floor_row *row, const struct rgbroker_operation *operation);

enum verdict { VERDICT_ALLOWED, VERDICT_REFUSED, VERDICT_NEEDS_FACT };
enum needed_fact { FACT_OWNER, FACT_RECOGNISED };

struct judgement {
	enum verdict verdict;
	enum rgbroker_reason reason;   /* of a refusal */
	const struct floor_row *floor; /* the row that refused, or asked for more */
	const struct device *device;   /* whose rule decided, or whose chip must be proven */
	const struct rule *rule;
	enum needed_fact fact;
	unsigned device_index; /* of FACT_RECOGNISED */
};

/*
 * Judge one operation. data: the bytes a write carries, NULL for a read. Pure: the same arguments
 * always give the same judgement. The caller has checked kind, address and length (decode.h).
 */
struct judgement policy_judge(const struct policy *policy, const struct door *door,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data);

/* One sentence for a person: what decided and where it is written. Returns buffer. */
const char *policy_explain(const struct judgement *judgement, char *buffer, size_t size);
/* "write byte_data 0x21 at 0x58". Returns buffer. */
const char *operation_text(const struct rgbroker_operation *operation, char *buffer, size_t size);
/* kind by its name in device files, or -1; and the name. */
int operation_kind_from_name(const char *name);
const char *operation_kind_name(uint8_t kind);
/* Whether one of the kind carries a command register, or the byte that a send byte sends. */
bool operation_kind_has_command(uint8_t kind, bool read);
/* Payload bytes: what the length of a rule counts. */
unsigned operation_payload(const struct rgbroker_operation *operation);

/* Carries nothing back: a quick command, or a plain read of no bytes, the same on the wire. */
bool operation_is_quick(const struct rgbroker_operation *operation);

/* NULL: no such door, it gives no right to anything. */
const struct door *policy_find_door(const struct policy *policy, const char *name);

static inline bool bitmap_has(const uint8_t *bitmap, unsigned bit)
{
	return bitmap[bit / 8] & (1U << (bit % 8));
}

static inline void bitmap_set(uint8_t *bitmap, unsigned bit)
{
	bitmap[bit / 8] |= (uint8_t)(1U << (bit % 8));
}
