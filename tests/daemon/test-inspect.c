/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What administrators are told: counters, chips, events, and what is in the kernel just now. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"
#include "tests/daemon/other.h"

#define LAMP 0x20
#define MONITORS_MAX 8 /* as in broker/broker.h */
#define ROWS_IN_A_REPLY (RGBROKER_DATA_MAX / sizeof(struct rgbroker_count))

static int set_up(void **state)
{
	ring_set_up(state);
	ene_put(*state, ENE, 0);
	return 0;
}

static struct answer write_lamp(int fd, uint8_t command)
{
	struct batch batch = batch_write(1, LAMP, command, 0x55);

	return peer_ask(fd, &batch);
}

/* --- status --- */

static void test_status_counts(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_status before = peer_status(ring), after;
	int fd = peer_connect(ring, "rgb"), fd2 = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer = write_lamp(fd, 0x10); /* two own reads */

	assert_done(answer);
	answer = write_lamp(fd, 0x20);
	assert_refused(answer, RGBROKER_REASON_RULE);
	for (unsigned i = 0; i < 5; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, true, i == 3 ? 0x45 : 0x40, 0, 1, NULL);
	ring->bus->chips[0x45].error = -EIO;
	answer = peer_ask(fd, &batch); /* three of five */
	assert_answer(answer, RGBROKER_REASON_BUS, -EIO);
	ring->bus->chips[0x22].error = -EAGAIN; /* a fact that cannot be found is a failure */
	batch = batch_write(1, 0x22, 0x10, 1);
	answer = peer_ask(fd2, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -EAGAIN);
	answer = ene_set(fd, 1, 0x8100); /* two more own reads */
	assert_done(answer);
	answer = ene_set(fd, 2, 0x8110);
	assert_done(answer);
	answer = ene_byte(fd, 1, 1);
	assert_done(answer);
	after = peer_status(ring);
	assert_int_equal(before.requests, 1);
	assert_int_equal(before.clients, 1);
	assert_int_equal(before.operations, 0);
	assert_int_equal(before.rows, 0);
	assert_int_equal(after.requests, before.requests + 7 + 1);
	assert_int_equal(after.operations, 1 + 3 + 3);
	assert_int_equal(after.refused, 1);
	assert_int_equal(after.failed, 2);
	assert_int_equal(after.own_reads, 2 + 1 + 2);
	assert_int_equal(after.pointer_set, 1);
	assert_int_equal(after.clients, 3);
	close(fd);
	close(fd2);
}

/* --- chips --- */

static unsigned chips(const struct ring *ring, uint32_t from, struct rgbroker_chip *ret_rows)
{
	int fd = peer_connect(ring, "admin");
	struct answer answer = peer_ask_opcode(fd, RGBROKER_CHIPS, from);

	assert_done(answer);
	assert_int_equal(answer.head.length % sizeof(*ret_rows), 0);
	memcpy(ret_rows, answer.data, answer.head.length);
	close(fd);
	return answer.head.length / (unsigned)sizeof(*ret_rows);
}

static void chip_is(
	const struct rgbroker_chip *chip, uint8_t address, pid_t holder, const char *device)
{
	assert_int_equal(chip->address, address);
	assert_int_equal(chip->claimed, holder != 0);
	assert_int_equal(chip->pid, holder);
	assert_int_equal(chip->uid, holder ? getuid() : 0);
	assert_int_equal(chip->reserved | (int)chip->reserved2, 0);
	assert_string_equal(chip->device, device);
}

static void test_chips(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_chip rows[ROWS_IN_A_REPLY];
	struct other other = other_new(ring);
	int fd = peer_connect(ring, "rgb"), there = other_connect(&other, "rgb");
	struct batch batch = batch_write(1, LAMP, 0x10, 1);
	struct answer answer;

	assert_int_equal(chips(ring, 0, rows), 0);
	answer = ene_set(fd, 1, 0x8100);
	assert_done(answer);
	answer = other_ask(&other, there, &batch);
	assert_done(answer);
	peer_is_served(fd); /* 0x40, with nothing to recognise */
	assert_int_equal(chips(ring, 0, rows), 3);
	chip_is(&rows[0], LAMP, other.pid, "lamp");
	chip_is(&rows[1], 0x40, getpid(), "");
	chip_is(&rows[2], ENE, 0, "pointed");
	/* From a row on. */
	assert_int_equal(chips(ring, 2, rows), 1);
	chip_is(&rows[0], ENE, 0, "pointed");
	assert_int_equal(chips(ring, 3, rows), 0);
	assert_int_equal(chips(ring, 0xffffffff, rows), 0);
	/* It fails, and is forgotten; the claim stays. */
	ring->bus->chips[LAMP].present = 0;
	answer = other_ask(&other, there, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -ENXIO);
	assert_int_equal(chips(ring, 0, rows), 3);
	chip_is(&rows[0], LAMP, other.pid, "");
	other_kill(&other);
	write_lamp(fd, 0x10); /* the broker has seen its end by now */
	assert_int_equal(chips(ring, 0, rows), 2);
	chip_is(&rows[0], 0x40, getpid(), "");
	close(fd);
}

