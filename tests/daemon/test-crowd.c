/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many peers: each is served in its turn, and those for whom there is no room wait at no cost. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"
#include "tests/daemon/other.h"

/* A few wake-ups take a hundredth of it; spinning takes more, even at a third of a busy machine. */
#define IDLE_CPU_SECONDS 0.1

#define CROWD 500
#define LEAKS 300
#define CLIENTS_MAX 512 /* as in broker/account.h */
#define CLIENTS_OF_ONE_MAX 128

static bool answered(int fd, int patience_msec)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, patience_msec) == 1;
}

/* Each from one of several processes, since one alone may not have so many. */
#define PROCESSES 5

static void test_five_hundred(void **state)
{
	struct ring *ring = *state;
	struct other others[PROCESSES];
	int connections[CROWD];

	for (unsigned i = 0; i < PROCESSES; i++)
		others[i] = other_new(ring);
	for (unsigned i = 0; i < CROWD; i++)
		connections[i] = other_connect(&others[i % PROCESSES], "rgb");
	for (unsigned i = 0; i < CROWD; i++) {
		struct batch batch = batch_write(i, 0x40, (uint8_t)i, (uint8_t)(i >> 8));

		other_send(&others[i % PROCESSES], connections[i], &batch);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		struct answer answer = other_receive(&others[i % PROCESSES], connections[i]);

		assert_int_equal(answer.head.serial, i); /* everybody its own */
		/* the first to write to a chip has it */
		assert_int_equal(answer.head.reason,
			i % PROCESSES ? RGBROKER_REASON_CLAIMED : RGBROKER_REASON_NONE);
	}
	assert_int_equal(wire_count(ring), CROWD / PROCESSES);
	assert_int_equal(ring_logged(ring, "not accepting"), 0);
	assert_int_equal(peer_status(ring).evicted, 0);
	for (unsigned i = 0; i < PROCESSES; i++)
		other_kill(&others[i]);
}

/* Sent away as by a broker that stops: nothing more is taken, and then it ends. */
static void is_sent_away(int fd)
{
	assert_int_equal(peer_receive(fd).size, 0);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

static bool is_open(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};

	return poll(&end, 1, 0) == 0;
}

/* A program that never closes what it has opened does not notice, however often it opens. */
static void test_as_many_as_one_may_have(void **state)
{
	struct ring *ring = *state;
	int fds[CLIENTS_OF_ONE_MAX + LEAKS];
	unsigned descriptors = 0;

	for (unsigned i = 0; i < CLIENTS_OF_ONE_MAX; i++) {
		fds[i] = peer_connect(ring, "rgb");
		peer_is_served(fds[i]);
	}
	descriptors = ring_descriptors(ring);
	peer_is_served(fds[0]); /* the second one is the longest unused now */
	for (unsigned i = CLIENTS_OF_ONE_MAX; i < CLIENTS_OF_ONE_MAX + LEAKS; i++) {
		fds[i] = peer_connect(ring, "rgb");
		peer_is_served(fds[i]);
		is_sent_away(fds[1 + i - CLIENTS_OF_ONE_MAX]);
		peer_is_served(fds[0]);
	}
	for (unsigned i = LEAKS + 1; i < CLIENTS_OF_ONE_MAX + LEAKS; i++)
		assert_true(is_open(fds[i]));
	assert_int_equal(ring_descriptors(ring), descriptors);
	assert_int_equal(peer_status(ring).evicted, LEAKS + 1); /* for who asks, too */
	assert_int_equal(ring_logged(ring, "128 connections, as many as may be"), 1);
	for (unsigned i = 0; i < CLIENTS_OF_ONE_MAX + LEAKS; i++)
		close(fds[i]);
}

