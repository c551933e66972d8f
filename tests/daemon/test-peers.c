/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peers that say what nobody may say. Whatever one of them does, the others notice nothing. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/inspect.h"
#include "tests/daemon/ring.h"

static struct batch good_batch(void)
{
	struct batch batch = batch_new(0x01020304);

	batch_add(&batch, RGBROKER_BLOCK_DATA, false, 0x40, 1, 5, "12345");
	batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 1, 1, NULL);
	return batch;
}

/* Told so, then closed. */
static void is_thrown_out(int fd, const void *bytes, size_t size)
{
	struct answer answer = peer_ask_bytes(fd, bytes, size);

	assert_answer(answer, RGBROKER_REASON_PROTOCOL, -EPROTO);
	assert_int_equal(answer.head.done, 0);
	assert_int_equal(answer.head.length, 0);
	assert_int_equal(peer_receive(fd).size, 0);
	close(fd);
}

static void test_every_truncation(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");
	struct batch batch = good_batch();
	uint8_t bytes[RGBROKER_REQUEST_MAX];
	size_t size = batch_bytes(&batch, bytes);
	unsigned served = 0;

	for (size_t cut = 1; cut < size; cut++) {
		is_thrown_out(peer_connect(ring, "rgb"), bytes, cut);
		peer_is_served(bystander);
		served++;
	}
	assert_int_equal(atomic_load(&ring->bus->count), served); /* only the bystander's */
	/* Peers can cause these lines at will: 20 in 10 s are written. */
	assert_in_range(
		ring_logged(ring, "connection closed: it sent a malformed message"), 20, 40);
	close(bystander);
}

static void test_empty_message(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb"), fd = peer_connect(ring, "rgb");

	assert_int_equal(send(fd, "", 0, 0), 0); /* to the receiver it looks like a farewell */
	assert_int_equal(peer_receive(fd).size, 0);
	peer_is_served(bystander);
	close(fd);
	close(bystander);
}

static void test_oversized(void **state)
{
	static uint8_t bytes[100000];
	static const size_t sizes[] = {
		RGBROKER_REQUEST_MAX, RGBROKER_REQUEST_MAX + 1, 4096, 65536, sizeof(bytes)};
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");
	struct batch batch = good_batch();

	batch_bytes(&batch, bytes);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		is_thrown_out(peer_connect(ring, "rgb"), bytes, sizes[i]);
		peer_is_served(bystander);
	}
	close(bystander);
}

/* As large as can be is taken; one byte more is not cut off, but refused. */
static void test_largest_request(void **state)
{
	static uint8_t bytes[RGBROKER_REQUEST_MAX + 1], data[33];
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	size_t size;

	for (unsigned i = 0; i < 64; i++)
		batch_add(&batch, RGBROKER_I2C, false, 0x40, 0, 33, data);
	size = batch_bytes(&batch, bytes);
	assert_int_equal(size, RGBROKER_REQUEST_MAX);
	assert_answer(peer_ask_bytes(fd, bytes, size), RGBROKER_REASON_NONE, 0);
	is_thrown_out(fd, bytes, size + 1);
	assert_int_equal(atomic_load(&ring->bus->count), 64);
}

static void test_bad_fields(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");
	struct batch bad[6];
	uint8_t bytes[RGBROKER_REQUEST_MAX];

	for (unsigned i = 0; i < 6; i++)
		bad[i] = good_batch();
	bad[0].operations[0].address = 0x80;
	bad[1].operations[0].kind = 4; /* I2C_SMBUS_PROC_CALL */
	bad[2].operations[1].earlier = 2;
	bad[3].operations[1].joined = 1;
	bad[4].header.opcode = 4;
	bad[5] = batch_new(1);
	bad[5].header.opcode = 99; /* well-formed, but nothing that can be asked */
	for (unsigned i = 0; i < 6; i++)
		is_thrown_out(peer_connect(ring, "rgb"), bytes, batch_bytes(&bad[i], bytes));
	assert_int_equal(atomic_load(&ring->bus->count), 0);
	peer_is_served(bystander);
	close(bystander);
}

