/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a request: lock, connect, send, wait, and what to do when it was not carried out. */
#include "client-lib/connection.h"

#include "client-lib/link.h"
#include "client-lib/reconnect.h"
#include "client-lib/reply.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RETRY_PAUSE_MAX_MS 50
#define CONTEXT_BITS 22 /* of a thread's number: PID_MAX_LIMIT, include/linux/threads.h */

void connection_init(struct connection *connection, const char *path, int descriptor,
	uint64_t inode, int timeout_ms)
{
	memset(connection, 0, sizeof(*connection));
	pthread_mutex_init(&connection->lock, NULL);
	connection->descriptor = descriptor;
	connection->inode = inode;
	connection->timeout_ms = timeout_ms;
	strncpy(connection->path, path, sizeof(connection->path) - 1);
}

int connection_open(struct connection *connection)
{
	return reconnect_ensure(connection, link_now() + connection->timeout_ms);
}

/* Nothing more can be said on this socket. The number stays, its file is replaced later. */
static void give_up(struct connection *connection)
{
	shutdown(connection->descriptor, SHUT_RDWR);
	connection->usable = false;
}

static int await_reply(struct connection *connection, const struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline)
{
	for (;;) {
		ssize_t length = link_receive(
			connection->descriptor, ret_reply, sizeof(*ret_reply), deadline);

		if (length < 0)
			return (int)length;
		switch (reply_judge(request, ret_reply, (size_t)length)) {
		case REPLY_OURS:
			return 0;
		case REPLY_LATE:
			break;
		case REPLY_VERSION:
			ret_reply->header.result = -EPROTO;
			ret_reply->header.reason = RGBROKER_REASON_VERSION;
			ret_reply->header.done = 0;
			ret_reply->header.length = 0;
			ret_reply->header.pointer_writes = 0;
			ret_reply->header.pointer_moves = 0;
			return 0;
		case REPLY_MALFORMED:
			return -EPROTO;
		}
	}
}

static int ask_once(struct connection *connection, struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline)
{
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	struct iovec parts[] = {
		{&request->header, sizeof(request->header)},
		{operations, request->header.count * sizeof(*operations)},
		{(void *)(uintptr_t)request->data, request->header.length},
	};
	int r;

	for (uint16_t i = 0; i < request->header.count; i++) {
		operations[i] = request->operations[i];
		operations[i].earlier = pointers_earlier(
			&connection->pointers, request->header.context, operations[i].address);
	}
	request->header.version = RGBROKER_PROTOCOL_VERSION;
	request->header.serial = ++connection->serial;
	r = link_send(connection->descriptor, parts, 3, deadline);
	if (r == 0)
		r = await_reply(connection, request, ret_reply, deadline);
	if (r < 0 && r != -ETIMEDOUT)
		give_up(connection);
	/* Unplugged or crashed? Only a socket file that is gone can tell. */
	if (r == -EIO && link_gone(connection->path))
		return -ENODEV;
	return r;
}

/* The first retry is at once; a broker that never comes up is not asked in a tight loop. */
static int retry_pause(unsigned tries)
{
	if (tries < 2)
		return 0;
	return tries < 8 ? 1 << (tries - 2) : RETRY_PAUSE_MAX_MS;
}

/* Until it was carried out, refused, or its fate is unknown. @return 0: there is a reply */
static int deliver(struct connection *connection, struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline)
{
	for (unsigned tries = 0;; tries++) {
		int r = link_pause(retry_pause(tries), deadline);

		if (r == 0)
			r = reconnect_ensure(connection, deadline);
		if (r < 0)
			return r;
		r = ask_once(connection, request, ret_reply, deadline);
		if (r == -ECONNRESET)
			continue;
		if (r < 0)
			return r;
		if (ret_reply->header.reason == RGBROKER_REASON_PROTOCOL)
			give_up(connection); /* so did the broker */
		if (ret_reply->header.reason != RGBROKER_REASON_STOPPING)
			return 0;
		give_up(connection);
	}
}

/* The broker has forgotten a pointer. @return whether it was set again. Overwrites the reply. */
static bool set_pointer_again(struct connection *connection,
	const struct connection_request *request, struct connection_reply *reply, int64_t deadline)
{
	struct connection_request again = {.header = {.opcode = RGBROKER_TRANSFER, .count = 1}};
	const struct pointer_write *write;
	uint16_t refused = reply->header.done;

	if (refused >= request->header.count)
		return false;
	write = pointers_find(&connection->pointers, request->header.context,
		request->operations[refused].address);
	if (write == NULL)
		return false;
	again.header.context = write->context;
	again.header.length = write->operation.length;
	again.operations = &write->operation;
	again.data = write->data;
	return deliver(connection, &again, reply, deadline) == 0 && reply->header.result == 0;
}

