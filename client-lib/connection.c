/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a request: lock, deliver, and what to do when it was not wholly carried out. */
#include "client-lib/connection.h"

#include "client-lib/deliver.h"
#include "client-lib/link.h"
#include "client-lib/reconnect.h"
#include "client-lib/reply.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
		else if (!done && reply->reason != RGBROKER_REASON_STOPPING)
			pointers_doubt(&connection->pointers, request->header.context, operation);
		else if (!done)
			break; /* it will be sent again */
		else if (!operation->read && (reply->pointer_writes >> i & 1))
			pointers_keep(
				&connection->pointers, request->header.context, operation, data);
		else if (reply->pointer_moves >> i & 1)
			pointers_drop(
				&connection->pointers, request->header.context, operation->address);
		if (!operation->read && operation->length > 0) /* else there may be no data */
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

/* What was not carried out of a request is another broker's. */
static void go_on(struct connection *connection, const struct connection_request *request,
	struct connection_reply *reply, int64_t deadline)
{
	struct connection_request rest = *request;
	struct connection_reply part;
	int r;

	request_skip(&rest, reply->header.done);
	r = converse(connection, &rest, &part, deadline);
	if (r < 0)
		part.header =
			(struct rgbroker_reply){.reason = CONNECTION_LOCAL, .result = (int32_t)r};
	reply_add(reply, &part);
}

/* Whatever becomes of the rest of a batch, what was carried out of it is told. */
static int converse_all(struct connection *connection, struct connection_request *request,
	struct connection_reply *reply, int64_t deadline)
{
	int r = converse(connection, request, reply, deadline);

	while (r == 0 && reply->header.reason == RGBROKER_REASON_STOPPING)
		go_on(connection, request, reply, deadline);
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
	uint64_t inode = request->inode;
	int r = -pthread_mutex_trylock(&connection->lock);

	if (r < 0) {
		inode = 0; /* what was seen before the wait may have changed */
		r = lock_until(&connection->lock, deadline);
	}
	if (r == 0) {
		/* What was given up while it waited for the lock may have been a pointer: all
		 * contexts are new ones from here on, and set theirs again. */
		unsigned given_up = atomic_load(&connection->given_up);

		request->header.context ^= given_up << CONTEXT_BITS;
		connection->pointers.link += given_up != connection->seen_given_up;
		connection->seen_given_up = given_up;
		r = reconnect_settle(connection, descriptor, inode);
		if (r == 0)
			r = converse_all(connection, request, ret_reply, deadline);
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

int connection_transfer(struct connection *connection, int descriptor, uint64_t inode,
	uint32_t context, const struct rgbroker_operation *operation, const uint8_t *data,
	struct connection_reply *ret_reply)
{
	struct connection_request request = {
		.header = {.opcode = RGBROKER_TRANSFER,
			.context = context,
			.count = 1,
			.length = operation->read ? 0 : operation->length},
		.operations = operation,
		.data = data,
		.inode = inode,
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
