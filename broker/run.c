/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every transfer goes through, a client's and the broker's own. */
#include "broker/broker.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

/* Between two looks whether to stop: a batch of fast transfers is to pay for few. */
#define LOOK_USEC 1000

uint64_t monotonic_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

bool broker_told_to_stop(struct broker *broker)
{
	struct pollfd told = {.fd = broker->stop_fd, .events = POLLIN};

	if (broker->stop_fd <= 0 || broker->pace.ended_usec - broker->looked_usec < LOOK_USEC)
		return false;
	broker->looked_usec = broker->pace.ended_usec;
	return poll(&told, 1, 0) > 0;
}

/* No event of ours would be served meanwhile but one: to stop. */
void broker_leave_bus(struct broker *broker)
{
	struct pollfd told = {.fd = broker->stop_fd, .events = POLLIN};
	int milliseconds = pace_owed_ms(&broker->pace, &broker->bus);

	if (milliseconds > 0 && broker->stop_fd > 0)
		poll(&told, 1, milliseconds);
}

int broker_run(struct client *client, bool own, const struct rgbroker_operation *operations,
	size_t count, const uint8_t *const *data, uint8_t *read_data)
{
	struct broker *broker = client->broker;
	uint64_t began;
	int r = 0;

	if (broker->quarantine.active)
		r = quarantine_answer(&broker->quarantine, operations, count, monotonic_usec());
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		broker->wire_bytes += 2U + operations[i].length;
	began = live_begin(client, operations);
	r = bus_run(&broker->bus, operations, count, data, read_data);
	pace_used(&broker->pace, began, live_end(broker));
	summary_transfer_took(broker, broker->pace.ended_usec - began);
	if (quarantine_learn(&broker->quarantine, operations, count, r, broker->pace.ended_usec))
		summary_changed(broker);
	/* A command may have arrived before the failure, and to some chips that is enough. */
	if (own && r < 0 && r != -EOPNOTSUPP && r != -EINVAL)
		pointers_lost(&broker->pointers, operations->address);
	if (r < 0 && !own)
		count_error(broker, r);
	if (own) {
		broker->status.own_reads += operations->read;
		monitor_tell(client,
			&(struct happening){.operation = operations,
				.data = operations->read ? (r < 0 ? NULL : read_data) : data[0],
				.count = 1,
				.reason = r < 0 ? RGBROKER_REASON_BUS : RGBROKER_REASON_NONE,
				.result = r,
				.own = true});
	}
	return r;
}
