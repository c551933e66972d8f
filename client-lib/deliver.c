/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See deliver.h. */
#include "client-lib/deliver.h"

#include "client-lib/link.h"
#include "client-lib/reconnect.h"
#include "client-lib/reply.h"

#include <errno.h>
#include <sys/socket.h>

#define RETRY_PAUSE_MAX_MS 50

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
