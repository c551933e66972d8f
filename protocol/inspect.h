/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker tells administrators: the answers of the opcodes that need Inspect=yes. */
#pragma once

#include "protocol/wire.h"

struct rgbroker_status {
	uint64_t requests; /* since this broker started; so are the others */
	uint64_t operations;
	uint64_t refused;     /* requests */
	uint64_t failed;      /* requests that the bus failed */
	uint64_t own_reads;   /* transfers of the broker's own, by which it found facts */
	uint64_t pointer_set; /* pointers it set again, as another context had moved them */
	uint32_t clients;     /* connected now */
	uint32_t rows;        /* of RGBROKER_COUNTS */
	uint64_t quarantines; /* of the bus or a chip, after time-outs in a row */
	uint64_t spared;      /* transfers that were answered with ETIMEDOUT meanwhile, untried */
	uint64_t quarantine_since; /* CLOCK_MONOTONIC, microseconds, of the bus; 0: it is in none */
	uint64_t quarantine_until; /* the first transfer from then on is tried */
	uint8_t quarantined[16];   /* bit: a chip's address */
	uint64_t evicted;          /* connections that had to go for newer ones */
};

/* A chip that was recognised, or is claimed. */
struct rgbroker_chip {
	uint8_t address;
	uint8_t claimed;
	uint16_t reserved;
	int32_t pid; /* of who claims it; 0: of another pid namespace */
	uint32_t uid;
	uint32_t reserved2;
	char device[32]; /* the file it was recognised by, without .conf; empty: forgotten since */
};

enum rgbroker_count_of {
	RGBROKER_COUNT_DOOR,   /* operations by the door they came through */
	RGBROKER_COUNT_DEVICE, /* by the device file that decided */
	RGBROKER_COUNT_REASON, /* refused ones by reason: the number in text */
	RGBROKER_COUNT_ERROR,  /* failed transfers by errno: the number in text */
};

struct rgbroker_count {
	uint32_t what; /* enum rgbroker_count_of */
	char name[28];
	uint64_t allowed; /* or how often it failed */
	uint64_t refused;
};

/* One operation that was carried out or refused. */
struct rgbroker_event {
	uint16_t version;
	uint16_t reason;
	uint32_t lost;     /* events before this one that did not fit in the socket */
	uint64_t realtime; /* microseconds since 1970 */
	int32_t result;    /* 0, or a negative errno */
	int32_t pid;
	uint32_t uid;
	uint32_t context;
	struct rgbroker_operation operation;
	uint16_t index, count; /* its place in the request */
	uint8_t own;           /* 1: the broker's own: it looks for facts, or sets a pointer */
	uint8_t length;        /* of data */
	uint16_t reserved;
	char door[32];
	char device[32];
	uint8_t data[32]; /* written, or read: the first of them */
};

/*
 * What the broker is doing just now, in a memfd of that name: readable through /proc/PID/fd even
 * while the broker hangs in the kernel and answers nobody.
 */
#define RGBROKER_LIVE_NAME "rgbroker-live"
#define RGBROKER_HANGS_SECONDS 2 /* a transfer that takes longer is said to hang */
struct rgbroker_live {
	uint64_t since; /* CLOCK_MONOTONIC, microseconds; 0: nothing is in the kernel */
	int32_t pid;    /* for whom */
	uint32_t uid;
	struct rgbroker_operation operation; /* of several messages the first */
};

static_assert(sizeof(struct rgbroker_status) == 112, "wire format");
static_assert(sizeof(struct rgbroker_chip) == 48, "wire format");
static_assert(sizeof(struct rgbroker_count) == 48, "wire format");
static_assert(sizeof(struct rgbroker_event) == 144, "wire format");
static_assert(sizeof(struct rgbroker_live) == 24, "shared with rgbrokerctl");
