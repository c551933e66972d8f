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
#define VALUES_MAX 16   /* alternatives in one line */
#define MAKERS_MAX 8
#define ADDRESSES 128 /* 7 bits */
#define SLOTS 8       /* of memory modules on one bus: their SPDs are at 0x50-0x57 */
#define SLOT_ADDRESS 0x50

struct byte_range {
	uint8_t first, last;
};

struct word_range {
	uint16_t first, last;
};

/* Whether one of the ranges holds the value. */
static inline bool ranges_have(const struct word_range *ranges, size_t count, unsigned value)
{
	for (size_t i = 0; i < count; i++)
		if (value >= ranges[i].first && value <= ranges[i].last)
			return true;
	return false;
}

/* Whether the first count bytes are each of its range. */
static inline bool bytes_fit(const struct byte_range *ranges, size_t count, const uint8_t *data)
{
	for (size_t i = 0; i < count; i++)
		if (data[i] < ranges[i].first || data[i] > ranges[i].last)
			return false;
	return true;
}

/* What an operation has to do with a chip's register pointer. */
enum rule_role {
	RULE_PLAIN,   /* nothing: its command names the register */
	RULE_POINTER, /* its first two bytes set the pointer, high byte first */
	RULE_DATA,    /* it reads or writes the register that is pointed to */
};

/* One Read= or Write= line of a device file, or a Set= line. */
struct rule {
	uint8_t kind; /* enum rgbroker_kind */
	bool read;
	enum rule_role role;
	bool after_recognition;    /* of [Control], not of [Detect] */
	uint8_t commands[256 / 8]; /* bitmap; all set where the kind has no command */
	struct word_range length;  /* payload bytes; a block's count does not count */
	unsigned n_data;           /* how many of data are constrained */
	struct byte_range data[RULE_DATA_MAX];
	int line;   /* in the file, for explanations */
	char *file; /* where it stands: the device file or a drop-in */
	char *text; /* "Write=byte_data 0xa4", as the file says it */
};

/* One line of [Registers]: what may be done to registers behind a pointer. */
struct register_rule {
	struct word_range registers;
	bool read;
	bool moves; /* a value is the chip's new address, shifted left by one */
	unsigned n_values;
	struct word_range values[VALUES_MAX]; /* that may be written; none: any */
	int line;
	char *file;
	char *text;
};

/* One Expect= line: a read whose answer tells the family. */
struct expectation {
	uint8_t kind;
	uint8_t command;
	uint16_t length; /* bytes to read; a block's count does not count */
	uint16_t mask;   /* byte_data and word_data: what of the answer counts */
	unsigned n_values;
	struct word_range values[VALUES_MAX]; /* byte_data and word_data: one of them */
	unsigned n_data;
	struct byte_range data[RULE_DATA_MAX]; /* the others: how the answer begins */
	unsigned n_send;
	uint8_t send[RULE_DATA_MAX]; /* i2c: written first, a transfer of its own */
};

/* PCI ids of the adapter's parent; those that are not asked for match any. */
enum { PCI_VENDOR, PCI_DEVICE, PCI_SUBVENDOR, PCI_SUBDEVICE, PCI_IDS };
struct pci_match {
	uint16_t id[PCI_IDS];
	bool any[PCI_IDS];
};

/* A growing list of globs; empty: anything matches. */
struct globs {
	char **items;
	size_t count;
};

enum memory_kind {
	MEMORY_UNSEEN, /* not looked at yet */
	MEMORY_EMPTY,  /* nobody answers for that slot */
	MEMORY_DDR4,
	MEMORY_DDR5,
	MEMORY_OTHER,   /* older kinds */
	MEMORY_OBSCURE, /* looked, and cannot tell */
};

/* The memory module of one slot. */
struct memory {
	enum memory_kind kind;
	bool unbuffered; /* proven: no register or clock driver of its own on the bus */
	uint16_t maker;  /* JEDEC, the two bytes of its SPD, the first one high; 0: not known */
};

/* One family of hardware: a device file. */
struct device {
	char *name; /* of the file, without .conf */
	char *file;
	char *description;
	unsigned classes;      /* 1 << enum bus_class */
	struct globs adapters; /* over the adapter's name */
	struct globs boards;   /* over the mainboard's name (DMI) */
	struct pci_match *pci; /* one of them */
	size_t n_pci;
	uint8_t addresses[ADDRESSES / 8]; /* bitmap */
	unsigned memory;                  /* 1 << enum memory_kind, one of them; 0: whatever */
	uint16_t makers[MAKERS_MAX];      /* of the module, one of them; 0 ends them */
	bool any_slot;                    /* of any module on the bus, not that at address & 7 */
	bool no_fingerprint;              /* Expect=none: there is none, and the file says so */
	struct expectation *expectations;
	size_t n_expectations;
	unsigned pause_ms; /* between the reads that recognise it */
	struct rule *rules;
	size_t n_rules;
	bool advances; /* each byte written moves the pointer on by one; of reads nothing is known
			*/
	struct register_rule *registers;
	size_t n_registers;
};

enum door_transfer { DOOR_NOTHING, DOOR_READ_ONLY, DOOR_READ_WRITE };

