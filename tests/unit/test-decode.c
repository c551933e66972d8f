/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decoding: what is let in, to the byte. The limits are written down here a second time on purpose.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/decode.h"

#define MESSAGE_MAX 8192

/* A message under construction. */
struct message {
	struct rgbroker_request header;
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX + 1];
	size_t n_operations, n_data;
};

static struct message transfer(void)
{
	return (struct message){
		.header = {.version = RGBROKER_PROTOCOL_VERSION, .opcode = RGBROKER_TRANSFER}};
}

/* Adds an operation; header.count and header.length follow. */
static struct rgbroker_operation *add(
	struct message *message, uint8_t kind, uint8_t read, uint16_t length)
{
	struct rgbroker_operation *operation = &message->operations[message->n_operations++];

	*operation = (struct rgbroker_operation){
		.kind = kind, .read = read, .address = 0x20, .length = length};
	message->n_data += read ? 0 : length;
	message->header.count = (uint16_t)message->n_operations;
	message->header.length = (uint16_t)message->n_data;
	return operation;
}

/* Byte i of the data is i, so that pointers into it can be told apart. */
static size_t serialise(const struct message *message, uint8_t *to)
{
	size_t size = sizeof(message->header);

	memcpy(to, &message->header, size);
	for (size_t i = 0; i < message->n_operations; i++, size += 8)
		memcpy(to + size, &message->operations[i], 8);
	for (size_t i = 0; i < message->n_data; i++)
		to[size++] = (uint8_t)i;
	return size;
}

/* Decoded from memory of exactly that size: a sanitizer sees every byte too many. */
static int decode_exactly(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	struct request request;
	int r;

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	r = decode(exact, size, &request);
	if (size < 8)
		assert_null(request.header);
	else
		assert_ptr_equal(request.header, exact);
	free(exact);
	return r;
}

static int judge(const struct message *message)
{
	static uint8_t bytes[MESSAGE_MAX * 10];
	size_t size = serialise(message, bytes);

	return decode_exactly(bytes, size);
}

/* The contract in protocol/wire.h, said once more. */
static bool length_is_good(unsigned kind, unsigned read, unsigned length)
{
	switch (kind) {
	case RGBROKER_QUICK:
		return length == 0;
	case RGBROKER_BYTE:
		return length == (read ? 1 : 0);
	case RGBROKER_BYTE_DATA:
		return length == 1;
	case RGBROKER_WORD_DATA:
		return length == 2;
	case RGBROKER_BLOCK_DATA:
		return read ? length == 33 : length <= 32;
	case RGBROKER_I2C_BLOCK:
		return read ? length >= 1 && length <= 33 : length <= 32;
	case RGBROKER_I2C:
		return length <= 1024;
	default:
		return false;
	}
}

static void test_every_kind_and_length(void **state)
{
	for (unsigned kind = 0; kind < 256; kind++)
		for (unsigned read = 0; read < 2; read++)
			for (unsigned length = 0; length <= 1100; length++) {
				struct message message = transfer();
				int good = length_is_good(kind, read, length) ? 0 : -EPROTO;

				add(&message, (uint8_t)kind, (uint8_t)read, (uint16_t)length);
				if (judge(&message) != good)
					fail_msg("kind %u read %u length %u", kind, read, length);
			}
}

static void test_lengths_beyond_any(void **state)
{
	for (unsigned length = 1101; length <= 0xffff; length++) {
		struct message message = transfer();

		add(&message, RGBROKER_I2C, 1, (uint16_t)length);
		if (judge(&message) != -EPROTO)
			fail_msg("read of %u", length);
	}
}

