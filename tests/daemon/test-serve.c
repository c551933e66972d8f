/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that are carried out, or refused: the simulated bus's log is the judge. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

#define LAMP 0x20

static unsigned on_wire(const struct ring *ring)
{
	return atomic_load(&ring->bus->count);
}

static void wire_is(const struct ring *ring, unsigned at, uint8_t kind, bool read, uint8_t address,
	uint8_t command)
{
	const struct fake_entry *entry = &ring->bus->log[at];

	assert_true(at < on_wire(ring));
	assert_int_equal(entry->kind, kind);
	assert_int_equal(entry->read, read);
	assert_int_equal(entry->address, address);
	assert_int_equal(entry->command, command);
}

/* The two reads by which a lamp is recognised. */
static void wire_has_recognition(const struct ring *ring, unsigned at, uint8_t address)
{
	wire_is(ring, at, RGBROKER_BYTE_DATA, true, address, 0xa0);
	wire_is(ring, at + 1, RGBROKER_BYTE_DATA, true, address, 0xa1);
}

static struct answer write_lamp(int fd, uint8_t value)
{
	struct batch batch = batch_write(1, LAMP, 0x10, value);

	return peer_ask(fd, &batch);
}

static void test_write_and_read(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch read = batch_new(0xfedcba98);
	struct answer answer = write_lamp(fd, 0x55);

	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.done, 1);
	assert_int_equal(on_wire(ring), 3);
	wire_has_recognition(ring, 0, LAMP);
	wire_is(ring, 2, RGBROKER_BYTE_DATA, false, LAMP, 0x10);
	assert_int_equal(ring->bus->log[2].data[0], 0x55);
	batch_add(&read, RGBROKER_BYTE_DATA, true, LAMP, 0x10, 1, NULL);
	answer = peer_ask(fd, &read);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.length, 1);
	assert_int_equal(answer.data[0], 0x55);
	assert_int_equal(on_wire(ring), 4); /* a chip is recognised once */
	close(fd);
}

static void test_forgotten_after_a_failure(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer = write_lamp(fd, 1);

	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	ring->bus->chips[LAMP].error = -ETIMEDOUT;
	answer = write_lamp(fd, 2);
	assert_answer(answer, RGBROKER_REASON_BUS, -ETIMEDOUT);
	assert_int_equal(on_wire(ring), 4);
	ring->bus->chips[LAMP].error = 0;
	answer = write_lamp(fd, 3);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(on_wire(ring), 7);
	wire_has_recognition(ring, 4, LAMP);
	close(fd);
}

static void test_stranger(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	ring->bus->chips[LAMP].registers[0xa1] = 0x23; /* the second read tells */
	answer = write_lamp(fd, 1);
	assert_answer(answer, RGBROKER_REASON_UNPROVEN, -EACCES);
	assert_int_equal(on_wire(ring), 2);
	wire_has_recognition(ring, 0, LAMP);
	ring->bus->chips[LAMP].present = 0;
	answer = write_lamp(fd, 1);
	assert_answer(answer, RGBROKER_REASON_UNPROVEN, -EACCES);
	assert_int_equal(on_wire(ring), 3);     /* nobody answers the first */
	ring->bus->chips[LAMP].error = -EAGAIN; /* says nothing about the chip */
	answer = write_lamp(fd, 1);
	assert_answer(answer, RGBROKER_REASON_BUS, -EAGAIN);
	/* It is looked at anew each time. */
	ring->bus->chips[LAMP] =
		(struct fake_chip){.present = 1, .registers = {[0xa0] = 0x11, [0xa1] = 0x22}};
	answer = write_lamp(fd, 1);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	close(fd);
}

