/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain I2C messages: I2C_RDWR, read() and write(). */
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <string.h>
#include <unistd.h>

ssize_t __read_chk(int fd, void *ret_buffer, size_t count, size_t room);

struct messages {
	struct i2c_msg user[RGBROKER_MESSAGES_MAX];
	struct rgbroker_operation operations[RGBROKER_MESSAGES_MAX];
	uint8_t data[RGBROKER_TRANSFER_MAX];
	size_t count;
	size_t written;
	size_t bytes; /* both ways */
};

/* i2c-dev reads the program's buffer of a read, too: a bad one is found before the transfer. */
static int add(struct messages *messages, size_t i)
{
	const struct i2c_msg *message = &messages->user[i];
	bool reads = message->flags & I2C_M_RD;

	if (message->len > RGBROKER_TRANSFER_MAX - messages->bytes)
		return -EINVAL;
	if (!shim_readable(message->buf, message->len))
		return -EFAULT;
	if (message->flags & ~I2C_M_RD)
		return -EOPNOTSUPP;
	if (message->addr > NOTE_ADDRESS)
		return -EINVAL;
	messages->bytes += message->len;
	messages->operations[i] = (struct rgbroker_operation){
		.kind = RGBROKER_I2C,
		.read = reads,
		.address = (uint8_t)message->addr,
		.length = message->len,
		.joined = i + 1 < messages->count,
	};
	if (!reads && message->len > 0) {
		memcpy(messages->data + messages->written, message->buf, message->len);
		messages->written += message->len;
	}
	return 0;
}

static int hand_out(struct shim_call *call, const struct messages *messages,
	const struct connection_reply *reply)
{
	const uint8_t *data = reply->data;
	int result = (int)messages->count;

	for (size_t i = 0; i < messages->count; i++) {
		const struct i2c_msg *message = &messages->user[i];

		if (!(message->flags & I2C_M_RD))
			continue;
		if (shim_copy_out(call->fd, message->buf, data, message->len) < 0)
			result = -EFAULT;
		data += message->len;
	}
	return result;
}

static int run(struct shim_call *call, struct messages *messages)
{
	struct connection_request request = {
		.header = {.opcode = RGBROKER_TRANSFER,
			.context = call->thread,
			.count = (uint16_t)messages->count,
			.length = (uint16_t)messages->written},
		.operations = messages->operations,
		.data = messages->data,
		.inode = call->inode,
	};
	struct connection_reply reply;
	int r = connection_exchange(&call->file->connection, call->fd, &request, &reply);

	return r < 0 ? r : hand_out(call, messages, &reply);
}

int shim_rdwr(struct shim_call *call, void *argument)
{
	struct i2c_rdwr_ioctl_data arguments;
	struct messages messages;
	int r = shim_copy_in(&arguments, argument, sizeof(arguments));

	if (r < 0)
		return r;
	if (arguments.msgs == NULL || arguments.nmsgs == 0 ||
		arguments.nmsgs > RGBROKER_MESSAGES_MAX)
		return -EINVAL;
	messages.count = arguments.nmsgs;
	messages.written = 0;
	messages.bytes = 0;
	r = shim_copy_in(messages.user, arguments.msgs, messages.count * sizeof(messages.user[0]));
	for (size_t i = 0; r == 0 && i < messages.count; i++)
		r = add(&messages, i);
	return r < 0 ? r : run(call, &messages);
}

/* One message to the slave address. @return count or a negative errno */
static ssize_t transfer(struct shim_call *call, bool reads, const void *data, size_t count,
	struct connection_reply *reply)
{
	int address = shim_slave(call);
	struct rgbroker_operation operation = {
		.kind = RGBROKER_I2C,
		.read = reads,
		.address = (uint8_t)address,
		.length = (uint16_t)count,
	};
	int r;

	if (address < 0)
		return address;
	if (count > RGBROKER_TRANSFER_MAX)
		return -EINVAL;
	r = connection_transfer(&call->file->connection, call->fd, call->inode, call->thread,
		&operation, data, reply);
	return r < 0 ? r : (ssize_t)count;
}

ssize_t shim_read(struct shim_call *call, void *ret_buffer, size_t count)
{
	struct connection_reply reply;
	ssize_t r;

	if (atomic_load(&call->file->connection.note) & NOTE_NO_READ)
		return -EBADF;
	r = transfer(call, true, NULL, count, &reply);
	if (r < 0)
		return r;
	return shim_copy_out(call->fd, ret_buffer, reply.data, count) < 0 ? -EFAULT : r;
}

ssize_t shim_write(struct shim_call *call, const void *buffer, size_t count)
{
	struct connection_reply reply;

	if (atomic_load(&call->file->connection.note) & NOTE_NO_WRITE)
		return -EBADF;
	if (count <= RGBROKER_TRANSFER_MAX && !shim_readable(buffer, count))
		return -EFAULT;
	return transfer(call, false, buffer, count, &reply);
}

EXPORT ssize_t read(int fd, void *ret_buffer, size_t count)
{
	struct shim_call call;

	if (!shim_begin(&call, fd))
		return next()->read(fd, ret_buffer, count);
	return shim_end(&call, shim_read(&call, ret_buffer, count));
}

/* The overflow is left to the next library's own way of dying. */
EXPORT ssize_t __read_chk(int fd, void *ret_buffer, size_t count, size_t room)
{
	struct shim_call call;

	if (count > room || !shim_begin(&call, fd))
		return next()->__read_chk(fd, ret_buffer, count, room);
	return shim_end(&call, shim_read(&call, ret_buffer, count));
}

EXPORT ssize_t write(int fd, const void *buffer, size_t count)
{
	struct shim_call call;

	if (!shim_begin(&call, fd))
		return next()->write(fd, buffer, count);
	return shim_end(&call, shim_write(&call, buffer, count));
}
