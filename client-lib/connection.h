/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to one broker, that outlives the broker: librgbroker and the i2c-dev shim are both
 * made of it.
 *
 * The descriptor's number stays the same over reconnects, so that a program may hold it. Whose
 * number it is, is asked by the socket's inode each time, since a program may also close it.
 */
#pragma once

#include "client-lib/pointers.h"
#include "protocol/wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#define CONNECTION_FORMER 4

/** Reply reason of what never got an answer: connection, deadline, argument. Not on the wire. */
#define CONNECTION_LOCAL 100

struct connection {
	pthread_mutex_t lock;  /* one request in flight */
	atomic_int descriptor; /* the number last used */
	bool usable;           /* connected, as far as we know */
	bool own;              /* the socket was made by this process, not inherited */
	uint32_t serial;       /* of the last request; older replies are late ones */
	atomic_int timeout_ms;
	int patience;           /* what link_let_wait() was told of the socket; 0: nothing yet */
	atomic_uint note;       /* see connection_set_note() */
	unsigned left_note;     /* bits added to the note of a socket that is left behind */
	_Atomic uint64_t inode; /* of the socket; read without the lock by connection_knows() */
	_Atomic uint64_t
		former[CONNECTION_FORMER]; /* of its predecessors: a dup may still have one */
	bool linked_before;
	atomic_uint given_up;   /* requests that did not get the lock in time */
	unsigned seen_given_up; /* by those that did */
	struct pointer_memory pointers;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/** What is to be sent; version and serial are filled in. Its context is the calling thread's. */
struct connection_request {
	struct rgbroker_request header;
	const struct rgbroker_operation *operations;
	const uint8_t *data;
	uint64_t inode; /* of the descriptor, where the caller has just looked; else 0 */
};

struct connection_reply {
	struct rgbroker_reply header;
	uint8_t data[RGBROKER_DATA_MAX];
};

/** Prepare one that is not connected: its first exchange does that. descriptor: -1, or the number
 *  to connect on, whose socket is `inode`. The path must fit. */
void connection_init(struct connection *connection, const char *path, int descriptor,
	uint64_t inode, int timeout_ms);

/** Connect now. @return 0 or a negative errno, see link_connect() */
int connection_open(struct connection *connection);

/** Is this the connection's socket, or was it once? Safe without the lock. */
bool connection_knows(struct connection *connection, uint64_t inode);

/**
 * A number that the socket itself carries (in SO_RCVLOWAT, which means nothing to SEQPACKET): it
 * goes where the open file goes, to dup()s, children and through exec, as i2c-dev's slave address
 * does. 0: none.
 */
void connection_set_note(struct connection *connection, int descriptor, unsigned note);
unsigned connection_read_note(int descriptor);

/**
 * Send a request and wait for its reply; reconnect, and send again what was surely not carried out.
 * @param descriptor  the number by which the caller knows it, or -1
 * @param ret_reply   its header is filled on failure as well; done: what was carried out
 * @return the reply's result: 0 or a negative errno; or one of our own:
 *         -ENODEV, -ETIMEDOUT, -EIO, -EPROTO, -EBADF (the number is another file by now),
 *         -EAGAIN (pointer unknown, here too: the caller sets it again)
 */
int connection_exchange(struct connection *connection, int descriptor,
	struct connection_request *request, struct connection_reply *ret_reply);

/** A request with one operation. data: operation->length bytes, if it is a write. */
int connection_transfer(struct connection *connection, int descriptor, uint64_t inode,
	uint32_t context, const struct rgbroker_operation *operation, const uint8_t *data,
	struct connection_reply *ret_reply);

/** RGBROKER_INFO. ret_reason: set in any case. */
int connection_info(struct connection *connection, int descriptor, struct rgbroker_info *ret_info,
	uint16_t *ret_reason);