static void test_command_only_where_there_is_one(void **state)
{
	static const struct {
		uint8_t kind, read;
		uint16_t length;
		bool command;
	} cases[] = {{RGBROKER_QUICK, 0, 0, false}, {RGBROKER_QUICK, 1, 0, false},
		{RGBROKER_BYTE, 0, 0, true}, {RGBROKER_BYTE, 1, 1, false},
		{RGBROKER_BYTE_DATA, 0, 1, true}, {RGBROKER_BYTE_DATA, 1, 1, true},
		{RGBROKER_WORD_DATA, 0, 2, true}, {RGBROKER_WORD_DATA, 1, 2, true},
		{RGBROKER_BLOCK_DATA, 0, 4, true}, {RGBROKER_BLOCK_DATA, 1, 33, true},
		{RGBROKER_I2C_BLOCK, 0, 4, true}, {RGBROKER_I2C_BLOCK, 1, 5, true},
		{RGBROKER_I2C, 0, 4, false}, {RGBROKER_I2C, 1, 4, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned command = 0; command < 256; command++) {
			struct message message = transfer();
			struct rgbroker_operation *operation =
				add(&message, cases[i].kind, cases[i].read, cases[i].length);

			operation->command = (uint8_t)command;
			assert_int_equal(
				judge(&message), !command || cases[i].command ? 0 : -EPROTO);
		}
}

static void test_other_fields_of_an_operation(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		struct message message = transfer();
		struct rgbroker_operation *operation = add(&message, RGBROKER_BYTE_DATA, 1, 1);

		operation->address = (uint8_t)value;
		assert_int_equal(judge(&message), value < 128 ? 0 : -EPROTO);
		operation->address = 0x20;
		operation->earlier = (uint8_t)value;
		assert_int_equal(judge(&message), value > 1 ? -EPROTO : 0);
		operation->earlier = 0;
		operation->joined = (uint8_t)value; /* has no successor, and is not plain */
		assert_int_equal(judge(&message), value ? -EPROTO : 0);
		operation->joined = 0;
		operation->read = (uint8_t)value;
		assert_int_equal(judge(&message), value == 1 ? 0 : -EPROTO); /* a write has data */
	}
}

static void test_every_truncation(void **state)
{
	struct message message = transfer();
	uint8_t bytes[MESSAGE_MAX];
	size_t size;

	add(&message, RGBROKER_BLOCK_DATA, 0, 5);
	add(&message, RGBROKER_WORD_DATA, 1, 2);
	add(&message, RGBROKER_I2C, 0, 20)->joined = 1;
	add(&message, RGBROKER_I2C, 1, 20);
	size = serialise(&message, bytes);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(decode_exactly(bytes, cut), -EPROTO);
	assert_int_equal(decode_exactly(bytes, size), 0);
	memset(bytes + size, 0, 64);
	for (size_t more = 1; more < 64; more++)
		assert_int_equal(decode_exactly(bytes, size + more), -EPROTO);
}

static void test_counts(void **state)
{
	struct message message = transfer();

	assert_int_equal(judge(&message), -EPROTO); /* a transfer of nothing */
	for (unsigned i = 1; i <= RGBROKER_OPERATIONS_MAX + 1; i++) {
		add(&message, RGBROKER_BYTE_DATA, 0, 1);
		assert_int_equal(judge(&message), i <= 64 ? 0 : -EPROTO);
	}
	/* A count that does not fit the size, up to those whose product would wrap. */
	for (unsigned count = 0; count <= 0xffff; count++) {
		message = transfer();
		add(&message, RGBROKER_BYTE_DATA, 1, 1);
		message.header.count = (uint16_t)count;
		assert_int_equal(judge(&message), count == 1 ? 0 : -EPROTO);
	}
	for (unsigned length = 0; length <= 0xffff; length++) {
		message = transfer();
		add(&message, RGBROKER_WORD_DATA, 0, 2);
		message.header.length = (uint16_t)length;
		assert_int_equal(judge(&message), length == 2 ? 0 : -EPROTO);
	}
}

/* The header's length and the sum of the operations' disagree, the message's size with neither. */
static void test_sum_of_lengths(void **state)
{
	for (unsigned header = 0; header <= 8; header++) {
		struct message message = transfer();

		add(&message, RGBROKER_BLOCK_DATA, 0, 3);
		add(&message, RGBROKER_BLOCK_DATA, 0, 2);
		message.header.length = (uint16_t)header;
		message.n_data = header;
		assert_int_equal(judge(&message), header == 5 ? 0 : -EPROTO);
	}
}

