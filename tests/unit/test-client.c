/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* librgbroker against a broker that misbehaves on command. */
#include "client-lib/rgbroker.h"
#include "fake-broker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BUS 7
#define SCRIPT(...)                                                                                \
	do {                                                                                       \
		const enum fake_action script[] = {__VA_ARGS__};                                   \
		fake_broker_script(fake, sizeof(script) / sizeof(script[0]), script);              \
	} while (0)

static struct fake_broker *fake;
static struct rgbroker *bus;

static int set_up(void **state)
{
	fake = fake_broker_start(BUS);
	setenv("RGBROKER_SOCKET_DIR", fake_broker_directory(fake), 1);
	return rgbroker_open(&bus, BUS);
}

static int tear_down(void **state)
{
	rgbroker_close(bus);
	fake_broker_stop(fake);
	return 0;
}

static struct fake_record last_request(void)
{
	return fake_broker_request(fake, fake_broker_requests(fake) - 1);
}

static void values_travel(void **state)
{
	uint8_t block[32] = {1, 2, 3, 4, 5};
	uint8_t back[32] = {0};

	errno = 4711;
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 5, 0xab), 0);
	assert_int_equal(rgbroker_smbus_read_byte_data(bus, 0x20, 5), 0xab);
	assert_int_equal(rgbroker_smbus_write_word_data(bus, 0x20, 8, 0x1234), 0);
	assert_int_equal(fake_broker_memory(fake, 0x20, 8), 0x34);
	assert_int_equal(rgbroker_smbus_read_word_data(bus, 0x20, 8), 0x1234);
	assert_int_equal(rgbroker_smbus_write_block_data(bus, 0x20, 16, 5, block), 0);
	assert_int_equal(rgbroker_smbus_read_block_data(bus, 0x20, 16, back), 4);
	assert_memory_equal(back, block, 4);
	assert_int_equal(rgbroker_smbus_read_i2c_block_data(bus, 0x20, 16, 5, back), 5);
	assert_memory_equal(back, block, 5);
	assert_int_equal(rgbroker_smbus_quick(bus, 0x20, 1), 0);
	assert_int_equal(last_request().operations[0].read, 1);
	assert_int_equal(rgbroker_smbus_write_byte(bus, 0x20, 9), 0);
	assert_int_equal(last_request().operations[0].command, 9);
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), 0);
	assert_int_equal(errno, 4711);
}

static void what_is_known_of_a_bus(void **state)
{
	unsigned long functionality = 0;
	char name[8] = "";

	assert_int_equal(rgbroker_functionality(bus, &functionality), 0);
	assert_true(functionality != 0);
	assert_int_equal(rgbroker_name(bus, name, sizeof(name)), 0);
	assert_string_equal(name, "fake ad");
	assert_int_equal(rgbroker_name(bus, name, 0), -EINVAL);
}

static void arguments_are_refused_not_clipped(void **state)
{
	uint8_t block[40] = {0};
	struct rgbroker_op op = {.kind = 99, .data = block};
	size_t before = fake_broker_requests(fake);

	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x80), -EINVAL);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_LOCAL);
	assert_int_equal(rgbroker_smbus_write_block_data(bus, 0x20, 0, 33, block), -EINVAL);
	assert_int_equal(rgbroker_smbus_read_i2c_block_data(bus, 0x20, 0, 0, block), -EINVAL);
	assert_int_equal(rgbroker_smbus_read_byte(NULL, 0x20), -EINVAL);
	assert_int_equal(rgbroker_batch(bus, &op, 1, NULL), -EINVAL);
	assert_int_equal(rgbroker_batch(bus, &op, 0, NULL), -EINVAL);
	op.kind = RGBROKER_OP_I2C;
	op.joined = 1;
	assert_int_equal(rgbroker_batch(bus, &op, 1, NULL), -EINVAL);
	assert_int_equal(rgbroker_set_timeout(bus, 0), -EINVAL);
	assert_int_equal(rgbroker_open(&bus, -1), -EINVAL);
	assert_int_equal(fake_broker_requests(fake), before);
}

static void reasons_are_told(void **state)
{
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x77), -ENXIO);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_BUS_SAID);
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x10), -EACCES);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_NO_RULE);
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), 0);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_OK);
	for (int reason = 0; reason <= 101; reason++)
		assert_non_null(rgbroker_reason_text((enum rgbroker_reason_code)reason));
}

