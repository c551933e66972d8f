/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One broker: its bus, its policy, its doors and who came through them. */
#pragma once

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "broker/bus.h"
#include "broker/log.h"
#include "policy/policy.h"

#define CLIENTS_MAX 512
#define LISTENERS_MAX 16

struct broker;

/* A listening socket; its name is the right it gives. */
struct listener {
	struct broker *broker;
	char name[64];
	const struct door *door; /* NULL: no door file of that name, no rights */
	sd_event_source *source;
};

/* A connected peer. */
struct client {
	struct broker *broker;
	const struct listener *listener;
	struct ucred peer; /* pid 0: of another pid namespace */
	sd_event_source *source;
	struct client *next, **link; /* in broker->clients */
};

struct broker {
	sd_event *event;
	struct bus bus;
	struct policy policy;
	struct facts facts;
	uint64_t suspended_usec; /* CLOCK_BOOTTIME less CLOCK_MONOTONIC when facts were begun */
	struct listener listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct client *clients;
	bool accepting, stopping;
	sd_event_source *accept_again; /* a timer, armed while descriptors are short */
	sd_event_source *idle;         /* a timer: is anybody still asking? */
	uint64_t idle_usec;            /* 0: never goes to sleep */
	uint64_t last_request_usec;    /* CLOCK_MONOTONIC */
	struct rate_limit peer_lines;  /* of journal lines */
	struct rgbroker_status status;
};

/* --- door.c --- */

/* Take one listening socket over. 0 or a negative errno, told in the journal. */
int door_open(struct broker *broker, int fd, const char *name);
/* Accept again after accepting had to pause. */
void doors_resume(struct broker *broker);
/* Stop: answer what is queued with "not executed", let every client go, end the event loop. */
void broker_drain(struct broker *broker, const char *why);

/* --- session.c --- */

/* Start serving a connected socket; it is closed on failure. */
int client_new(const struct listener *listener, int fd);
/* Answer everything the peer has sent with "not executed", and let it go. */
void client_drain(struct client *client);

/* --- peer-log.c --- */

/* Whether a line that peers can cause may be written now. */
bool may_tell(struct broker *broker);
/* One line about a peer, unless there were too many just now. field: one more "KEY=value", or NULL.
 */
void log_peer(const struct client *client, int priority, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void log_refusal(const struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement);
