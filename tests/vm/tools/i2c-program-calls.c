/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "i2c-program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *node;

int tell(const char *what, int result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerrorname_np(-result));
	else
		printf("%s: %d\n", what, result);
	fflush(stdout); /* the next line may be a child's */
	return result;
}

int set_address(int fd, int address)
{
	return ioctl(fd, I2C_SLAVE, (unsigned long)address) < 0 ? -errno : 0;
}

int node_open(int flags, int address)
{
	int fd = open(node, flags);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && address >= 0)
		r = set_address(fd, address);
	return r < 0 ? r : fd;
}

static int smbus(int fd, uint8_t direction, uint8_t command, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data arguments = {.read_write = direction,
		.command = command,
		.size = I2C_SMBUS_BYTE_DATA,
		.data = data};

	return ioctl(fd, I2C_SMBUS, &arguments) < 0 ? -errno : 0;
}

int read_register(int fd, uint8_t command)
{
	union i2c_smbus_data data;
	int r = smbus(fd, I2C_SMBUS_READ, command, &data);

	return r < 0 ? r : data.byte;
}

int write_register(int fd, uint8_t command, uint8_t value)
{
	union i2c_smbus_data data = {.byte = value};

	return smbus(fd, I2C_SMBUS_WRITE, command, &data);
}

int exchange(int fd, uint8_t address, uint8_t command, uint8_t *ret_bytes, size_t count)
{
	struct i2c_msg messages[] = {
		{.addr = address, .len = 1, .buf = &command},
		{.addr = address, .flags = I2C_M_RD, .len = (uint16_t)count, .buf = ret_bytes},
	};
	struct i2c_rdwr_ioctl_data arguments = {.msgs = messages, .nmsgs = 2};
	int r = ioctl(fd, I2C_RDWR, &arguments);

	return r < 0 ? -errno : r;
}

int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	if (!directory)
		return -errno;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 3; /* . and .. and the folder's own */
}

int memory(const char *field)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t length = strlen(field);
	int value = -ENOENT;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			sscanf(line + length + 1, "%d", &value);
	fclose(file);
	return value;
}
