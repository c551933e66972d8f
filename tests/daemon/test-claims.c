/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two processes and one chip: the first to write has it, until it goes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"
#include "tests/daemon/other.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, include/uapi/asm-generic/socket.h */
#endif

#define LAMP 0x20
#define CONNECTIONS 50

static struct other first, second;

static int set_up(void **state)
{
	ring_set_up(state);
	ene_put(*state, ENE, 0);
	first = other_new(*state);
	second = other_new(*state);
	return 0;
}

static int tear_down(void **state)
{
	if (first.pid)
		other_kill(&first);
	if (second.pid)
		other_kill(&second);
	return ring_tear_down(state);
}

static struct answer write_lamp(const struct other *other, int connection, uint8_t value)
{
	struct batch batch = batch_write(1, LAMP, 0x10, value);

	return other_ask(other, connection, &batch);
}

static struct answer read_lamp(const struct other *other, int connection)
{
	struct batch batch = batch_new(2);

	batch_add(&batch, RGBROKER_BYTE_DATA, true, LAMP, 0x10, 1, NULL);
	return other_ask(other, connection, &batch);
}

/* It asks for a write, and nothing reaches the wire. */
static void has_not(const struct ring *ring, const struct other *other, int connection)
{
	unsigned before = wire_count(ring);
	struct answer answer = write_lamp(other, connection, 0xee);

	assert_refused(answer, RGBROKER_REASON_CLAIMED);
	assert_int_equal(answer.head.done, 0);
	assert_int_equal(wire_count(ring), before);
}

static void has(const struct ring *ring, const struct other *other, int connection)
{
	struct answer answer = write_lamp(other, connection, (uint8_t)other->pid);

	assert_done(answer);
	assert_int_equal(ring->bus->chips[LAMP].registers[0x10], (uint8_t)other->pid);
}

static struct answer release(const struct ring *ring, const char *door, uint32_t address)
{
	int fd = peer_connect(ring, door);
	struct answer answer = peer_ask_opcode(fd, RGBROKER_RELEASE, address);

	close(fd);
	return answer;
}

/* --- having it --- */

static void test_the_second_writes_nothing(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;
	char line[96];

	has(ring, &first, a);
	has_not(ring, &second, b);
	snprintf(
		line, sizeof(line), "pid %d uid %u has claimed the chip", (int)first.pid, getuid());
	assert_int_equal(ring_logged(ring, line), 1);
	has(ring, &first, a);
	answer = read_lamp(&second, b);
	assert_done(answer);
	assert_int_equal(answer.data[0], (uint8_t)first.pid);
	/* A batch that holds one such write is refused as a whole. */
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, 0, 1, "x");
	batch_add(&batch, RGBROKER_BYTE_DATA, false, LAMP, 0x11, 1, "x");
	answer = other_ask(&second, b, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
	assert_int_equal(answer.head.done, 1);
	assert_int_equal(ring->bus->chips[0x40].registers[0], 0);
	has_not(ring, &second, b);
	/* Other chips are free. */
	batch = batch_write(1, 0x40, 0, 0x40);
	answer = other_ask(&second, b, &batch);
	assert_done(answer);
	answer = other_ask(&first, a, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
}

/* By process: another connection of the first one may. */
static void test_by_process(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), a2, b = other_connect(&second, "rgb");

	has(ring, &first, a);
	a2 = other_connect(&first, "rgb");
	has(ring, &first, a2);
	has_not(ring, &second, b);
}

