/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose turn it is: a process has its share of the bus however many connections it has and however
 * large its requests are. All queues are full before the bus goes on, so that nothing here depends
 * on who runs when; the order on the wire is the judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"
#include "tests/daemon/other.h"

#define CROWD 100 /* connections of the greedy process, at 0x40 */
#define VICTIM 0x41
#define REQUESTS 20 /* of the victim */

static struct batch large_batch(uint32_t serial)
{
	struct batch batch = batch_new(serial);

	for (unsigned i = 0; i < RGBROKER_OPERATIONS_MAX; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, 0, 1, "x");
	return batch;
}

struct crowd {
	int fds[CROWD];
	struct other victim;
	int there; /* the victim's connection */
};

static void gather(struct ring *ring, struct crowd *crowd)
{
	struct batch batch = batch_write(1, VICTIM, 0, 0);

	crowd->victim = other_new(ring);
	crowd->there = other_connect(&crowd->victim, "rgb");
	assert_done(other_ask(&crowd->victim, crowd->there, &batch));
	for (unsigned i = 0; i < CROWD; i++) {
		crowd->fds[i] = peer_connect(ring, "rgb");
		peer_is_served(crowd->fds[i]);
	}
}

/* Everybody's queue is filled while one operation of the crowd's is held in the middle. */
static unsigned fill(
	struct ring *ring, struct crowd *crowd, const struct batch *batch, unsigned each)
{
	struct batch mine = batch_write(2, VICTIM, 0, 0);

	ring_hold(ring);
	for (unsigned k = 0; k < each; k++)
		for (unsigned i = 0; i < CROWD; i++)
			peer_send(crowd->fds[i], batch);
	ring_await_held(ring);
	for (unsigned k = 0; k < REQUESTS; k++)
		other_send(&crowd->victim, crowd->there, &mine);
	return wire_count(ring);
}

/* How many operations of others were before the victim's first, between two of its, and in all
 * before its last. */
struct waits {
	unsigned first, longest, all;
};

static struct waits measure(const struct ring *ring, unsigned from, unsigned wanted)
{
	struct waits waits = {0};
	unsigned since = 0, seen = 0;

	for (unsigned i = from; i < wire_count(ring) && seen < wanted; i++) {
		if (wire_at(ring, i)->address != VICTIM) {
			since++;
			continue;
		}
		if (!seen++)
			waits.first = since;
		else if (since > waits.longest)
			waits.longest = since;
		waits.all += since;
		since = 0;
	}
	assert_int_equal(seen, wanted);
	print_message("#: before its first %u operations of others, between two %u, in all %u\n",
		waits.first, waits.longest, waits.all);
	return waits;
}

static void disperse(struct crowd *crowd)
{
	for (unsigned i = 0; i < CROWD; i++)
		close(crowd->fds[i]);
	other_kill(&crowd->victim);
}

static struct waits contend(
	struct ring *ring, struct crowd *crowd, const struct batch *batch, unsigned each)
{
	unsigned from = fill(ring, crowd, batch, each);

	ring_release(ring);
	for (unsigned k = 0; k < REQUESTS; k++)
		assert_done(other_receive(&crowd->victim, crowd->there));
	return measure(ring, from, REQUESTS);
}

/* A hundred connections with a request each are one process, and so is the victim's one. */
static void test_by_process(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	struct crowd crowd;
	struct waits waits;

	gather(ring, &crowd);
	waits = contend(ring, &crowd, &batch, 20);
	assert_in_range(waits.first, 0, 2);
	assert_in_range(waits.longest, 0, 2);
	assert_in_range(waits.all, REQUESTS / 2, REQUESTS + 2);
	disperse(&crowd);
}

/* By what they put on the bus: a batch of 64 is worth many of the victim's requests. */
static void test_by_use(void **state)
{
	struct ring *ring = *state;
	struct batch batch = large_batch(1);
	struct crowd crowd;
	struct waits waits;

	gather(ring, &crowd);
	waits = contend(ring, &crowd, &batch, 2);
	assert_in_range(waits.first, 0, 2 * RGBROKER_OPERATIONS_MAX);
	assert_in_range(waits.longest, 0, RGBROKER_OPERATIONS_MAX);
	assert_in_range(waits.all, 0, 3 * RGBROKER_OPERATIONS_MAX);
	disperse(&crowd);
}