/* What it has claimed and where it has set pointers are the process's. */
static void test_leaks_cost_no_claim(void **state)
{
	struct ring *ring = *state;
	struct other other = other_new(ring);
	int fds[2 * CLIENTS_OF_ONE_MAX], there = other_connect(&other, "rgb");
	struct batch batch = batch_write(1, 0x41, 0, 0);

	ene_put(ring, ENE, 0);
	fds[0] = peer_connect(ring, "rgb");
	assert_done(peer_ask(fds[0], &batch));
	assert_done(ene_set(fds[0], 5, 0x8120));
	for (unsigned i = 1; i < 2 * CLIENTS_OF_ONE_MAX; i++)
		fds[i] = peer_connect(ring, "rgb");
	is_sent_away(fds[0]);
	assert_refused(other_ask(&other, there, &batch), RGBROKER_REASON_CLAIMED);
	assert_done(ene_byte(fds[2 * CLIENTS_OF_ONE_MAX - 1], 5, 0x77));
	assert_int_equal(ring->bus->behind[0][0x8120], 0x77);
	for (unsigned i = 0; i < 2 * CLIENTS_OF_ONE_MAX; i++)
		close(fds[i]);
	other_kill(&other);
}

/* Who comes last finds a place nevertheless, at every door, and who has least loses none. */
static void test_as_many_as_there_may_be(void **state)
{
	struct ring *ring = *state;
	struct other others[CLIENTS_MAX / CLIENTS_OF_ONE_MAX];
	int first = peer_connect(ring, "rgb"), last;

	peer_is_served(first);
	for (unsigned i = 0; i < CLIENTS_MAX / CLIENTS_OF_ONE_MAX; i++) {
		others[i] = other_new(ring);
		for (unsigned k = 0; k < CLIENTS_OF_ONE_MAX; k++)
			other_connect(&others[i], "rgb");
	}
	last = peer_connect(ring, "rgb");
	peer_is_served(last);
	assert_int_equal(peer_status(ring).clients, CLIENTS_MAX);
	assert_in_range(peer_status(ring).evicted, 2, 4);
	peer_is_served(first);
	assert_int_equal(ring_logged(ring, "not accepting"), 0);
	for (unsigned i = 0; i < CLIENTS_MAX / CLIENTS_OF_ONE_MAX; i++)
		other_kill(&others[i]);
	peer_is_served(first);
	close(first);
	close(last);
}

/* Who watches asks nothing, and stays. */
static void test_watchers_stay(void **state)
{
	struct ring *ring = *state;
	struct batch monitor = batch_new(1);
	int watcher = peer_connect(ring, "admin"), fds[2 * CLIENTS_OF_ONE_MAX];

	monitor.header.opcode = RGBROKER_MONITOR;
	assert_done(peer_ask(watcher, &monitor));
	for (unsigned i = 0; i < 2 * CLIENTS_OF_ONE_MAX; i++)
		fds[i] = peer_connect(ring, i % 2 ? "admin" : "rgb");
	peer_is_served(fds[2 * CLIENTS_OF_ONE_MAX - 2]);
	assert_true(answered(watcher, PATIENCE_MSEC));
	assert_int_equal(
		recv(watcher, &(struct rgbroker_event){0}, sizeof(struct rgbroker_event), 0),
		sizeof(struct rgbroker_event));
	for (unsigned i = 0; i < 2 * CLIENTS_OF_ONE_MAX; i++)
		close(fds[i]);
	close(watcher);
}

/* Without descriptors a listening socket stays readable: whoever looks again at once, spins. */
static void test_no_free_descriptors(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	int fds[60];
	unsigned served = 0, waiting = 0;
	double before;

	ring->files = 48;
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
	assert_in_range(served, 5, 47);
	assert_int_equal(served + waiting, 60);
	/* As those who were served leave, the others come in; who was sent away comes again. */
	for (unsigned i = 0; i < 60; i++) {
		struct answer answer = peer_receive(fds[i]);

		while (answer.size <= 0) {
			close(fds[i]);
			fds[i] = peer_connect(ring, "rgb");
			answer = peer_ask(fds[i], &batch);
		}
		assert_answer(answer, RGBROKER_REASON_NONE, 0);
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
		TEST(test_as_many_as_one_may_have),
		TEST(test_leaks_cost_no_claim),
		TEST(test_as_many_as_there_may_be),
		TEST(test_watchers_stay),
		cmocka_unit_test_setup_teardown(
			test_no_free_descriptors, ring_set_up_stopped, ring_tear_down),
		TEST(test_everybody_in_turn),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
