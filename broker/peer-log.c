/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the journal is told of peers: who, at which door, did what. They can cause these lines at
 * will, so all of them together are rate limited.
 */
#include "broker/broker.h"

#include <stdarg.h>
#include <stdio.h>

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

void log_peer(const struct client *client, int priority, const char *field, const char *format, ...)
{
	struct broker *broker = client->broker;
	char what[512], pid[40], uid[40], door[96];
	const char *fields[] = {pid, uid, door, field, NULL};
	va_list arguments;

	if (!may_tell(broker))
		return;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(pid, sizeof(pid), "RGBROKER_PEER_PID=%d", (int)client->peer.pid);
	snprintf(uid, sizeof(uid), "RGBROKER_PEER_UID=%u", client->peer.uid);
	snprintf(door, sizeof(door), "RGBROKER_DOOR=%s", client->listener->name);
	log_line(priority, fields, "i2c-%u: pid %d uid %u at door %s: %s",
		broker->policy.adapter.number, (int)client->peer.pid, client->peer.uid,
		client->listener->name, what);
}

void log_refusal(const struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement)
{
	char what[64], why[320], address[40];

	const struct process *holder = client->broker->claims[operation->address];

	snprintf(address, sizeof(address), "RGBROKER_ADDRESS=0x%02x", operation->address);
	if (judgement->reason == RGBROKER_REASON_CLAIMED && holder) {
		log_peer(client, LOG_NOTICE, address,
			"refused %s: pid %d uid %u has claimed the chip",
			operation_text(operation, what, sizeof(what)), (int)holder->pid,
			holder->uid);
		return;
	}
	log_peer(client, LOG_NOTICE, address, "refused %s: %s",
		operation_text(operation, what, sizeof(what)),
		policy_explain(judgement, why, sizeof(why)));
}