static void a_batch_stops_at_the_first_failure(void **state)
{
	uint8_t one = 1, two = 2, got = 0;
	uint8_t block[32];
	struct rgbroker_op ops[] = {
		{.kind = RGBROKER_OP_BYTE_DATA,
			.address = 0x20,
			.command = 1,
			.length = 1,
			.data = &one},
		{.kind = RGBROKER_OP_BYTE_DATA,
			.read = 1,
			.address = 0x20,
			.command = 1,
			.data = &got},
		{.kind = RGBROKER_OP_BLOCK_DATA, .read = 1, .address = 0x20, .data = block},
		{.kind = RGBROKER_OP_BYTE_DATA, .address = 0x77, .command = 1, .data = &two},
		{.kind = RGBROKER_OP_BYTE_DATA, .address = 0x20, .command = 1, .data = &two},
	};
	size_t done = 99;

	assert_int_equal(rgbroker_batch(bus, ops, 5, &done), -ENXIO);
	assert_int_equal(done, 3);
	assert_int_equal(got, 1);
	assert_int_equal(ops[2].length, 4);
	assert_int_equal(block[1], 1);
	assert_int_equal(fake_broker_memory(fake, 0x20, 1), 1);
}

static void a_refused_batch_has_done_nothing(void **state)
{
	uint8_t one = 1, got = 0x55;
	struct rgbroker_op ops[] = {
		{.kind = RGBROKER_OP_BYTE_DATA,
			.read = 1,
			.address = 0x20,
			.command = 1,
			.data = &got},
		{.kind = RGBROKER_OP_BYTE_DATA, .address = 0x20, .command = 1, .data = &one},
	};
	size_t done = 99;

	SCRIPT(FAKE_DENY_LAST);
	assert_int_equal(rgbroker_batch(bus, ops, 2, &done), -EACCES);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_FLOOR);
	assert_int_equal(done, 0);
	assert_int_equal(got, 0x55);
	/* ... and the connection is still good. */
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), 0);
	assert_int_equal(fake_broker_connections(fake), 1);
}

/* --- a broker that stops within a batch --- */

static uint8_t values[3] = {1, 2, 3}, got[2], block[32];
static struct rgbroker_op five[] = {
	{.kind = RGBROKER_OP_BYTE_DATA,
		.address = 0x20,
		.command = 1,
		.length = 1,
		.data = &values[0]},
	{.kind = RGBROKER_OP_BYTE_DATA, .read = 1, .address = 0x20, .command = 1, .data = &got[0]},
	{.kind = RGBROKER_OP_BYTE_DATA,
		.address = 0x20,
		.command = 1,
		.length = 1,
		.data = &values[1]},
	{.kind = RGBROKER_OP_BLOCK_DATA, .read = 1, .address = 0x20, .command = 1, .data = block},
	{.kind = RGBROKER_OP_BYTE_DATA, .read = 1, .address = 0x20, .command = 1, .data = &got[1]},
};

static void another_broker_goes_on_with_a_batch(void **state)
{
	size_t before = fake_broker_requests(fake), done = 99;
	struct fake_record whole, rest;

	SCRIPT(FAKE_STOP_WITHIN, FAKE_STOPPING, FAKE_STOP_WITHIN, FAKE_STOP_WITHIN);
	assert_int_equal(rgbroker_batch(bus, five, 5, &done), 0);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_OK);
	assert_int_equal(done, 5);
	assert_int_equal(got[0], 1);
	assert_int_equal(five[3].length, 4);
	assert_int_equal(block[0], 2);
	assert_int_equal(got[1], 2);
	assert_int_equal(fake_broker_requests(fake), before + 5);
	whole = fake_broker_request(fake, before);
	/* one was done, then none, then one each: nothing is asked for twice */
	for (size_t i = 0; i < 5; i++) {
		static const uint16_t left[] = {5, 4, 4, 3, 2}, written[] = {2, 1, 1, 1, 0};

		rest = fake_broker_request(fake, before + i);
		assert_int_equal(rest.header.count, left[i]);
		assert_int_equal(rest.header.length, written[i]);
		for (unsigned k = 0; k < left[i]; k++)
			rest.operations[k].earlier = 0; /* by then, pointers may have been set */
		assert_memory_equal(rest.operations, &whole.operations[5 - left[i]],
			left[i] * sizeof(rest.operations[0]));
		assert_memory_equal(rest.data, &whole.data[2 - written[i]], written[i]);
	}
}

