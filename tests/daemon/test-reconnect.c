/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The broker is another one between pointer and datum, and the library notices: the datum goes
 * where it was aimed, or is refused as such, and never elsewhere.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client-lib/rgbroker.h"
#include "tests/daemon/ene.h"

#define PLAIN 0x40

static char path[] = "/tmp/rgbroker-XXXXXX/i2c-7";

static int set_up(void **state)
{
	struct ring *ring;

	ring_set_up_stopped(state);
	ring = *state;
	ene_put(ring, ENE, 0);
	strcpy(path, "/tmp/rgbroker-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/i2c-7");
	ring_put_door(ring, "rgb", path);
	ring_start(ring);
	return 0;
}

static int tear_down(void **state)
{
	ring_tear_down(state);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	return 0;
}

static struct rgbroker *open_here(void)
{
	struct rgbroker *handle;

	assert_int_equal(rgbroker_open_path(&handle, path), 0);
	return handle;
}

/* Words are low byte first on the wire, registers high byte first. */
static int set(struct rgbroker *handle, uint16_t number)
{
	return rgbroker_smbus_write_word_data(
		handle, ENE, ENE_SET, (uint16_t)(number >> 8 | number << 8));
}

static int put(struct rgbroker *handle, uint8_t value)
{
	return rgbroker_smbus_write_byte_data(handle, ENE, ENE_BYTE, value);
}

static void restart(struct ring *ring, bool killed)
{
	if (killed) {
		kill(ring->pid, SIGKILL);
		assert_int_equal(ring_wait(ring), -SIGKILL);
	} else {
		assert_int_equal(ring_stop(ring), 0);
	}
	ring_start(ring);
}

static uint8_t behind(const struct ring *ring, uint16_t number)
{
	return ring->bus->behind[0][number];
}

static void nothing_is_behind(const struct ring *ring, uint16_t first, uint16_t last)
{
	for (unsigned number = first; number <= last; number++)
		assert_int_equal(behind(ring, (uint16_t)number), 0);
}

static void is_lost(int result)
{
	assert_int_equal(result, -EAGAIN);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_POINTER_LOST);
}

/* What another thread does meanwhile: sets a pointer, if any, then writes a value, if any. */
struct errand {
	struct rgbroker *handle;
	int number, value; /* -1: does not */
	int set_result, result;
	enum rgbroker_reason_code reason;
};

static void *run_errand(void *argument)
{
	struct errand *errand = argument;

	if (errand->number >= 0)
		errand->set_result = set(errand->handle, (uint16_t)errand->number);
	if (errand->value >= 0)
		errand->result = put(errand->handle, (uint8_t)errand->value);
	errand->reason = rgbroker_last_reason();
	return NULL;
}

static struct errand in_another_thread(struct rgbroker *handle, int number, int value)
{
	struct errand errand = {.handle = handle, .number = number, .value = value};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_errand, &errand), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return errand;
}

static void each_way(void **state, void (*run)(struct ring *ring, bool killed))
{
	for (int killed = 0; killed < 2; killed++) {
		run(*state, killed);
		tear_down(state);
		set_up(state);
	}
}

static void between_pointer_and_datum(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();
	unsigned before;

	assert_int_equal(set(handle, 0x8105), 0);
	before = wire_count(ring);
	restart(ring, killed);
	ring->bus->chips[ENE].pointer = 0x8150; /* somebody else was there */
	assert_int_equal(put(handle, 5), 0);
	assert_int_equal(behind(ring, 0x8105), 5);
	assert_int_equal(wire_count(ring), before + ENE_RECOGNITION + 2);
	assert_true(wire_is_set(ring, before + ENE_RECOGNITION, ENE, 0x8105));
	assert_int_equal(put(handle, 6), 0);
	assert_int_equal(behind(ring, 0x8106), 6);
	nothing_is_behind(ring, 0x8107, 0x81ff);
	rgbroker_close(handle);
}

static void test_between_pointer_and_datum(void **state)
{
	each_way(state, between_pointer_and_datum);
}

