/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many peers: each is served in its turn, and those for whom there is no room wait at no cost. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

/* A few wake-ups take a hundredth of it; spinning takes more, even at a third of a busy machine. */
#define IDLE_CPU_SECONDS 0.1

#define CROWD 500
#define CLIENTS_MAX 512 /* as in broker/broker.h */

static bool answered(int fd, int patience_msec)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, patience_msec) == 1;
}

static void test_five_hundred(void **state)
{
	struct ring *ring = *state;
	int fds[CROWD];

	for (unsigned i = 0; i < CROWD; i++)
		fds[i] = peer_connect(ring, "rgb");
	for (unsigned i = 0; i < CROWD; i++) {
		struct batch batch = batch_write(i, 0x40, (uint8_t)i, (uint8_t)(i >> 8));

		peer_send(fds[i], &batch);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		struct answer answer = peer_receive(fds[i]);

		assert_answer(answer, RGBROKER_REASON_NONE, 0);
		assert_int_equal(answer.head.serial, i); /* everybody its own */
	}
	assert_int_equal(atomic_load(&ring->bus->count), CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		close(fds[i]);
	assert_int_equal(ring_logged(ring, "not accepting"), 0);
}

/* One more than there may be waits, and comes in when another leaves. */
static void test_as_many_as_there_may_be(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	int fds[CLIENTS_MAX + 1];
	double before;

	for (unsigned i = 0; i <= CLIENTS_MAX; i++) {
		fds[i] = peer_connect(ring, "rgb");
		if (i < CLIENTS_MAX)
			peer_is_served(fds[i]);
	}
	peer_send(fds[CLIENTS_MAX], &batch);
	before = ring_cpu_seconds(ring);
	assert_false(answered(fds[CLIENTS_MAX], 700));
	assert_true(ring_cpu_seconds(ring) - before < IDLE_CPU_SECONDS);
	peer_is_served(fds[0]);
	close(fds[0]);
	assert_answer(peer_receive(fds[CLIENTS_MAX]), RGBROKER_REASON_NONE, 0);
	for (unsigned i = 1; i <= CLIENTS_MAX; i++)
		close(fds[i]);
}

/* Without descriptors a listening socket stays readable: whoever looks again at once, spins. */
static void test_no_free_descriptors(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	int fds[60];
	unsigned served = 0, waiting = 0;
	double before;

	ring->files = 32;
	ring_start(ring);
	for (unsigned i = 0; i < 60; i++) {
		fds[i] = peer_connect(ring, "rgb");
		peer_send(fds[i], &batch);
	}
	before = ring_cpu_seconds(ring);
	assert_false(answered(fds[59], 1200));
	assert_true(ring_cpu_seconds(ring) - before < IDLE_CPU_SECONDS);
	assert_in_range(ring_logged(ring, "not accepting for a moment"), 1, 10);
	for (unsigned i = 0; i < 60; i++)
		if (answered(fds[i], 0))
			served++;
		else
			waiting++;
	assert_in_range(served, 5, 31);
	assert_int_equal(served + waiting, 60);
	/* As those who were served leave, the others come in. */
	for (unsigned i = 0; i < 60; i++) {
		assert_answer(peer_receive(fds[i]), RGBROKER_REASON_NONE, 0);
		close(fds[i]);
	}
	assert_int_equal(atomic_load(&ring->bus->count), 60);
}

#define FLOODERS 10
#define QUEUED 50
#define TURNS 20

/* All queues are full before the bus goes on, so that nothing here depends on who runs when. */
static void test_everybody_in_turn(void **state)
{
	struct ring *ring = *state;
	int flooders[FLOODERS], victim = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x40, 0, 0), mine = batch_write(2, 0x41, 0, 0);
	unsigned last = 0, seen = 0, count;

	for (unsigned i = 0; i < FLOODERS; i++) {
		flooders[i] = peer_connect(ring, "rgb");
		peer_is_served(flooders[i]);
	}
	peer_is_served(victim);
	ring_hold(ring);
	for (unsigned k = 0; k < QUEUED; k++)
		for (unsigned i = 0; i < FLOODERS; i++)
			peer_send(flooders[i], &batch);
	ring_await_held(ring);
	last = atomic_load(&ring->bus->count);
	for (unsigned k = 0; k < TURNS; k++)
		peer_send(victim, &mine);
	ring_release(ring);
	for (unsigned k = 0; k < TURNS; k++)
		assert_answer(peer_receive(victim), RGBROKER_REASON_NONE, 0);
	count = atomic_load(&ring->bus->count);
	for (unsigned i = last; i < count && seen < TURNS; i++) {
		if (ring->bus->log[i].address != 0x41)
			continue;
		/* One of each flooder between two of the victim's; two while the round closes. */
		assert_in_range(i - last, 0, 2 * FLOODERS + 1);
		last = i;
		seen++;
	}
	assert_int_equal(seen, TURNS);
	for (unsigned i = 0; i < FLOODERS; i++)
		close(flooders[i]);
	close(victim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_five_hundred),
		TEST(test_as_many_as_there_may_be),
		cmocka_unit_test_setup_teardown(
			test_no_free_descriptors, ring_set_up_stopped, ring_tear_down),
		TEST(test_everybody_in_turn),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