/* Whatever becomes of the rest: what was done is told, with what it has read. */
static void the_rest_fails(void **state)
{
	static const struct {
		enum fake_action action;
		int result;
		enum rgbroker_reason_code reason;
	} ends[] = {
		{FAKE_EOF, -EIO, RGBROKER_LOCAL},
		{FAKE_DENY_LAST, -EACCES, RGBROKER_FLOOR},
		{FAKE_POINTER, -EAGAIN, RGBROKER_POINTER_LOST},
		{FAKE_VERSION, -EPROTO, RGBROKER_OTHER_VERSION},
		{FAKE_CUT, -EPROTO, RGBROKER_LOCAL},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t done = 99;

		got[0] = got[1] = 0x55;
		SCRIPT(FAKE_STOP_WITHIN, FAKE_STOP_WITHIN, ends[i].action);
		assert_int_equal(rgbroker_batch(bus, five, 5, &done), ends[i].result);
		assert_int_equal(rgbroker_last_reason(), ends[i].reason);
		assert_int_equal(done, 2);
		assert_int_equal(got[0], 1);
		assert_int_equal(got[1], 0x55);
	}
}

/* The pointer was set by the broker that has gone: it is set again before the rest. */
static void the_rest_needs_a_pointer(void **state)
{
	uint8_t number[2] = {0x81, 0x05};
	struct rgbroker_op ops[] = {
		{.kind = RGBROKER_OP_WORD_DATA, .address = 0x70, .length = 2, .data = number},
		{.kind = RGBROKER_OP_BYTE_DATA,
			.address = 0x70,
			.command = 1,
			.length = 1,
			.data = &values[2]},
		{.kind = RGBROKER_OP_WORD_DATA, .address = 0x70, .length = 2, .data = number},
	};
	size_t before = fake_broker_requests(fake), done = 99;

	SCRIPT(FAKE_STOP_WITHIN, FAKE_POINTER);
	assert_int_equal(rgbroker_batch(bus, ops, 3, &done), 0);
	assert_int_equal(done, 3);
	assert_int_equal(fake_broker_requests(fake), before + 4);
	assert_int_equal(fake_broker_request(fake, before + 2).header.count, 1);
	assert_memory_equal(fake_broker_request(fake, before + 2).data, number, 2);
	assert_int_equal(fake_broker_request(fake, before + 3).header.count, 2);
}

static void plain_messages_are_joined(void **state)
{
	uint8_t write[3] = {9, 0xaa, 0xbb}, pointer = 9, read[2] = {0};
	struct rgbroker_op messages[] = {
		{.kind = RGBROKER_OP_I2C, .address = 0x20, .length = 3, .data = write, .joined = 0},
		{.kind = RGBROKER_OP_I2C, .address = 0x20, .length = 1, .data = &pointer},
		{.kind = RGBROKER_OP_I2C, .read = 1, .address = 0x20, .length = 2, .data = read},
	};
	uint8_t large[600];

	assert_int_equal(rgbroker_i2c_transfer(bus, messages, 3), 0);
	assert_int_equal(read[0], 0xaa);
	assert_int_equal(read[1], 0xbb);
	assert_int_equal(last_request().operations[0].joined, 1);
	assert_int_equal(last_request().operations[2].joined, 0);
	messages[0].length = messages[2].length = 600;
	messages[0].data = messages[2].data = large;
	assert_int_equal(rgbroker_i2c_transfer(bus, messages, 3), -EINVAL);
	assert_int_equal(rgbroker_i2c_transfer(bus, messages, 9), -EINVAL);
}

/* Its rest would be another transfer, with a stop on the bus before it. */
static void joined_messages_are_not_torn(void **state)
{
	uint8_t byte = 1;
	struct rgbroker_op messages[] = {
		{.kind = RGBROKER_OP_I2C, .address = 0x20, .length = 1, .data = &byte},
		{.kind = RGBROKER_OP_I2C, .address = 0x20, .length = 1, .data = &byte, .read = 1},
	};
	size_t before = fake_broker_requests(fake);

	SCRIPT(FAKE_STOP_WITHIN);
	assert_int_equal(rgbroker_i2c_transfer(bus, messages, 2), -EPROTO);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_LOCAL);
	assert_int_equal(fake_broker_requests(fake), before + 1);
}

