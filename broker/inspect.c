/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What administrators are told of the broker, and its counters. */
#include "broker/broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- counters --- */

void count_judgement(struct client *client, const struct judgement *judgement)
{
	struct broker *broker = client->broker;
	bool allowed = judgement->verdict == VERDICT_ALLOWED;
	struct count *door = &client->listener->count;
	struct count *device = &broker->device_counts[judgement->device_index];

	*(allowed ? &door->allowed : &door->refused) += 1;
	if (judgement->device)
		*(allowed ? &device->allowed : &device->refused) += 1;
	if (!allowed)
		broker->reason_counts[judgement->reason]++;
}

void count_error(struct broker *broker, int error)
{
	unsigned i = 0;

	while (i < ERRORS_MAX - 1 && broker->error_counts[i].number &&
		broker->error_counts[i].number != -error)
		i++;
	if (i < ERRORS_MAX - 1)
		broker->error_counts[i].number = -error;
	broker->error_counts[i].count++;
}

/* --- the live page --- */

void live_open(struct broker *broker)
{
	int fd = memfd_create(RGBROKER_LIVE_NAME, MFD_CLOEXEC);
	void *page = MAP_FAILED;

	/* The descriptor stays open: through it the page is found. */
	if (fd >= 0 && ftruncate(fd, sizeof(*broker->live)) == 0)
		page = mmap(NULL, sizeof(*broker->live), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		broker->live = page;
	else
		log_line(LOG_WARNING, NULL, "i2c-%u: no page for what is in the kernel: %s",
			broker->policy.adapter.number, strerror(errno));
}

uint64_t live_begin(struct client *client, const struct rgbroker_operation *operation)
{
	struct rgbroker_live *live = client->broker->live;
	uint64_t now = monotonic_usec();

	if (!live)
		return now;
	live->pid = client->peer.pid;
	live->uid = client->peer.uid;
	live->operation = *operation;
	__atomic_store_n(&live->since, now, __ATOMIC_RELEASE);
	return now;
}

uint64_t live_end(struct broker *broker)
{
	if (broker->live)
		__atomic_store_n(&broker->live->since, 0, __ATOMIC_RELEASE);
	return monotonic_usec();
}

/* --- answers --- */

void do_info(struct client *client, const struct request *request, struct reply *reply)
{
	const struct broker *broker = client->broker;
	struct rgbroker_info info = {.functionality = broker->bus.functionality,
		.adapter = broker->policy.adapter.number};

	static_assert(sizeof(info.name) == sizeof(broker->policy.adapter.name), "same room");
	memcpy(info.name, broker->policy.adapter.name, sizeof(info.name));
	memcpy(reply->data, &info, sizeof(info));
	reply->head.length = sizeof(info);
}

/* Rows from one on, as many as fit into a reply. */
struct rows {
	struct reply *reply;
	size_t size;
	uint32_t skip, count;
};

static void row_add(struct rows *rows, const void *row)
{
	if (rows->count++ < rows->skip || !rows->reply ||
		rows->reply->head.length + rows->size > sizeof(rows->reply->data))
		return;
	memcpy(rows->reply->data + rows->reply->head.length, row, rows->size);
	rows->reply->head.length = (uint16_t)(rows->reply->head.length + rows->size);
}

static void add_count(
	struct rows *rows, enum rgbroker_count_of what, const char *name, struct count count)
{
	struct rgbroker_count row = {
		.what = what, .allowed = count.allowed, .refused = count.refused};

	snprintf(row.name, sizeof(row.name), "%s", name);
	if (count.allowed || count.refused)
		row_add(rows, &row);
}

static void add_number(
	struct rows *rows, enum rgbroker_count_of what, unsigned number, struct count count)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", number);
	add_count(rows, what, name, count);
}

static void add_counts(const struct broker *broker, struct rows *rows)
{
	for (size_t i = 0; i < broker->n_listeners; i++)
		add_count(rows, RGBROKER_COUNT_DOOR, broker->listeners[i].name,
			broker->listeners[i].count);
	for (size_t i = 0; i < broker->policy.n_devices; i++)
		add_count(rows, RGBROKER_COUNT_DEVICE, broker->policy.devices[i]->name,
			broker->device_counts[i]);
	for (unsigned i = 0; i <= RGBROKER_REASON_PROTOCOL; i++)
		add_number(rows, RGBROKER_COUNT_REASON, i,
			(struct count){.refused = broker->reason_counts[i]});
	for (unsigned i = 0; i < ERRORS_MAX; i++)
		add_number(rows, RGBROKER_COUNT_ERROR, (unsigned)broker->error_counts[i].number,
			(struct count){.allowed = broker->error_counts[i].count});
}

void do_counts(struct client *client, const struct request *request, struct reply *reply)
{
	struct rows rows = {reply, sizeof(struct rgbroker_count), request->header->context, 0};

	add_counts(client->broker, &rows);
}

static void add_quarantine(const struct quarantine *quarantine, struct rgbroker_status *status)
{
	const struct quarantine_state *bus = &quarantine->of[QUARANTINE_BUS];

	status->quarantines = quarantine->begun;
	status->spared = quarantine->spared;
	status->quarantine_since = bus->since_usec;
	status->quarantine_until = bus->until_usec;
	for (unsigned at = 0; at < ADDRESSES; at++)
		if (quarantine->of[at].since_usec)
			status->quarantined[at / 8] |= (uint8_t)(1 << at % 8);
}

void do_status(struct client *client, const struct request *request, struct reply *reply)
{
	struct rgbroker_status status = client->broker->status;
	struct rows rows = {NULL, 0, 0, 0};

	add_counts(client->broker, &rows);
	status.rows = rows.count;
	add_quarantine(&client->broker->quarantine, &status);
	memcpy(reply->data, &status, sizeof(status));
	reply->head.length = sizeof(status);
}

static void add_chip(
	struct rows *rows, const struct broker *broker, uint8_t address, const char *device)
{
	const struct process *holder = broker->claims[address];
	struct rgbroker_chip row = {.address = address,
		.claimed = holder != NULL,
		.pid = holder ? holder->pid : 0,
		.uid = holder ? holder->uid : 0};

	snprintf(row.device, sizeof(row.device), "%s", device);
	row_add(rows, &row);
}

void do_chips(struct client *client, const struct request *request, struct reply *reply)
{
	const struct broker *broker = client->broker;
	struct rows rows = {reply, sizeof(struct rgbroker_chip), request->header->context, 0};

	for (unsigned at = 0; at < ADDRESSES; at++) {
		uint64_t recognised = broker->facts.recognised[at];

		for (size_t i = 0; i < broker->policy.n_devices; i++)
			if (recognised & (UINT64_C(1) << i))
				add_chip(&rows, broker, (uint8_t)at,
					broker->policy.devices[i]->name);
		if (!recognised && broker->claims[at])
			add_chip(&rows, broker, (uint8_t)at, "");
	}
}

void do_release(struct client *client, const struct request *request, struct reply *reply)
{
	struct broker *broker = client->broker;
	uint32_t address = request->header->context;
	const struct process *holder = address < ADDRESSES ? broker->claims[address] : NULL;

	if (!holder) {
		reply_set(reply, RGBROKER_REASON_RULE, -ENOENT);
		return;
	}
	log_peer(client, LOG_NOTICE, "the claim of pid %d uid %u on 0x%02x is ended",
		(int)holder->pid, holder->uid, address);
	claim_release(broker, (uint8_t)address);
}
