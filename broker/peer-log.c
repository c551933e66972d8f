/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the journal is told of peers: who, at which door, did what. They can cause these lines at
 * will, so all of them together are rate limited.
 */
#include "broker/broker.h"

#include <stdarg.h>
#include <stdio.h>

#define PEER_FIELDS_MAX 8 /* more than tell who it is */

bool may_tell(struct broker *broker)
{
	unsigned left_out;
	uint64_t now;

	sd_event_now(broker->event, CLOCK_MONOTONIC, &now);
	if (!rate_limit_passes(&broker->peer_lines, now, &left_out))
		return false;
	if (left_out)
		log_line(LOG_NOTICE, NULL, "i2c-%u: %u more lines like these were not written",
			broker->policy.adapter.number, left_out);
	return true;
}

static void tell_arguments(const struct client *client, int priority, const char *const *fields,
	const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

static void tell_arguments(const struct client *client, int priority, const char *const *fields,
	const char *format, va_list arguments)
{
	char what[512], pid[40], uid[40], door[96];
	const char *all[3 + PEER_FIELDS_MAX + 1] = {pid, uid, door};

	for (size_t i = 0; fields && fields[i] && i < PEER_FIELDS_MAX; i++)
		all[3 + i] = fields[i];
	vsnprintf(what, sizeof(what), format, arguments);
	snprintf(pid, sizeof(pid), "RGBROKER_PEER_PID=%d", (int)client->peer.pid);
	snprintf(uid, sizeof(uid), "RGBROKER_PEER_UID=%u", client->peer.uid);
	snprintf(door, sizeof(door), "RGBROKER_DOOR=%s", client->listener->name);
	log_line(priority, all, "i2c-%u: pid %d uid %u at door %s: %s",
		client->broker->policy.adapter.number, (int)client->peer.pid, client->peer.uid,
		client->listener->name, what);
}

void log_peer(const struct client *client, int priority, const char *format, ...)
{
	va_list arguments;

	if (!may_tell(client->broker))
		return;
	va_start(arguments, format);
	tell_arguments(client, priority, NULL, format, arguments);
	va_end(arguments);
}

/* What refusals can be filtered by. */
struct refusal_fields {
	char operation[96], address[40], reason[64], rule[384], device[96], holder[48];
	const char *all[PEER_FIELDS_MAX + 1];
};

static void describe(struct refusal_fields *fields, const struct rgbroker_operation *operation,
	const struct judgement *judgement, const struct process *holder)
{
	const char **next = fields->all;
	char text[64];

	snprintf(fields->operation, sizeof(fields->operation), "RGBROKER_OPERATION=%s",
		operation_text(operation, text, sizeof(text)));
	snprintf(fields->address, sizeof(fields->address), "RGBROKER_ADDRESS=0x%02x",
		operation->address);
	snprintf(fields->reason, sizeof(fields->reason), "RGBROKER_REASON=%s",
		reason_name((uint16_t)judgement->reason));
	*next++ = holder ? LOG_ID_CLAIMED : LOG_ID_REFUSED;
	*next++ = fields->operation;
	*next++ = fields->address;
	*next++ = fields->reason;
	if (judgement->device) {
		snprintf(fields->device, sizeof(fields->device), "RGBROKER_DEVICE=%s",
			judgement->device->name);
		*next++ = fields->device;
	}
	if (judgement->rule) {
		snprintf(fields->rule, sizeof(fields->rule), "RGBROKER_RULE=%s:%d",
			judgement->rule->file, judgement->rule->line);
		*next++ = fields->rule;
	}
	if (holder) {
		snprintf(fields->holder, sizeof(fields->holder), "RGBROKER_HOLDER_PID=%d",
			(int)holder->pid);
		*next++ = fields->holder;
	}
	*next = NULL;
}

static void tell(const struct client *client, int priority, const char *const *fields,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void tell(const struct client *client, int priority, const char *const *fields,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell_arguments(client, priority, fields, format, arguments);
	va_end(arguments);
}

void log_refusal(const struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement)
{
	char what[64], why[320];
	const struct process *holder = NULL;
	struct refusal_fields fields;

	if (!may_tell(client->broker))
		return;
	if (judgement->reason == RGBROKER_REASON_CLAIMED)
		holder = client->broker->claims[operation->address];
	describe(&fields, operation, judgement, holder);
	operation_text(operation, what, sizeof(what));
	if (holder)
		tell(client, LOG_NOTICE, fields.all,
			"refused %s: pid %d uid %u has claimed the chip", what, (int)holder->pid,
			holder->uid);
	else
		tell(client, LOG_NOTICE, fields.all, "refused %s: %s", what,
			policy_explain(judgement, why, sizeof(why)));
}