/* Whatever happens to a request that was surely not carried out, it is sent again. */
static void unseen_restarts(void **state)
{
	static const enum fake_action actions[] = {
		FAKE_STOPPING, FAKE_CLOSE_UNREAD, FAKE_KILL_BACKLOG};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		size_t before;

		if (actions[i] == FAKE_KILL_BACKLOG)
			fake_broker_sleep(fake);
		before = fake_broker_requests(fake);
		SCRIPT(actions[i]);
		assert_int_equal(
			rgbroker_smbus_write_byte_data(bus, 0x20, 3, (uint8_t)(40 + i)), 0);
		assert_int_equal(fake_broker_memory(fake, 0x20, 3), 40 + i);
		assert_int_equal(
			fake_broker_requests(fake), before + (actions[i] == FAKE_STOPPING ? 2 : 1));
	}
	for (int i = 0; i < 20; i++) {
		fake_broker_sleep(fake);
		assert_int_equal(rgbroker_smbus_read_byte_data(bus, 0x20, 3), 42);
	}
	SCRIPT(FAKE_STOPPING, FAKE_CLOSE_UNREAD, FAKE_STOPPING, FAKE_KILL_BACKLOG, FAKE_STOPPING);
	assert_int_equal(rgbroker_smbus_read_byte_data(bus, 0x20, 3), 42);
}

static void an_unknown_outcome_is_not_repeated(void **state)
{
	size_t before = fake_broker_requests(fake);

	SCRIPT(FAKE_EOF);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 3, 1), -EIO);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_LOCAL);
	assert_int_equal(fake_broker_requests(fake), before + 1);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 3, 2), 0);
	assert_int_equal(fake_broker_requests(fake), before + 2);
	assert_int_equal(fake_broker_memory(fake, 0x20, 3), 2);
}

static void a_bus_that_is_gone(void **state)
{
	struct rgbroker *other = NULL;

	SCRIPT(FAKE_EOF_UNLINK);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 3, 1), -ENODEV);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 3, 1), -ENODEV);
	assert_int_equal(rgbroker_open(&other, BUS), -ENODEV);
	assert_null(other);
	assert_int_equal(rgbroker_open(&other, BUS + 1), -ENODEV);
}

static void a_socket_left_behind(void **state)
{
	char path[128];
	struct rgbroker *other = NULL;
	struct fake_broker *left = fake_broker_start(3);

	/* A socket file that nobody listens on: as a name for the one that is closed. */
	snprintf(path, sizeof(path), "%s-left", fake_broker_path(left));
	assert_int_equal(link(fake_broker_path(left), path), 0);
	setenv("RGBROKER_SOCKET_DIR", fake_broker_directory(fake), 1);
	SCRIPT(FAKE_SERVE);
	assert_int_equal(rgbroker_open_path(&other, path), 0);
	rgbroker_close(other);
	assert_int_equal(rename(path, "/tmp/rgbroker-test-left"), 0);
	fake_broker_stop(left);
	assert_int_equal(rgbroker_open_path(&other, "/tmp/rgbroker-test-left"), -ENODEV);
	unlink("/tmp/rgbroker-test-left");
}

static void another_version_is_told(void **state)
{
	SCRIPT(FAKE_VERSION);
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), -EPROTO);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_OTHER_VERSION);
	assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), 0);
	assert_int_equal(fake_broker_connections(fake), 1);
}

static void malformed_replies(void **state)
{
	static const enum fake_action actions[] = {FAKE_SHORT, FAKE_CUT, FAKE_OVERSIZED,
		FAKE_FUTURE, FAKE_BAD_DONE, FAKE_POSITIVE, FAKE_STOP_DONE};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		SCRIPT(actions[i]);
		assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), -EPROTO);
		assert_int_equal(rgbroker_last_reason(), RGBROKER_LOCAL);
		assert_int_equal(rgbroker_smbus_read_byte(bus, 0x20), 0);
		assert_int_equal(fake_broker_connections(fake), 2 + i);
	}
}