/* The library keeps what was set, not what data made of it: it knows no device files. */
static void between_two_data(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();

	assert_int_equal(set(handle, 0x8105), 0);
	assert_int_equal(put(handle, 5), 0);
	restart(ring, killed);
	is_lost(put(handle, 6));
	is_lost(put(handle, 6)); /* again and again */
	assert_int_equal(behind(ring, 0x8105), 5);
	nothing_is_behind(ring, 0x8106, 0x81ff);
	assert_int_equal(set(handle, 0x8106), 0);
	assert_int_equal(put(handle, 6), 0);
	assert_int_equal(behind(ring, 0x8106), 6);
	rgbroker_close(handle);
}

static void test_between_two_data(void **state)
{
	each_way(state, between_two_data);
}

static void between_two_reads(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();

	ring->bus->behind[0][0x8105] = 0x55;
	assert_int_equal(set(handle, 0x8105), 0);
	restart(ring, killed);
	assert_int_equal(rgbroker_smbus_read_byte_data(handle, ENE, ENE_READ), 0x55);
	restart(ring, killed);
	is_lost(rgbroker_smbus_read_byte_data(handle, ENE, ENE_READ));
	rgbroker_close(handle);
}

static void test_between_two_reads(void **state)
{
	each_way(state, between_two_reads);
}

/* Another thread is first with the new broker: what it sets is not what this one meant. */
static void another_thread_sets_first(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();
	struct errand errand;

	assert_int_equal(set(handle, 0x8105), 0);
	restart(ring, killed);
	errand = in_another_thread(handle, 0x8180, -1);
	assert_int_equal(errand.set_result, 0);
	assert_int_equal(put(handle, 5), 0);
	assert_int_equal(behind(ring, 0x8105), 5);
	nothing_is_behind(ring, 0x8180, 0x81ff);
	rgbroker_close(handle);
}

static void test_another_thread_sets_first(void **state)
{
	each_way(state, another_thread_sets_first);
}

static void another_thread_sets_and_this_one_had_data(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();
	struct errand errand;

	assert_int_equal(set(handle, 0x8105), 0);
	assert_int_equal(put(handle, 5), 0);
	restart(ring, killed);
	errand = in_another_thread(handle, 0x8180, 0x80);
	assert_int_equal(errand.set_result, 0);
	assert_int_equal(errand.result, 0);
	is_lost(put(handle, 6));
	nothing_is_behind(ring, 0x8106, 0x817f);
	assert_int_equal(behind(ring, 0x8180), 0x80);
	nothing_is_behind(ring, 0x8181, 0x81ff);
	rgbroker_close(handle);
}

static void test_another_thread_sets_and_this_one_had_data(void **state)
{
	each_way(state, another_thread_sets_and_this_one_had_data);
}

/* Over a handle of its own, so that this one's has not seen the new broker yet. */
static void another_handle_sets_first(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here(), *second = open_here();
	struct errand errand;

	assert_int_equal(set(handle, 0x8105), 0);
	assert_int_equal(put(handle, 5), 0);
	restart(ring, killed);
	errand = in_another_thread(second, 0x8180, -1);
	assert_int_equal(errand.set_result, 0);
	is_lost(put(handle, 6));
	nothing_is_behind(ring, 0x8106, 0x81ff);
	rgbroker_close(handle);
	rgbroker_close(second);
}

static void test_another_handle_sets_first(void **state)
{
	each_way(state, another_handle_sets_first);
}

/* What it would have inherited, it does not any more. */
static void a_thread_that_never_set_one(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();
	struct errand errand;

	assert_int_equal(set(handle, 0x8105), 0);
	errand = in_another_thread(handle, -1, 1);
	assert_int_equal(errand.result, 0);
	assert_int_equal(behind(ring, 0x8105), 1);
	restart(ring, killed);
	errand = in_another_thread(handle, -1, 2);
	assert_int_equal(errand.result, -EAGAIN);
	assert_int_equal(errand.reason, RGBROKER_POINTER_LOST);
	nothing_is_behind(ring, 0x8106, 0x81ff);
	rgbroker_close(handle);
}

static void test_a_thread_that_never_set_one(void **state)
{
	each_way(state, a_thread_that_never_set_one);
}

