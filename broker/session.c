/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One peer: receive, decode, authorise, execute, reply. */
#include "broker/broker.h"
#include "broker/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Messages are worked on here: there is one thread, and one request at a time. */
static _Alignas(8) uint8_t in[RGBROKER_REQUEST_MAX];
static _Alignas(8) struct reply out;

static const int reply_room = 32 * 1024; /* the kernel doubles it */

static_assert(sizeof(out) == RGBROKER_REPLY_MAX, "a reply is its head and its data");

static void client_free(struct client *client)
{
	struct broker *broker = client->broker;

	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	broker->status.clients--;
	summary_changed(broker);
	broker->n_monitors -= client->monitors;
	if (client->process)
		process_leave(client->process);
	sd_event_source_disable_unref(client->source); /* owns the descriptor */
	free(client);
	doors_resume(broker);
}

void reply_set(struct reply *reply, enum rgbroker_reason reason, int result)
{
	reply->head.reason = (uint16_t)reason;
	reply->head.result = result;
}

/* False: the peer does not take its replies, and nobody waits for it. */
static bool send_reply(struct client *client)
{
	size_t size = sizeof(out.head) + out.head.length;
	int fd = sd_event_source_get_io_fd(client->source);

	return send(fd, &out, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

static bool any_door(const struct door *door)
{
	return door;
}

static bool inspecting_door(const struct door *door)
{
	return door && door->inspect;
}

static bool releasing_door(const struct door *door)
{
	return door && door->release;
}

/* All that can be asked, and which doors may ask it. Transfers are judged one by one besides. */
static const struct {
	uint16_t opcode;
	bool (*right)(const struct door *door);
	void (*run)(struct client *client, const struct request *request, struct reply *reply);
} table[] = {
	{RGBROKER_TRANSFER, any_door, do_transfer},
	{RGBROKER_INFO, any_door, do_info},
	{RGBROKER_STATUS, inspecting_door, do_status},
	{RGBROKER_CHIPS, inspecting_door, do_chips},
	{RGBROKER_COUNTS, inspecting_door, do_counts},
	{RGBROKER_MONITOR, inspecting_door, do_monitor},
	{RGBROKER_RELEASE, releasing_door, do_release},
};

/* Look up, check the right, call. False: no such opcode. */
static bool dispatch(struct client *client, const struct request *request)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].opcode != request->header->opcode)
			continue;
		if (table[i].right(client->listener->door))
			table[i].run(client, request, &out);
		else
			reply_set(&out, RGBROKER_REASON_DOOR, -EACCES);
		return true;
	}
	return false;
}

/* Fill in the reply to one message. False: it was malformed. */
static bool work(struct client *client, size_t size)
{
	struct request request;
	int r = decode(in, size, &request);

	out.head = (struct rgbroker_reply){.version = RGBROKER_PROTOCOL_VERSION};
	if (request.header)
		out.head.serial = request.header->serial;
	if (r == -EPROTONOSUPPORT) {
		if (!client->told)
			log_peer(client, LOG_WARNING,
				"it speaks version %u of the protocol, this broker version %u: "
				"one of them was upgraded, and the other is to be started again",
				request.header->version, RGBROKER_PROTOCOL_VERSION);
		client->told = true;
		reply_set(&out, RGBROKER_REASON_VERSION, -EPROTO);
		return true;
	}
	if (r == 0 && dispatch(client, &request))
		return true;
	reply_set(&out, RGBROKER_REASON_PROTOCOL, -EPROTO);
	return false;
}

/*
 * One message into the buffer. 0: the peer has gone, -EAGAIN: nothing there, -EPROTO: too large, or
 * with descriptors along (there is no room for control data, so the kernel drops them and says so).
 */
static ssize_t receive(struct client *client)
{
	struct iovec vector = {in, sizeof(in)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	ssize_t size = recvmsg(sd_event_source_get_io_fd(client->source), &message, MSG_DONTWAIT);

	if (size < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EPROTO;
	return size;
}

static void drop_malformed(struct client *client, ssize_t size)
{
	log_peer(client, LOG_WARNING, "connection closed: it sent %s",
		size < 0 ? "an oversized message or descriptors" : "a malformed message");
	send_reply(client);
	client_free(client);
}

static int on_message(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *client = userdata;
	struct broker *broker = client->broker;
	uint64_t before = broker->wire_bytes;
	ssize_t size = 0;
	bool good;

	/* What somebody has left behind who has gone is not carried out. */
	if (!(revents & EPOLLHUP)) {
		if (!turn_is_due(broker, client->process->account, source))
			return 0;
		size = receive(client);
	}
	if (size == -EAGAIN)
		return 0;
	if (size == 0 || (size < 0 && size != -EPROTO)) {
		client_free(client);
		return 0;
	}
	sd_event_now(broker->event, CLOCK_MONOTONIC, &broker->last_request_usec);
	client->used = ++broker->status.requests;
	good = work(client, size < 0 ? 0 : (size_t)size);
	turn_taken(broker, client->process->account, source,
		TURN_COST + (int64_t)(broker->wire_bytes - before));
	if (!good) {
		drop_malformed(client, size);
	} else if (!send_reply(client)) {
		if (errno == EAGAIN) /* and did not just go before its reply */
			log_peer(client, LOG_NOTICE,
				"connection closed: it does not take its replies");
		client_free(client);
	}
	broker_leave_bus(broker);
	return 0;
}

/* What the socket tells of its peer, and how much it may leave unread. */
static int prepare(struct client *client, int fd)
{
	socklen_t size = sizeof(client->peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &size) < 0)
		return -errno;
	/* Replies that nobody takes are memory of ours: with 512 clients still half of the unit's.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &reply_room, sizeof(reply_room)) < 0)
		return -errno;
	return process_enter(client->broker, fd, &client->peer, &client->process);
}

int client_new(struct listener *listener, int fd)
{
	struct broker *broker = listener->broker;
	struct client *client = calloc(1, sizeof(*client));
	int r = client ? 0 : -ENOMEM;

	if (r == 0) {
		client->broker = broker;
		client->listener = listener;
		r = prepare(client, fd);
	}
	if (r == 0)
		r = sd_event_add_io(
			broker->event, &client->source, fd, EPOLLIN, on_message, client);
	if (r >= 0)
		r = turn_begin(broker, client->process->account, client->source);
	if (r < 0) {
		if (client && client->process)
			process_leave(client->process);
		if (client)
			sd_event_source_disable_unref(client->source);
		close(fd);
		free(client);
		return r;
	}
	sd_event_source_set_io_fd_own(client->source, true);
	client->next = broker->clients;
	client->link = &broker->clients;
	if (client->next)
		client->next->link = &client->next;
	client->used = broker->status.requests;
	broker->clients = client;
	broker->status.clients++;
	summary_changed(broker);
	return 0;
}

void client_drain(struct client *client)
{
	ssize_t size;

	/* From here on the peer's sends fail: what it asks next was surely not carried out. */
	shutdown(sd_event_source_get_io_fd(client->source), SHUT_RD);
	while ((size = receive(client)) > 0 || size == -EPROTO) {
		const struct rgbroker_request *header = (const void *)in;

		out.head = (struct rgbroker_reply){.version = RGBROKER_PROTOCOL_VERSION};
		out.head.serial = size >= DECODE_FROZEN ? header->serial : 0;
		reply_set(&out, RGBROKER_REASON_STOPPING, -EAGAIN);
		if (!send_reply(client))
			break;
	}
	client_free(client);
}
