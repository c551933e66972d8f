/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bus that does not do what it is told: what clients and administrators see of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"

#define CHIPS 8 /* plain ones, from 0x40 on */

static void all_chips_answer(const struct ring *ring, int error)
{
	for (unsigned i = 0; i < CHIPS; i++)
		ring->bus->chips[0x40 + i].error = error;
}

static struct answer write_to(int fd, uint8_t address)
{
	struct batch batch = batch_write(1, address, 0, 0);

	return peer_ask(fd, &batch);
}

/* What the kernel says is passed on, and by itself nothing is tried again. */
static void test_errors_pass(void **state)
{
	static const int errors[] = {
		-ENXIO, -EIO, -EAGAIN, -EREMOTEIO, -EPROTO, -ETIMEDOUT, -ENODEV};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned before = wire_count(ring);

		ring->bus->chips[0x40].error = errors[i];
		assert_answer(write_to(fd, 0x40), RGBROKER_REASON_BUS, errors[i]);
		assert_int_equal(wire_count(ring), before + 1);
	}
	ring->bus->chips[0x40].error = 0;
	peer_is_served(fd);
	assert_int_equal(peer_status(ring).quarantines, 0);
	close(fd);
}

static void wedge(struct ring *ring, int fd)
{
	all_chips_answer(ring, -ETIMEDOUT);
	for (uint8_t i = 0; i < 3; i++)
		assert_answer(write_to(fd, 0x40 + i), RGBROKER_REASON_BUS, -ETIMEDOUT);
}

/* Until one is tried, which is what the bus's log tells. */
static struct answer ask_until_tried(const struct ring *ring, int fd, uint8_t address)
{
	unsigned before = wire_count(ring);
	struct answer answer;

	for (unsigned waited = 0; wire_count(ring) == before; waited++) {
		assert_in_range(waited, 0, PATIENCE_MSEC);
		usleep(1000);
		answer = write_to(fd, address);
	}
	return answer;
}

/* Answered without the bus, unless this took until it may be tried. Returns whether that was seen.
 */
static bool is_spared(const struct ring *ring, int fd, uint8_t address)
{
	unsigned before = wire_count(ring);
	uint64_t until = peer_status(ring).quarantine_until;
	struct timespec now;

	assert_answer(write_to(fd, address), RGBROKER_REASON_BUS, -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 >= until)
		return false;
	assert_int_equal(wire_count(ring), before);
	return true;
}

static void test_quarantine(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), other = peer_connect(ring, "rgb");
	struct rgbroker_status status;
	unsigned spared = 0;

	wedge(ring, fd);
	assert_int_equal(wire_count(ring), 3);
	status = peer_status(ring);
	assert_int_equal(status.quarantines, 1);
	assert_true(status.quarantine_since > 0);
	assert_int_equal(status.quarantine_until - status.quarantine_since, 1000000);
	for (unsigned i = 0; i < 50; i++)
		spared += is_spared(ring, i % 2 ? fd : other, 0x40 + i % CHIPS);
	assert_in_range(peer_status(ring).spared, spared, 50);
	assert_in_range(spared, 1, 50);
	/* what the policy refuses needs no bus */
	assert_answer(write_to(fd, 0x50), RGBROKER_REASON_FLOOR, -EACCES);
	/* the attempt fails, and the next is further away; the one after that succeeds */
	assert_answer(ask_until_tried(ring, fd, 0x43), RGBROKER_REASON_BUS, -ETIMEDOUT);
	is_spared(ring, other, 0x40);
	status = peer_status(ring);
	assert_true(status.quarantine_until - status.quarantine_since >= 3000000);
	all_chips_answer(ring, 0);
	assert_answer(ask_until_tried(ring, other, 0x43), RGBROKER_REASON_NONE, 0);
	assert_answer(write_to(fd, 0x40), RGBROKER_REASON_NONE, 0);
	status = peer_status(ring);
	assert_int_equal(status.quarantines, 1);
	assert_int_equal(status.quarantine_since, 0);
	/* told once each */
	assert_int_equal(ring_logged(ring, "i2c-7: 3 time-outs in a row: in quarantine"), 1);
	assert_int_equal(ring_logged(ring, "i2c-7: answers again after"), 1);
	close(fd);
	close(other);
}

/* One chip that times out keeps nobody from the others. */
static void test_one_chip(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), other = peer_connect(ring, "rgb");
	struct rgbroker_status status;

	ring->bus->chips[0x45].error = -ETIMEDOUT;
	for (unsigned i = 0; i < 3; i++)
		assert_answer(write_to(fd, 0x45), RGBROKER_REASON_BUS, -ETIMEDOUT);
	for (unsigned i = 0; i < 50; i++) {
		assert_answer(write_to(fd, 0x45), RGBROKER_REASON_BUS, -ETIMEDOUT);
		assert_answer(write_to(other, 0x41), RGBROKER_REASON_NONE, 0);
	}
	assert_in_range(wire_count(ring), 53, 80);
	status = peer_status(ring);
	assert_int_equal(status.quarantine_since, 0);
	assert_int_equal(status.quarantined[0x45 / 8], 1 << 0x45 % 8);
	assert_int_equal(ring_logged(ring, "i2c-7, chip 0x45: 3 time-outs in a row"), 1);
	ring->bus->chips[0x45].error = 0;
	assert_answer(ask_until_tried(ring, fd, 0x45), RGBROKER_REASON_NONE, 0);
	status = peer_status(ring);
	assert_int_equal(status.quarantined[0x45 / 8], 0);
	assert_int_equal(ring_logged(ring, "i2c-7, chip 0x45: answers again"), 1);
	close(fd);
	close(other);
}

/* The broker's own reads, by which it recognises a chip, are spared as well. */
static void test_own_reads(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x20, 0x10, 1);

	wedge(ring, fd);
	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_BUS, -ETIMEDOUT);
	assert_int_equal(wire_count(ring), 3);
	all_chips_answer(ring, 0);
	/* one of them is the attempt */
	assert_answer(ask_until_tried(ring, fd, 0x40), RGBROKER_REASON_NONE, 0);
	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_NONE, 0);
	close(fd);
}

/* A batch ends at the first, too. */
static void test_batch(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	for (uint8_t i = 0; i < 10; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, i, 1, "x");
	wedge(ring, fd);
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -ETIMEDOUT);
	assert_int_equal(answer.head.done, 0);
	assert_int_equal(wire_count(ring), 3);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_errors_pass),
		TEST(test_quarantine),
		TEST(test_one_chip),
		TEST(test_own_reads),
		TEST(test_batch),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