static void test_data_limits(void **state)
{
	struct message writes = transfer(), reads = transfer(), wrap = transfer();

	for (unsigned i = 0; i < 64; i++) {
		add(&writes, RGBROKER_I2C, 0, 33);
		add(&reads, RGBROKER_BLOCK_DATA, 1, 33);
		add(&wrap, RGBROKER_I2C, 0, 1024);
	}
	assert_int_equal(judge(&writes), 0); /* 2112, exactly what there is room for */
	writes.operations[63].length++;
	writes.n_data++;
	writes.header.length++;
	assert_int_equal(judge(&writes), -EPROTO);
	assert_int_equal(judge(&reads), 0);
	reads.operations[5] = (struct rgbroker_operation){
		.kind = RGBROKER_I2C, .read = 1, .address = 0x20, .length = 34};
	assert_int_equal(judge(&reads), -EPROTO);
	/* 64 x 1024 is 0 in sixteen bits. */
	wrap.header.length = 0;
	wrap.n_data = 0;
	assert_int_equal(judge(&wrap), -EPROTO);
	for (unsigned i = 0; i < 64; i++)
		wrap.operations[i].read = 1;
	assert_int_equal(judge(&wrap), -EPROTO);
}

static struct message joined(unsigned count, uint16_t length)
{
	struct message message = transfer();

	for (unsigned i = 0; i < count; i++)
		add(&message, RGBROKER_I2C, i % 2, length)->joined = i + 1 < count;
	return message;
}

static void test_joins(void **state)
{
	for (unsigned count = 1; count <= 10; count++) {
		struct message message = joined(count, 4);

		assert_int_equal(judge(&message), count <= 8 ? 0 : -EPROTO);
		message.operations[count - 1].joined = 1; /* to whom? */
		assert_int_equal(judge(&message), -EPROTO);
	}
	for (unsigned value = 2; value < 256; value++) {
		struct message message = joined(2, 4);

		message.operations[0].joined = (uint8_t)value;
		assert_int_equal(judge(&message), -EPROTO);
	}
	for (unsigned kind = 0; kind <= RGBROKER_I2C_BLOCK; kind++) {
		for (unsigned length = 0; length <= 33; length++) {
			struct message message = transfer();

			add(&message, RGBROKER_I2C, 0, 1)->joined = 1;
			add(&message, (uint8_t)kind, 1, (uint16_t)length);
			assert_int_equal(judge(&message), -EPROTO);
			message = transfer();
			add(&message, (uint8_t)kind, 1, (uint16_t)length)->joined = 1;
			add(&message, RGBROKER_I2C, 0, 1);
			assert_int_equal(judge(&message), -EPROTO);
		}
	}
}

static void test_size_of_joined_transfers(void **state)
{
	struct message message = joined(8, 128);

	assert_int_equal(judge(&message), 0); /* 1024 */
	message.operations[7].length++;       /* a read */
	assert_int_equal(judge(&message), -EPROTO);
	/* Each transfer has its own 1024; beside each other they may be more. */
	message = joined(2, 512);
	add(&message, RGBROKER_I2C, 0, 512)->joined = 1;
	add(&message, RGBROKER_I2C, 1, 512);
	assert_int_equal(judge(&message), 0);
	message.operations[1].joined = 1;
	assert_int_equal(judge(&message), -EPROTO);
}