/* A chip that every family at its address takes for its own, and a module to go with it. */
static void put_recognised(struct ring *ring, uint8_t address)
{
	static const uint8_t spd[] = {0x23, 0x11, 0x0c, 0x02};
	struct fake_chip *chip = &ring->bus->chips[address];

	ene_put(ring, address, 0);
	chip->ene = address >= 0x70 || address == 0x66 ? 1 : 0;
	if (!chip->ene) {
		chip->registers[0xa0] = 0x11;
		chip->registers[0xa1] = 0x22;
	}
	if (address >= 0x50 && address <= 0x57)
		memcpy(chip->registers, spd, sizeof(spd));
	else if (address >= 0x48 && address <= 0x5f)
		chip->registers[0] = address | 0x0f;
}

/* More of them than go into a reply. */
static void test_chips_by_pages(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_chip rows[2 * ROWS_IN_A_REPLY];
	int fd = peer_connect(ring, "rgb");
	unsigned expected = 0, got;

	for (uint8_t address = 0x20; address < 0x78; address++)
		put_recognised(ring, address);
	for (uint8_t address = 0x20; address < 0x78; address++) {
		struct batch batch = batch_write(1, address, 0x10, 1);

		if (ring->bus->chips[address].ene) {
			batch = batch_of(1);
			add_set(&batch, address, 0x8100);
		}
		expected += peer_ask(fd, &batch).head.result == 0;
	}
	assert_in_range(expected, ROWS_IN_A_REPLY + 1, 2 * ROWS_IN_A_REPLY);
	got = chips(ring, 0, rows);
	assert_int_equal(got, ROWS_IN_A_REPLY);
	assert_int_equal(chips(ring, got, rows + got), expected - got);
	for (unsigned i = 1; i < expected; i++)
		assert_in_range(rows[i].address, rows[i - 1].address + 1, 0x7f);
	close(fd);
}

/* --- counts --- */

static unsigned counts(const struct ring *ring, uint32_t from, struct rgbroker_count *ret_rows)
{
	int fd = peer_connect(ring, "admin");
	struct answer answer = peer_ask_opcode(fd, RGBROKER_COUNTS, from);

	assert_done(answer);
	assert_int_equal(answer.head.length % sizeof(*ret_rows), 0);
	memcpy(ret_rows, answer.data, answer.head.length);
	close(fd);
	return answer.head.length / (unsigned)sizeof(*ret_rows);
}

static void count_is(const struct rgbroker_count *row, uint32_t what, const char *name,
	uint64_t allowed, uint64_t refused)
{
	assert_int_equal(row->what, what);
	assert_string_equal(row->name, name);
	assert_int_equal(row->allowed, allowed);
	assert_int_equal(row->refused, refused);
}