static void a_late_reply_is_not_mistaken(void **state)
{
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 1, 0x11), 0);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x20, 2, 0x22), 0);
	assert_int_equal(rgbroker_set_timeout(bus, 30), 0);
	SCRIPT(FAKE_LATE);
	assert_int_equal(rgbroker_smbus_read_byte_data(bus, 0x20, 1), -ETIMEDOUT);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_LOCAL);
	assert_int_equal(rgbroker_set_timeout(bus, 10000), 0);
	assert_int_equal(rgbroker_smbus_read_byte_data(bus, 0x20, 2), 0x22);
	assert_int_equal(fake_broker_connections(fake), 1);
}

static void a_lost_pointer_is_set_again(void **state)
{
	size_t before;

	assert_int_equal(rgbroker_smbus_write_word_data(bus, 0x70, 0, 0x8010), 0);
	before = fake_broker_requests(fake);
	SCRIPT(FAKE_STOPPING, FAKE_POINTER);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x70, 4, 5), 0);
	assert_int_equal(fake_broker_requests(fake), before + 4);
	assert_int_equal(
		fake_broker_request(fake, before + 2).operations[0].kind, RGBROKER_WORD_DATA);
	assert_int_equal(fake_broker_request(fake, before + 2).data[1], 0x80);
	assert_int_equal(fake_broker_request(fake, before + 2).header.context,
		fake_broker_request(fake, before + 3).header.context);
	assert_int_equal(fake_broker_request(fake, before + 3).operations[0].command, 4);
	assert_int_equal(fake_broker_memory(fake, 0x70, 4), 5);
	/* Once, not for ever. */
	SCRIPT(FAKE_POINTER, FAKE_SERVE, FAKE_POINTER);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x70, 4, 6), -EAGAIN);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_POINTER_LOST);
	assert_int_equal(fake_broker_memory(fake, 0x70, 4), 5);
}

static void *write_without_pointer(void *argument)
{
	SCRIPT(FAKE_POINTER);
	return (void *)(intptr_t)rgbroker_smbus_write_byte_data(bus, 0x70, 4, 5);
}

static void no_pointer_is_made_up(void **state)
{
	pthread_t thread;
	void *result;

	/* Never set. */
	SCRIPT(FAKE_POINTER);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x70, 4, 5), -EAGAIN);
	/* Set by another thread only. */
	assert_int_equal(rgbroker_smbus_write_word_data(bus, 0x70, 0, 0x8010), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_without_pointer, NULL), 0);
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, -EAGAIN);
	/* Moved since, by a write whose outcome is unknown. */
	SCRIPT(FAKE_EOF, FAKE_POINTER);
	assert_int_equal(rgbroker_smbus_write_word_data(bus, 0x70, 0, 0x8020), -EIO);
	assert_int_equal(rgbroker_smbus_write_byte_data(bus, 0x70, 4, 5), -EAGAIN);
	assert_int_equal(fake_broker_memory(fake, 0x70, 4), 0);
}

static uint64_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

/* Both ends are in this process: the handle's is the one whose other end has a name. */
static int number_of_newest_handle(void)
{
	for (int number = 255; number > 2; number--) {
		struct sockaddr_un peer = {0};
		socklen_t size = sizeof(peer);

		if (getpeername(number, (struct sockaddr *)&peer, &size) == 0 &&
			strcmp(peer.sun_path, fake_broker_path(fake)) == 0)
			return number;
	}
	return -1;
}

static void the_number_is_kept(void **state)
{
	struct rgbroker *other = NULL;
	int number;
	uint64_t inode;
	int flags;

	assert_int_equal(rgbroker_open(&other, BUS), 0);
	assert_int_equal(rgbroker_smbus_read_byte(other, 0x20), 0); /* accepted by now */
	number = number_of_newest_handle();
	assert_true(number > 0);
	inode = inode_of(number);
	flags = fcntl(number, F_GETFD);
	assert_true(flags & FD_CLOEXEC);
	SCRIPT(FAKE_STOPPING);
	assert_int_equal(rgbroker_smbus_read_byte(other, 0x20), 0);
	assert_true(inode_of(number) != 0);
	assert_true(inode_of(number) != inode);
	assert_int_equal(fcntl(number, F_GETFD), flags);
	/* Somebody closed it behind our back, and it is another file now. */
	assert_int_equal(dup2(0, number), number);
	assert_int_equal(rgbroker_smbus_read_byte(other, 0x20), -ENOTSOCK);
	assert_int_equal(rgbroker_smbus_read_byte(other, 0x20), -EBADF);
	assert_int_equal(inode_of(number), inode_of(0));
	rgbroker_close(other);
}

