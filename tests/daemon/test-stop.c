/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends: whatever was asked is carried out once and told, or surely not carried out and told. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

#define PEERS 6
#define QUEUED 60
#define SERIALS (PEERS * QUEUED)

/* Request number serial: its number goes over the wire with it. */
static void send_numbered(int fd, uint16_t serial)
{
	struct batch batch = batch_new(serial);

	batch_add(&batch, RGBROKER_WORD_DATA, false, 0x40, 0, 2, &serial);
	peer_send(fd, &batch);
}

static void count_wire(const struct ring *ring, unsigned *times)
{
	unsigned count = atomic_load(&ring->bus->count);

	memset(times, 0, SERIALS * sizeof(*times));
	for (unsigned i = 0; i < count; i++) {
		uint16_t serial;

		memcpy(&serial, ring->bus->log[i].data, sizeof(serial));
		if (ring->bus->log[i].kind == RGBROKER_WORD_DATA)
			times[serial]++;
	}
}

/* All replies up to the end; returns how many were told "stopping". */
static unsigned check_replies(int fd, const unsigned *times, unsigned first, unsigned count)
{
	unsigned stopping = 0;

	for (unsigned i = 0; i < count; i++) {
		struct answer answer = peer_receive(fd);

		assert_true(answer.size > 0); /* lost otherwise */
		assert_int_equal(answer.head.serial, first + i);
		if (answer.head.reason == RGBROKER_REASON_STOPPING) {
			assert_int_equal(answer.head.result, -EAGAIN);
			assert_int_equal(times[first + i], 0);
			stopping++;
		} else {
			assert_int_equal(answer.head.reason, RGBROKER_REASON_NONE);
			assert_int_equal(times[first + i], 1);
		}
	}
	assert_int_equal(peer_receive(fd).size, 0);
	return stopping;
}

static void test_in_the_middle_of_an_operation(void **state)
{
	struct ring *ring = *state;
	int fds[PEERS];
	unsigned times[SERIALS], stopping = 0;

	for (unsigned i = 0; i < PEERS; i++) {
		fds[i] = peer_connect(ring, "rgb");
		peer_is_served(fds[i]);
	}
	ring_hold(ring);
	for (unsigned i = 0; i < SERIALS; i++)
		send_numbered(fds[i / QUEUED], (uint16_t)i);
	ring_await_held(ring);
	assert_int_equal(kill(ring->pid, SIGTERM), 0);
	ring_release(ring);
	assert_int_equal(ring_wait(ring), 0);
	assert_true(ring_notified(ring, "STOPPING=1"));
	count_wire(ring, times);
	for (unsigned i = 0; i < PEERS; i++) {
		assert_int_equal(send(fds[i], "x", 1, MSG_NOSIGNAL), -1);
		assert_int_equal(errno, EPIPE);
		stopping += check_replies(fds[i], times, i * QUEUED, QUEUED);
		close(fds[i]);
	}
	/* The operation in hand was finished, and no other was begun. */
	assert_int_equal(stopping, SERIALS - 1);
}

/* It looks whether to stop once a millisecond at most. */
static void stop_and_release(struct ring *ring)
{
	assert_int_equal(kill(ring->pid, SIGTERM), 0);
	usleep(3000);
	ring_release(ring);
	assert_int_equal(ring_wait(ring), 0);
}

/* Within a batch it is one operation that is waited for; what was done is told, with what it read.
 */
static void test_in_the_middle_of_a_batch(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), other = peer_connect(ring, "rgb");
	struct batch batch = batch_new(77), next = batch_write(78, 0x41, 0, 0);
	struct answer answer;

	peer_is_served(fd);
	peer_is_served(other);
	for (uint8_t i = 0; i < RGBROKER_OPERATIONS_MAX; i++) {
		bool read = i % 2;

		batch_add(&batch, RGBROKER_BYTE_DATA, read, 0x40, i / 2, 1, read ? NULL : &i);
	}
	atomic_store(&ring->bus->count, 0);
	ring_hold_at(ring, 4);
	peer_send(fd, &batch);
	ring_await_held(ring);
	peer_send(other, &next);
	stop_and_release(ring);
	answer = peer_receive(fd);
	assert_answer(answer, RGBROKER_REASON_STOPPING, -EAGAIN);
	assert_int_equal(answer.head.serial, 77);
	assert_int_equal(answer.head.done, 4);
	assert_int_equal(answer.head.length, 2);
	assert_int_equal(answer.data[0], 0);
	assert_int_equal(answer.data[1], 2);
	assert_int_equal(atomic_load(&ring->bus->count), 4);
	assert_int_equal(peer_receive(fd).size, 0);
	assert_answer(peer_receive(other), RGBROKER_REASON_STOPPING, -EAGAIN);
	close(fd);
	close(other);
}

