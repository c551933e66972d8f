/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal is told of a refusal: who asked for what at which door, and what decided. */
#include "broker/broker.h"

#include <stdio.h>

void log_refusal(const struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement)
{
	struct broker *broker = client->broker;
	char what[64], why[320], address[40], pid[40], uid[40], door[96];
	const char *fields[] = {address, pid, uid, door, NULL};
	unsigned left_out;
	uint64_t now;

	sd_event_now(broker->event, CLOCK_MONOTONIC, &now);
	if (!rate_limit_passes(&broker->refusals, now, &left_out))
		return;
	if (left_out)
		log_line(LOG_NOTICE, NULL, "%u more refusals were not logged", left_out);
	snprintf(address, sizeof(address), "RGBROKER_ADDRESS=0x%02x", operation->address);
	snprintf(pid, sizeof(pid), "RGBROKER_PEER_PID=%d", (int)client->peer.pid);
	snprintf(uid, sizeof(uid), "RGBROKER_PEER_UID=%u", client->peer.uid);
	snprintf(door, sizeof(door), "RGBROKER_DOOR=%s", client->listener->name);
	log_line(LOG_NOTICE, fields, "i2c-%u: refused %s to pid %d uid %u at door %s: %s",
		broker->policy.adapter.number, operation_text(operation, what, sizeof(what)),
		(int)client->peer.pid, client->peer.uid, client->listener->name,
		policy_explain(judgement, why, sizeof(why)));
}
