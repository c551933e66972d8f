/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After each step: what the broker keeps is bounded, and is about those who are there. */
#include "tests/fuzz/world.h"

static bool is_there(const struct process *wanted)
{
	for (const struct process *process = world.broker.processes; process;
		process = process->next)
		if (process == wanted)
			return true;
	return false;
}

static unsigned count_clients(const struct process *of)
{
	unsigned count = 0;

	for (const struct client *client = world.broker.clients; client; client = client->next)
		count += !of || client->process == of;
	return count;
}

static void check_lists(void)
{
	const struct broker *broker = &world.broker;
	unsigned monitors = 0, processes = 0, clients = count_clients(NULL);

	for (const struct client *client = broker->clients; client; client = client->next) {
		monitors += client->monitors;
		must(*client->link == client, "the list of clients");
		must(is_there(client->process), "a client of no process");
	}
	for (const struct process *process = broker->processes; process; process = process->next) {
		processes++;
		must(*process->link == process, "the list of processes");
		must(process->clients > 0 && process->clients == count_clients(process),
			"a process counts %u clients", process->clients);
	}
	must(clients <= CLIENTS_MAX && processes <= clients, "%u clients, %u processes", clients,
		processes);
	must(broker->status.clients == clients, "%u clients are counted, %u are there",
		broker->status.clients, clients);
	must(monitors == broker->n_monitors && monitors <= MONITORS_MAX, "%u monitors", monitors);
}

/* Of two connections: whether they are one process's is told by who connected. */
static void check_identity(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct connection_of *a = &world.connections[i],
						   *b = &world.connections[k];
			bool same = a->person_number == b->person_number && a->pid > 0;

			if (!a->used || !b->used || !a->process || !b->process ||
				world.kernel == KERNEL_DOES_NOT_KNOW)
				continue;
			must(a->process != b->process || same, "two processes are taken for one");
			must(a->process == b->process || !same || !a->had_pidfd || !b->had_pidfd ||
					a->person_number != a->person->number,
				"one process is taken for two");
		}
}

static void check_pointers(void)
{
	const struct broker *broker = &world.broker;

	for (unsigned at = 0; at < ADDRESSES; at++) {
		const struct process *mover = broker->pointers.chips[at].mover;

		must(!mover || is_there(mover), "0x%02x was moved by one who has left", at);
		must(!broker->claims[at] || is_there(broker->claims[at]),
			"0x%02x is claimed by one who has left", at);
	}
	for (unsigned i = 0; i < POINTERS_MAX; i++)
		must(!broker->pointers.entries[i].process ||
				is_there(broker->pointers.entries[i].process),
			"a pointer of one who has left");
}

/* Nothing is taken for what it is not. */
static void check_facts(void)
{
	for (unsigned at = 0; at < ADDRESSES && !world.slept; at++)
		must(!(world.broker.facts.recognised[at] & ~sim.matches[at]),
			"0x%02x is taken for another chip", at);
}

static void check_counters(void)
{
	const struct broker *broker = &world.broker;
	const struct rgbroker_status *status = &broker->status;
	uint64_t allowed = 0, refused = 0, errors = 0, reasons = 0, by_device = 0;

	must(status->requests == world.n_messages, "%llu requests, %llu were sent",
		(unsigned long long)status->requests, (unsigned long long)world.n_messages);
	must(status->operations == world.n_operations, "%llu operations, %llu were on the wire",
		(unsigned long long)status->operations, (unsigned long long)world.n_operations);
	must(status->own_reads == world.n_own_reads, "own reads");
	must(status->pointer_set == world.n_pointer_set, "pointers set again: %llu, %llu",
		(unsigned long long)status->pointer_set, (unsigned long long)world.n_pointer_set);
	must(status->refused == world.n_refused, "refused: %llu, %llu",
		(unsigned long long)status->refused, (unsigned long long)world.n_refused);
	must(status->failed == world.n_failed, "failed: %llu, %llu",
		(unsigned long long)status->failed, (unsigned long long)world.n_failed);
	for (size_t i = 0; i < broker->n_listeners; i++) {
		allowed += broker->listeners[i].count.allowed;
		refused += broker->listeners[i].count.refused;
	}
	for (size_t i = 0; i <= RGBROKER_REASON_PROTOCOL; i++)
		reasons += broker->reason_counts[i];
	for (size_t i = 0; i < ERRORS_MAX; i++)
		errors += broker->error_counts[i].count;
	for (size_t i = 0; i < POLICY_DEVICES_MAX; i++)
		by_device += broker->device_counts[i].allowed;
	must(refused == status->refused && reasons == refused, "refused by door and reason");
	must(allowed >= status->operations && by_device == allowed, "allowed by door and device");
	must(errors <= status->failed, "errors");
}

/* Each monitor is told all that happens. */
static void check_events(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		const struct connection_of *connection = &world.connections[i];

		if (connection->used && connection->monitors && !connection->cut)
			must(connection->events == world.happenings - connection->happenings,
				"%llu events of %llu", (unsigned long long)connection->events,
				(unsigned long long)(world.happenings - connection->happenings));
	}
}

/* What peers can cause is limited: 20 lines in 10 s; one tells of those left out. */
static void check_lines(void)
{
	uint64_t seconds = (world.monotonic - world.started) / 1000000;

	must(world.lines <= 8 + 2 * 21 * (1 + seconds / 10), "%u lines in %llu s", world.lines,
		(unsigned long long)seconds);
}

void state_check(void)
{
	must(world.broker.live->since == 0, "it still works on something");
	check_lists();
	check_identity();
	check_pointers();
	check_facts();
	check_counters();
	check_events();
	check_lines();
}