/* Who has not asked for long is not owed anything, with all of its connections. */
static void test_no_credit(void **state)
{
	struct ring *ring = *state;
	struct batch batch = large_batch(1), mine = large_batch(2);
	struct crowd crowd;
	struct waits waits;

	gather(ring, &crowd);
	for (unsigned i = 0; i < RGBROKER_OPERATIONS_MAX; i++)
		mine.operations[i].address = VICTIM;
	for (unsigned i = 0; i < 50; i++)
		assert_done(other_ask(&crowd.victim, crowd.there, &mine));
	atomic_store(&ring->bus->count, 0);
	waits = contend(ring, &crowd, &batch, 2);
	assert_in_range(waits.first, 0, 2 * RGBROKER_OPERATIONS_MAX);
	assert_in_range(waits.longest, 0, 2 * RGBROKER_OPERATIONS_MAX);
	assert_in_range(waits.all, 0, 4 * RGBROKER_OPERATIONS_MAX);
	disperse(&crowd);
}

/* Who comes last does not wait for all who were there before. */
static void test_newcomer(void **state)
{
	struct ring *ring = *state;
	struct batch batch = large_batch(1), mine = batch_write(2, 0x42, 0, 0);
	struct crowd crowd;
	struct other newcomer;
	unsigned from, waited = 0;
	int there;

	gather(ring, &crowd);
	from = fill(ring, &crowd, &batch, 2);
	newcomer = other_new(ring);
	there = other_connect(&newcomer, "rgb");
	other_send(&newcomer, there, &mine);
	ring_release(ring);
	assert_done(other_receive(&newcomer, there));
	while (wire_at(ring, from + waited)->address != 0x42)
		waited++;
	print_message("#: before the newcomer's first %u operations of others\n", waited);
	assert_in_range(waited, 0, 2 * RGBROKER_OPERATIONS_MAX);
	disperse(&crowd);
	other_kill(&newcomer);
}

/* Who comes as a new process for each request gets no more by it: the bus is slow enough for the
 * next one to stand at the door when the one before has its answer. */
#define GENERATIONS 8

static void test_one_after_the_other(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_new(1), mine = batch_write(2, VICTIM, 0, 0);
	struct other victim = other_new(ring), one[GENERATIONS];
	int there = other_connect(&victim, "rgb"), fds[GENERATIONS];
	struct waits waits;
	unsigned from = 0;

	for (unsigned i = 0; i < RGBROKER_OPERATIONS_MAX; i++) /* reads: nobody claims */
		batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
	assert_done(other_ask(&victim, there, &mine));
	ring->bus->delay_usec = 500;
	ring_hold(ring);
	for (unsigned i = 0; i < GENERATIONS; i++) {
		one[i] = other_new(ring);
		fds[i] = other_connect(&one[i], "rgb");
		other_send(&one[i], fds[i], &batch);
		if (i == 0) {
			ring_await_held(ring);
			for (unsigned k = 0; k < REQUESTS; k++)
				other_send(&victim, there, &mine);
			from = wire_count(ring);
			continue;
		}
		ring_release(ring);
		assert_done(other_receive(&one[i - 1], fds[i - 1]));
		other_kill(&one[i - 1]);
	}
	for (unsigned k = 0; k < REQUESTS; k++)
		assert_done(other_receive(&victim, there));
	waits = measure(ring, from, REQUESTS);
	assert_in_range(waits.all, 0, 3 * RGBROKER_OPERATIONS_MAX);
	other_kill(&one[GENERATIONS - 1]);
	other_kill(&victim);
}

/* One connection each: one after the other. */
#define OTHERS 4

static void test_in_turn(void **state)
{
	struct ring *ring = *state;
	struct other others[OTHERS];
	int there[OTHERS];
	unsigned from;

	for (unsigned i = 0; i < OTHERS; i++) {
		struct batch batch = batch_write(1, (uint8_t)(0x40 + i), 0, 0);

		others[i] = other_new(ring);
		there[i] = other_connect(&others[i], "rgb");
		assert_done(other_ask(&others[i], there[i], &batch));
	}
	ring_hold(ring);
	for (unsigned k = 0; k < REQUESTS; k++)
		for (unsigned i = 0; i < OTHERS; i++) {
			struct batch batch = batch_write(1, (uint8_t)(0x40 + i), 0, 0);

			other_send(&others[i], there[i], &batch);
		}
	ring_await_held(ring);
	from = wire_count(ring);
	ring_release(ring);
	for (unsigned i = 0; i < OTHERS; i++)
		for (unsigned k = 0; k < REQUESTS; k++)
			assert_done(other_receive(&others[i], there[i]));
	/* the one whose operation was held has one less at the end */
	for (unsigned i = from; i + 2 * OTHERS < wire_count(ring); i++)
		assert_int_equal(wire_at(ring, i)->address, wire_at(ring, i + OTHERS)->address);
	for (unsigned i = 0; i < OTHERS; i++)
		other_kill(&others[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_process),
		TEST(test_by_use),
		TEST(test_no_credit),
		TEST(test_newcomer),
		TEST(test_one_after_the_other),
		TEST(test_in_turn),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
