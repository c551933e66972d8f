/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frame-time BUS ADDRESS FRAMES
 *
 * Lights the eight LEDs of an ENE controller FRAMES times, each LED as OpenRGB does it in direct
 * mode: its register as a word, then a block of three. One line: how many microseconds each frame
 * took, after a first one that is not counted.
 */
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#define LEDS 8
#define COLORS 0x8100

static void transfer(int node, uint8_t command, uint32_t size, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data arguments = {
		.read_write = I2C_SMBUS_WRITE, .command = command, .size = size, .data = data};

	if (ioctl(node, I2C_SMBUS, &arguments) < 0) {
		perror("frame-time: transfer");
		exit(1);
	}
}

static void frame(int node, uint8_t level)
{
	for (unsigned led = 0; led < LEDS; led++) {
		unsigned at = COLORS + 3 * led;
		union i2c_smbus_data pointer = {.word = (uint16_t)(at << 8 | at >> 8)};
		union i2c_smbus_data color = {.block = {3, level, 0x10, (uint8_t)led}};

		transfer(node, 0x00, I2C_SMBUS_WORD_DATA, &pointer);
		transfer(node, 0x03, I2C_SMBUS_BLOCK_DATA, &color);
	}
}

static double now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	char path[32];
	int node;

	if (argc != 4)
		return 2;
	snprintf(path, sizeof(path), "/dev/i2c-%s", argv[1]);
	node = open(path, O_RDWR);
	if (node < 0 || ioctl(node, I2C_SLAVE, strtoul(argv[2], NULL, 0)) < 0) {
		perror(path);
		return 1;
	}
	frame(node, 0);
	for (int i = 0; i < atoi(argv[3]); i++) {
		double began = now_us();

		frame(node, (uint8_t)i);
		printf("%.0f ", now_us() - began);
	}
	puts("");
	return 0;
}
