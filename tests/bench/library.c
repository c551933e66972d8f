/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As a program does that was written for librgbroker. */
#include "client-lib/rgbroker.h"

#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <string.h>

static struct rgbroker *handle;

void library_open(void)
{
	int r = rgbroker_open_path(&handle, bench.path);

	if (r < 0)
		give_up("librgbroker at %s: %s", bench.path, strerror(-r));
}

void library_close(void)
{
	rgbroker_close(handle);
}

static void must(int r, int expected)
{
	if (r < 0)
		give_up("librgbroker: %s: %s", strerror(-r),
			rgbroker_reason_text(rgbroker_last_reason()));
	if (r != expected)
		give_up("librgbroker: %d in place of %d", r, expected);
}

uint64_t library_run(unsigned count)
{
	uint64_t began = now_nsec();

	while (count-- > 0)
		must(rgbroker_smbus_read_byte_data(handle, BENCH_CHIP, BENCH_COMMAND), BENCH_VALUE);
	return now_nsec() - began;
}

uint64_t library_with_calls_run(unsigned count)
{
	uint64_t took;

	bench.ring.bus->node_calls = 2; /* I2C_SLAVE, I2C_SMBUS */
	took = library_run(count);
	bench.ring.bus->node_calls = 0;
	return took;
}

uint64_t batch_run(unsigned count)
{
	struct rgbroker_op ops[BENCH_BATCH];
	uint8_t values[BENCH_BATCH];
	uint64_t began = now_nsec();

	while (count-- > 0) {
		for (unsigned i = 0; i < BENCH_BATCH; i++)
			ops[i] = (struct rgbroker_op){.kind = RGBROKER_OP_BYTE_DATA,
				.read = 1,
				.address = BENCH_CHIP,
				.command = BENCH_COMMAND,
				.length = 1,
				.data = &values[i]};
		must(rgbroker_batch(handle, ops, BENCH_BATCH, NULL), 0);
		must(values[BENCH_BATCH - 1], BENCH_VALUE);
	}
	return now_nsec() - began;
}

static void frame(uint8_t level)
{
	for (unsigned led = 0; led < FRAME_LEDS; led++) {
		uint8_t at[2], color[3];

		frame_register(led, at);
		frame_color(led, level, color);
		must(rgbroker_smbus_write_word_data(
			     handle, BENCH_CHIP, FRAME_SET, (uint16_t)(at[0] | at[1] << 8)),
			0);
		must(rgbroker_smbus_write_block_data(
			     handle, BENCH_CHIP, FRAME_BLOCK, sizeof(color), color),
			0);
	}
}

uint64_t library_frame_run(unsigned count)
{
	uint64_t began = now_nsec();

	while (count-- > 0)
		frame((uint8_t)count);
	return now_nsec() - began;
}

static void batch_frame(uint8_t level)
{
	struct rgbroker_op ops[2 * FRAME_LEDS];
	uint8_t at[FRAME_LEDS][2], color[FRAME_LEDS][3];

	for (unsigned led = 0; led < FRAME_LEDS; led++) {
		frame_register(led, at[led]);
		frame_color(led, level, color[led]);
		ops[2 * led] = (struct rgbroker_op){.kind = RGBROKER_OP_WORD_DATA,
			.address = BENCH_CHIP,
			.command = FRAME_SET,
			.length = 2,
			.data = at[led]};
		ops[2 * led + 1] = (struct rgbroker_op){.kind = RGBROKER_OP_BLOCK_DATA,
			.address = BENCH_CHIP,
			.command = FRAME_BLOCK,
			.length = 3,
			.data = color[led]};
	}
	must(rgbroker_batch(handle, ops, 2 * FRAME_LEDS, NULL), 0);
}

uint64_t batch_frame_run(unsigned count)
{
	uint64_t began = now_nsec();

	while (count-- > 0)
		batch_frame((uint8_t)count);
	return now_nsec() - began;
}
