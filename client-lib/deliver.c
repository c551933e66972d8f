/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See deliver.h. */
#include "client-lib/deliver.h"

#include "client-lib/link.h"
#include "client-lib/reconnect.h"
#include "client-lib/reply.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define RETRY_PAUSE_MAX_MS 50

/* Nothing more can be said on this socket. The number stays, its file is replaced later. */
static void give_up(struct connection *connection)
{
	shutdown(connection->descriptor, SHUT_RDWR);
	connection->usable = false;
}

/* How long its socket waits by itself: as long as a whole request may take. */
static int patience(struct connection *connection)
{
	int timeout_ms = atomic_load(&connection->timeout_ms);

	if (connection->patience != timeout_ms)
		connection->patience =
			link_let_wait(connection->descriptor, timeout_ms) ? timeout_ms : 0;
	return connection->patience;
}

static int await_reply(struct connection *connection, const struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline)
{
	for (;;) {
		ssize_t length = link_receive(connection->descriptor, ret_reply, sizeof(*ret_reply),
			patience(connection), deadline);

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

/* All parts in one piece: gathering them costs the kernel more. @return its size */
static size_t compose(struct connection *connection, const struct connection_request *request,
	uint8_t *ret_message)
{
	const struct rgbroker_request *header = &request->header;
	struct rgbroker_operation *operations = (void *)(ret_message + sizeof(*header));

	memcpy(ret_message, header, sizeof(*header));
	for (uint16_t i = 0; i < header->count; i++) {
		operations[i] = request->operations[i];
		operations[i].earlier = pointers_earlier(
			&connection->pointers, header->context, operations[i].address);
	}
	if (header->length > 0)
		memcpy(operations + header->count, request->data, header->length);
	return sizeof(*header) + header->count * sizeof(*operations) + header->length;
}

static int ask_once(struct connection *connection, struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline)
{
	_Alignas(8) uint8_t message[RGBROKER_REQUEST_MAX];
	size_t size;
	int r;

	request->header.version = RGBROKER_PROTOCOL_VERSION;
	request->header.serial = ++connection->serial;
	size = compose(connection, request, message);
	r = link_send(connection->descriptor, message, size, deadline);
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

int deliver(struct connection *connection, struct connection_request *request,
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
		if (ret_reply->header.done > 0)
			return 0;
	}
}
