/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bus behind /dev/i2c-N: the one file of the broker that calls ioctl().
 *
 * I2C_SLAVE before every transfer, never I2C_SLAVE_FORCE: the kernel answers EBUSY if a driver is
 * bound to the address (drivers/i2c/i2c-dev.c). I2C_RDWR makes no such check by itself.
 */
#include "broker/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <i2c/smbus.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Documentation/admin-guide/devices.txt; the minor number is the adapter's. */
#define I2C_MAJOR 89

/* What cannot be asked for must not be promised. */
#define ABSENT                                                                                     \
	(I2C_FUNC_10BIT_ADDR | I2C_FUNC_PROTOCOL_MANGLING | I2C_FUNC_SMBUS_PEC |                   \
		I2C_FUNC_NOSTART | I2C_FUNC_SLAVE | I2C_FUNC_SMBUS_PROC_CALL |                     \
		I2C_FUNC_SMBUS_BLOCK_PROC_CALL | I2C_FUNC_SMBUS_HOST_NOTIFY)

/*
 * The files of ee1004 and spd5118 (drivers/misc/eeprom, drivers/hwmon), which everybody may read.
 * An open one holds neither driver nor module: it answers ENODEV when they have gone.
 */
static void open_kernel_spds(struct bus *bus)
{
	char path[64];

	for (unsigned i = 0; i < BUS_SPDS; i++) {
		snprintf(path, sizeof(path), "/sys/bus/i2c/devices/%u-%04x/eeprom", bus->number,
			BUS_SPD_ADDRESS + i);
		bus->spds[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
}

int bus_adapter(int fd)
{
	struct stat node;

	if (fstat(fd, &node) < 0 || !S_ISCHR(node.st_mode) || major(node.st_rdev) != I2C_MAJOR)
		return -1;
	return (int)minor(node.st_rdev);
}

int bus_open(struct bus *ret_bus, unsigned number, int fd)
{
	unsigned long functionality;
	char path[32];

	if (fd < 0) {
		snprintf(path, sizeof(path), "/dev/i2c-%u", number);
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return -errno;
	}
	if (ioctl(fd, I2C_FUNCS, &functionality) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	ret_bus->fd = fd;
	ret_bus->number = number;
	ret_bus->functionality = (uint32_t)functionality & ~(uint32_t)ABSENT;
	open_kernel_spds(ret_bus);
	return 0;
}

static int select_address(struct bus *bus, uint8_t address)
{
	return ioctl(bus->fd, I2C_SLAVE, (unsigned long)address) < 0 ? -errno : 0;
}

int bus_owner(struct bus *bus, uint8_t address, bool *ret_owned)
{
	int r = select_address(bus, address);

	if (r < 0 && r != -EBUSY)
		return r;
	*ret_owned = r == -EBUSY;
	return 0;
}

int bus_kernel_spd(
	const struct bus *bus, uint8_t address, unsigned offset, uint8_t *data, size_t size)
{
	int fd = bus->spds[address - BUS_SPD_ADDRESS];
	ssize_t got;

	if (fd < 0)
		return -ENOENT;
	got = pread(fd, data, size, (off_t)offset);
	if (got < 0)
		return -errno;
	return (size_t)got < size ? -ENODATA : 0;
}

/* data->block[0] is the count in both block kinds, and in what the reply carries. */
static void load(union i2c_smbus_data *smbus, const struct rgbroker_operation *operation,
	const uint8_t *data)
{
	switch (operation->kind) {
	case RGBROKER_BYTE_DATA:
		smbus->byte = data ? data[0] : 0;
		break;
	case RGBROKER_WORD_DATA:
		smbus->word = data ? (uint16_t)(data[0] | data[1] << 8) : 0;
		break;
	case RGBROKER_BLOCK_DATA:
	case RGBROKER_I2C_BLOCK:
		smbus->block[0] = (uint8_t)(data ? operation->length : operation->length - 1);
		if (data)
			memcpy(smbus->block + 1, data, operation->length);
		break;
	}
}

static void store(const union i2c_smbus_data *smbus, const struct rgbroker_operation *operation,
	uint8_t *read_data)
{
	memset(read_data, 0, operation->length);
	switch (operation->kind) {
	case RGBROKER_BYTE:
	case RGBROKER_BYTE_DATA:
		read_data[0] = smbus->byte;
		break;
	case RGBROKER_WORD_DATA:
		read_data[0] = (uint8_t)smbus->word;
		read_data[1] = (uint8_t)(smbus->word >> 8);
		break;
	case RGBROKER_BLOCK_DATA:
	case RGBROKER_I2C_BLOCK: {
		size_t size = 1U + smbus->block[0];

		memcpy(read_data, smbus->block,
			size < operation->length ? size : operation->length);
		break;
	}
	}
}

static int run_smbus(struct bus *bus, const struct rgbroker_operation *operation,
	const uint8_t *data, uint8_t *read_data)
{
	union i2c_smbus_data smbus = {0};
	char direction = operation->read ? I2C_SMBUS_READ : I2C_SMBUS_WRITE;
	int r;

	if (operation->length > RGBROKER_BLOCK_MAX + 1 || (!operation->read && !data))
		return -EINVAL;
	load(&smbus, operation, operation->read ? NULL : data);
	r = i2c_smbus_access(bus->fd, direction, operation->command, operation->kind, &smbus);
	if (r < 0)
		return r;
	if (operation->read && operation->kind != RGBROKER_QUICK)
		store(&smbus, operation, read_data);
	return 0;
}

static int run_plain(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data)
{
	uint8_t buffer[RGBROKER_TRANSFER_MAX] = {0}; /* a driver may fill less than it says */
	struct i2c_msg messages[RGBROKER_MESSAGES_MAX];
	struct i2c_rdwr_ioctl_data transfer = {.msgs = messages, .nmsgs = (uint32_t)count};
	size_t used = 0;
	int r;

	if (count > RGBROKER_MESSAGES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		const struct rgbroker_operation *operation = &operations[i];

		if (operation->length > sizeof(buffer) - used)
			return -EINVAL;
		messages[i] = (struct i2c_msg){.addr = operation->address,
			.flags = operation->read ? I2C_M_RD : 0,
			.len = operation->length,
			.buf = buffer + used};
		if (!operation->read)
			memcpy(messages[i].buf, data[i], operation->length);
		used += operation->length;
	}
	r = ioctl(bus->fd, I2C_RDWR, &transfer);
	if (r < 0)
		return -errno;
	if ((size_t)r != count)
		return -EIO; /* some drivers tell how far they came */
	for (size_t i = 0; i < count; i++) {
		if (!operations[i].read)
			continue;
		memcpy(read_data, messages[i].buf, messages[i].len);
		read_data += messages[i].len;
	}
	return 0;
}

int bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data)
{
	for (size_t i = 0; i < count; i++) {
		int r;

		if (operations[i].address > 0x7f ||
			(operations[i].kind != RGBROKER_I2C && count != 1))
			return -EINVAL;
		r = select_address(bus, operations[i].address);
		if (r < 0)
			return r;
	}
	if (operations[0].kind == RGBROKER_I2C)
		return run_plain(bus, operations, count, data, read_data);
	return run_smbus(bus, operations, data[0], read_data);
}