static void test_counts(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_count rows[ROWS_IN_A_REPLY];
	int fd = peer_connect(ring, "rgb"), look = peer_connect(ring, "look");
	struct batch batch = batch_write(1, 0x50, 0, 0), batch2 = batch_new(1);

	assert_int_equal(counts(ring, 0, rows), 0);
	write_lamp(fd, 0x10);
	write_lamp(fd, 0x20); /* by no rule, so of no device */
	write_lamp(look, 0x10);
	peer_ask(fd, &batch);
	ring->bus->chips[0x41].error = -EIO;
	ring->bus->chips[0x42].error = -ETIMEDOUT;
	for (unsigned i = 0; i < 3; i++) {
		batch = batch_write(1, i < 2 ? 0x41 : 0x42, 0, 0);
		peer_ask(fd, &batch);
	}
	ring->bus->chips[0x21].present = 1; /* a stranger */
	batch = batch_write(1, 0x21, 0x10, 0);
	peer_ask(fd, &batch);
	/* All of a batch counts, up to the one that was refused. */
	for (unsigned i = 0; i < 4; i++)
		batch_add(&batch2, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
	peer_ask(fd, &batch2);
	assert_int_equal(counts(ring, 0, rows), 10);
	count_is(&rows[0], RGBROKER_COUNT_DOOR, "rgb", 1 + 3 + 4, 3);
	count_is(&rows[1], RGBROKER_COUNT_DOOR, "look", 0, 1);
	count_is(&rows[2], RGBROKER_COUNT_DEVICE, "lamp", 1, 1);
	count_is(&rows[3], RGBROKER_COUNT_DEVICE, "plain", 3 + 4, 0);
	count_is(&rows[4], RGBROKER_COUNT_REASON, "3", 0, 1);
	count_is(&rows[5], RGBROKER_COUNT_REASON, "4", 0, 1);
	count_is(&rows[6], RGBROKER_COUNT_REASON, "5", 0, 1);
	count_is(&rows[7], RGBROKER_COUNT_REASON, "6", 0, 1);
	count_is(&rows[8], RGBROKER_COUNT_ERROR, "5", 2, 0);
	count_is(&rows[9], RGBROKER_COUNT_ERROR, "110", 1, 0);
	assert_int_equal(peer_status(ring).rows, 10);
	assert_int_equal(counts(ring, 9, rows), 1);
	count_is(&rows[0], RGBROKER_COUNT_ERROR, "110", 1, 0);
	assert_int_equal(counts(ring, 10, rows), 0);
	assert_int_equal(counts(ring, 0xffffffff, rows), 0);
	close(fd);
	close(look);
}

/* As many errors as there may be are counted apart, what is beyond together. */
static void test_many_errors(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_count rows[ROWS_IN_A_REPLY];
	int fd = peer_connect(ring, "rgb");
	unsigned n;

	for (int error = 1; error <= 40; error++)
		for (int i = 0; i < 2; i++) {
			struct batch batch = batch_write(1, 0x40, 0, 0);

			ring->bus->chips[0x40].error = -(100 + error);
			assert_int_equal(peer_ask(fd, &batch).head.result, -(100 + error));
		}
	n = counts(ring, 0, rows);
	assert_int_equal(n, 2 + 16);
	for (unsigned i = 0; i < 15; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", 101 + i);
		count_is(&rows[2 + i], RGBROKER_COUNT_ERROR, name, 2, 0);
	}
	count_is(&rows[17], RGBROKER_COUNT_ERROR, "0", 2 * 25, 0);
	close(fd);
}

#define FAMILIES 60

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A folder of families, each with one command of its own, and names up to longer than a row's. */
static void write_families(const char *folder)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/doors", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(path, "rgb.conf", "[Door]\nTransfer=read-write\nDevices=*\n");
	write_file(path, "admin.conf", "[Door]\nTransfer=nothing\nInspect=yes\n");
	snprintf(path, sizeof(path), "%s/devices", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i < FAMILIES; i++) {
		char name[96], text[256];

		snprintf(name, sizeof(name), "%02u-%.*s.conf", i % 100, (int)i,
			"a-name-that-is-much-longer-than-what-a-row-of-the-answer-has");
		snprintf(text, sizeof(text),
			"[Device]\nDescription=x\nBusClass=smbus\nAddress=0x40\n"
			"[Recognise]\nExpect=none\n[Control]\nWrite=byte_data 0x%02x\n",
			i);
		write_file(path, name, text);
	}
}

