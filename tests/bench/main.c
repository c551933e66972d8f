/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench [--markdown FILE]: measures everything, prints one table; see bench.h. */
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/daemon/ene.h"

/* Short, so that many rounds pass without another program in between. */
#define REQUEST_ROUNDS 1500
#define REQUESTS 40 /* in a round, of each */
#define BATCHES 5
#define MESSAGES 10
#define FRAME_ROUNDS 200
#define WIRE_KHZ 100
/* For each LED a word (start, four bytes, stop) and a block of three (start, six bytes, stop) */
#define FRAME_WIRE_USEC (FRAME_LEDS * ((2 + 9 * 4) + (2 + 9 * 6)) * 1000 / WIRE_KHZ)
#define RECOGNITION_READS 16 /* of each chip, by the broker: ene-dram.conf */

struct bench bench;

void bench_open(void)
{
	struct ring *ring = &bench.ring;

	stay_on_one_cpu();
	/* Timers to the moment, in all processes from here on: the kernel's 50 us of slack would be
	 * more than what is measured. */
	prctl(PR_SET_TIMERSLACK, 1);
	ring_open(ring);
	ring->config = SHIPPED;
	ene_put(ring, BENCH_CHIP, 0);
	ene_put(ring, BENCH_OTHER_CHIP, 1);
	strcpy(bench.directory, "/tmp/rgbroker-bench-XXXXXX");
	if (!mkdtemp(bench.directory))
		give_up("%s: %m", bench.directory);
	snprintf(bench.path, sizeof(bench.path), "%s/i2c-%d", bench.directory, BENCH_BUS);
	ring_put_door(ring, "rgb", bench.path);
	ring_start(ring);
}

void bench_close(void)
{
	ring_close(&bench.ring);
	unlink(bench.path);
	rmdir(bench.directory);
}

/* Nothing was answered by anybody but the bus, and nothing was asked of it in vain. */
static void must_have_run(unsigned before, unsigned operations)
{
	unsigned ran = atomic_load(&bench.ring.bus->count) - before;

	if (ran != operations)
		give_up("%u operations reached the bus in place of %u", ran, operations);
}

static void add_ratio(const char *what, const struct side *side, const struct side *base,
	unsigned rounds, enum aim aim, double limit)
{
	table_add(&(struct figure){.what = what,
		.value = ratio_of(side, base, rounds),
		.decimals = 2,
		.aim = aim,
		.limit = limit});
}

static double median_usec(const struct side *side, unsigned rounds)
{
	return spread_of(side->nsec, rounds).median / 1000;
}

static void measure_requests(void)
{
	struct side echo = {.run = echo_run, .count = REQUESTS};
	struct side library = {.run = library_run, .count = REQUESTS};
	struct side with_calls = {.run = library_with_calls_run, .count = REQUESTS};
	struct side shim = {.run = shim_run, .count = REQUESTS};
	struct side batch = {.run = batch_run, .count = BATCHES, .worth = BENCH_BATCH};
	struct side message = {.run = bus_message_run, .count = MESSAGES};
	struct side *const sides[] = {&echo, &library, &with_calls, &shim, &batch, &message};
	const unsigned rounds = REQUEST_ROUNDS;
	unsigned before = atomic_load(&bench.ring.bus->count);

	measure(sides, sizeof(sides) / sizeof(sides[0]), rounds);
	must_have_run(before, (rounds + 1) * (3 * REQUESTS + BATCHES * BENCH_BATCH + MESSAGES) +
				      2 * RECOGNITION_READS);
	add_ratio("a request by librgbroker / a bare echo", &library, &echo, rounds, AT_MOST, 1.25);
	add_ratio(
		"the same with a real node's system calls", &with_calls, &echo, rounds, NO_AIM, 0);
	add_ratio("through the shim / by librgbroker", &shim, &library, rounds, AT_MOST, 1.05);
	add_ratio("one of a batch of 32 / a request", &batch, &library, rounds, AT_MOST, 0.10);
	add_ratio("by D-Bus / by librgbroker", &message, &library, rounds, AT_LEAST, 5);
	table_note(
		"Medians: echo %.1f us, librgbroker %.1f us, shim %.1f us, one of a batch %.2f us, "
		"D-Bus %.1f us.",
		median_usec(&echo, rounds), median_usec(&library, rounds),
		median_usec(&shim, rounds), median_usec(&batch, rounds),
		median_usec(&message, rounds));
}

static void must_be_lit(const uint8_t *registers)
{
	for (unsigned led = 0; led < FRAME_LEDS; led++) {
		uint8_t color[3];

		frame_color(led, 0, color);
		if (memcmp(registers + FRAME_COLORS + 3 * led, color, sizeof(color)) != 0)
			give_up("LED %u is not lit as it should be", led);
	}
}

/* A wire as slow as most are. */
static void measure_frames(void)
{
	struct side direct = {.run = direct_frame_run, .count = 1};
	struct side shim = {.run = shim_frame_run, .count = 1};
	struct side library = {.run = library_frame_run, .count = 1};
	struct side batch = {.run = batch_frame_run, .count = 1};
	struct side *const sides[] = {&direct, &shim, &library, &batch};
	const unsigned rounds = FRAME_ROUNDS, calls = 2 * FRAME_LEDS;
	unsigned before = atomic_load(&bench.ring.bus->count);

	bench.ring.bus->khz = WIRE_KHZ;
	measure(sides, sizeof(sides) / sizeof(sides[0]), rounds);
	bench.ring.bus->khz = 0;
	must_have_run(before, (rounds + 1) * 4 * calls);
	must_be_lit(bench.ring.bus->behind[0]);
	must_be_lit(bench.ring.bus->behind[1]);
	if (median_usec(&direct, rounds) < FRAME_WIRE_USEC)
		give_up("a frame is faster than its wire");
	add_ratio("a frame at 100 kHz: shim / direct", &shim, &direct, rounds, AT_MOST, 1.02);
	add_ratio("a frame at 100 kHz: librgbroker / direct", &library, &direct, rounds, NO_AIM, 0);
	add_ratio("a frame at 100 kHz: one batch / direct", &batch, &direct, rounds, AT_MOST, 1.00);
	table_note("A frame takes %.0f us directly (median), %u us of it on the wire.",
		median_usec(&direct, rounds), FRAME_WIRE_USEC);
}

static void open_all(void)
{
	bench_open();
	idle_begin();
	direct_open();
	echo_open();
	library_open();
	shim_open();
	bus_message_open();
}

static void close_all(void)
{
	bus_message_close();
	shim_close();
	library_close();
	echo_close();
	bench_close();
}

int main(int argc, char **argv)
{
	const char *markdown = argc == 3 && strcmp(argv[1], "--markdown") == 0 ? argv[2] : NULL;

	if (argc > 1 && !markdown) {
		fprintf(stderr, "usage: bench [--markdown FILE]\n");
		return 2;
	}
	open_all();
	measure_requests();
	measure_frames();
	crowd_measure();
	idle_end();
	table_print(markdown);
	close_all();
	return 0;
}