/* The pointer too: it would have to be set again. What it does set later, is its own. */
static void test_pointers(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;
	unsigned before;

	add_set(&batch, ENE, 0x8100);
	answer = other_ask(&first, a, &batch);
	assert_done(answer);
	answer = other_ask(&second, b, &batch); /* that claimed nothing yet */
	assert_done(answer);
	batch = batch_of(1);
	add_byte(&batch, ENE, 0x11);
	answer = other_ask(&first, a, &batch);
	assert_done(answer);
	before = wire_count(ring);
	answer = other_ask(&second, b, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
	batch = batch_of(1);
	add_set(&batch, ENE, 0x8180);
	answer = other_ask(&second, b, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
	batch = batch_of(1);
	add_block(&batch, ENE, "abc", 3);
	answer = other_ask(&second, b, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
	assert_int_equal(wire_count(ring), before);
	/* The second was refused 0x8180: its datum goes neither there nor to 0x8100. */
	other_kill(&first);
	batch = batch_of(1);
	add_byte(&batch, ENE, 0x22);
	answer = other_ask(&second, b, &batch);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_int_equal(ring->bus->behind[0][0x8100], 0x11);
	assert_int_equal(ring->bus->behind[0][0x8101], 0);
	batch = batch_of(1);
	add_set(&batch, ENE, 0x8180);
	add_byte(&batch, ENE, 0x22);
	answer = other_ask(&second, b, &batch);
	assert_done(answer);
	assert_int_equal(ring->bus->behind[0][0x8180], 0x22);
}

/* Looking claims nothing: what must be sent to find a chip, what the broker itself reads. */
static void test_a_scan_claims_nothing(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	batch_add(&batch, RGBROKER_BYTE, true, ENE, 0, 1, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, ENE, 0x0f, 1, "\x5a");
	for (unsigned i = 0; i < 16; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, true, ENE, (uint8_t)(0xa0 + i), 1, NULL);
	add_set(&batch, ENE, 0x8000);
	add_read(&batch, ENE);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, LAMP, 0xa0, 1, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, LAMP, 0x10, 1, NULL);
	answer = other_ask(&first, a, &batch);
	assert_done(answer);
	answer = other_ask(&second, b, &batch);
	assert_done(answer);
	answer = other_ask(&first, a, &batch);
	assert_done(answer);
	has(ring, &second, b);
	has_not(ring, &first, a);
	assert_int_equal(release(ring, "admin", ENE).head.result, -ENOENT);
	/* Nor may others look by writing where somebody writes. */
	batch = batch_of(2);
	add_set(&batch, ENE, 0x8000);
	add_byte(&batch, ENE, 1);
	answer = other_ask(&second, b, &batch);
	assert_done(answer);
	batch = batch_of(1);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, ENE, 0x0f, 1, "\x5a");
	answer = other_ask(&first, a, &batch);
	assert_refused(answer, RGBROKER_REASON_CLAIMED);
}

/* Neither does a write that was refused, or that failed. */
static void test_what_was_not_done_claims_nothing(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct batch batch = batch_write(1, LAMP, 0x20, 0);
	struct answer answer = other_ask(&first, a, &batch);

	assert_refused(answer, RGBROKER_REASON_RULE);
	batch = batch_write(1, LAMP, 0x10, 0);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x50, 0, 1, "x");
	answer = other_ask(&first, a, &batch);
	assert_refused(answer, RGBROKER_REASON_FLOOR);
	has(ring, &second, b);
}

/* Both at once, many times: one of them has it, and the wire has nothing of the other. */
static void test_a_race(void **state)
{
	struct ring *ring = *state;
	unsigned won = 0;

	for (unsigned round = 0; round < 50; round++) {
		const struct other *one = round % 2 ? &first : &second;
		const struct other *two = round % 2 ? &second : &first;
		int a = other_connect(one, "rgb"), b = other_connect(two, "rgb");
		struct batch as = batch_write(1, LAMP, 0x10, 'a');
		struct batch bs = batch_write(2, LAMP, 0x10, 'b');
		struct answer his, hers;
		unsigned before = wire_count(ring);

		other_send(one, a, &as);
		hers = other_ask(two, b, &bs);
		his = other_receive(one, a);
		assert_int_not_equal(his.head.result == 0, hers.head.result == 0);
		assert_int_equal(his.head.result + hers.head.result, -EBUSY);
		for (; before < wire_count(ring); before++)
			if (!wire_at(ring, before)->read)
				assert_int_equal(wire_at(ring, before)->data[0],
					his.head.result == 0 ? 'a' : 'b');
		won += his.head.result == 0;
		other_close(one, a);
		other_close(two, b);
	}
	assert_in_range(won, 1, 50);
}

/* --- going --- */

static void test_killed(void **state)
{
	struct ring *ring = *state;

	for (unsigned round = 0; round < 20; round++) {
		struct other holder = other_new(ring);
		int a = other_connect(&holder, "rgb"), b = other_connect(&second, "rgb");

		has(ring, &holder, a);
		has_not(ring, &second, b);
		other_kill(&holder);
		has(ring, &second, b); /* at once */
		other_close(&second, b);
	}
}

