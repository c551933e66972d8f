/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bus that keeps timing out is left alone for a while. Each time-out holds the adapter for as
 * long as its driver has patience (i2c-i801, i2c-piix4: a fifth or a quarter of a second), and
 * clients and the kernel's own drivers wait meanwhile. After three in a row transfers are answered
 * with the time-out at once, for a second; then one is let through. If it times out too, the next
 * pause is twice as long, up to a minute; if anybody answers, even by not acknowledging, all is
 * well again.
 *
 * As long as it is one address that times out, it is that chip alone: who uses another must not
 * suffer from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/wire.h"

#define QUARANTINE_TIMEOUTS 3
#define QUARANTINE_PAUSE_USEC UINT64_C(1000000)
#define QUARANTINE_PAUSE_MAX_USEC UINT64_C(60000000)
#define QUARANTINE_ADDRESSES 128
#define QUARANTINE_BUS QUARANTINE_ADDRESSES /* in place of an address: all of it */

struct quarantine_state {
	unsigned timeouts;   /* in a row */
	uint64_t since_usec; /* 0: not in quarantine */
	uint64_t until_usec; /* then one transfer goes through */
	uint64_t pause_usec; /* how long that is from the last time-out on */
	uint64_t spared;     /* transfers that were answered so */
};

/* Zeroed: all is well. Times are CLOCK_MONOTONIC, in microseconds. */
struct quarantine {
	struct quarantine_state of[QUARANTINE_BUS + 1];
	unsigned active; /* how many of them are in quarantine */
	uint8_t last;    /* the address that timed out last */
	bool several;    /* not only that one, in this row */
	uint64_t begun, spared;
	unsigned number; /* of the bus, for the journal */
};

/* 0: carry the transfer out; or the negative errno to answer with, and nothing goes on the wire. */
int quarantine_answer(struct quarantine *quarantine, const struct rgbroker_operation *operations,
	size_t count, uint64_t now_usec);

/*
 * What a transfer came to: 0 or the kernel's negative errno. The journal is told when a quarantine
 * begins and ends. Where messages to several chips are joined, nobody knows whose time-out it was,
 * and none is blamed. Returns whether one began or ended.
 */
bool quarantine_learn(struct quarantine *quarantine, const struct rgbroker_operation *operations,
	size_t count, int result, uint64_t now_usec);