static void test_other_version(void **state)
{
	static const size_t sizes[] = {8, 9, 16, 100, RGBROKER_REQUEST_MAX};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rgbroker_request header = {
			.version = 2, .opcode = 77, .serial = 1000 + (uint32_t)i};
		uint8_t bytes[RGBROKER_REQUEST_MAX];
		struct answer answer;

		memset(bytes, 0xff, sizeof(bytes));
		memcpy(bytes, &header, sizeof(header));
		answer = peer_ask_bytes(fd, bytes, sizes[i]);
		assert_answer(answer, RGBROKER_REASON_VERSION, -EPROTO);
		assert_int_equal(answer.head.serial, 1000 + i);
	}
	peer_is_served(fd); /* and the connection is kept */
	close(fd);
}

static void send_with_descriptors(int fd, const void *bytes, size_t size, unsigned count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec vector = {(void *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int descriptors[8];

	for (unsigned i = 0; i < count; i++)
		descriptors[i] = STDIN_FILENO;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), size);
}

static void test_descriptors_along(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");
	struct batch batch = good_batch();
	uint8_t bytes[RGBROKER_REQUEST_MAX];
	size_t size = batch_bytes(&batch, bytes);
	unsigned before;

	peer_is_served(bystander);
	before = ring_descriptors(ring);
	for (unsigned count = 1; count <= 8; count++) {
		int fd = peer_connect(ring, "rgb");
		struct answer answer;

		send_with_descriptors(fd, bytes, size, count);
		answer = peer_receive(fd);
		assert_answer(answer, RGBROKER_REASON_PROTOCOL, -EPROTO);
		assert_int_equal(peer_receive(fd).size, 0);
		close(fd);
		peer_is_served(bystander);
		assert_int_equal(
			ring_logged(ring,
				"connection closed: it sent an oversized message or descriptors"),
			count);
	}
	assert_int_equal(ring_descriptors(ring), before); /* none was taken in */
	assert_int_equal(atomic_load(&ring->bus->count), 1 + 8);
	close(bystander);
}

/* It asks and asks, and takes no reply. */
static void test_slow_reader(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb"), fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	uint8_t bytes[RGBROKER_REQUEST_MAX];
	size_t size;
	unsigned sent = 0;

	for (unsigned i = 0; i < 60; i++)
		batch_add(&batch, RGBROKER_BLOCK_DATA, true, 0x40, 0, 33, NULL);
	size = batch_bytes(&batch, bytes);
	while (send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size)
		assert_in_range(++sent, 0, 100000);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	peer_is_served(bystander);
	assert_int_equal(ring_logged(ring, "connection closed: it does not take its replies"), 1);
	close(fd);
	close(bystander);
}

static void test_gone_before_the_reply(void **state)
{
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");

	for (unsigned i = 0; i < 100; i++) {
		int fd = peer_connect(ring, "rgb");
		struct batch batch = batch_write(1, 0x40, 5, (uint8_t)i);

		peer_send(fd, &batch);
		if (i % 2)
			shutdown(fd, SHUT_RD);
		close(fd);
	}
	peer_is_served(bystander);
	close(bystander);
	assert_int_equal(ring_logged(ring, "does not take its replies"), 0);
}

/* What they have left behind is not carried out: nobody would know. */
static void test_gone_with_a_queue(void **state)
{
	struct ring *ring = *state;
	int fds[20], other = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x40, 5, 1);

	ring_hold(ring);
	peer_send(other, &batch);
	ring_await_held(ring);
	for (unsigned i = 0; i < 20; i++) {
		fds[i] = peer_connect(ring, "rgb");
		peer_send(fds[i], &batch);
		close(fds[i]);
	}
	ring_release(ring);
	assert_answer(peer_receive(other), RGBROKER_REASON_NONE, 0);
	peer_is_served(other);
	peer_is_served(other);
	assert_int_equal(atomic_load(&ring->bus->count), 3);
	/* who only says that he has nothing more to ask is answered */
	for (unsigned i = 0; i < 50; i++)
		peer_send(other, &batch);
	shutdown(other, SHUT_WR);
	for (unsigned i = 0; i < 50; i++)
		assert_answer(peer_receive(other), RGBROKER_REASON_NONE, 0);
	close(other);
}

/* --- doors --- */

static struct answer ask_opcode(int fd, uint16_t opcode)
{
	struct batch batch = batch_new(opcode);

	batch.header.opcode = opcode;
	return peer_ask(fd, &batch);
}