/* What a listening socket of that name gives right to. */
struct door {
	char *name;
	enum door_transfer transfer;
	bool inspect;
	bool release;
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
enum presence { PRESENCE_UNKNOWN, PRESENCE_NO, PRESENCE_YES };
struct facts {
	uint64_t recognised[ADDRESSES]; /* bit i: the chip answered as devices[i] expects */
	uint64_t stranger[ADDRESSES];   /* bit i: it did not */
	uint8_t owner[ADDRESSES];       /* enum owner */
	uint8_t edid[ADDRESSES];        /* enum presence: a display's EDID can be read there */
	uint8_t answers[ADDRESSES];     /* enum presence: somebody acknowledges there */
	struct memory memory[SLOTS];
};

/* Forget what may change between two requests: drivers, displays, chips that were not there. */
void facts_refresh(struct facts *facts);
/* Forget which slots were empty: an SPD that is busy does not answer either. */
void facts_forget_empty(struct facts *facts);
/* Forget that a chip was recognised: it failed to answer, or was moved. */
void facts_forget(struct facts *facts, uint8_t address);

/* A register pointer as somebody sees it. */
struct pointer {
	bool known;
	uint16_t value;
};

/* Who asks: what he has a right to, and how the chip that he asks for stands to him. */
struct caller {
	const struct door *door; /* NULL: no rights */
	bool claimed;            /* another process has the chip */
	struct pointer pointer;  /* where his next datum would go */
};

enum floor_lift {
	FLOOR_OPEN,            /* the floor has no say */
	FLOOR_CHIP,            /* only for a recognised chip */
	FLOOR_CHIP_UNBUFFERED, /* the same, and the module in its slot proven to be unbuffered */
	FLOOR_CHIP_NOT_DDR5,   /* the same, on a bus proven not to hold DDR5 */
	FLOOR_NOT_DISPLAY,     /* only where no display answers */
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
enum fact {
	FACT_OWNER,      /* facts.owner */
	FACT_RECOGNISED, /* facts.recognised or .stranger, by device_index */
	FACT_MEMORY,     /* facts.memory, the address being that of the SPD */
	FACT_EDID,       /* facts.edid */
	FACT_ANSWERS,    /* facts.answers */
};

/* Which gate decided, where the reason alone does not tell. */
enum gate { GATE_NONE, GATE_MEMORY, GATE_FINGERPRINT, GATE_REGISTER, GATE_MOVE };

struct judgement {
	enum verdict verdict;
	enum rgbroker_reason reason;   /* of a refusal */
	const struct floor_row *floor; /* the row that refused, or asked for more */
	const struct device *device;   /* whose rule decided, or whose chip must be proven */
	const struct rule *rule;
	enum gate gate;
	enum fact fact; /* that is needed */
	uint8_t fact_address;
	unsigned device_index;  /* of device */
	struct pointer pointer; /* behind RULE_POINTER, RULE_DATA: the register meant */
	const struct register_rule *register_rule; /* that let the first register pass */
};

/* What of an operation, and the data it carries, a rule does not name; the first of these. */
enum misfit { FITS, MISFIT_OPERATION, MISFIT_COMMAND, MISFIT_LENGTH, MISFIT_DATA };
enum misfit rule_misfit(
	const struct rule *rule, const struct rgbroker_operation *operation, const uint8_t *data);

/*
 * Judge one operation. data: the bytes a write carries, NULL for a read. Pure: the same arguments
 * always give the same judgement. The caller has checked kind, address and length (decode.h).
 */
struct judgement policy_judge(const struct policy *policy, const struct caller *caller,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data);

/* Where the pointer is once an operation that was allowed has been carried out. */
struct pointer policy_pointer_after(
	const struct judgement *judgement, const struct rgbroker_operation *operation);
/* Whether it writes to a chip that must be recognised first: whoever does so claims the chip. */
bool policy_claims(const struct judgement *judgement);
/* Whether it moves the chip to another address, and to which. */
bool policy_moves(const struct judgement *judgement, const struct rgbroker_operation *operation,
	const uint8_t *data, uint8_t *ret_address);
/* Whether it is what some device's Set= says, allowed or not. */
bool policy_sets_pointer(const struct policy *policy, const struct rgbroker_operation *operation);
/*
 * Whether an allowed operation that is of no [Pointer] may have moved one all the same: it was
 * allowed by another device's file, at an address where some device has a pointer. Any write may;
 * reads, if they are such as go through it.
 */
bool policy_moves_unseen(const struct policy *policy, const struct judgement *judgement,
	const struct rgbroker_operation *operation);
/* The operation and data that set a device's pointer. */
void policy_set_pointer(const struct device *device, uint8_t address, uint16_t value,
	struct rgbroker_operation *ret_operation, uint8_t *ret_data);

/*
 * --- gates.c: each lets a judgement stand, turns it down, or asks for a fact. What refuses beats
 * what asks, so that nothing is put on the wire in vain; the first to ask is heard. ---
 */

/* The memory module that a family, or the floor, requires. */
void gate_memory(struct judgement *judgement, const struct facts *facts, uint8_t address,
	enum floor_lift lift);
void gate_display(struct judgement *judgement, const struct facts *facts, uint8_t address);
/* The registers behind a pointer, their values, and where a chip may be moved. */
void gate_registers(struct judgement *judgement, enum bus_class class, const struct caller *caller,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data);
void judgement_refuse(struct judgement *judgement, enum rgbroker_reason reason, enum gate gate);
void judgement_ask(struct judgement *judgement, enum fact fact, uint8_t address);

/* One sentence for a person: what decided and where it is written. Returns buffer. */
const char *policy_explain(const struct judgement *judgement, char *buffer, size_t size);
/* One word for programs and for people. */
const char *reason_name(uint16_t reason);
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

/* Whether the family is asked what it is by a write. */
bool device_sends(const struct device *device);

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