static void test_batch_in_order(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(9);
	struct answer answer;

	for (uint8_t i = 0; i < 64; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, i % 2, 0x40, i / 2, 1, &i);
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.done, 64);
	assert_int_equal(answer.head.length, 32);
	for (uint8_t i = 0; i < 64; i++) {
		wire_is(ring, i, RGBROKER_BYTE_DATA, i % 2, 0x40, i / 2);
		if (i % 2)
			assert_int_equal(answer.data[i / 2], i - 1); /* what was written before */
	}
	assert_int_equal(on_wire(ring), 64);
	close(fd);
}

static void test_batch_stops_at_the_first_failure(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(9);
	struct answer answer;

	ring->bus->chips[0x41].error = -EREMOTEIO;
	ring->bus->chips[0x40].registers[7] = 0x77;
	batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 7, 1, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, 1, 1, "a");
	batch_add(&batch, RGBROKER_WORD_DATA, true, 0x41, 0, 2, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 2, 1, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, 3, 1, "c");
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -EREMOTEIO);
	assert_int_equal(answer.head.done, 2); /* the third */
	assert_int_equal(answer.head.length, 1);
	assert_int_equal(answer.data[0], 0x77);
	assert_int_equal(on_wire(ring), 3);
	close(fd);
}

static void test_batch_with_one_refused(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (unsigned at = 0; at < 4; at++) {
		unsigned before = on_wire(ring);
		struct batch batch = batch_new(9);
		struct answer answer;

		for (unsigned i = 0; i < 4; i++)
			batch_add(&batch, RGBROKER_BYTE_DATA, false, i == at ? 0x50 : 0x40, 0, 1,
				"x");
		batch_add(&batch, RGBROKER_BYTE_DATA, false, LAMP, 0x10, 1, "x");
		answer = peer_ask(fd, &batch);
		assert_answer(answer, RGBROKER_REASON_FLOOR, -EACCES);
		assert_int_equal(answer.head.done, at);
		assert_int_equal(answer.head.length, 0);
		assert_int_equal(on_wire(ring), before);
	}
	/* Refused at the end: what stands before it may have been recognised, and no more. */
	struct batch batch = batch_write(9, LAMP, 0x10, 1);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, LAMP, 0x20, 1, "x");
	assert_int_equal(peer_ask(fd, &batch).head.reason, RGBROKER_REASON_RULE);
	assert_int_equal(on_wire(ring), 2);
	wire_has_recognition(ring, 0, LAMP);
	close(fd);
}

static void test_owned_by_the_kernel(void **state)
{
	static const uint8_t kinds[] = {RGBROKER_QUICK, RGBROKER_BYTE_DATA, RGBROKER_I2C};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch joined = batch_new(1), lamp = batch_write(1, LAMP, 0x10, 1);
	struct answer answer;

	ring->bus->chips[0x41].owned = 1;
	ring->bus->chips[LAMP].owned = 1;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct batch batch = batch_new(1);

		batch_add(&batch, kinds[i], false, 0x41, 0, i ? 1 : 0, "x");
		answer = peer_ask(fd, &batch);
		assert_answer(answer, RGBROKER_REASON_OWNED, -EBUSY);
	}
	batch_add(&joined, RGBROKER_I2C, false, 0x40, 0, 1, "x")->joined = 1;
	batch_add(&joined, RGBROKER_I2C, true, 0x41, 0, 1, NULL);
	answer = peer_ask(fd, &joined);
	assert_answer(answer, RGBROKER_REASON_OWNED, -EBUSY);
	answer = peer_ask(fd, &lamp); /* not even looked at */
	assert_answer(answer, RGBROKER_REASON_OWNED, -EBUSY);
	assert_int_equal(on_wire(ring), 0);
	ring->bus->chips[0x41].owned = 0; /* the driver was unbound */
	answer = peer_ask(fd, &joined);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	close(fd);
}