static void test_spans_and_data(void **state)
{
	static const size_t spans[] = {3, 2, 1, 1, 2, 1};
	struct message message = transfer();
	_Alignas(8) uint8_t bytes[MESSAGE_MAX];
	struct request request;
	const uint8_t *data = bytes + 16 + 6 * 8;

	add(&message, RGBROKER_I2C, 0, 3)->joined = 1;
	add(&message, RGBROKER_I2C, 1, 4)->joined = 1;
	add(&message, RGBROKER_I2C, 0, 0);
	add(&message, RGBROKER_BYTE_DATA, 0, 1);
	add(&message, RGBROKER_I2C, 0, 2)->joined = 1;
	add(&message, RGBROKER_I2C, 0, 9);
	assert_int_equal(decode(bytes, serialise(&message, bytes), &request), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(transfer_span(&request, i), spans[i]);
	assert_ptr_equal(request.operations, bytes + 16);
	assert_ptr_equal(request.data[0], data);
	assert_null(request.data[1]);
	assert_ptr_equal(request.data[3], data + 3);
	assert_ptr_equal(request.data[4], data + 4);
	assert_ptr_equal(request.data[5], data + 6);
}

static void test_versions(void **state)
{
	uint8_t bytes[MESSAGE_MAX];

	memset(bytes, 0xa5, sizeof(bytes));
	for (unsigned version = 0; version <= 0xffff; version++) {
		uint16_t word = (uint16_t)version;

		memcpy(bytes, &word, sizeof(word));
		assert_int_equal(decode_exactly(bytes, 8),
			version == RGBROKER_PROTOCOL_VERSION ? -EPROTO : -EPROTONOSUPPORT);
	}
	for (size_t size = 0; size <= RGBROKER_REQUEST_MAX; size++)
		assert_int_equal(
			decode_exactly(bytes, size), size < 8 ? -EPROTO : -EPROTONOSUPPORT);
}

static void test_opcodes(void **state)
{
	for (unsigned opcode = 0; opcode <= 0xffff; opcode++) {
		struct message message = transfer();

		message.header.opcode = (uint16_t)opcode;
		assert_int_equal(judge(&message), opcode == RGBROKER_TRANSFER ? -EPROTO : 0);
		message.header.length = 1;
		message.n_data = 1;
		assert_int_equal(judge(&message), -EPROTO);
		message = transfer();
		message.header.opcode = (uint16_t)opcode;
		add(&message, RGBROKER_BYTE, 1, 1);
		assert_int_equal(judge(&message), opcode == RGBROKER_TRANSFER ? 0 : -EPROTO);
	}
}

/* Whatever passes keeps what the rest of the broker relies upon. */
static void check_promises(const struct request *request, const uint8_t *bytes, size_t size)
{
	size_t room = 0, count = request->header->count;

	assert_in_range(count, 0, RGBROKER_OPERATIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct rgbroker_operation *operation = &request->operations[i];

		assert_in_range(operation->address, 0, 0x7f);
		assert_true(length_is_good(operation->kind, operation->read, operation->length));
		assert_true(i + transfer_span(request, i) <= count);
		room += operation->read ? operation->length : 0;
		if (operation->read)
			assert_null(request->data[i]);
		else
			assert_in_range(
				(size_t)(request->data[i] - bytes), 16, size - operation->length);
	}
	assert_in_range(room, 0, RGBROKER_DATA_MAX);
}

/* Good messages with a few bytes changed at random; the seed is fixed, so a failure comes again. */
static void test_mutations(void **state)
{
	_Alignas(8) uint8_t bytes[MESSAGE_MAX];
	unsigned seed = 20, passed = 0;

	for (unsigned round = 0; round < 200000; round++) {
		struct message message = joined(1 + (unsigned)rand_r(&seed) % 8, 2);
		struct request request;
		size_t size;

		add(&message, RGBROKER_BLOCK_DATA, round % 2, round % 2 ? 33 : 7);
		size = serialise(&message, bytes);
		for (int changes = rand_r(&seed) % 4; changes >= 0; changes--)
			bytes[(size_t)rand_r(&seed) % size] ^= (uint8_t)(1 << rand_r(&seed) % 8);
		if (decode(bytes, size, &request) < 0)
			continue;
		passed++;
		check_promises(&request, bytes, size);
	}
	assert_in_range(passed, 1000, 199000); /* both sides were visited */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_and_length),
		cmocka_unit_test(test_lengths_beyond_any),
		cmocka_unit_test(test_command_only_where_there_is_one),
		cmocka_unit_test(test_other_fields_of_an_operation),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_sum_of_lengths),
		cmocka_unit_test(test_data_limits),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_size_of_joined_transfers),
		cmocka_unit_test(test_spans_and_data),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_opcodes),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
