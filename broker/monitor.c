/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live requests and verdicts, for those who watch. Who does not take them loses them. */
#include "broker/broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Some hundreds of events; beyond that a watcher is too slow. */
static const int event_room = 256 * 1024;

void do_monitor(struct client *client, const struct request *request, struct reply *reply)
{
	struct broker *broker = client->broker;

	if (client->monitors)
		return;
	if (broker->n_monitors == MONITORS_MAX) {
		reply_set(reply, RGBROKER_REASON_DOOR, -EBUSY);
		return;
	}
	setsockopt(sd_event_source_get_io_fd(client->source), SOL_SOCKET, SO_SNDBUF, &event_room,
		sizeof(event_room));
	client->monitors = true;
	broker->n_monitors++;
}

static void fill(struct rgbroker_event *event, const struct client *client,
	const struct happening *happening)
{
	uint64_t now = 0;
	uint16_t length = happening->data ? happening->operation->length : 0;

	sd_event_now(client->broker->event, CLOCK_REALTIME, &now);
	*event = (struct rgbroker_event){.version = RGBROKER_PROTOCOL_VERSION,
		.reason = (uint16_t)happening->reason,
		.realtime = now,
		.result = happening->result,
		.pid = client->peer.pid,
		.uid = client->peer.uid,
		.context = happening->context,
		.operation = *happening->operation,
		.index = happening->index,
		.count = happening->count,
		.own = happening->own,
		.length = (uint8_t)(length > sizeof(event->data) ? sizeof(event->data) : length)};
	snprintf(event->door, sizeof(event->door), "%.31s", client->listener->name);
	snprintf(event->device, sizeof(event->device), "%.31s",
		happening->device ? happening->device : "");
	if (event->length)
		memcpy(event->data, happening->data, event->length);
}

void monitor_tell(struct client *client, const struct happening *happening)
{
	struct broker *broker = client->broker;
	struct rgbroker_event event;

	if (!broker->n_monitors)
		return;
	fill(&event, client, happening);
	for (struct client *watcher = broker->clients; watcher; watcher = watcher->next) {
		int fd = sd_event_source_get_io_fd(watcher->source);

		if (!watcher->monitors)
			continue;
		event.lost = watcher->lost;
		/* A closed end is noticed by the event loop. */
		if (send(fd, &event, sizeof(event), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(event))
			watcher->lost = 0;
		else
			watcher->lost++;
	}
}