/* Messages joined by repeated starts are one transfer, and are not torn. */
static void test_in_the_middle_of_joined_messages(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	for (unsigned i = 0; i < 8; i++)
		batch_add(&batch, RGBROKER_I2C, false, 0x40, 0, 1, "x")->joined = i % 4 < 3;
	ring_hold(ring);
	peer_send(fd, &batch);
	ring_await_held(ring);
	stop_and_release(ring);
	answer = peer_receive(fd);
	assert_answer(answer, RGBROKER_REASON_STOPPING, -EAGAIN);
	assert_int_equal(answer.head.done, 4);
	assert_int_equal(atomic_load(&ring->bus->count), 4);
	close(fd);
}

/* Before anything is carried out it may be a long way: the chips are looked at first. */
static void test_while_a_batch_is_judged(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	for (uint8_t i = 0; i < 8; i++) {
		ring->bus->chips[0x20 + i] = ring->bus->chips[0x20];
		batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x20 + i, 0x10, 1, "x");
	}
	ring_hold_at(ring, 3);
	peer_send(fd, &batch);
	ring_await_held(ring);
	stop_and_release(ring);
	answer = peer_receive(fd);
	assert_answer(answer, RGBROKER_REASON_STOPPING, -EAGAIN);
	assert_int_equal(answer.head.done, 0);
	assert_int_equal(atomic_load(&ring->bus->count), 4); /* reads of the first two */
	close(fd);
}

/* Until the end: every request was answered, in order, and the wire saw what was said. */
static void check_all_replies(const struct ring *ring, int fd, unsigned first)
{
	unsigned times[SERIALS], replies = 0;
	struct answer answer;

	while ((answer = peer_receive(fd)).size > 0) {
		unsigned serial = first + replies++;
		bool stopping = answer.head.reason == RGBROKER_REASON_STOPPING;

		count_wire(ring, times);
		assert_int_equal(answer.head.serial, serial);
		assert_int_equal(answer.head.result, stopping ? -EAGAIN : 0);
		assert_int_equal(times[serial], stopping ? 0 : 1);
	}
	assert_int_equal(answer.size, 0);
	assert_int_equal(replies, QUEUED);
}

static void test_at_any_moment(void **state)
{
	struct ring *ring = *state;

	ring->bus->delay_usec = 50;
	for (unsigned round = 0; round < 12; round++) {
		const struct timespec moment = {.tv_nsec = round * 1500000};
		int fds[PEERS];

		atomic_store(&ring->bus->count, 0);
		ring_start(ring);
		for (unsigned i = 0; i < PEERS; i++)
			fds[i] = peer_connect(ring, "rgb");
		for (unsigned i = 0; i < SERIALS; i++)
			send_numbered(fds[i % PEERS], (uint16_t)(i % PEERS * QUEUED + i / PEERS));
		nanosleep(&moment, NULL);
		kill(ring->pid, round % 2 ? SIGTERM : SIGINT);
		assert_int_equal(ring_wait(ring), 0);
		/* Who was not let in yet has lost nothing: the next broker serves him. */
		ring_start(ring);
		for (unsigned i = 0; i < PEERS; i++) {
			shutdown(fds[i], SHUT_WR);
			check_all_replies(ring, fds[i], i * QUEUED);
			close(fds[i]);
		}
		assert_int_equal(ring_stop(ring), 0);
	}
}

/*
 * In a process of its own: asks without a pause until it cannot any more. What was sent must have
 * been answered; 0 if so.
 */
static int ask_until_the_end(int fd, const char *bytes, size_t size)
{
	char reply[RGBROKER_REPLY_MAX];
	unsigned long sent = 0, replies = 0;
	ssize_t r;

	while (send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size) {
		sent++;
		/* Replies that pile up would make it one that does not take them. */
		while (recv(fd, reply, sizeof(reply), sent - replies < 20 ? MSG_DONTWAIT : 0) > 0)
			replies++;
	}
	while ((r = recv(fd, reply, sizeof(reply), 0)) > 0)
		replies++;
	return r == 0 && sent == replies ? 0 : 1;
}

#define FLOODERS 4