/* Its sockets live on in a child: that is somebody else, with the old one's connections. */
static void test_a_child_has_no_claim(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct other child;

	has(ring, &first, a);
	child = other_fork(&first);
	has(ring, &child, a); /* as long as the parent is there, it is the parent */
	has_not(ring, &second, b);
	other_kill(&first);
	has(ring, &second, b);
	has_not(ring, &child, a);
	other_kill(&second);
	has(ring, &child, a); /* and still is served */
	/* But what it writes gives it nothing. */
	second = other_new(ring);
	b = other_connect(&second, "rgb");
	has(ring, &second, b);
	has_not(ring, &child, a);
	other_kill(&child);
}

static void test_the_last_connection_counts(void **state)
{
	struct ring *ring = *state;
	int b = other_connect(&second, "rgb");
	int connections[CONNECTIONS];

	for (unsigned i = 0; i < CONNECTIONS; i++)
		connections[i] = other_connect(&first, "rgb");
	has(ring, &first, connections[0]);
	for (unsigned i = 0; i < CONNECTIONS - 1; i++) {
		other_close(&first, connections[i]);
		has_not(ring, &second, b);
	}
	other_close(&first, connections[CONNECTIONS - 1]);
	has(ring, &second, b);
	/* It comes again, and is second. */
	connections[0] = other_connect(&first, "rgb");
	has_not(ring, &first, connections[0]);
}

/* The broker is busy while the holder goes, and serves the second first. */
static void test_hung_up_but_not_yet_read(void **state)
{
	struct ring *ring = *state;

	for (unsigned round = 0; round < 20; round++) {
		int a = other_connect(&first, "rgb"), a2 = other_connect(&first, "rgb");
		int b = other_connect(&second, "rgb"), c = peer_connect(ring, "rgb");
		struct batch late = batch_write(7, LAMP, 0x10, 0xaa);
		struct batch busy = batch_new(1), hers = batch_write(3, LAMP, 0x10, 0xbb);
		struct answer answer;

		batch_add(&busy, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
		has(ring, &first, a);
		ring_hold(ring);
		peer_send(c, &busy);
		ring_await_held(ring);
		other_send(&second, b, &hers);
		/* What it asked last may be done before the second's or not at all. */
		if (round % 2)
			other_send(&first, a2, &late);
		other_close(&first, a);
		other_close(&first, a2);
		ring_release(ring);
		answer = peer_receive(c);
		assert_done(answer);
		answer = other_receive(&second, b);
		assert_done(answer);
		answer = other_ask(&second, b, &hers);
		assert_done(answer);
		close(c);
		other_close(&second, b);
		assert_int_equal(ring->bus->chips[LAMP].registers[0x10], 0xbb);
	}
}

/* The same where it exits, and its sockets live on in a child. */
static void test_exited_but_not_yet_seen(void **state)
{
	struct ring *ring = *state;

	for (unsigned round = 0; round < 20; round++) {
		struct other holder = other_new(ring), child;
		int a = other_connect(&holder, "rgb"), b = other_connect(&second, "rgb");
		int c = peer_connect(ring, "rgb");
		struct batch busy = batch_new(1), hers = batch_write(3, LAMP, 0x10, 0xbb);
		struct answer answer;

		batch_add(&busy, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
		has(ring, &holder, a);
		child = other_fork(&holder);
		ring_hold(ring);
		peer_send(c, &busy);
		ring_await_held(ring);
		other_send(&second, b, &hers);
		other_kill(&holder);
		ring_release(ring);
		answer = peer_receive(c);
		assert_done(answer);
		answer = other_receive(&second, b);
		assert_done(answer);
		other_kill(&child);
		close(c);
		other_close(&second, b);
	}
}

/* Only one half is closed: whoever may still hear its answers has not gone. */
static void test_half_closed_is_still_there(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), b = other_connect(&second, "rgb");
	struct batch batch = batch_write(1, LAMP, 0x10, 1);
	struct answer answer = peer_ask(fd, &batch);

	assert_done(answer);
	shutdown(fd, SHUT_RD);
	has_not(ring, &second, b);
	close(fd);
	has(ring, &second, b);
}

/* --- ending it from outside --- */

static void test_released_by_an_administrator(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");
	struct answer answer = release(ring, "admin", LAMP);
	char line[96];

	assert_answer(answer, RGBROKER_REASON_RULE, -ENOENT); /* nobody has it */
	has(ring, &first, a);
	answer = release(ring, "rgb", LAMP);
	assert_refused(answer, RGBROKER_REASON_DOOR);
	answer = release(ring, "look", LAMP);
	assert_refused(answer, RGBROKER_REASON_DOOR);
	answer = release(ring, "other", LAMP);
	assert_refused(answer, RGBROKER_REASON_DOOR);
	has_not(ring, &second, b);
	answer = release(ring, "admin", LAMP + 1);
	assert_int_equal(answer.head.result, -ENOENT);
	has_not(ring, &second, b);
	answer = release(ring, "admin", LAMP);
	assert_done(answer);
	snprintf(line, sizeof(line), "the claim of pid %d uid %u on 0x%02x is ended",
		(int)first.pid, getuid(), LAMP);
	assert_int_equal(ring_logged(ring, line), 1);
	answer = release(ring, "admin", LAMP);
	assert_int_equal(answer.head.result, -ENOENT);
	/* Whoever comes first has it now. */
	has(ring, &second, b);
	has_not(ring, &first, a);
}

static void test_release_of_no_address(void **state)
{
	static const uint32_t addresses[] = {0x80, 0xff, 0x120, 0x10020, 0xffffffff, 0x80000020};
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb"), b = other_connect(&second, "rgb");

	has(ring, &first, a);
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(release(ring, "admin", addresses[i]).head.result, -ENOENT);
	has_not(ring, &second, b);
}

/* Whose claims are no longer worth anything has none to release. */
static void test_release_after_its_end(void **state)
{
	struct ring *ring = *state;
	int a = other_connect(&first, "rgb");
	struct other child;

	has(ring, &first, a);
	child = other_fork(&first);
	other_kill(&first);
	has(ring, &child, a);
	assert_int_equal(release(ring, "admin", LAMP).head.result, -ENOENT);
	other_kill(&child);
}

/* --- */

/* Kernels before 6.5 do not tell whose a socket is once its process has gone. */
static bool sockets_know_their_process(void)
{
	int pair[2], pidfd = -1;
	socklen_t size = sizeof(pidfd);

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size);
	close(pair[0]);
	close(pair[1]);
	return pidfd >= 0 && close(pidfd) == 0;
}

