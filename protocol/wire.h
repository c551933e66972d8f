/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole contract between a broker and its clients: all that can be asked of a broker.
 *
 * One SEQPACKET message is one request; each gets exactly one reply. Integers are in host order
 * (the socket is local). A request is complete in itself: the address travels with every operation,
 * so that no earlier failure can send it elsewhere, and it may be sent again to another broker
 * process.
 *
 *   request = struct rgbroker_request, count x struct rgbroker_operation, data of the writes
 *   reply   = struct rgbroker_reply, data of the reads (or the struct the opcode names)
 *
 * Bump RGBROKER_PROTOCOL_VERSION when any size, offset, number or meaning below changes. The first
 * eight bytes of both headers never change: a broker answers a request of another version with its
 * own version and RGBROKER_REASON_VERSION, and keeps the connection.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#ifndef RGBROKER_PROTOCOL_VERSION /* tests build brokers and libraries of another one */
#define RGBROKER_PROTOCOL_VERSION 1
#endif

#define RGBROKER_OPERATIONS_MAX 64 /* in one request: a batch, run back to back */
#define RGBROKER_DATA_MAX 2112     /* bytes in a message: 64 SMBus blocks, counts included */
#define RGBROKER_TRANSFER_MAX 1024 /* bytes of one plain I2C transfer, both ways */
#define RGBROKER_MESSAGES_MAX 8    /* joined plain I2C messages */
#define RGBROKER_BLOCK_MAX 32      /* bytes in an SMBus block, its count not counted */

enum rgbroker_opcode {
	RGBROKER_TRANSFER = 1, /* run the operations in order, stop at the first failure */
	RGBROKER_INFO = 2,     /* reply data: struct rgbroker_info */
	/* doors with Inspect=yes; what they answer stands in inspect.h */
	RGBROKER_STATUS = 3,  /* reply data: struct rgbroker_status */
	RGBROKER_CHIPS = 4,   /* reply data: struct rgbroker_chip..., from row number context on */
	RGBROKER_COUNTS = 5,  /* reply data: struct rgbroker_count..., from row number context on */
	RGBROKER_MONITOR = 6, /* from the reply on a struct rgbroker_event a message, for good */
	/* doors with Release=yes */
	RGBROKER_RELEASE = 7, /* end the claim on address context; -ENOENT: there is none */
};

/* The SMBus kinds carry the kernel's I2C_SMBUS_* numbers. What is missing cannot be asked for. */
enum rgbroker_kind {
	RGBROKER_QUICK = 0,      /* read is the bit sent; no command, no data */
	RGBROKER_BYTE = 1,       /* write: command is the byte sent; no data */
	RGBROKER_BYTE_DATA = 2,  /* 1 byte */
	RGBROKER_WORD_DATA = 3,  /* 2 bytes, low byte first as on the wire */
	RGBROKER_BLOCK_DATA = 5, /* write: 0..32 bytes; read: room 33: the count, then the bytes */
	RGBROKER_I2C_BLOCK = 8,  /* write: 0..32 bytes; read: room 1 + bytes wanted: count, bytes */
	RGBROKER_I2C = 16,       /* one plain I2C message of up to 1024 bytes; no command */
};

struct rgbroker_request {
	uint16_t version;
	uint16_t opcode;
	uint32_t serial;  /* comes back in the reply */
	uint32_t context; /* whose pointer this is: a thread of the caller; any number */
	uint16_t count;   /* operations that follow; 0 unless RGBROKER_TRANSFER */
	uint16_t length;  /* bytes of data that follow them */
};

struct rgbroker_operation {
	uint8_t kind;
	uint8_t read;    /* 0: write, 1: read */
	uint8_t address; /* 7 bits */
	uint8_t command; /* 0 where the kind has none */
	uint16_t length; /* write: bytes of data sent along; read: room in the reply, always filled
			  */
	uint8_t joined;  /* RGBROKER_I2C: 1: the next operation follows by a repeated start */
	uint8_t earlier; /* 1: this context may have set a pointer there over an earlier connection
			  */
};

/* Why a request was not, or not wholly, carried out. */
enum rgbroker_reason {
	RGBROKER_REASON_NONE = 0,
	RGBROKER_REASON_BUS = 1,      /* the kernel's own answer: no acknowledge, timeout, ... */
	RGBROKER_REASON_VERSION = 2,  /* see above; not executed */
	RGBROKER_REASON_DOOR = 3,     /* this door has no right to it; not executed */
	RGBROKER_REASON_FLOOR = 4,    /* closed for good by the built-in table; not executed */
	RGBROKER_REASON_RULE = 5,     /* no device file allows it; not executed */
	RGBROKER_REASON_UNPROVEN = 6, /* the chip was not recognised; not executed */
	RGBROKER_REASON_OWNED = 7,    /* a kernel driver has the address; not executed */
	RGBROKER_REASON_CLAIMED = 8,  /* another process has claimed the chip; not executed */
	RGBROKER_REASON_POINTER = 9,  /* pointer unknown: send its last write again; not executed */
	RGBROKER_REASON_STOPPING = 10, /* connect and send the operations from `done` on again; they
					  were not executed */
	RGBROKER_REASON_PROTOCOL = 11, /* malformed; not executed, the connection is closed */
};

struct rgbroker_reply {
	uint16_t version;
	uint16_t reason;
	uint32_t serial;
	int32_t result;          /* 0, or a negative errno */
	uint16_t done;           /* operations carried out; or the refused one's, if none was */
	uint16_t length;         /* bytes of data that follow: room of the done reads, in order */
	uint64_t pointer_writes; /* bit i: operation i set a chip's register pointer; keep it */
	uint64_t pointer_moves;  /* bit i: operation i went through the pointer, or may have moved
				    it: what is kept of this context and address no longer tells
				    where it is */
};

struct rgbroker_info {
	uint32_t functionality; /* I2C_FUNC_* of the adapter, less what cannot be asked for */
	uint32_t adapter;       /* N of i2c-N */
	char name[64];          /* as in sysfs, NUL-terminated */
};

#define RGBROKER_REQUEST_MAX                                                                       \
	(sizeof(struct rgbroker_request) +                                                         \
		RGBROKER_OPERATIONS_MAX * sizeof(struct rgbroker_operation) + RGBROKER_DATA_MAX)
#define RGBROKER_REPLY_MAX (sizeof(struct rgbroker_reply) + RGBROKER_DATA_MAX)

static_assert(sizeof(struct rgbroker_request) == 16, "wire format");
static_assert(sizeof(struct rgbroker_operation) == 8, "wire format");
static_assert(sizeof(struct rgbroker_reply) == 32, "wire format");
static_assert(sizeof(struct rgbroker_info) == 72, "wire format");
