/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * i2c-program NODE ADDRESS COMMAND VALUE
 *
 * An unmodified i2c-dev program, as OpenRGB is one: knows of no broker. Reads tasks from its
 * standard input, see i2c-program.h.
 */
#include "tests/bench/i2c-program.h"

#include "tests/bench/frame.h"

#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int node;

static uint64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void transfer(uint8_t read_write, uint8_t command, uint32_t size, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data arguments = {
		.read_write = read_write, .command = command, .size = size, .data = data};

	if (ioctl(node, I2C_SMBUS, &arguments) < 0) {
		perror("i2c-program: transfer");
		exit(EXIT_FAILURE);
	}
}

static void reads(uint32_t count, uint8_t command, uint8_t expected)
{
	while (count-- > 0) {
		union i2c_smbus_data data;

		transfer(I2C_SMBUS_READ, command, I2C_SMBUS_BYTE_DATA, &data);
		if (data.byte != expected) {
			fprintf(stderr, "i2c-program: read %d\n", data.byte);
			exit(EXIT_FAILURE);
		}
	}
}

static void frame(uint8_t level)
{
	for (unsigned led = 0; led < FRAME_LEDS; led++) {
		union i2c_smbus_data pointer, color = {.block = {3}};
		uint8_t at[2];

		frame_register(led, at);
		pointer.word = (uint16_t)(at[0] | at[1] << 8);
		frame_color(led, level, &color.block[1]);
		transfer(I2C_SMBUS_WRITE, FRAME_SET, I2C_SMBUS_WORD_DATA, &pointer);
		transfer(I2C_SMBUS_WRITE, FRAME_BLOCK, I2C_SMBUS_BLOCK_DATA, &color);
	}
}

int main(int argc, char **argv)
{
	struct task_order order;

	if (argc != 5)
		return 2;
	node = open(argv[1], O_RDWR);
	if (node < 0 || ioctl(node, I2C_SLAVE, strtoul(argv[2], NULL, 0)) < 0) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	while (read(STDIN_FILENO, &order, sizeof(order)) == sizeof(order)) {
		struct task_done done;
		uint64_t began = now_nsec();

		if (order.task == TASK_READS)
			reads(order.count, (uint8_t)strtoul(argv[3], NULL, 0),
				(uint8_t)strtoul(argv[4], NULL, 0));
		else
			for (uint32_t i = 0; i < order.count; i++)
				frame((uint8_t)i);
		done.nsec = now_nsec() - began;
		if (write(STDOUT_FILENO, &done, sizeof(done)) != sizeof(done))
			return EXIT_FAILURE;
	}
	return 0;
}
