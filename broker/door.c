/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listening sockets: accepting, pausing, and closing for good. */
#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define ACCEPT_MAX 64                  /* at once: who floods the backlog is not to keep it full */
#define ACCEPT_PAUSE_USEC (500 * 1000) /* until descriptors are looked for again */

static void doors_accept(struct broker *broker, bool accepting)
{
	for (size_t i = 0; i < broker->n_listeners; i++)
		sd_event_source_set_enabled(
			broker->listeners[i].source, accepting ? SD_EVENT_ON : SD_EVENT_OFF);
	broker->accepting = accepting;
}

void doors_resume(struct broker *broker)
{
	if (broker->accepting || broker->stopping)
		return;
	sd_event_source_set_enabled(broker->accept_again, SD_EVENT_OFF);
	doors_accept(broker, true);
}

static int on_accept_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	doors_resume(userdata);
	return 0;
}

/* Without descriptors a level-triggered socket would spin; peers wait in the backlog meanwhile. */
static void doors_pause(struct broker *broker, const char *why)
{
	if (!broker->accepting)
		return;
	if (may_tell(broker))
		log_line(LOG_WARNING, NULL, "i2c-%u: not accepting for a moment: %s",
			broker->policy.adapter.number, why);
	doors_accept(broker, false);
	sd_event_source_set_time_relative(broker->accept_again, ACCEPT_PAUSE_USEC);
	sd_event_source_set_enabled(broker->accept_again, SD_EVENT_ONESHOT);
}

/* Whether there may be another. */
static bool accept_one(struct listener *listener, int fd)
{
	struct broker *broker = listener->broker;
	int r, peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			doors_pause(broker, strerror(errno));
		return false; /* nobody is there, or that one peer has gone again */
	}
	r = client_new(listener, peer);
	if (r < 0)
		doors_pause(broker, strerror(-r));
	else
		place_taken(broker);
	return r >= 0;
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;
	struct broker *broker = listener->broker;
	unsigned count = 0;

	if (!turn_is_due(broker, &listener->account, source))
		return 0;
	while (count < ACCEPT_MAX && accept_one(listener, fd))
		count++;
	turn_taken(broker, &listener->account, source, TURN_COST * (1 + (int64_t)count));
	return 0;
}

int door_open(struct broker *broker, int fd, const char *name)
{
	struct listener *listener = &broker->listeners[broker->n_listeners];
	int r;

	/* Systemd's block, and they are accepted from until nobody is there any more. */
	if (broker->n_listeners == LISTENERS_MAX ||
		sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, 1) <= 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		log_line(LOG_ERR, NULL,
			"door '%s': not a listening SEQPACKET socket, or one too many", name);
		return -EINVAL;
	}
	*listener = (struct listener){
		.broker = broker, .door = policy_find_door(&broker->policy, name)};
	snprintf(listener->name, sizeof(listener->name), "%s", name);
	if (!listener->door)
		log_line(LOG_WARNING, NULL,
			"door '%s' has no doors/%s.conf: whoever comes through it may do nothing",
			name, name);
	if (!broker->accept_again) {
		r = sd_event_add_time_relative(broker->event, &broker->accept_again,
			CLOCK_MONOTONIC, ACCEPT_PAUSE_USEC, 0, on_accept_again, broker);
		if (r < 0)
			goto failed;
		sd_event_source_set_enabled(broker->accept_again, SD_EVENT_OFF);
	}
	r = sd_event_add_io(broker->event, &listener->source, fd, EPOLLIN, on_connect, listener);
	if (r >= 0)
		r = turn_begin(broker, &listener->account, listener->source);
	if (r < 0)
		goto failed;
	broker->accepting = true;
	broker->n_listeners++;
	return 0;

failed:
	log_line(LOG_ERR, NULL, "door '%s': event loop: %s", name, strerror(-r));
	return r;
}

void broker_drain(struct broker *broker, const char *why)
{
	summary_end(broker, why);
	broker->stopping = true;
	doors_accept(broker, false);
	while (broker->clients)
		client_drain(broker->clients);
	log_line(LOG_INFO, NULL, "i2c-%u: %s", broker->policy.adapter.number, why);
	sd_event_exit(broker->event, 0);
}
