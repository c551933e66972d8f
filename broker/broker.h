/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One broker: its bus, its policy, its doors and who came through them. */
#pragma once

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "broker/account.h"
#include "broker/bus.h"
#include "broker/decode.h"
#include "broker/log.h"
#include "broker/pace.h"
#include "broker/pointers.h"
#include "broker/process.h"
#include "broker/quarantine.h"
#include "policy/policy.h"
#include "protocol/inspect.h"

#define LISTENERS_MAX 16
#define MONITORS_MAX 8
#define ERRORS_MAX 16 /* different ones that are counted apart */

struct broker;

/* How often something was allowed, or failed, and refused. */
struct count {
	uint64_t allowed, refused;
};

/* A listening socket; its name is the right it gives. */
struct listener {
	struct broker *broker;
	char name[64];
	const struct door *door; /* NULL: no door file of that name, no rights */
	struct count count;
	struct account account; /* for letting in */
	sd_event_source *source;
};

/* A connected peer. */
struct client {
	struct broker *broker;
	struct listener *listener;
	struct process *process;
	struct ucred peer; /* pid 0: of another pid namespace */
	bool monitors;     /* it is sent events */
	bool told;         /* that it speaks another version */
	uint32_t lost;     /* events that it did not take */
	uint64_t used;     /* when it asked last, in requests to the broker */
	sd_event_source *source;
	struct client *next, **link; /* in broker->clients */
};

/* What systemd is told for `systemctl status`. */
struct summary {
	sd_event_source *timer; /* runs while something is to be told */
	uint64_t told_usec;     /* CLOCK_MONOTONIC, when it was told last; 0: not since the start */
	char text[320];         /* as told last */
	uint64_t hung_usec;     /* how long the last transfer took that hung; 0: none did */
	uint64_t hung_until_usec; /* CLOCK_MONOTONIC */
};

struct broker {
	sd_event *event;
	struct bus bus;
	struct policy policy;
	struct facts facts;
	struct pointers pointers;
	struct quarantine quarantine;
	struct pace pace;
	struct process *processes;
	struct account *accounts;
	int64_t turn;                                /* the one that was served last */
	struct user_gone users_gone[USERS_GONE_MAX]; /* one each, the latest */
	uint64_t wire_bytes;               /* tried to be sent, and read, addresses included */
	struct process *claims[ADDRESSES]; /* who has the chip */
	uint64_t emptied_usec;   /* CLOCK_MONOTONIC: empty slots are looked at again since */
	uint64_t suspended_usec; /* CLOCK_BOOTTIME less CLOCK_MONOTONIC when facts were begun */
	struct listener listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct client *clients;
	unsigned n_monitors;
	bool accepting, stopping;
	int stop_fd;                   /* readable once it is told to stop; 0: none */
	uint64_t looked_usec;          /* up to which it was looked whether to stop */
	sd_event_source *accept_again; /* a timer, armed while descriptors are short */
	sd_event_source *idle;         /* a timer: is anybody still asking? */
	uint64_t idle_usec;            /* 0: never goes to sleep */
	uint64_t last_request_usec;    /* CLOCK_MONOTONIC */
	struct rate_limit peer_lines;  /* of journal lines */
	struct rgbroker_status status;
	struct count device_counts[POLICY_DEVICES_MAX];
	uint64_t reason_counts[RGBROKER_REASON_PROTOCOL + 1];
	struct {
		int number;
		uint64_t count;
	} error_counts[ERRORS_MAX]; /* the last one: all further errnos, number 0 */
	struct rgbroker_live *live; /* NULL: could not be had */
	struct summary summary;
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
int client_new(struct listener *listener, int fd);
/* Answer everything the peer has sent with "not executed", and let it go. */
void client_drain(struct client *client);

/* The reply in the making. */
struct reply {
	struct rgbroker_reply head;
	uint8_t data[RGBROKER_DATA_MAX];
};

void reply_set(struct reply *reply, enum rgbroker_reason reason, int result);

/* --- transfer.c --- */

/* Judge all operations, then carry them out, up to the first that fails. */
void do_transfer(struct client *client, const struct request *request, struct reply *reply);

/* --- run.c --- */

/*
 * bus_run() with what belongs to it: the live page, counters, and events if own. own: it is for the
 * broker itself, on behalf of the client.
 */
int broker_run(struct client *client, bool own, const struct rgbroker_operation *operations,
	size_t count, const uint8_t *const *data, uint8_t *read_data);
/* Between two transfers of a request: whether the rest is to be left. Looks once a millisecond. */
bool broker_told_to_stop(struct broker *broker);
/* After a request: leave the bus to the kernel's drivers, if it is their time. */
void broker_leave_bus(struct broker *broker);
/* CLOCK_MONOTONIC, microseconds */
uint64_t monotonic_usec(void);

/* --- inspect.c --- */

void do_info(struct client *client, const struct request *request, struct reply *reply);
void do_status(struct client *client, const struct request *request, struct reply *reply);
void do_chips(struct client *client, const struct request *request, struct reply *reply);
void do_counts(struct client *client, const struct request *request, struct reply *reply);
void do_release(struct client *client, const struct request *request, struct reply *reply);

/* Count one operation that was judged. */
void count_judgement(struct client *client, const struct judgement *judgement);
void count_error(struct broker *broker, int error);

/* Set the live page up; without it only `status` of a hanging bus knows less. */
void live_open(struct broker *broker);
/* Both return when: CLOCK_MONOTONIC, microseconds. */
uint64_t live_begin(struct client *client, const struct rgbroker_operation *operation);
uint64_t live_end(struct broker *broker);

/* --- summary.c --- */

/* Before the sandbox is entered. 0 or a negative errno. */
int summary_begin(struct broker *broker);
/* What it says has changed: clients, refusals, quarantines. Before summary_begin(): nothing. */
void summary_changed(struct broker *broker);
/* A transfer has come back after so long; pace.ended_usec says when. */
void summary_transfer_took(struct broker *broker, uint64_t usec);
/* Tell systemd that the broker serves; and that it stops, and why. */
void summary_ready(const struct broker *broker);
void summary_end(const struct broker *broker, const char *why);

/* --- monitor.c --- */

void do_monitor(struct client *client, const struct request *request, struct reply *reply);

/* What was done for a client, told to all who watch. Costs a comparison if nobody does. */
struct happening {
	const struct rgbroker_operation *operation;
	const uint8_t *data; /* written, or read; NULL: none */
	const char *device;  /* the file that decided; NULL: none */
	uint32_t context;
	uint16_t index, count;
	enum rgbroker_reason reason;
	int result;
	bool own;
};
void monitor_tell(struct client *client, const struct happening *happening);

/* --- peer-log.c --- */

/* Whether a line that peers can cause may be written now. */
bool may_tell(struct broker *broker);
/* One line about a peer, unless there were too many just now. */
void log_peer(const struct client *client, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_refusal(const struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement);