/* A set that was refused is not forgotten over a restart either. */
static void after_a_refused_set(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();

	assert_int_equal(set(handle, 0x8105), 0);
	assert_int_equal(set(handle, 0x80fa), -EACCES);
	restart(ring, killed);
	is_lost(put(handle, 5));
	assert_int_equal(set(handle, 0x8105), 0);
	restart(ring, killed);
	assert_int_equal(set(handle, 0x80fa), -EACCES);
	is_lost(put(handle, 5));
	nothing_is_behind(ring, 0x8000, 0x81ff);
	rgbroker_close(handle);
}

static void test_after_a_refused_set(void **state)
{
	each_way(state, after_a_refused_set);
}

/* A batch: refused as a whole at its first datum, and sent again as a whole. */
static void a_batch(struct ring *ring, bool killed)
{
	struct rgbroker *handle = open_here();
	uint8_t number[] = {0x81, 0x40}, value[] = {1, 2, 3};
	struct rgbroker_op ops[] = {
		{.kind = RGBROKER_OP_BYTE_DATA,
			.address = ENE,
			.command = ENE_BYTE,
			.length = 1,
			.data = &value[0]},
		{.kind = RGBROKER_OP_WORD_DATA,
			.address = ENE,
			.command = ENE_SET,
			.length = 2,
			.data = number},
		{.kind = RGBROKER_OP_BLOCK_DATA,
			.address = ENE,
			.command = ENE_BLOCK,
			.length = 3,
			.data = value},
	};
	size_t done;

	assert_int_equal(set(handle, 0x8105), 0);
	restart(ring, killed);
	assert_int_equal(rgbroker_batch(handle, ops, 3, &done), 0);
	assert_int_equal(done, 3);
	assert_int_equal(behind(ring, 0x8105), 1);
	assert_int_equal(behind(ring, 0x8142), 3);
	restart(ring, killed);
	is_lost(rgbroker_batch(handle, ops, 3, &done));
	assert_int_equal(done, 0);
	is_lost(put(handle, 9));
	nothing_is_behind(ring, 0x8106, 0x813f);
	nothing_is_behind(ring, 0x8143, 0x81ff);
	rgbroker_close(handle);
}

static void test_a_batch(void **state)
{
	each_way(state, a_batch);
}

/* --- many threads, many restarts --- */

#define THREADS 4
#define TURNS 400
#define REGISTERS 64 /* of each thread, from 0x8100 on */

/* What may stand in a register: its own number, in other words. */
static uint8_t word_of(unsigned number)
{
	return (uint8_t)(number ^ 0x5a);
}

struct worker {
	pthread_t thread;
	struct rgbroker *handle;
	unsigned number;
	unsigned written, lost, unknown;
	int strange; /* an error that should not be */
};

static bool is_told(struct worker *worker, int r)
{
	if (r == 0)
		worker->written++;
	else if (r == -EAGAIN && rgbroker_last_reason() == RGBROKER_POINTER_LOST)
		worker->lost++;
	else if (r == -EIO && rgbroker_last_reason() == RGBROKER_LOCAL)
		worker->unknown++; /* killed with the request in hand */
	else
		worker->strange = r;
	return r == 0;
}

/* As programs are: nobody looks whether the pointer was set. */
static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned seed = worker->number;

	for (unsigned turn = 0; turn < TURNS && !worker->strange; turn++) {
		unsigned first = REGISTERS * worker->number + (unsigned)rand_r(&seed) % 60;
		unsigned count = 1 + (unsigned)rand_r(&seed) % 3;

		set(worker->handle, (uint16_t)(0x8100 + first));
		for (unsigned i = 0; i < count; i++)
			if (!is_told(worker, put(worker->handle, word_of(first + i))))
				break;
	}
	return NULL;
}

/* Goes by the wire: each datum stands where the pointer is. A kill may cut off the last one. */
static void check_wire(const struct ring *ring)
{
	unsigned at = 0;

	assert_in_range(wire_count(ring), THREADS * TURNS * 2, FAKE_LOG_SIZE);
	for (unsigned i = 0; i < wire_count(ring); i++) {
		const struct fake_entry *entry = wire_at(ring, i);

		if (entry->read)
			continue;
		if (entry->command == ENE_SET)
			at = (unsigned)(entry->data[0] << 8 | entry->data[1]);
		else
			assert_int_equal(entry->data[0], word_of(at++ & 0xff));
	}
}

