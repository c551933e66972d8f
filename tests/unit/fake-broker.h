/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A broker in a thread, with chips of its own and a script of misbehaviour.
 *
 * Chips: 128 x 256 bytes of memory. 0x77 never acknowledges, 0x10 is denied. A word written to
 * command 0 of 0x70 is a pointer write.
 */
#pragma once

#include "protocol/wire.h"

#include <stddef.h>
#include <sys/types.h>

/** What to do with the next request (or connection); then with the one after it; then serve. */
enum fake_action {
	FAKE_SERVE,
	FAKE_STOPPING,     /* say so, and close */
	FAKE_STOP_WITHIN,  /* the same after the first operation */
	FAKE_STOP_DONE,    /* say so, but all was carried out */
	FAKE_EOF,          /* close after reading */
	FAKE_EOF_UNLINK,   /* the same, and the socket is gone */
	FAKE_CLOSE_UNREAD, /* close before reading */
	FAKE_KILL_BACKLOG, /* close the listening socket before accepting, and open a new one */
	FAKE_VERSION,      /* answer in another version */
	FAKE_SHORT,        /* four bytes */
	FAKE_CUT,          /* a header that promises more */
	FAKE_OVERSIZED,    /* more than any reply can be */
	FAKE_FUTURE,       /* a serial that was never sent */
	FAKE_BAD_DONE,     /* success, with nothing done */
	FAKE_POSITIVE,     /* a result above 0 */
	FAKE_LATE,         /* keep the reply until the next request */
	FAKE_SILENT,       /* never reply */
	FAKE_POINTER,      /* pointer unknown, for the last operation */
	FAKE_DENY_LAST,    /* refuse the last operation, so carry out none */
};

struct fake_record {
	struct rgbroker_request header;
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	uint8_t data[RGBROKER_DATA_MAX];
	pid_t peer;      /* who connected */
	unsigned client; /* which connection, counted from 1 */
};

struct fake_broker;

struct fake_broker *fake_broker_start(int bus);
void fake_broker_stop(struct fake_broker *fake);
const char *fake_broker_directory(const struct fake_broker *fake);
const char *fake_broker_path(const struct fake_broker *fake);
void fake_broker_script(struct fake_broker *fake, size_t count, const enum fake_action *actions);

/** Close all connections, as a broker does that goes to sleep; keep listening. */
void fake_broker_sleep(struct fake_broker *fake);

/** Stop listening and unlink the socket. */
void fake_broker_unplug(struct fake_broker *fake);

/** How many requests were read, and the index'th of them. */
size_t fake_broker_requests(struct fake_broker *fake);
struct fake_record fake_broker_request(struct fake_broker *fake, size_t index);
unsigned fake_broker_connections(struct fake_broker *fake); /* accepted so far */

/** A byte of a chip. */
uint8_t fake_broker_memory(struct fake_broker *fake, uint8_t address, uint8_t offset);