static void *many_reads(void *argument)
{
	intptr_t index = (intptr_t)argument;

	for (int i = 0; i < 200; i++)
		if (rgbroker_smbus_read_byte_data(bus, 0x20, (uint8_t)index) != index + 1)
			return (void *)1;
	return NULL;
}

static void threads_share_a_handle(void **state)
{
	pthread_t threads[8];
	void *failed;

	for (intptr_t i = 0; i < 8; i++)
		assert_int_equal(
			rgbroker_smbus_write_byte_data(bus, 0x20, (uint8_t)i, (uint8_t)(i + 1)), 0);
	for (intptr_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_reads, (void *)i), 0);
	for (int i = 0; i < 10; i++)
		fake_broker_sleep(fake);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

static void *read_as_who_i_am(void *argument)
{
	return (void *)(intptr_t)(rgbroker_smbus_read_byte(bus, 0x20) == 0 &&
				  rgbroker_smbus_read_byte(bus, 0x20) == 0 &&
				  last_request().header.context == (uint32_t)gettid());
}

/* Each thread is another context, in a child of fork() too. */
static void contexts_are_threads(void **state)
{
	pthread_t thread;
	struct rgbroker *mine;
	void *as_expected;
	int status;
	pid_t pid;

	assert_non_null(read_as_who_i_am(NULL));
	assert_int_equal(pthread_create(&thread, NULL, read_as_who_i_am, NULL), 0);
	pthread_join(thread, &as_expected);
	assert_non_null(as_expected);
	pid = fork();
	if (pid == 0)
		_exit(rgbroker_open(&mine, BUS) == 0 && rgbroker_smbus_read_byte(mine, 0x20) == 0
				? 0
				: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(last_request().header.context, pid);
}

static void lists_are_sorted_and_bounded(void **state)
{
	static const char *const names[] = {"i2c-12", "i2c-3", "i2c-04", "i2c-", "i2c-5x", "other"};
	char path[128];
	int buses[3] = {-1, -1, -1};

	for (size_t i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", fake_broker_directory(fake), names[i]);
		assert_int_equal(link(fake_broker_path(fake), path), 0);
	}
	snprintf(path, sizeof(path), "%s/i2c-1", fake_broker_directory(fake));
	close(open(path, O_CREAT | O_WRONLY, 0600)); /* no socket */
	assert_int_equal(rgbroker_list(buses, 3), 3);
	assert_int_equal(buses[0], 3);
	assert_int_equal(buses[1], 7);
	assert_int_equal(buses[2], 12);
	buses[1] = -1;
	assert_int_equal(rgbroker_list(buses, 1), 3);
	assert_int_equal(buses[0], 3);
	assert_int_equal(buses[1], -1);
	unlink(path);
	for (size_t i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", fake_broker_directory(fake), names[i]);
		unlink(path);
	}
	setenv("RGBROKER_SOCKET_DIR", "/nonexistent", 1);
	assert_int_equal(rgbroker_list(buses, 3), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_travel),
		TEST(what_is_known_of_a_bus),
		TEST(arguments_are_refused_not_clipped),
		TEST(reasons_are_told),
		TEST(a_batch_stops_at_the_first_failure),
		TEST(a_refused_batch_has_done_nothing),
		TEST(another_broker_goes_on_with_a_batch),
		TEST(the_rest_fails),
		TEST(the_rest_needs_a_pointer),
		TEST(plain_messages_are_joined),
		TEST(joined_messages_are_not_torn),
		TEST(unseen_restarts),
		TEST(an_unknown_outcome_is_not_repeated),
		TEST(a_bus_that_is_gone),
		TEST(a_socket_left_behind),
		TEST(another_version_is_told),
		TEST(malformed_replies),
		TEST(a_late_reply_is_not_mistaken),
		TEST(a_lost_pointer_is_set_again),
		TEST(no_pointer_is_made_up),
		TEST(the_number_is_kept),
		TEST(threads_share_a_handle),
		TEST(contexts_are_threads),
		TEST(lists_are_sorted_and_bounded),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