/* What is sent while the broker looks for the last requests is either answered or not taken. */
static void test_flood_at_the_end(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	char bytes[RGBROKER_REQUEST_MAX];
	size_t size = batch_bytes(&batch, bytes);

	for (unsigned round = 0; round < 30; round++) {
		pid_t children[FLOODERS];
		int status;

		ring_start(ring);
		for (unsigned i = 0; i < FLOODERS; i++) {
			int fd = peer_connect(ring, "rgb");

			peer_is_served(fd);
			children[i] = fork();
			if (children[i] == 0)
				_exit(ask_until_the_end(fd, bytes, size));
			close(fd);
		}
		usleep(2000);
		assert_int_equal(ring_stop(ring), 0);
		for (unsigned i = 0; i < FLOODERS; i++) {
			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_int_equal(status, 0);
		}
	}
}

static void test_stop_without_peers(void **state)
{
	struct ring *ring = *state;

	assert_int_equal(ring_stop(ring), 0);
	assert_int_equal(ring_logged(ring, "i2c-7: told to stop"), 1);
}

/* Peers may stay: asking nothing is what counts. */
static void test_idle(void **state)
{
	struct ring *ring = *state;
	struct timespec asked, ended;
	int fd;

	ring->idle = "1";
	ring_start(ring);
	fd = peer_connect(ring, "rgb");
	usleep(500000);
	clock_gettime(CLOCK_MONOTONIC, &asked); /* half a second before the first look */
	peer_is_served(fd);
	assert_int_equal(ring_wait(ring), 0);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true((double)(ended.tv_sec - asked.tv_sec) +
			    (double)(ended.tv_nsec - asked.tv_nsec) / 1e9 >=
		    1.0);
	assert_true(ring_logged(ring, "going to sleep") == 1);
	assert_int_equal(peer_receive(fd).size, 0);
	close(fd);
	/* The door stays: who knocks is served by the next. */
	fd = peer_connect(ring, "rgb");
	ring->idle = "0";
	ring_start(ring);
	peer_is_served(fd);
	close(fd);
}

static void test_backlog_is_served_by_the_next(void **state)
{
	struct ring *ring = *state;
	int fds[20];

	assert_int_equal(ring_stop(ring), 0);
	for (unsigned i = 0; i < 20; i++) {
		fds[i] = peer_connect(ring, "rgb");
		send_numbered(fds[i], (uint16_t)i);
	}
	ring_start(ring);
	for (unsigned i = 0; i < 20; i++) {
		struct answer answer = peer_receive(fds[i]);

		assert_answer(answer, RGBROKER_REASON_NONE, 0);
		assert_int_equal(answer.head.serial, i);
		close(fds[i]);
	}
	assert_int_equal(atomic_load(&ring->bus->count), 20);
}

/* What was recognised goes with the process: the next one looks for itself. */
static void test_next_broker_recognises_anew(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x20, 0x10, 1);
	int fd = peer_connect(ring, "rgb");

	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_NONE, 0);
	assert_int_equal(ring_stop(ring), 0);
	close(fd);
	ring->bus->chips[0x20].registers[0xa0] = 0;
	ring_start(ring);
	fd = peer_connect(ring, "rgb");
	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_UNPROVEN, -EACCES);
	close(fd);
}

static void test_killed(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), other = peer_connect(ring, "rgb");
	struct answer answer;

	peer_is_served(other);
	ring_hold(ring);
	send_numbered(fd, 1);
	ring_await_held(ring);
	assert_int_equal(kill(ring->pid, SIGKILL), 0);
	assert_int_equal(ring_wait(ring), -SIGKILL);
	answer = peer_receive(fd);
	assert_true(answer.size == 0 || answer.size == -ECONNRESET); /* and no reply */
	assert_int_equal(peer_receive(other).size, 0);
	close(fd);
	close(other);
	ring_release(ring);
	fd = peer_connect(ring, "rgb");
	ring_start(ring);
	peer_is_served(fd);
	close(fd);
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_the_middle_of_an_operation, ring_set_up),
		TEST(test_in_the_middle_of_a_batch, ring_set_up),
		TEST(test_in_the_middle_of_joined_messages, ring_set_up),
		TEST(test_while_a_batch_is_judged, ring_set_up),
		TEST(test_at_any_moment, ring_set_up_stopped),
		TEST(test_flood_at_the_end, ring_set_up_stopped),
		TEST(test_stop_without_peers, ring_set_up),
		TEST(test_idle, ring_set_up_stopped),
		TEST(test_backlog_is_served_by_the_next, ring_set_up),
		TEST(test_next_broker_recognises_anew, ring_set_up),
		TEST(test_killed, ring_set_up),
	};

	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