static void storm(struct ring *ring, bool killed, bool shared)
{
	struct worker workers[THREADS];
	struct rgbroker *handle = shared ? open_here() : NULL;
	unsigned lost = 0, written = 0;

	ring->bus->delay_usec = 50;
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.handle = shared ? handle : open_here(), .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 20; i++) {
		usleep(10000 + 777 * i);
		restart(ring, killed);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].strange, 0);
		assert_true(killed || workers[i].unknown == 0);
		lost += workers[i].lost;
		written += workers[i].written;
	}
	assert_in_range(written, THREADS * TURNS / 2, THREADS * TURNS * 3);
	assert_in_range(lost, 0, 20 * THREADS); /* one a thread and restart, if at all */
	for (unsigned i = 0; i < 256; i++)
		if (behind(ring, (uint16_t)(0x8100 + i)))
			assert_int_equal(behind(ring, (uint16_t)(0x8100 + i)), word_of(i));
	nothing_is_behind(ring, 0x8000, 0x80ff);
	if (!killed)
		check_wire(ring);
	for (unsigned i = 0; i < (shared ? 1 : THREADS); i++)
		rgbroker_close(workers[i].handle);
}

static void test_storm_on_one_handle(void **state)
{
	storm(*state, false, true);
}

static void test_storm_on_many_handles(void **state)
{
	storm(*state, false, false);
}

static void test_storm_of_kills(void **state)
{
	storm(*state, true, true);
}

static void test_storm_of_kills_on_many_handles(void **state)
{
	storm(*state, true, false);
}

/* --- more handles than there are places --- */

#define HANDLES 300

/* As programs do that open a bus again at each scan: those that they still use go on. */
static void test_leaked_handles(void **state)
{
	struct ring *ring = *state;
	struct rgbroker *handles[HANDLES];

	for (unsigned i = 0; i < HANDLES; i++) {
		handles[i] = open_here();
		assert_int_equal(set(handles[i], (uint16_t)(0x8100 + i % 0x80)), 0);
		assert_int_equal(put(handles[i], (uint8_t)i), 0);
		assert_int_equal(put(handles[0], 0x55), 0); /* is used all the time */
		assert_int_equal(behind(ring, (uint16_t)(0x8100 + i % 0x80)), (uint8_t)i);
	}
	for (unsigned i = 0; i < HANDLES; i++) {
		assert_int_equal(
			rgbroker_smbus_write_byte_data(handles[i], PLAIN, 1, (uint8_t)i), 0);
		assert_int_equal(rgbroker_smbus_read_byte_data(handles[i], PLAIN, 1), (uint8_t)i);
	}
	for (unsigned i = 0; i < HANDLES; i++)
		rgbroker_close(handles[i]);
}

/* --- batches that a stop falls into --- */

#define BATCHES 24
#define BATCH RGBROKER_OPERATIONS_MAX

/* Writes 0, 1, 2 ... to a chip of its own. told: of each, whether it was carried out. */
struct batcher {
	pthread_t thread;
	struct rgbroker *handle;
	uint8_t address;
	bool told[BATCHES * BATCH];
	unsigned unknown; /* killed with a batch in hand */
	int strange;
};

static void *send_batches(void *argument)
{
	struct batcher *batcher = argument;

	for (unsigned number = 0; number < BATCHES && !batcher->strange; number++) {
		struct rgbroker_op ops[BATCH];
		uint8_t values[BATCH][2];
		size_t done;
		int r;

		for (unsigned i = 0; i < BATCH; i++) {
			unsigned value = number * BATCH + i;

			values[i][0] = (uint8_t)value;
			values[i][1] = (uint8_t)(value >> 8);
			ops[i] = (struct rgbroker_op){.kind = RGBROKER_OP_WORD_DATA,
				.address = batcher->address,
				.length = 2,
				.data = values[i]};
		}
		r = rgbroker_batch(batcher->handle, ops, BATCH, &done);
		for (unsigned i = 0; i < done; i++)
			batcher->told[number * BATCH + i] = true;
		if (r == -EIO && rgbroker_last_reason() == RGBROKER_LOCAL)
			batcher->unknown++;
		else if (r < 0 || done != BATCH)
			batcher->strange = r ? r : -1;
	}
	return NULL;
}

