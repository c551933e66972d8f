/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking a running broker through its administrators' door, and what it answers. */
#pragma once

#include "client-lib/connection.h"
#include "ctl/ctl.h"
#include "protocol/inspect.h"

#define ADMIN_TIMEOUT_MS 3000 /* a broker that does not hang answers at once */
#define WAKE_TIMEOUT_MS 30000 /* as long as systemd lets one start */

/* One connection to one broker. */
struct admin {
	unsigned bus;
	int descriptor;
	uint32_t serial;
	int64_t deadline; /* of all that is asked */
};

/*
 * Connect. A door that is connected to wakes its broker: look at broker_awake() first.
 * 0; -EACCES: not root; -ENODEV: nobody listens; -ETIMEDOUT.
 */
int admin_open(struct admin *ret_admin, unsigned bus, int timeout_ms);
void admin_close(struct admin *admin);
/*
 * One question. 0, or a negative errno: what the broker said, or of our own: -ETIMEDOUT, -EPROTO
 * (it speaks another version), -ECONNRESET and -EIO (it went).
 */
int admin_ask(
	struct admin *admin, uint16_t opcode, uint32_t context, struct connection_reply *ret_reply);
/* All rows of RGBROKER_CHIPS or RGBROKER_COUNTS, to be freed; ret_rows is NULL if there are none.
 * -EPROTO: more of them than a broker has.
 */
int admin_ask_rows(
	struct admin *admin, uint16_t opcode, size_t row_size, void *ret_rows, size_t *ret_count);
/* What kept us from asking, and what the person can do about it. Returns buffer. */
const char *admin_why_not(unsigned bus, int error, char *buffer, size_t size);

/* Whether this user may connect: told without connecting. */
bool admin_may(unsigned bus);

/* "asleep" (a broker that nobody needs is no failure), "running", ... or "unknown". Returns buffer.
 */
const char *broker_state(struct systemd *systemd, unsigned bus, char *buffer, size_t size);
/* Whether asking it wakes nobody. */
bool broker_awake(const char *state);
pid_t broker_pid(struct systemd *systemd, unsigned bus);

/* --- chips.c --- */

/* What one broker has recognised, and who holds it. */
struct chips {
	struct rgbroker_chip *items;
	size_t count;
	int error; /* 0: they are known; -EAGAIN: the broker sleeps and knows none */
};

/* Wakes nobody unless told to. */
struct chips chips_find(unsigned bus, const char *state, bool wake);
void chips_free(struct chips *chips);
void chips_print(const struct chips *chips, const char *indent);
/* An array; null if they are not known. */
json_object *chips_json(const struct chips *chips);

/* --- live.c --- */

/* What a broker has in the kernel just now. 0; -EACCES, -ENOENT: it has no such page. */
int live_read(pid_t broker, struct rgbroker_live *ret_live);
/* Seconds since it was given to the kernel; 0: nothing is there. */
double live_seconds(const struct rgbroker_live *live);
