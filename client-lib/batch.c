/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several operations in one message. */
#include "client-lib/library.h"

#include <errno.h>
#include <string.h>

struct batch {
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	uint8_t data[RGBROKER_DATA_MAX];
	size_t count;
	size_t written;         /* bytes of data */
	size_t room;            /* bytes asked for by reads */
	size_t joined_messages; /* of the plain transfer that is open */
	size_t joined_bytes;
};

/* What the wire calls length: bytes sent along, or room in the reply. -1: no such operation */
static int wire_length(const struct rgbroker_op *op)
{
	switch (op->kind) {
	case RGBROKER_OP_QUICK:
		return 0;
	case RGBROKER_OP_BYTE:
		return op->read ? 1 : 0;
	case RGBROKER_OP_BYTE_DATA:
		return 1;
	case RGBROKER_OP_WORD_DATA:
		return 2;
	case RGBROKER_OP_BLOCK_DATA:
		if (op->read)
			return 1 + RGBROKER_BLOCK_MAX;
		return op->length <= RGBROKER_BLOCK_MAX ? op->length : -1;
	case RGBROKER_OP_I2C_BLOCK:
		if (op->length > RGBROKER_BLOCK_MAX || (op->read && op->length == 0))
			return -1;
		return op->read ? 1 + op->length : op->length;
	case RGBROKER_OP_I2C:
		return op->length <= RGBROKER_TRANSFER_MAX ? op->length : -1;
	default:
		return -1;
	}
}

/* One plain transfer is all messages up to the one that is not joined to a next. */
static bool plain_limits_hold(struct batch *batch, const struct rgbroker_op *op)
{
	if (op->kind != RGBROKER_OP_I2C)
		return batch->joined_messages == 0 && !op->joined;
	batch->joined_messages++;
	batch->joined_bytes += op->length;
	if (batch->joined_messages > RGBROKER_MESSAGES_MAX ||
		batch->joined_bytes > RGBROKER_TRANSFER_MAX)
		return false;
	if (!op->joined)
		batch->joined_messages = batch->joined_bytes = 0;
	return true;
}

static int add(struct batch *batch, const struct rgbroker_op *op)
{
	int length = wire_length(op);
	bool has_command = op->kind != RGBROKER_OP_QUICK && op->kind != RGBROKER_OP_I2C &&
			   !(op->kind == RGBROKER_OP_BYTE && op->read);
	bool reads = op->read && op->kind != RGBROKER_OP_QUICK;

	if (length < 0 || op->address > 0x7f || (op->data == NULL && length > 0))
		return -EINVAL;
	if (!plain_limits_hold(batch, op))
		return -EINVAL;
	if ((reads ? batch->room : batch->written) + (size_t)length > RGBROKER_DATA_MAX)
		return -EINVAL;
	batch->operations[batch->count++] = (struct rgbroker_operation){
		.kind = op->kind,
		.read = op->read != 0,
		.address = op->address,
		.command = has_command ? op->command : 0,
		.length = (uint16_t)length,
		.joined = op->joined != 0,
	};
	if (reads) {
		batch->room += (size_t)length;
	} else if (length > 0) {
		memcpy(batch->data + batch->written, op->data, (size_t)length);
		batch->written += (size_t)length;
	}
	return 0;
}

static int take_read(struct rgbroker_op *op, const uint8_t *data, size_t length)
{
	if (op->kind != RGBROKER_OP_BLOCK_DATA && op->kind != RGBROKER_OP_I2C_BLOCK) {
		memcpy(op->data, data, length);
		return 0;
	}
	if (data[0] >= length)
		return -EPROTO;
	op->length = data[0];
	memcpy(op->data, data + 1, data[0]);
	return 0;
}

static int take_reads(
	struct rgbroker_op *ops, const struct batch *batch, const struct connection_reply *reply)
{
	const uint8_t *data = reply->data;

	for (size_t i = 0; i < reply->header.done; i++) {
		size_t length = batch->operations[i].length;

		if (!batch->operations[i].read || length == 0)
			continue;
		if (take_read(&ops[i], data, length) < 0)
			return -EPROTO;
		data += length;
	}
	return 0;
}

static int run(struct rgbroker *handle, struct batch *batch, struct connection_reply *ret_reply)
{
	struct connection_request request = {
		.header = {.opcode = RGBROKER_TRANSFER,
			.context = library_context(),
			.count = (uint16_t)batch->count,
			.length = (uint16_t)batch->written},
		.operations = batch->operations,
		.data = batch->data,
	};
	int r = connection_exchange(&handle->connection, -1, &request, ret_reply);

	return library_result(r, ret_reply->header.reason);
}

EXPORT int rgbroker_batch(
	struct rgbroker *handle, struct rgbroker_op *ops, size_t count, size_t *ret_done)
{
	struct batch batch = {.count = 0};
	struct connection_reply reply = {.header = {.done = 0}};
	int r = handle != NULL && ops != NULL && count >= 1 && count <= RGBROKER_OPERATIONS_MAX
			? 0
			: -EINVAL;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(&batch, &ops[i]);
	if (r == 0 && batch.joined_messages > 0)
		r = -EINVAL; /* the last one is joined to nothing */
	if (r == 0)
		r = run(handle, &batch, &reply);
	else
		library_result(r, CONNECTION_LOCAL);
	if (ret_done != NULL)
		*ret_done = reply.header.done;
	if (take_reads(ops, &batch, &reply) < 0)
		return library_result(-EPROTO, CONNECTION_LOCAL);
	return r;
}

EXPORT int rgbroker_i2c_transfer(
	struct rgbroker *handle, struct rgbroker_op *messages, size_t count)
{
	if (messages == NULL || count < 1 || count > RGBROKER_MESSAGES_MAX)
		return library_result(-EINVAL, CONNECTION_LOCAL);
	for (size_t i = 0; i < count; i++) {
		if (messages[i].kind != RGBROKER_OP_I2C)
			return library_result(-EINVAL, CONNECTION_LOCAL);
		messages[i].joined = i + 1 < count;
	}
	return rgbroker_batch(handle, messages, count, NULL);
}
