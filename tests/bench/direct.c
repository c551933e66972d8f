/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As a program does that has the bus itself: the simulated bus's code, without a broker. */
#include "broker/bus.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bus bus;

void direct_open(void)
{
	int fd = fcntl(bench.ring.bus_fd, F_DUPFD_CLOEXEC, 3);
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	setenv(FAKE_BUS_VARIABLE, number, 1);
	if (fd < 0 || bus_open(&bus, BENCH_BUS, -1) < 0)
		give_up("the simulated bus does not open");
}

static void run(const struct rgbroker_operation *operation, const uint8_t *data, uint8_t *read_data)
{
	int r = bus_run(&bus, operation, 1, &data, read_data);

	if (r < 0)
		give_up("the simulated bus: %s", strerror(-r));
}

int direct_read(void)
{
	const struct rgbroker_operation read = {.kind = RGBROKER_BYTE_DATA,
		.read = 1,
		.address = BENCH_CHIP,
		.command = BENCH_COMMAND,
		.length = 1};
	uint8_t value;

	run(&read, NULL, &value);
	return value;
}

static void frame(uint8_t level)
{
	static const struct rgbroker_operation set = {.kind = RGBROKER_WORD_DATA,
		.address = BENCH_CHIP,
		.command = FRAME_SET,
		.length = 2};
	static const struct rgbroker_operation block = {.kind = RGBROKER_BLOCK_DATA,
		.address = BENCH_CHIP,
		.command = FRAME_BLOCK,
		.length = 3};

	for (unsigned led = 0; led < FRAME_LEDS; led++) {
		uint8_t at[2], color[3];

		frame_register(led, at);
		frame_color(led, level, color);
		run(&set, at, NULL);
		run(&block, color, NULL);
	}
}

uint64_t direct_frame_run(unsigned count)
{
	uint64_t began = now_nsec();

	while (count-- > 0)
		frame((uint8_t)count);
	return now_nsec() - began;
}
