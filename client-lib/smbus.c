/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One SMBus transfer a call. What is out of range is refused, not clipped. */
#include "client-lib/library.h"

#include <errno.h>
#include <string.h>

#define ADDRESS_MAX 0x7f

static int invalid(void)
{
	return library_result(-EINVAL, CONNECTION_LOCAL);
}

static int transfer(struct rgbroker *handle, struct rgbroker_operation operation,
	const uint8_t *data, struct connection_reply *ret_reply)
{
	int r;

	if (handle == NULL || operation.address > ADDRESS_MAX)
		return invalid();
	r = connection_transfer(
		&handle->connection, -1, 0, library_context(), &operation, data, ret_reply);
	return library_result(r, ret_reply->header.reason);
}

static int write_operation(
	struct rgbroker *handle, struct rgbroker_operation operation, const uint8_t *data)
{
	struct connection_reply reply;

	return transfer(handle, operation, data, &reply);
}

/* Up to two bytes, low byte first. */
static int read_value(struct rgbroker *handle, struct rgbroker_operation operation)
{
	struct connection_reply reply;
	int r;

	operation.read = 1;
	r = transfer(handle, operation, NULL, &reply);
	if (r < 0)
		return r;
	return operation.length == 2 ? reply.data[0] | reply.data[1] << 8 : reply.data[0];
}

/* The reply is the count and room for `room` bytes. */
static int read_block(struct rgbroker *handle, struct rgbroker_operation operation, size_t room,
	uint8_t *ret_values)
{
	struct connection_reply reply;
	int r;

	operation.read = 1;
	operation.length = (uint16_t)(1 + room);
	r = transfer(handle, operation, NULL, &reply);
	if (r < 0)
		return r;
	if (reply.data[0] > room)
		return library_result(-EPROTO, CONNECTION_LOCAL);
	memcpy(ret_values, &reply.data[1], reply.data[0]);
	return reply.data[0];
}

EXPORT int rgbroker_smbus_quick(struct rgbroker *handle, uint8_t address, int read_bit)
{
	return write_operation(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_QUICK, .address = address, .read = read_bit != 0},
		NULL);
}

EXPORT int rgbroker_smbus_read_byte(struct rgbroker *handle, uint8_t address)
{
	return read_value(handle, (struct rgbroker_operation){
					  .kind = RGBROKER_BYTE, .address = address, .length = 1});
}

EXPORT int rgbroker_smbus_write_byte(struct rgbroker *handle, uint8_t address, uint8_t value)
{
	return write_operation(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_BYTE, .address = address, .command = value},
		NULL);
}

EXPORT int rgbroker_smbus_read_byte_data(struct rgbroker *handle, uint8_t address, uint8_t command)
{
	return read_value(handle, (struct rgbroker_operation){.kind = RGBROKER_BYTE_DATA,
					  .address = address,
					  .command = command,
					  .length = 1});
}

EXPORT int rgbroker_smbus_write_byte_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint8_t value)
{
	return write_operation(handle,
		(struct rgbroker_operation){.kind = RGBROKER_BYTE_DATA,
			.address = address,
			.command = command,
			.length = 1},
		&value);
}

EXPORT int rgbroker_smbus_read_word_data(struct rgbroker *handle, uint8_t address, uint8_t command)
{
	return read_value(handle, (struct rgbroker_operation){.kind = RGBROKER_WORD_DATA,
					  .address = address,
					  .command = command,
					  .length = 2});
}

EXPORT int rgbroker_smbus_write_word_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint16_t value)
{
	uint8_t data[2] = {value & 0xff, value >> 8};

	return write_operation(handle,
		(struct rgbroker_operation){.kind = RGBROKER_WORD_DATA,
			.address = address,
			.command = command,
			.length = 2},
		data);
}

EXPORT int rgbroker_smbus_read_block_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint8_t *ret_values)
{
	if (ret_values == NULL)
		return invalid();
	return read_block(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_BLOCK_DATA, .address = address, .command = command},
		RGBROKER_BLOCK_MAX, ret_values);
}

EXPORT int rgbroker_smbus_read_i2c_block_data(struct rgbroker *handle, uint8_t address,
	uint8_t command, size_t length, uint8_t *ret_values)
{
	if (ret_values == NULL || length < 1 || length > RGBROKER_BLOCK_MAX)
		return invalid();
	return read_block(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_I2C_BLOCK, .address = address, .command = command},
		length, ret_values);
}

static int write_block(struct rgbroker *handle, struct rgbroker_operation operation, size_t length,
	const uint8_t *values)
{
	if (length > RGBROKER_BLOCK_MAX || (values == NULL && length > 0))
		return invalid();
	operation.length = (uint16_t)length;
	return write_operation(handle, operation, values);
}

EXPORT int rgbroker_smbus_write_block_data(struct rgbroker *handle, uint8_t address,
	uint8_t command, size_t length, const uint8_t *values)
{
	return write_block(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_BLOCK_DATA, .address = address, .command = command},
		length, values);
}

EXPORT int rgbroker_smbus_write_i2c_block_data(struct rgbroker *handle, uint8_t address,
	uint8_t command, size_t length, const uint8_t *values)
{
	return write_block(handle,
		(struct rgbroker_operation){
			.kind = RGBROKER_I2C_BLOCK, .address = address, .command = command},
		length, values);
}