static void test_rights_of_doors(void **state)
{
	struct ring *ring = *state;
	int rgb = peer_connect(ring, "rgb"), look = peer_connect(ring, "look");
	int admin = peer_connect(ring, "admin"), other = peer_connect(ring, "other");
	struct batch write = batch_write(1, 0x40, 1, 1), read = batch_new(1);
	const struct {
		int fd;
		enum rgbroker_reason write, read, info, status;
	} rights[] = {{rgb, 0, 0, 0, RGBROKER_REASON_DOOR},
		{look, RGBROKER_REASON_DOOR, 0, 0, RGBROKER_REASON_DOOR},
		{admin, RGBROKER_REASON_DOOR, RGBROKER_REASON_DOOR, 0, 0},
		{other, RGBROKER_REASON_DOOR, RGBROKER_REASON_DOOR, RGBROKER_REASON_DOOR,
			RGBROKER_REASON_DOOR}};

	batch_add(&read, RGBROKER_BYTE_DATA, true, 0x40, 1, 1, NULL);
	for (unsigned i = 0; i < 4; i++) {
		struct answer answer = peer_ask(rights[i].fd, &write);

		assert_answer(answer, rights[i].write, rights[i].write ? -EACCES : 0);
		answer = peer_ask(rights[i].fd, &read);
		assert_answer(answer, rights[i].read, rights[i].read ? -EACCES : 0);
		answer = ask_opcode(rights[i].fd, RGBROKER_INFO);
		assert_answer(answer, rights[i].info, rights[i].info ? -EACCES : 0);
		answer = ask_opcode(rights[i].fd, RGBROKER_STATUS);
		assert_answer(answer, rights[i].status, rights[i].status ? -EACCES : 0);
		close(rights[i].fd);
	}
	assert_int_equal(atomic_load(&ring->bus->count), 3);
}

static void test_info(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer = ask_opcode(fd, RGBROKER_INFO);
	struct rgbroker_info info;

	assert_int_equal(answer.head.length, sizeof(info));
	memcpy(&info, answer.data, sizeof(info));
	assert_int_equal(info.adapter, 7);
	assert_int_equal(info.functionality, 0x0eff0001);
	assert_string_equal(info.name, "simulated");
	close(fd);
}

static void test_status(void **state)
{
	struct ring *ring = *state;
	int rgb = peer_connect(ring, "rgb"), admin = peer_connect(ring, "admin");
	struct batch bad = batch_write(1, 0x50, 0, 0), failing = batch_write(1, 0x45, 0, 0);
	struct rgbroker_status status;
	struct answer answer;

	ring->bus->chips[0x45].present = 0;
	peer_is_served(rgb);
	peer_is_served(rgb);
	peer_ask(rgb, &bad);
	peer_ask(rgb, &failing);
	answer = ask_opcode(admin, RGBROKER_STATUS);
	assert_int_equal(answer.head.length, sizeof(status));
	memcpy(&status, answer.data, sizeof(status));
	assert_int_equal(status.requests, 5); /* this one too */
	assert_int_equal(status.operations, 2);
	assert_int_equal(status.refused, 1);
	assert_int_equal(status.failed, 1);
	assert_int_equal(status.clients, 2);
	close(rgb);
	close(admin);
}

/* One line tells who was refused what, where and why; a thousand refusals do not fill the journal.
 */
static void test_refusals_are_logged(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x51, 0x21, 0);
	char line[256];

	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(peer_ask(fd, &batch).head.reason, RGBROKER_REASON_FLOOR);
	snprintf(line, sizeof(line),
		"i2c-7: pid %d uid %u at door rgb: refused write byte_data 0x21 at 0x51: closed by",
		(int)getpid(), getuid());
	assert_in_range(ring_logged(ring, line), 1, 40); /* 20 in 10 s */
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_truncation),
		TEST(test_empty_message),
		TEST(test_oversized),
		TEST(test_largest_request),
		TEST(test_bad_fields),
		TEST(test_other_version),
		TEST(test_descriptors_along),
		TEST(test_slow_reader),
		TEST(test_gone_before_the_reply),
		TEST(test_gone_with_a_queue),
		TEST(test_rights_of_doors),
		TEST(test_info),
		TEST(test_status),
		TEST(test_refusals_are_logged),
	};

	return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
