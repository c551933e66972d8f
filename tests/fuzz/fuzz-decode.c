/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes into decode(). What it takes is looked at once more, number by number, from wire.h; and
 * what it does not take must break one of them.
 */
#include "broker/decode.h"

#include <errno.h>

#include "tests/fuzz/must.h"

#define MESSAGE_MAX (RGBROKER_REQUEST_MAX + 64)

/* Lengths that an operation of a kind may have, as wire.h says them. */
static bool length_is_known(const struct rgbroker_operation *operation)
{
	switch (operation->kind) {
	case RGBROKER_QUICK:
		return operation->length == 0;
	case RGBROKER_BYTE:
		return operation->length == (operation->read ? 1 : 0);
	case RGBROKER_BYTE_DATA:
		return operation->length == 1;
	case RGBROKER_WORD_DATA:
		return operation->length == 2;
	case RGBROKER_BLOCK_DATA:
		return operation->read ? operation->length == 33 : operation->length <= 32;
	case RGBROKER_I2C_BLOCK:
		return operation->read ? operation->length >= 1 && operation->length <= 33
				       : operation->length <= 32;
	case RGBROKER_I2C:
		return operation->length <= 1024;
	default:
		return false;
	}
}

static bool command_is_known(const struct rgbroker_operation *operation)
{
	if (operation->kind == RGBROKER_QUICK || operation->kind == RGBROKER_I2C ||
		(operation->kind == RGBROKER_BYTE && operation->read))
		return operation->command == 0;
	return true;
}

/* All that follows one another by repeated starts, from the first message on. */
static bool join_is_known(const struct rgbroker_operation *operations, size_t count)
{
	size_t messages = 0, bytes = 0;

	for (;; messages++) {
		if (messages == count || messages == 8 ||
			(messages && operations[messages].kind != RGBROKER_I2C))
			return false;
		bytes += operations[messages].length;
		if (bytes > 1024)
			return false;
		if (!operations[messages].joined)
			return true;
		if (operations[messages].joined != 1 || operations[messages].kind != RGBROKER_I2C)
			return false;
	}
}

/* A plain message alone may have 1024 bytes too; others are short. */
static bool message_is_good(const uint8_t *message, size_t size)
{
	struct rgbroker_request header;
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	size_t written = 0, room = 0;

	if (size < sizeof(header))
		return false;
	memcpy(&header, message, sizeof(header));
	if (header.count > 64 || header.length > 2112 ||
		(header.opcode == RGBROKER_TRANSFER) != (header.count > 0) ||
		size != 16U + 8U * header.count + header.length)
		return false;
	memcpy(operations, message + sizeof(header), header.count * sizeof(operations[0]));
	for (size_t i = 0; i < header.count; i++) {
		const struct rgbroker_operation *operation = &operations[i];

		if (operation->read > 1 || operation->address > 127 || operation->earlier > 1 ||
			!length_is_known(operation) || !command_is_known(operation) ||
			!join_is_known(operation, header.count - i))
			return false;
		*(operation->read ? &room : &written) += operation->length;
	}
	return written == header.length && room <= 2112;
}

static void look_at_pointers(
	const struct request *request, const uint8_t *message, size_t size, size_t *ret_checksum)
{
	const uint8_t *next = message + sizeof(struct rgbroker_request) +
			      request->header->count * sizeof(struct rgbroker_operation);
	size_t covered = 0;

	must((const uint8_t *)request->header == message, "the header is elsewhere");
	for (size_t i = 0; i < request->header->count; i++) {
		const struct rgbroker_operation *operation = &request->operations[i];
		size_t span = transfer_span(request, i);

		must(span >= 1 && i + span <= request->header->count && span <= 8,
			"operation %zu spans %zu of %u", i, span, request->header->count);
		must(span == 1 || operation->joined, "operation %zu spans %zu, not joined", i,
			span);
		for (size_t k = i; k + 1 < i + span; k++)
			must(request->operations[k].joined, "a span of what is not joined");
		must(!request->operations[i + span - 1].joined, "a span ends joined");
		must((request->data[i] == NULL) == (operation->read != 0), "data of operation %zu",
			i);
		if (operation->read)
			continue;
		must(request->data[i] == next, "data of operation %zu is elsewhere", i);
		must(next + operation->length <= message + size, "data ends outside");
		for (size_t k = 0; k < operation->length; k++)
			*ret_checksum += request->data[i][k]; /* the sanitizer watches */
		next += operation->length;
		covered += operation->length;
	}
	must(covered == request->header->length, "%zu of %u bytes are somebody's", covered,
		request->header->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	uint16_t version = 0;
	size_t checksum = 0;
	uint8_t *message;
	int r;

	if (size > MESSAGE_MAX)
		return 0;
	message = malloc(size ? size : 1); /* of its very size, and aligned */
	must(message, "out of memory");
	if (size)
		memcpy(message, data, size);
	memset(&request, 0xa5, sizeof(request));
	r = decode(message, size, &request);
	must((request.header != NULL) == (size >= DECODE_FROZEN), "size %zu", size);
	if (size >= sizeof(version))
		memcpy(&version, message, sizeof(version));
	if (size < DECODE_FROZEN)
		must(r == -EPROTO, "%d for a stump", r);
	else if (version != RGBROKER_PROTOCOL_VERSION)
		must(r == -EPROTONOSUPPORT, "%d for version %u", r, version);
	else
		must(r == (message_is_good(message, size) ? 0 : -EPROTO),
			"decode() says %d, wire.h %d", r, message_is_good(message, size));
	if (r == 0)
		look_at_pointers(&request, message, size, &checksum);
	must(size == 0 || memcmp(message, data, size) == 0, "the message was changed");
	free(message);
	return checksum == SIZE_MAX; /* never: it has to be computed */
}