static void test_counts_by_pages(void **state)
{
	struct ring *ring = *state;
	struct rgbroker_count rows[2 * ROWS_IN_A_REPLY], again[ROWS_IN_A_REPLY];
	char folder[] = "/tmp/rgbroker-XXXXXX", command[64];
	unsigned first, all;
	int fd;

	assert_non_null(mkdtemp(folder));
	write_families(folder);
	ring_stop(ring);
	ring->config = folder;
	ring_start(ring);
	assert_int_equal(ring_logged(ring, "left out"), 0);
	fd = peer_connect(ring, "rgb");
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct batch batch = batch_write(1, 0x40, (uint8_t)i, 1);

		assert_int_equal(peer_ask(fd, &batch).head.result, 0);
	}
	all = peer_status(ring).rows;
	assert_int_equal(all, 1 + FAMILIES);
	first = counts(ring, 0, rows);
	assert_int_equal(first, ROWS_IN_A_REPLY);
	assert_int_equal(counts(ring, first, rows + first), all - first);
	count_is(&rows[0], RGBROKER_COUNT_DOOR, "rgb", FAMILIES, 0);
	for (unsigned i = 0; i < FAMILIES; i++) {
		assert_int_equal(rows[1 + i].what, RGBROKER_COUNT_DEVICE);
		assert_int_equal(atoi(rows[1 + i].name), i);
		assert_in_range(strlen(rows[1 + i].name), 1, sizeof(rows[0].name) - 1);
		assert_int_equal(rows[1 + i].allowed, 1);
	}
	/* Pages may begin anywhere. */
	assert_int_equal(counts(ring, 10, again), ROWS_IN_A_REPLY);
	assert_memory_equal(again, rows + 10, sizeof(again[0]) * ROWS_IN_A_REPLY);
	close(fd);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

/* --- events --- */

static int watch(const struct ring *ring)
{
	int fd = peer_connect(ring, "admin");
	struct answer answer = peer_ask_opcode(fd, RGBROKER_MONITOR, 0);

	assert_done(answer);
	return fd;
}

static struct rgbroker_event next_event(int fd)
{
	struct rgbroker_event event;

	assert_int_equal(recv(fd, &event, sizeof(event), 0), sizeof(event));
	assert_int_equal(event.version, RGBROKER_PROTOCOL_VERSION);
	assert_int_equal(event.pid, getpid());
	assert_int_equal(event.uid, getuid());
	return event;
}

static void no_event(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&wait, 1, 0), 0);
}

static void event_is(const struct rgbroker_event *event, enum rgbroker_reason reason, int result,
	bool own, const char *device)
{
	assert_int_equal(event->reason, reason);
	assert_int_equal(event->result, result);
	assert_int_equal(event->own, own);
	assert_string_equal(event->device, device);
}

static void event_is_of(
	const struct rgbroker_event *event, uint8_t address, bool read, uint8_t command)
{
	assert_int_equal(event->operation.address, address);
	assert_int_equal(event->operation.read, read);
	assert_int_equal(event->operation.command, command);
}

static void test_events(void **state)
{
	struct ring *ring = *state;
	int watcher = watch(ring), second = watch(ring), fd = peer_connect(ring, "rgb");
	struct rgbroker_event event, same;
	struct timespec now;
	struct batch batch;

	/* Allowed, with the two reads of recognition before it. */
	write_lamp(fd, 0x10);
	for (unsigned i = 0; i < 2; i++) {
		event = next_event(watcher);
		event_is(&event, RGBROKER_REASON_NONE, 0, true, "");
		event_is_of(&event, LAMP, true, (uint8_t)(0xa0 + i));
		assert_int_equal(event.length, 1);
		assert_int_equal(event.data[0], i ? 0x22 : 0x11);
		assert_string_equal(event.door, "rgb");
		next_event(second);
	}
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_NONE, 0, false, "lamp");
	event_is_of(&event, LAMP, false, 0x10);
	assert_int_equal(event.length, 1);
	assert_int_equal(event.data[0], 0x55);
	assert_int_equal(event.count, 1);
	assert_int_equal(event.lost, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(event.realtime, ((uint64_t)now.tv_sec - 60) * 1000000,
		((uint64_t)now.tv_sec + 1) * 1000000);
	same = next_event(second);
	assert_memory_equal(&event, &same, sizeof(event));
	/* Refused. */
	write_lamp(fd, 0x20);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_RULE, -EACCES, false, "");
	event_is_of(&event, LAMP, false, 0x20);
	assert_int_equal(event.data[0], 0x55);
	no_event(watcher);
	/* Failed; then a batch whose first does, with a place and a context. */
	ring->bus->chips[LAMP].error = -EIO;
	write_lamp(fd, 0x11);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_BUS, -EIO, false, "lamp");
	batch = batch_of(77);
	batch_add(&batch, RGBROKER_BLOCK_DATA, true, 0x40, 0, 33, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, LAMP, 0xa0, 1, NULL);
	batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
	peer_ask(fd, &batch);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_NONE, 0, false, "plain");
	assert_int_equal(event.length, 32); /* of 33 */
	assert_int_equal(event.data[0], 32);
	assert_int_equal(event.context, 77);
	assert_int_equal(event.index, 0);
	assert_int_equal(event.count, 3);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_BUS, -EIO, false, "lamp");
	assert_int_equal(event.index, 1);
	assert_int_equal(event.length, 0); /* nothing was read */
	no_event(watcher);
	close(watcher);
	close(second);
	close(fd);
}