static void test_joined_messages_are_one_transfer(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	ring->bus->chips[0x41].registers[0] = 0xaa;
	batch_add(&batch, RGBROKER_I2C, false, 0x40, 0, 2, "ab");
	batch_add(&batch, RGBROKER_I2C, false, 0x41, 0, 0, NULL)->joined = 1;
	batch_add(&batch, RGBROKER_I2C, true, 0x41, 0, 3, NULL)->joined = 1;
	batch_add(&batch, RGBROKER_I2C, false, 0x40, 0, 1, "c");
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.done, 4);
	assert_int_equal(answer.head.length, 3);
	assert_int_equal(answer.data[0], 0xaa);
	assert_int_equal(ring->bus->log[0].count, 1);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(ring->bus->log[i].count, 3);
		assert_int_equal(ring->bus->log[i].position, i - 1);
	}
	close(fd);
}

/* What arrives at the bus is what was asked for, and what it answers arrives. */
static void test_each_kind(void **state)
{
	static const struct {
		uint8_t kind;
		bool read, command;
		uint16_t length;
	} cases[] = {{RGBROKER_QUICK, false, false, 0}, {RGBROKER_QUICK, true, false, 0},
		{RGBROKER_BYTE, false, true, 0}, {RGBROKER_BYTE, true, false, 1},
		{RGBROKER_WORD_DATA, false, true, 2}, {RGBROKER_WORD_DATA, true, true, 2},
		{RGBROKER_BLOCK_DATA, false, true, 32}, {RGBROKER_BLOCK_DATA, true, true, 33},
		{RGBROKER_I2C_BLOCK, false, true, 5}, {RGBROKER_I2C_BLOCK, true, true, 6},
		{RGBROKER_I2C, false, false, 1024}, {RGBROKER_I2C, true, false, 1024}};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	uint8_t data[1024];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ 0x5a);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t command = cases[i].command ? 0x80 : 0;
		struct batch batch = batch_new(i);
		struct answer answer;

		batch_add(
			&batch, cases[i].kind, cases[i].read, 0x42, command, cases[i].length, data);
		answer = peer_ask(fd, &batch);
		assert_answer(answer, RGBROKER_REASON_NONE, 0);
		wire_is(ring, i, cases[i].kind, cases[i].read, 0x42, command);
		assert_int_equal(ring->bus->log[i].length, cases[i].length);
		assert_int_equal(answer.head.length, cases[i].read ? cases[i].length : 0);
		if (!cases[i].read && cases[i].length)
			assert_memory_equal(ring->bus->log[i].data, data,
				cases[i].length < 34 ? cases[i].length : 34);
		if (cases[i].read &&
			cases[i].length == 33) /* read back: the count, then the block */
			assert_memory_equal(answer.data + 1, data, 32);
	}
	close(fd);
}

static void test_errors_come_through_unchanged(void **state)
{
	static const int errors[] = {
		ENXIO, EIO, EREMOTEIO, EAGAIN, ETIMEDOUT, EOPNOTSUPP, EPROTO, ENODEV, EINVAL};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct batch batch = batch_write(1, 0x43, 0, 0);
		struct answer answer;

		ring->bus->chips[0x43].error = -errors[i];
		answer = peer_ask(fd, &batch);
		assert_answer(answer, RGBROKER_REASON_BUS, -errors[i]);
		assert_int_equal(answer.head.done, 0);
	}
	close(fd);
}

static void test_largest_reply(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	for (unsigned i = 0; i < 64; i++)
		batch_add(&batch, RGBROKER_BLOCK_DATA, true, 0x44, 0, 33, NULL);
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.length, 2112);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(answer.data[i * 33], 32);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_and_read),
		TEST(test_forgotten_after_a_failure),
		TEST(test_stranger),
		TEST(test_batch_in_order),
		TEST(test_batch_stops_at_the_first_failure),
		TEST(test_batch_with_one_refused),
		TEST(test_owned_by_the_kernel),
		TEST(test_joined_messages_are_one_transfer),
		TEST(test_each_kind),
		TEST(test_errors_come_through_unchanged),
		TEST(test_largest_reply),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
