/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has to go when there are more connections than places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/broker.h"

static struct broker broker;
static struct door inspecting = {.inspect = true}, plain;
static struct listener admin = {.broker = &broker, .name = "admin", .door = &inspecting};
static struct listener rgb = {.broker = &broker, .name = "rgb", .door = &plain};

/* The peers' ends, by the order in which they came. */
static int peers[2 * CLIENTS_MAX];
static unsigned n_peers;

static int set_up(void **state)
{
	const struct rlimit files = {8 * CLIENTS_MAX, 8 * CLIENTS_MAX};

	setrlimit(RLIMIT_NOFILE, &files);
	broker = (struct broker){.accepting = true,
		.bus = {.fd = -1},
		.peer_lines = {.interval_usec = UINT64_MAX, .burst = 100}};
	n_peers = 0;
	return sd_event_new(&broker.event) < 0;
}

static int tear_down(void **state)
{
	while (broker.clients)
		client_drain(broker.clients);
	for (unsigned i = 0; i < n_peers; i++)
		close(peers[i]);
	sd_event_unref(broker.event);
	return broker.accounts || broker.processes || broker.status.clients;
}

static struct process *process_of(uid_t uid, bool shared)
{
	struct process *process = calloc(1, sizeof(*process));

	*process = (struct process){.broker = &broker, .uid = uid, .pidfd = -1};
	process->account = account_enter(&broker, uid, shared);
	process->account->clients--; /* connect_to() counts them */
	process->next = broker.processes;
	process->link = &broker.processes;
	if (process->next)
		process->next->link = &process->next;
	broker.processes = process;
	return process;
}

static int nothing(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return 0;
}

/* One connection of a process's, that has asked its last request as number used; its own number. */
static unsigned connect_to(struct listener *listener, struct process *process, uint64_t used)
{
	struct client *client = calloc(1, sizeof(*client));
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	*client = (struct client){
		.broker = &broker, .listener = listener, .process = process, .used = used};
	assert_true(
		sd_event_add_io(broker.event, &client->source, pair[0], 0, nothing, client) >= 0);
	sd_event_source_set_io_fd_own(client->source, true);
	account_join(process->account);
	process->clients++;
	client->next = broker.clients;
	client->link = &broker.clients;
	if (client->next)
		client->next->link = &client->next;
	broker.clients = client;
	broker.status.clients++;
	peers[n_peers] = pair[1];
	return n_peers++;
}

/* A process with so many connections, all unused since long; the first one's number. */
static unsigned process_with(uid_t uid, unsigned count)
{
	struct process *process = process_of(uid, false);
	unsigned first = n_peers;

	while (count--)
		connect_to(&rgb, process, 1);
	return first;
}

static bool has_gone(unsigned number)
{
	char byte;

	return recv(peers[number], &byte, 1, MSG_DONTWAIT) == 0;
}

static unsigned gone(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n_peers; i++)
		count += has_gone(i);
	return count;
}

/* One more comes, and number goes for it. Returns whose number is the next one's. */
static unsigned goes_for(struct listener *listener, struct process *comes, unsigned number)
{
	unsigned before = gone();
	unsigned newcomer = connect_to(listener, comes, 1000);

	assert_false(has_gone(number));
	place_taken(&broker);
	assert_true(has_gone(number));
	assert_int_equal(gone(), before + 1);
	return newcomer;
}

static unsigned goes(struct process *comes, unsigned number)
{
	return goes_for(&rgb, comes, number);
}

static void while_there_is_room(void **state)
{
	for (unsigned i = 0; i < CLIENTS_MAX / CLIENTS_OF_ONE_MAX; i++) {
		process_with(1000 + i, CLIENTS_OF_ONE_MAX);
		place_taken(&broker);
	}
	assert_int_equal(gone(), 0);
	assert_int_equal(broker.status.clients, CLIENTS_MAX);
}

static void of_one_process(void **state)
{
	struct process *process = process_of(1000, false), *other = process_of(1000, false);
	unsigned old = connect_to(&rgb, other, 0), first = n_peers;

	for (unsigned i = 0; i < CLIENTS_OF_ONE_MAX; i++)
		connect_to(&rgb, process, 500 - i);
	goes(process, first + CLIENTS_OF_ONE_MAX - 1);
	goes(process, first + CLIENTS_OF_ONE_MAX - 2);
	assert_false(has_gone(old));
	assert_int_equal(broker.status.evicted, 2);
}

/* Those of another pid namespace cannot be told apart: their user has the places of one. */
static void of_one_user_elsewhere(void **state)
{
	unsigned first = connect_to(&rgb, process_of(1000, true), 1), other;

	other = connect_to(&rgb, process_of(1001, true), 0);
	for (unsigned i = 1; i < CLIENTS_OF_ONE_MAX; i++)
		connect_to(&rgb, process_of(1000, true), 1 + i);
	goes(process_of(1000, true), first);
	assert_false(has_gone(other));
	/* and one who is known has its own */
	connect_to(&rgb, process_of(1000, false), 1);
	place_taken(&broker);
	assert_int_equal(gone(), 1);
}

/* In all: of the user with the most, not of the process with the most. */
static void of_all(void **state)
{
	unsigned honest = process_with(1000, 100), other = process_with(1001, 1), hostile;

	hostile = process_with(1002, 3);
	while (broker.status.clients < CLIENTS_MAX)
		process_with(1002, 1);
	goes(process_of(1003, false), hostile);
	assert_false(has_gone(honest));
	assert_false(has_gone(other));
	/* and of that one's processes, the one with the most */
	goes(process_of(1004, false), hostile + 1);
}

/* An administrator's is not the one to go, nor is who watches. */
static void administrators_stay(void **state)
{
	struct process *root = process_of(0, false), *watcher = process_of(1, false);
	unsigned last;

	for (unsigned i = 0; i < CLIENTS_OF_ONE_MAX; i++)
		connect_to(&admin, root, 0);
	connect_to(&rgb, watcher, 0);
	broker.clients->monitors = true;
	broker.n_monitors = 1;
	last = connect_to(&rgb, process_of(2, false), 5);
	while (broker.status.clients < CLIENTS_MAX) {
		struct process *more = process_of(0, false);

		for (unsigned i = 0; i < 100 && broker.status.clients < CLIENTS_MAX; i++)
			connect_to(&admin, more, 0);
	}
	last = goes(process_of(3, false), last);
	goes_for(&admin, process_of(0, false), last);
	/* Nobody else is left: who comes is sent away until one of these has gone. */
	goes_for(&admin, process_of(0, false), n_peers);
	goes(process_of(4, false), n_peers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(while_there_is_room),
		TEST(of_one_process),
		TEST(of_one_user_elsewhere),
		TEST(of_all),
		TEST(administrators_stay),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
