/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many clients, each a process of its own, that ask for the same bus as fast as they are answered:
 * whether each gets the same share (Jain's index: 1 if all do, 1/n if one gets all), and how much
 * longer the unluckiest of a hundred requests takes than the usual one.
 */
#include "client-lib/rgbroker.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 64
#define RUNS 3
#define WARM_NSEC 300000000u   /* until all have begun */
#define COUNT_NSEC 2000000000u /* then for so long */
#define WIRE_KHZ 100
#define LATENCIES_MAX 100000 /* of one client: ten times what was seen */

struct member {
	uint32_t count;
	uint32_t nsec[LATENCIES_MAX];
};

struct crowd {
	uint64_t from, until; /* what begins and ends in between counts */
	struct member members[CLIENTS];
};

static struct crowd *crowd;

static void ask(struct rgbroker *handle)
{
	int r = rgbroker_smbus_read_byte_data(handle, BENCH_CHIP, BENCH_COMMAND);

	if (r != BENCH_VALUE)
		give_up("one of many: %s",
			r < 0 ? rgbroker_reason_text(rgbroker_last_reason()) : "wrong value");
}

static void be_member(struct member *member, int ready, int start)
{
	struct rgbroker *handle;
	char byte = 0;
	uint64_t began, ended;

	if (rgbroker_open_path(&handle, bench.path) < 0)
		give_up("one of many: cannot connect: %m");
	ask(handle);
	if (write(ready, &byte, 1) != 1 || read(start, &byte, 1) != 0)
		give_up("one of many: %m");
	do {
		began = now_nsec();
		ask(handle);
		ended = now_nsec();
		if (began < crowd->from || ended > crowd->until)
			continue;
		if (member->count == LATENCIES_MAX)
			give_up("one of many: no more room");
		member->nsec[member->count++] = (uint32_t)(ended - began);
	} while (ended < crowd->until);
	_exit(0);
}

/* All connect, all wait at one pipe, and begin when it is closed. */
static void run_once(void)
{
	int ready[2], start[2], status;
	pid_t pids[CLIENTS];
	char byte;

	memset(crowd, 0, sizeof(*crowd));
	if (pipe(ready) < 0 || pipe(start) < 0)
		give_up("pipe: %m");
	for (unsigned i = 0; i < CLIENTS; i++) {
		pids[i] = fork_child();
		if (pids[i] == 0) {
			close(start[1]);
			be_member(&crowd->members[i], ready[1], start[0]);
		}
	}
	close(ready[1]);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (read(ready[0], &byte, 1) != 1)
			give_up("not all of many came");
	crowd->from = now_nsec() + WARM_NSEC;
	crowd->until = crowd->from + COUNT_NSEC;
	close(start[1]);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			give_up("one of many failed");
	close(ready[0]);
	close(start[0]);
}

static double fairness(void)
{
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < CLIENTS; i++) {
		double count = crowd->members[i].count;

		sum += count;
		squares += count * count;
	}
	return sum * sum / (CLIENTS * squares);
}

static int by_value(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

/* 99th percentile of all requests over their median. */
static double tail(double *ret_median_nsec)
{
	uint32_t *all = malloc((size_t)CLIENTS * LATENCIES_MAX * sizeof(*all));
	size_t count = 0;
	double ratio;

	if (!all)
		give_up("no memory");
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct member *member = &crowd->members[i];

		memcpy(all + count, member->nsec, member->count * sizeof(*all));
		count += member->count;
	}
	if (count < CLIENTS)
		give_up("many clients were answered %zu times in all", count);
	qsort(all, count, sizeof(*all), by_value);
	*ret_median_nsec = all[count / 2];
	ratio = all[count * 99 / 100] / *ret_median_nsec;
	free(all);
	return ratio;
}

static void measure_with(uint32_t khz, const char *bus)
{
	double indices[RUNS], tails[RUNS], medians[RUNS];
	char what[2][96];

	bench.ring.bus->khz = khz;
	for (unsigned i = 0; i < RUNS; i++) {
		run_once();
		indices[i] = fairness();
		tails[i] = tail(&medians[i]);
	}
	bench.ring.bus->khz = 0;
	snprintf(what[0], sizeof(what[0]), "%d clients, %s: Jain's fairness index", CLIENTS, bus);
	snprintf(what[1], sizeof(what[1]), "%d clients, %s: p99 of the latency / median", CLIENTS,
		bus);
	table_add(&(struct figure){.what = what[0],
		.value = spread_of(indices, RUNS),
		.decimals = 4,
		.aim = AT_LEAST,
		.limit = 0.99});
	table_add(&(struct figure){.what = what[1],
		.value = spread_of(tails, RUNS),
		.decimals = 2,
		.aim = AT_MOST,
		.limit = 2});
	table_note("Median latency of %d clients, %s: %.0f us.", CLIENTS, bus,
		spread_of(medians, RUNS).median / 1000);
}

void crowd_measure(void)
{
	crowd = mmap(
		NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd == MAP_FAILED)
		give_up("memory of many clients: %m");
	measure_with(WIRE_KHZ, "100 kHz bus");
	measure_with(0, "zero-cost bus");
	munmap(crowd, sizeof(*crowd));
}