/* After a request: keep the pointers it set, forget those that it may have moved. */
static void learn(struct connection *connection, const struct connection_request *request,
	const struct rgbroker_reply *reply, bool answered)
{
	const uint8_t *data = request->data;

	for (uint16_t i = 0; i < request->header.count; i++) {
		const struct rgbroker_operation *operation = &request->operations[i];
		bool done = answered && i < reply->done;

		if (!answered)
			/* The outcome is unknown: data may have gone through it, and moved it. */
			pointers_drop(
				&connection->pointers, request->header.context, operation->address);
		else if (!done)
			pointers_doubt(&connection->pointers, request->header.context, operation);
		else if (!operation->read && (reply->pointer_writes >> i & 1))
			pointers_keep(
				&connection->pointers, request->header.context, operation, data);
		else if (reply->pointer_moves >> i & 1)
			pointers_drop(
				&connection->pointers, request->header.context, operation->address);
		if (!operation->read)
			data += operation->length;
	}
}

static int converse(struct connection *connection, struct connection_request *request,
	struct connection_reply *reply, int64_t deadline)
{
	int r = deliver(connection, request, reply, deadline);

	if (r == 0 && reply->header.reason == RGBROKER_REASON_POINTER) {
		if (!set_pointer_again(connection, request, reply, deadline)) {
			memset(&reply->header, 0, sizeof(reply->header));
			reply->header.reason = RGBROKER_REASON_POINTER;
			reply->header.result = -EAGAIN;
			return 0;
		}
		r = deliver(connection, request, reply, deadline);
		if (r == 0 && reply->header.reason == RGBROKER_REASON_POINTER)
			reply->header.result = -EAGAIN;
	}
	if (r == 0 && reply_means_refused(reply->header.reason))
		reply->header.done = 0;
	learn(connection, request, &reply->header, r == 0);
	return r;
}

static int lock_until(pthread_mutex_t *lock, int64_t deadline)
{
	struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = deadline % 1000 * 1000000,
	};

	return -pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &until);
}

static int exchange(struct connection *connection, int descriptor,
	struct connection_request *request, struct connection_reply *ret_reply)
{
	int64_t deadline = link_now() + atomic_load(&connection->timeout_ms);
	int r = lock_until(&connection->lock, deadline);

	if (r == 0) {
		/* What was given up while it waited for the lock may have been a pointer: all
		 * contexts are new ones from here on, and set theirs again. */
		unsigned given_up = atomic_load(&connection->given_up);

		request->header.context ^= given_up << CONTEXT_BITS;
		connection->pointers.link += given_up != connection->seen_given_up;
		connection->seen_given_up = given_up;
		r = reconnect_settle(connection, descriptor);
		if (r == 0)
			r = converse(connection, request, ret_reply, deadline);
		pthread_mutex_unlock(&connection->lock);
	} else {
		atomic_fetch_add(&connection->given_up, 1);
	}
	if (r < 0) {
		memset(&ret_reply->header, 0, sizeof(ret_reply->header));
		ret_reply->header.reason = CONNECTION_LOCAL;
		ret_reply->header.result = r;
	}
	return ret_reply->header.result;
}

int connection_exchange(struct connection *connection, int descriptor,
	struct connection_request *request, struct connection_reply *ret_reply)
{
	int saved_errno = errno;
	int cancel;
	int r;

	/* i2c-dev's calls are no cancellation points, and a thread must not go with the lock. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	r = exchange(connection, descriptor, request, ret_reply);
	pthread_setcancelstate(cancel, NULL);
	errno = saved_errno;
	return r;
}

int connection_transfer(struct connection *connection, int descriptor, uint32_t context,
	const struct rgbroker_operation *operation, const uint8_t *data,
	struct connection_reply *ret_reply)
{
	struct connection_request request = {
		.header = {.opcode = RGBROKER_TRANSFER,
			.context = context,
			.count = 1,
			.length = operation->read ? 0 : operation->length},
		.operations = operation,
		.data = data,
	};

	return connection_exchange(connection, descriptor, &request, ret_reply);
}

int connection_info(struct connection *connection, int descriptor, struct rgbroker_info *ret_info,
	uint16_t *ret_reason)
{
	struct connection_request request = {.header = {.opcode = RGBROKER_INFO}};
	struct connection_reply reply;
	int r = connection_exchange(connection, descriptor, &request, &reply);

	*ret_reason = reply.header.reason;
	if (r == 0) {
		memcpy(ret_info, reply.data, sizeof(*ret_info));
		ret_info->name[sizeof(ret_info->name) - 1] = '\0';
	}
	return r;
}