/* Each once and in order; what was told is there, and without kills all is told. */
static void check_batches(const struct ring *ring, const struct batcher *batcher)
{
	bool seen[BATCHES * BATCH] = {false};
	unsigned next = 0;

	for (unsigned i = 0; i < wire_count(ring); i++) {
		const struct fake_entry *entry = wire_at(ring, i);
		unsigned value = (unsigned)(entry->data[0] | entry->data[1] << 8);

		if (entry->address != batcher->address)
			continue;
		assert_in_range(value, next, BATCHES * BATCH - 1);
		seen[value] = true;
		next = value + 1;
	}
	for (unsigned value = 0; value < BATCHES * BATCH; value++) {
		assert_true(seen[value] || !batcher->told[value]);
		assert_true(batcher->unknown || batcher->told[value]);
	}
	assert_int_equal(batcher->strange, 0);
}

/* How often somebody else came in between the operations of a batch: only when it was stopped. */
static unsigned count_splits(const struct ring *ring)
{
	unsigned splits = 0;

	for (unsigned i = 1; i < wire_count(ring); i++)
		splits += wire_at(ring, i)->address != wire_at(ring, i - 1)->address &&
			  wire_at(ring, i)->data[0] % BATCH != 0;
	return splits;
}

static void batches_go_on(struct ring *ring, unsigned restarts, bool kills)
{
	static struct batcher batchers[THREADS];
	unsigned unknown = 0;

	ring->bus->delay_usec = 100;
	for (unsigned i = 0; i < THREADS; i++) {
		batchers[i] =
			(struct batcher){.handle = open_here(), .address = (uint8_t)(PLAIN + i)};
		assert_int_equal(
			pthread_create(&batchers[i].thread, NULL, send_batches, &batchers[i]), 0);
	}
	for (unsigned i = 0; i < restarts; i++) {
		usleep(5000 + 777 * i);
		restart(ring, kills && i % 2);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(batchers[i].thread, NULL);
		check_batches(ring, &batchers[i]);
		unknown += batchers[i].unknown;
		rgbroker_close(batchers[i].handle);
	}
	assert_true(kills || unknown == 0);
	assert_true(count_splits(ring) > 0);
}

static void test_batches_go_on(void **state)
{
	batches_go_on(*state, 30, false);
}

static void test_batches_and_kills(void **state)
{
	batches_go_on(*state, 20, true);
}

/* --- */

/* A file that knows of no pointer lets it be moved: what was kept before is not set again. */
static void test_a_file_beside_moves_it(void **state)
{
	struct ring *ring = *state;
	struct rgbroker *handle = open_here();
	const uint8_t at = 0x76;

	ene_put(ring, at, 1);
	assert_int_equal(rgbroker_smbus_write_word_data(handle, at, ENE_SET, 0x0581), 0);
	assert_int_equal(rgbroker_smbus_write_word_data(handle, at, ENE_SET, 0xf980), 0);
	is_lost(rgbroker_smbus_write_byte_data(handle, at, ENE_BYTE, 0x05));
	for (unsigned number = 0; number <= UINT16_MAX; number++)
		assert_int_equal(ring->bus->behind[1][number], 0);
	rgbroker_close(handle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_between_pointer_and_datum),
		TEST(test_between_two_data),
		TEST(test_between_two_reads),
		TEST(test_another_thread_sets_first),
		TEST(test_another_thread_sets_and_this_one_had_data),
		TEST(test_another_handle_sets_first),
		TEST(test_a_thread_that_never_set_one),
		TEST(test_after_a_refused_set),
		TEST(test_a_file_beside_moves_it),
		TEST(test_a_batch),
		TEST(test_storm_on_one_handle),
		TEST(test_storm_on_many_handles),
		TEST(test_storm_of_kills),
		TEST(test_storm_of_kills_on_many_handles),
		TEST(test_leaked_handles),
		TEST(test_batches_go_on),
		TEST(test_batches_and_kills),
	};

	return cmocka_run_group_tests_name("reconnect", tests, NULL, NULL);
}