/* What the broker does by itself: reads that fail bring nothing, and pointers are set. */
static void test_events_of_its_own(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), watcher;
	struct rgbroker_event event;
	struct answer answer = ene_set(fd, 1, 0x8123);

	assert_done(answer);
	answer = ene_set(fd, 2, 0x8150);
	assert_done(answer);
	watcher = watch(ring);
	answer = ene_byte(fd, 1, 0x11);
	assert_done(answer);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_NONE, 0, true, "");
	event_is_of(&event, ENE, false, ENE_SET);
	assert_int_equal(event.length, 2);
	assert_memory_equal(event.data, "\x81\x23", 2);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_NONE, 0, false, "pointed");
	event_is_of(&event, ENE, false, ENE_BYTE);
	/* Nobody is there. */
	ring->bus->chips[LAMP].present = 0;
	answer = write_lamp(fd, 0x10);
	assert_refused(answer, RGBROKER_REASON_UNPROVEN);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_BUS, -ENXIO, true, "");
	event_is_of(&event, LAMP, true, 0xa0);
	assert_int_equal(event.length, 0);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_UNPROVEN, -EACCES, false, "lamp");
	no_event(watcher);
	/* A pointer that could not be set: the failure, and what failed with it. */
	ring->bus->chips[ENE].error = -EIO;
	answer = ene_byte(fd, 2, 0x22);
	assert_answer(answer, RGBROKER_REASON_BUS, -EIO);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_BUS, -EIO, true, "");
	event_is_of(&event, ENE, false, ENE_SET);
	event = next_event(watcher);
	event_is(&event, RGBROKER_REASON_BUS, -EIO, false, "pointed");
	event_is_of(&event, ENE, false, ENE_BYTE);
	close(watcher);
	close(fd);
}

/* It takes none of what it is sent: it loses the rest, is told how many, and delays nobody. */
static void test_a_watcher_that_does_not_read(void **state)
{
	struct ring *ring = *state;
	int slow = watch(ring), quick = watch(ring), fd = peer_connect(ring, "rgb");
	struct pollfd wait = {.fd = slow, .events = POLLIN};
	unsigned sent = 0, taken = 0, lost = 0;
	struct rgbroker_event event;

	for (; sent < 5000; sent++) {
		peer_is_served(fd);
		event = next_event(quick);
		assert_int_equal(event.lost, 0); /* others lose nothing by it */
	}
	while (poll(&wait, 1, 0) == 1) {
		event = next_event(slow);
		assert_int_equal(event.lost, 0);
		taken++;
	}
	assert_in_range(taken, 100, 4000); /* the socket was full for long */
	peer_is_served(fd);
	sent++;
	event = next_event(slow);
	taken++;
	lost = event.lost;
	assert_int_equal(taken + lost, sent);
	peer_is_served(fd);
	event = next_event(slow);
	assert_int_equal(event.lost, 0); /* that was told once */
	assert_int_equal(ring_logged(ring, "does not take"), 0);
	close(slow);
	close(quick);
	close(fd);
}

/* A watcher may go at any time, and others come in its place. */
static void test_as_many_watchers_as_there_may_be(void **state)
{
	struct ring *ring = *state;
	int fds[MONITORS_MAX], fd = peer_connect(ring, "rgb"), more;
	struct answer answer;

	for (unsigned i = 0; i < MONITORS_MAX; i++)
		fds[i] = watch(ring);
	more = peer_connect(ring, "admin");
	answer = peer_ask_opcode(more, RGBROKER_MONITOR, 0);
	assert_int_equal(answer.head.result, -EBUSY);
	answer = peer_ask_opcode(fds[0], RGBROKER_MONITOR, 0); /* once more counts once */
	assert_done(answer);
	answer = peer_ask_opcode(more, RGBROKER_STATUS, 0); /* and is a client as before */
	assert_done(answer);
	peer_is_served(fd);
	for (unsigned i = 0; i < MONITORS_MAX; i++)
		next_event(fds[i]);
	no_event(more);
	close(fds[3]);
	peer_is_served(fd);
	answer = peer_ask_opcode(more, RGBROKER_MONITOR, 0);
	assert_done(answer);
	fds[3] = peer_connect(ring, "admin");
	answer = peer_ask_opcode(fds[3], RGBROKER_MONITOR, 0);
	assert_int_equal(answer.head.result, -EBUSY);
	for (unsigned i = 0; i < MONITORS_MAX; i++)
		close(fds[i]);
	close(more);
	peer_is_served(fd);
	more = watch(ring);
	close(more);
	close(fd);
}

