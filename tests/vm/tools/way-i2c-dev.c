/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As a program does that knows /dev/i2c-N and nothing else. */
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <sys/ioctl.h>

static int descriptor;

int way_open(int bus, int address)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/i2c-%d", bus);
	descriptor = open(path, O_RDWR);
	if (descriptor < 0)
		return -errno;
	return ioctl(descriptor, I2C_SLAVE, (unsigned long)address) < 0 ? -errno : 0;
}

static int transfer(uint8_t direction, uint8_t command, uint32_t size, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data arguments = {
		.read_write = direction, .command = command, .size = size, .data = data};

	return ioctl(descriptor, I2C_SMBUS, &arguments) < 0 ? -errno : 0;
}

int way_write(uint8_t command, uint16_t value)
{
	union i2c_smbus_data data = {.word = value};

	return transfer(I2C_SMBUS_WRITE, command, I2C_SMBUS_WORD_DATA, &data);
}

int way_read(uint8_t command)
{
	union i2c_smbus_data data;
	int r = transfer(I2C_SMBUS_READ, command, I2C_SMBUS_BYTE_DATA, &data);

	return r < 0 ? r : data.byte;
}
