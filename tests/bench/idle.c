/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker costs that nobody asks. It sits beside all other measurements, and is left alone.
 */
#include "tests/bench/bench.h"
#include "tests/daemon/ene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE_NSEC 30000000000u
#define SETTLE_USEC 500000

static struct ring idle;
static int client;
static uint64_t since;
static unsigned long switches;

static FILE *open_status(const char *file)
{
	char path[64];
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)idle.pid, file);
	stream = fopen(path, "re");
	if (!stream)
		give_up("%s: %m", path);
	return stream;
}

static unsigned long count_switches(void)
{
	FILE *stream = open_status("status");
	unsigned long sum = 0, value;
	char line[512];

	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &value) == 1 ||
			sscanf(line, "nonvoluntary_ctxt_switches: %lu", &value) == 1)
			sum += value;
	fclose(stream);
	return sum;
}

/* In KiB. The simulated bus lies in its memory as well, which a real one does not. */
static unsigned long private_dirty(void)
{
	FILE *stream = open_status("smaps");
	bool simulated = false;
	unsigned long sum = 0, value, begin, end;
	char line[512];

	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			simulated = strstr(line, "/memfd:bus");
		else if (!simulated && sscanf(line, "Private_Dirty: %lu", &value) == 1)
			sum += value;
	}
	fclose(stream);
	return sum;
}

/* A client stays connected, as OpenRGB's does, and has asked once. */
void idle_begin(void)
{
	struct batch batch = batch_new(1);

	ring_open(&idle);
	idle.config = SHIPPED;
	idle.idle = "3600";
	ene_put(&idle, BENCH_CHIP, 0);
	ring_start(&idle);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, BENCH_CHIP, BENCH_COMMAND, 1, NULL);
	client = peer_connect(&idle, "rgb");
	if (peer_ask(client, &batch).head.reason != RGBROKER_REASON_NONE)
		give_up("the idle broker does not answer");
	usleep(SETTLE_USEC);
	switches = count_switches();
	since = now_nsec();
}

static double stripped_size(void)
{
	char path[96], command[512];
	struct stat status;

	snprintf(path, sizeof(path), "%s/stripped", bench.directory);
	snprintf(command, sizeof(command), "strip -o '%s' '%s'", path, RGBROKERD);
	if (system(command) != 0 || stat(path, &status) < 0)
		give_up("%s: cannot be stripped", RGBROKERD);
	unlink(path);
	return (double)status.st_size;
}

static void add(const char *what, double value, const char *unit, enum aim aim, double limit)
{
	table_add(&(struct figure){.what = what,
		.value = {value, value, value},
		.unit = unit,
		.aim = aim,
		.limit = limit});
}

void idle_end(void)
{
	uint64_t passed = now_nsec() - since;

	if (passed < IDLE_NSEC) {
		usleep((useconds_t)((IDLE_NSEC - passed) / 1000));
		passed = now_nsec() - since;
	}
	add("an idle broker's wake-ups", (double)(count_switches() - switches), NULL, AT_MOST, 0);
	add("its private dirty memory", (double)private_dirty(), "KiB", AT_MOST, 400);
	add("its binary, stripped", stripped_size() / 1024, "KiB", NO_AIM, 0);
	table_note("The idle broker was watched for %.0f s.", (double)passed / 1e9);
	close(client);
	ring_close(&idle);
}