/*
 * One connects, and has gone before it is let in; its number is another's by then, who has come in
 * by another door. What it has left behind is not that other's connection.
 */
static void test_a_number_that_is_used_again(void **state)
{
	struct ring *ring = *state;
	int crowd[CONNECTIONS], heir, b;
	pid_t pid = first.pid;
	struct other child;

	if (geteuid() != 0 || !sockets_know_their_process())
		skip();
	kill(ring->pid, SIGSTOP);
	for (int i = 0; i < CONNECTIONS; i++) /* it is let in behind all of these */
		crowd[i] = peer_connect(ring, "look");
	other_connect(&first, "look");
	child = other_fork(&first);
	other_kill(&first);
	first = other_new_as(ring, pid);
	heir = other_connect(&first, "rgb");
	kill(ring->pid, SIGCONT);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_done(peer_ask_opcode(crowd[i], RGBROKER_INFO, 0));
	has(ring, &first, heir);
	other_close(&first, heir);
	b = other_connect(&second, "rgb");
	has(ring, &second, b);
	kill(child.pid, SIGKILL);
	for (int i = 0; i < CONNECTIONS; i++)
		close(crowd[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_second_writes_nothing),
		TEST(test_by_process),
		TEST(test_pointers),
		TEST(test_a_scan_claims_nothing),
		TEST(test_what_was_not_done_claims_nothing),
		TEST(test_a_race),
		TEST(test_killed),
		TEST(test_a_child_has_no_claim),
		TEST(test_the_last_connection_counts),
		TEST(test_hung_up_but_not_yet_read),
		TEST(test_exited_but_not_yet_seen),
		TEST(test_half_closed_is_still_there),
		TEST(test_released_by_an_administrator),
		TEST(test_release_of_no_address),
		TEST(test_release_after_its_end),
		TEST(test_a_number_that_is_used_again),
	};

	return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
