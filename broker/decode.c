/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/decode.h"

#include <errno.h>
#include <stdbool.h>

/* What an operation of a kind may look like: {smallest, largest} length. */
struct kind {
	uint16_t write[2], read[2];
	bool command[2]; /* has one: {writes, reads} */
	bool known;
};

static const struct kind kinds[RGBROKER_I2C + 1] = {
	[RGBROKER_QUICK] = {{0, 0}, {0, 0}, {false, false}, true},
	[RGBROKER_BYTE] = {{0, 0}, {1, 1}, {true, false}, true},
	[RGBROKER_BYTE_DATA] = {{1, 1}, {1, 1}, {true, true}, true},
	[RGBROKER_WORD_DATA] = {{2, 2}, {2, 2}, {true, true}, true},
	[RGBROKER_BLOCK_DATA] = {{0, RGBROKER_BLOCK_MAX},
		{RGBROKER_BLOCK_MAX + 1, RGBROKER_BLOCK_MAX + 1}, {true, true}, true},
	[RGBROKER_I2C_BLOCK] = {{0, RGBROKER_BLOCK_MAX}, {1, RGBROKER_BLOCK_MAX + 1}, {true, true},
		true},
	[RGBROKER_I2C] = {{0, RGBROKER_TRANSFER_MAX}, {0, RGBROKER_TRANSFER_MAX}, {false, false},
		true},
};

static bool operation_is_good(const struct rgbroker_operation *operation)
{
	const struct kind *kind;
	const uint16_t *length;

	if (operation->kind > RGBROKER_I2C || !kinds[operation->kind].known)
		return false;
	if (operation->read > 1 || operation->address > 0x7f || operation->earlier > 1)
		return false;
	kind = &kinds[operation->kind];
	length = operation->read ? kind->read : kind->write;
	if (operation->length < length[0] || operation->length > length[1])
		return false;
	return operation->command == 0 || kind->command[operation->read];
}

/* Messages joined by repeated starts: how many, how large, and that each has its successor. */
static bool joins_are_good(const struct request *request)
{
	size_t count = request->header->count, messages = 1, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		const struct rgbroker_operation *operation = &request->operations[i];

		bytes += operation->length;
		if (!operation->joined) {
			messages = 1;
			bytes = 0;
			continue;
		}
		if (operation->joined > 1 || operation->kind != RGBROKER_I2C || i + 1 == count ||
			operation[1].kind != RGBROKER_I2C || ++messages > RGBROKER_MESSAGES_MAX ||
			bytes + operation[1].length > RGBROKER_TRANSFER_MAX)
			return false;
	}
	return true;
}

static bool operations_are_good(struct request *request)
{
	const struct rgbroker_request *header = request->header;
	const uint8_t *data = (const uint8_t *)(request->operations + header->count);
	size_t sent = 0, room = 0;

	for (size_t i = 0; i < header->count; i++) {
		const struct rgbroker_operation *operation = &request->operations[i];

		if (!operation_is_good(operation))
			return false;
		request->data[i] = operation->read ? NULL : data + sent;
		*(operation->read ? &room : &sent) += operation->length;
	}
	return sent == header->length && room <= RGBROKER_DATA_MAX && joins_are_good(request);
}

int decode(const void *message, size_t size, struct request *ret_request)
{
	const struct rgbroker_request *header = size < DECODE_FROZEN ? NULL : message;

	ret_request->header = header;
	if (!header)
		return -EPROTO;
	if (header->version != RGBROKER_PROTOCOL_VERSION)
		return -EPROTONOSUPPORT;
	if (size < sizeof(*header) || header->count > RGBROKER_OPERATIONS_MAX ||
		header->length > RGBROKER_DATA_MAX ||
		(header->count == 0) == (header->opcode == RGBROKER_TRANSFER))
		return -EPROTO;
	ret_request->operations = (const struct rgbroker_operation *)(header + 1);
	if (size !=
		sizeof(*header) + header->count * sizeof(*ret_request->operations) + header->length)
		return -EPROTO;
	return operations_are_good(ret_request) ? 0 : -EPROTO;
}

size_t transfer_span(const struct request *request, size_t first)
{
	size_t last = first;

	while (request->operations[last].joined)
		last++;
	return last - first + 1;
}
