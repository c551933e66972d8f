/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* I2C_SMBUS, with i2c-dev's own checks in i2c-dev's own order. */
#include "client-lib/shim.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>

static bool is_process_call(unsigned size)
{
	return size == I2C_SMBUS_PROC_CALL || size == I2C_SMBUS_BLOCK_PROC_CALL;
}

static bool is_known(unsigned size)
{
	return size <= I2C_SMBUS_I2C_BLOCK_DATA;
}

static_assert(I2C_SMBUS_QUICK == 0 && I2C_SMBUS_I2C_BLOCK_DATA == 8, "all nine are known");

/* How much of the program's data i2c-dev copies, whatever the block's count. */
static size_t user_size(unsigned size)
{
	if (size == I2C_SMBUS_BYTE || size == I2C_SMBUS_BYTE_DATA)
		return sizeof(((union i2c_smbus_data *)0)->byte);
	if (size == I2C_SMBUS_WORD_DATA || size == I2C_SMBUS_PROC_CALL)
		return sizeof(((union i2c_smbus_data *)0)->word);
	return sizeof(((union i2c_smbus_data *)0)->block);
}

static bool uses_no_data(const struct i2c_smbus_ioctl_data *arguments)
{
	return arguments->size == I2C_SMBUS_QUICK ||
	       (arguments->size == I2C_SMBUS_BYTE && arguments->read_write == I2C_SMBUS_WRITE);
}

/* @return the wire's length of the operation, or -EINVAL */
static int wire_length(const struct i2c_smbus_ioctl_data *arguments, const uint8_t *block)
{
	bool reads = arguments->read_write == I2C_SMBUS_READ;

	switch (arguments->size) {
	case I2C_SMBUS_BYTE:
		return reads ? 1 : 0;
	case I2C_SMBUS_BYTE_DATA:
		return 1;
	case I2C_SMBUS_WORD_DATA:
		return 2;
	case I2C_SMBUS_BLOCK_DATA:
		if (reads)
			return 1 + I2C_SMBUS_BLOCK_MAX;
		return block[0] <= I2C_SMBUS_BLOCK_MAX ? block[0] : -EINVAL;
	case I2C_SMBUS_I2C_BLOCK_DATA:
		if (block[0] > I2C_SMBUS_BLOCK_MAX)
			return -EINVAL;
		return reads ? 1 + block[0] : block[0];
	default:
		return 0;
	}
}

/* A value's bytes, low one first, or those behind a block's count. */
static const uint8_t *bytes_to_write(unsigned size, const union i2c_smbus_data *data, uint8_t *word)
{
	if (size == I2C_SMBUS_WORD_DATA) {
		word[0] = data->word & 0xff;
		word[1] = data->word >> 8;
		return word;
	}
	return size == I2C_SMBUS_BYTE_DATA ? &data->byte : &data->block[1];
}

static int take_read(unsigned size, union i2c_smbus_data *data, const uint8_t *bytes, size_t length)
{
	if (size == I2C_SMBUS_WORD_DATA) {
		data->word = (uint16_t)(bytes[0] | bytes[1] << 8);
	} else if (size == I2C_SMBUS_BYTE || size == I2C_SMBUS_BYTE_DATA) {
		data->byte = bytes[0];
	} else {
		if (bytes[0] >= length)
			return -EPROTO;
		memcpy(data->block, bytes, 1u + bytes[0]);
	}
	return 0;
}

static int transfer(struct shim_call *call, const struct i2c_smbus_ioctl_data *arguments,
	union i2c_smbus_data *data)
{
	int address = shim_slave(call);
	int length = wire_length(arguments, data->block);
	bool has_command =
		arguments->size != I2C_SMBUS_QUICK &&
		(arguments->size != I2C_SMBUS_BYTE || arguments->read_write == I2C_SMBUS_WRITE);
	struct rgbroker_operation operation = {
		.kind = (uint8_t)arguments->size,
		.read = arguments->read_write == I2C_SMBUS_READ,
		.address = (uint8_t)address,
		.command = has_command ? arguments->command : 0,
		.length = (uint16_t)length,
	};
	struct connection_reply reply;
	uint8_t word[2];
	int r;

	if (address < 0)
		return address;
	if (length < 0)
		return length;
	r = connection_transfer(&call->file->connection, call->fd, call->inode, call->thread,
		&operation, bytes_to_write(arguments->size, data, word), &reply);
	if (r < 0 || !operation.read || arguments->size == I2C_SMBUS_QUICK)
		return r;
	return take_read(arguments->size, data, reply.data, operation.length);
}

static int transfer_with_data(struct shim_call *call, struct i2c_smbus_ioctl_data *arguments)
{
	bool reads = arguments->read_write == I2C_SMBUS_READ;
	size_t size = user_size(arguments->size);
	union i2c_smbus_data data = {.block = {0}};
	int r = 0;

	if (arguments->data == NULL)
		return -EINVAL;
	if (!reads || is_process_call(arguments->size) ||
		arguments->size == I2C_SMBUS_I2C_BLOCK_DATA)
		r = shim_copy_in(&data, arguments->data, size);
	if (r < 0)
		return r;
	if (is_process_call(arguments->size))
		return -EOPNOTSUPP;
	if (arguments->size == I2C_SMBUS_I2C_BLOCK_BROKEN) {
		/* The old reading convention: no count in, always the most there can be. */
		arguments->size = I2C_SMBUS_I2C_BLOCK_DATA;
		if (reads)
			data.block[0] = I2C_SMBUS_BLOCK_MAX;
	}
	r = transfer(call, arguments, &data);
	if (r < 0 || !reads)
		return r;
	return shim_copy_out(call->fd, arguments->data, &data, size);
}

int shim_smbus(struct shim_call *call, void *argument)
{
	struct i2c_smbus_ioctl_data arguments;
	union i2c_smbus_data none = {.block = {0}};
	int r = shim_copy_in(&arguments, argument, sizeof(arguments));

	if (r < 0)
		return r;
	if (!is_known(arguments.size) || arguments.read_write > I2C_SMBUS_READ)
		return -EINVAL;
	return uses_no_data(&arguments) ? transfer(call, &arguments, &none)
					: transfer_with_data(call, &arguments);
}