static void test_who_may_not_watch(void **state)
{
	static const uint16_t opcodes[] = {
		RGBROKER_STATUS, RGBROKER_CHIPS, RGBROKER_COUNTS, RGBROKER_MONITOR};
	static const char *const doors[] = {"rgb", "look", "other"};
	struct ring *ring = *state;
	int bystander = peer_connect(ring, "rgb");

	for (unsigned i = 0; i < 3; i++) {
		int fd = peer_connect(ring, doors[i]);

		for (unsigned k = 0; k < 4; k++) {
			struct answer answer = peer_ask_opcode(fd, opcodes[k], 0);

			assert_refused(answer, RGBROKER_REASON_DOOR);
			assert_int_equal(answer.head.length, 0);
		}
		peer_is_served(bystander);
		no_event(fd);
		close(fd);
	}
	close(bystander);
}

/* --- what is in the kernel --- */

static const struct rgbroker_live *open_live(const struct ring *ring)
{
	static const char live_link[] = "/memfd:" RGBROKER_LIVE_NAME;
	char folder[64], path[sizeof(folder) + 256], target[64];
	const struct rgbroker_live *live = NULL;
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)ring->pid);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		ssize_t size;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		size = readlink(path, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = '\0';
		if (strncmp(target, live_link, strlen(live_link)) == 0) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			assert_true(fd >= 0);
			assert_null(live); /* there is one */
			live = mmap(NULL, sizeof(*live), PROT_READ, MAP_SHARED, fd, 0);
			assert_true(live != MAP_FAILED);
			close(fd);
		}
	}
	closedir(dir);
	assert_non_null(live);
	return live;
}

static void test_live_page(void **state)
{
	struct ring *ring = *state;
	const struct rgbroker_live *live = open_live(ring);
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x41, 0x77, 1);
	struct timespec now;
	struct answer answer;
	uint64_t since;

	assert_int_equal(live->since, 0);
	peer_is_served(fd);
	assert_int_equal(live->since, 0);
	ring_hold(ring);
	peer_send(fd, &batch);
	ring_await_held(ring);
	since = live->since;
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_in_range(since, 1, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	assert_int_equal(live->pid, getpid());
	assert_int_equal(live->uid, getuid());
	assert_int_equal(live->operation.address, 0x41);
	assert_int_equal(live->operation.command, 0x77);
	assert_int_equal(live->operation.kind, RGBROKER_BYTE_DATA);
	assert_int_equal(live->operation.read, 0);
	usleep(2000);
	assert_int_equal(live->since, since); /* as long as it lasts */
	ring_release(ring);
	answer = peer_receive(fd);
	assert_done(answer);
	assert_int_equal(live->since, 0);
	/* The broker's own reads hang as well as anybody's. */
	ring_hold(ring);
	batch = batch_write(1, LAMP, 0x10, 1);
	peer_send(fd, &batch);
	ring_await_held(ring);
	assert_int_not_equal(live->since, 0);
	assert_int_equal(live->operation.address, LAMP);
	assert_int_equal(live->operation.read, 1);
	ring_release(ring);
	answer = peer_receive(fd);
	assert_done(answer);
	/* Also where the bus fails. */
	ring->bus->chips[0x41].error = -EIO;
	batch = batch_write(1, 0x41, 0, 0);
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -EIO);
	assert_int_equal(live->since, 0);
	munmap((void *)(uintptr_t)live, sizeof(*live));
	close(fd);
}

/* --- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status_counts),
		TEST(test_chips),
		TEST(test_chips_by_pages),
		TEST(test_counts),
		TEST(test_many_errors),
		TEST(test_counts_by_pages),
		TEST(test_events),
		TEST(test_events_of_its_own),
		TEST(test_a_watcher_that_does_not_read),
		TEST(test_as_many_watchers_as_there_may_be),
		TEST(test_who_may_not_watch),
		TEST(test_live_page),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
