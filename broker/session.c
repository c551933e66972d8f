/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One peer: receive, decode, authorise, execute, reply. */
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Messages are worked on here: there is one thread, and one request at a time. */
static _Alignas(8) uint8_t in[RGBROKER_REQUEST_MAX];
static _Alignas(8) struct {
	struct rgbroker_reply head;
	uint8_t data[RGBROKER_DATA_MAX];
} out;

#define SUSPEND_USEC (100 * 1000) /* more than the two clocks differ by when read in turn */

static const int reply_room = 32 * 1024; /* the kernel doubles it */

static_assert(sizeof(out) == RGBROKER_REPLY_MAX, "a reply is its head and its data");

static void client_free(struct client *client)
{
	struct broker *broker = client->broker;

	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	broker->status.clients--;
	sd_event_source_disable_unref(client->source); /* owns the descriptor */
	free(client);
	doors_resume(broker);
}

static void answer(enum rgbroker_reason reason, int result)
{
	out.head.reason = (uint16_t)reason;
	out.head.result = result;
}

/* False: the peer does not take its replies, and nobody waits for it. */
static bool send_reply(struct client *client)
{
	size_t size = sizeof(out.head) + out.head.length;
	int fd = sd_event_source_get_io_fd(client->source);

	return send(fd, &out, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

/* A suspend takes the controllers' power: chips are then where they were when it came back. */
static void refresh_facts(struct broker *broker)
{
	uint64_t boottime, monotonic;

	sd_event_now(broker->event, CLOCK_BOOTTIME, &boottime);
	sd_event_now(broker->event, CLOCK_MONOTONIC, &monotonic);
	if (boottime - monotonic > broker->suspended_usec + SUSPEND_USEC) {
		broker->facts = (struct facts){0};
		broker->suspended_usec = boottime - monotonic;
	}
	facts_refresh(&broker->facts);
}

/* All operations are judged before any is carried out. */
static bool judge_all(struct client *client, const struct request *request)
{
	struct broker *broker = client->broker;

	refresh_facts(broker);
	for (uint16_t i = 0; i < request->header->count; i++) {
		struct judgement judgement;
		int r = authorise(&broker->policy, client->listener->door, &broker->facts,
			&broker->bus, &request->operations[i], request->data[i], &judgement);

		out.head.done = 0;
		if (r < 0) {
			broker->status.failed++;
			answer(RGBROKER_REASON_BUS, r);
			return false;
		}
		if (judgement.verdict == VERDICT_REFUSED) {
			broker->status.refused++;
			log_refusal(client, &request->operations[i], &judgement);
			out.head.done = i;
			answer(judgement.reason,
				judgement.reason == RGBROKER_REASON_OWNED ? -EBUSY : -EACCES);
			return false;
		}
	}
	return true;
}

static void run_all(struct broker *broker, const struct request *request)
{
	uint16_t count = request->header->count;

	while (out.head.done < count) {
		const struct rgbroker_operation *first = &request->operations[out.head.done];
		size_t span = transfer_span(request, out.head.done);
		int r = bus_run(&broker->bus, first, span, &request->data[out.head.done],
			out.data + out.head.length);

		if (r < 0) {
			for (size_t i = 0; i < span; i++)
				facts_forget(&broker->facts, first[i].address);
			broker->status.failed++;
			answer(RGBROKER_REASON_BUS, r); /* others may have been carried out */
			return;
		}
		for (size_t i = 0; i < span; i++)
			out.head.length =
				(uint16_t)(out.head.length + (first[i].read ? first[i].length : 0));
		out.head.done = (uint16_t)(out.head.done + span);
		broker->status.operations += span;
	}
}

static void do_transfer(struct client *client, const struct request *request)
{
	if (judge_all(client, request))
		run_all(client->broker, request);
}

static void do_info(struct client *client, const struct request *request)
{
	const struct broker *broker = client->broker;
	struct rgbroker_info info = {.functionality = broker->bus.functionality,
		.adapter = broker->policy.adapter.number};

	static_assert(sizeof(info.name) == sizeof(broker->policy.adapter.name), "same room");
	memcpy(info.name, broker->policy.adapter.name, sizeof(info.name));
	memcpy(out.data, &info, sizeof(info));
	out.head.length = sizeof(info);
}

static void do_status(struct client *client, const struct request *request)
{
	memcpy(out.data, &client->broker->status, sizeof(client->broker->status));
	out.head.length = sizeof(client->broker->status);
}

static bool any_door(const struct door *door)
{
	return door;
}

static bool inspecting_door(const struct door *door)
{
	return door && door->inspect;
}

/* All that can be asked, and which doors may ask it. Transfers are judged one by one besides. */
static const struct {
	uint16_t opcode;
	bool (*right)(const struct door *door);
	void (*run)(struct client *client, const struct request *request);
} table[] = {
	{RGBROKER_TRANSFER, any_door, do_transfer},
	{RGBROKER_INFO, any_door, do_info},
	{RGBROKER_STATUS, inspecting_door, do_status},
};

/* Look up, check the right, call. False: no such opcode. */
static bool dispatch(struct client *client, const struct request *request)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].opcode != request->header->opcode)
			continue;
		if (table[i].right(client->listener->door))
			table[i].run(client, request);
		else
			answer(RGBROKER_REASON_DOOR, -EACCES);
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
		answer(RGBROKER_REASON_VERSION, -EPROTO);
		return true;
	}
	if (r == 0 && dispatch(client, &request))
		return true;
	answer(RGBROKER_REASON_PROTOCOL, -EPROTO);
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
	log_peer(client, LOG_WARNING, NULL, "connection closed: it sent %s",
		size < 0 ? "an oversized message or descriptors" : "a malformed message");
	send_reply(client);
	client_free(client);
}

static int on_message(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *client = userdata;
	struct broker *broker = client->broker;
	ssize_t size = receive(client);

	if (size == -EAGAIN)
		return 0;
	if (size == 0 || (size < 0 && size != -EPROTO)) {
		client_free(client);
		return 0;
	}
	sd_event_now(broker->event, CLOCK_MONOTONIC, &broker->last_request_usec);
	broker->status.requests++;
	if (!work(client, size < 0 ? 0 : (size_t)size)) {
		drop_malformed(client, size);
	} else if (!send_reply(client)) {
		log_peer(client, LOG_NOTICE, NULL,
			"connection closed: it does not take its replies");
		client_free(client);
	}
	return 0;
}

int client_new(const struct listener *listener, int fd)
{
	struct broker *broker = listener->broker;
	struct client *client = calloc(1, sizeof(*client));
	socklen_t size = sizeof(client->peer);
	int r = client ? 0 : -ENOMEM;

	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &size) < 0)
		r = -errno;
	/* Replies that nobody takes are memory of ours: with 512 clients still half of the unit's.
	 */
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &reply_room, sizeof(reply_room)) < 0)
		r = -errno;
	if (r == 0)
		r = sd_event_add_io(
			broker->event, &client->source, fd, EPOLLIN, on_message, client);
	if (r < 0) {
		close(fd);
		free(client);
		return r;
	}
	sd_event_source_set_io_fd_own(client->source, true);
	client->broker = broker;
	client->listener = listener;
	client->next = broker->clients;
	client->link = &broker->clients;
	if (client->next)
		client->next->link = &client->next;
	broker->clients = client;
	broker->status.clients++;
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
		answer(RGBROKER_REASON_STOPPING, -EAGAIN);
		if (!send_reply(client))
			break;
	}
	client_free(client);
}
