/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Upgrades under a running client, by the library that programs have. SAME is a broker of the same
 * version of the protocol as this program's library, OTHER is not; see meson.build.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client-lib/rgbroker.h"
#include "tests/daemon/ene.h"

#define CHIP 0x40

static char folder[] = "/tmp/rgbroker-XXXXXX", path[64], installed[64];

/* What a package manager does: another file in its place, while the old one is still running. */
static void install(const char *program)
{
	int from = open(program, O_RDONLY | O_CLOEXEC), to;
	char unpacked[sizeof(installed) + 8];
	struct stat status;

	snprintf(unpacked, sizeof(unpacked), "%s.new", installed);
	to = open(unpacked, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(from >= 0 && to >= 0 && fstat(from, &status) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	close(from);
	close(to);
	assert_int_equal(rename(unpacked, installed), 0);
}

static int set_up(void **state)
{
	struct ring *ring;

	ring_set_up_stopped(state);
	ring = *state;
	strcpy(folder, "/tmp/rgbroker-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/i2c-7", folder);
	snprintf(installed, sizeof(installed), "%s/rgbrokerd", folder);
	install(SAME);
	ring->program = installed;
	ring_put_door(ring, "rgb", path);
	ring_start(ring);
	return 0;
}

static int tear_down(void **state)
{
	ring_tear_down(state);
	unlink(path);
	unlink(installed);
	rmdir(folder);
	return 0;
}

static struct rgbroker *open_here(void)
{
	struct rgbroker *handle;

	assert_int_equal(rgbroker_open_path(&handle, path), 0);
	return handle;
}

static void upgrade(struct ring *ring, const char *program)
{
	install(program);
	assert_int_equal(ring_stop(ring), 0);
	ring_start(ring);
}

static void works(const struct ring *ring, struct rgbroker *handle, uint8_t value)
{
	assert_int_equal(rgbroker_smbus_write_byte_data(handle, CHIP, 1, value), 0);
	assert_int_equal(ring->bus->chips[CHIP].registers[1], value);
	assert_int_equal(rgbroker_smbus_read_byte_data(handle, CHIP, 1), value);
}

static void is_told(int result)
{
	assert_int_equal(result, -EPROTO);
	assert_int_equal(rgbroker_last_reason(), RGBROKER_OTHER_VERSION);
}

/* --- the same version: nothing is noticed --- */

static void test_same_version(void **state)
{
	struct ring *ring = *state;
	struct rgbroker *handle = open_here();

	for (uint8_t i = 0; i < 10; i++) {
		works(ring, handle, i);
		upgrade(ring, SAME);
		works(ring, handle, (uint8_t)(i + 100));
	}
	rgbroker_close(handle);
}

/* Goes on while brokers are replaced. */
struct worker {
	pthread_t thread;
	struct rgbroker *handle;
	atomic_bool end;
	unsigned count, failed;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	while (!atomic_load(&worker->end)) {
		uint16_t value = (uint16_t)worker->count++;

		if (rgbroker_smbus_write_word_data(worker->handle, CHIP, 0, value) < 0)
			worker->failed++;
	}
	return NULL;
}

/* Each request once and in order, over ten upgrades. */
static void test_same_version_under_load(void **state)
{
	struct ring *ring = *state;
	struct worker worker = {.handle = open_here()};

	ring->bus->delay_usec = 500;
	assert_int_equal(pthread_create(&worker.thread, NULL, work, &worker), 0);
	for (unsigned i = 0; i < 10; i++) {
		usleep(20000);
		upgrade(ring, SAME);
	}
	atomic_store(&worker.end, true);
	pthread_join(worker.thread, NULL);
	assert_int_equal(worker.failed, 0);
	assert_int_equal(wire_count(ring), worker.count);
	for (unsigned i = 0; i < worker.count; i++)
		assert_int_equal(wire_at(ring, i)->data[0] | wire_at(ring, i)->data[1] << 8, i);
	rgbroker_close(worker.handle);
}

/* --- another version: told at once, on a connection that stays --- */

static void every_call_is_told(struct rgbroker *handle)
{
	unsigned long functionality;
	uint8_t byte = 1, block[32] = {0};
	struct rgbroker_op ops[] = {
		{.kind = RGBROKER_OP_BYTE_DATA, .address = CHIP, .length = 1, .data = &byte},
		{.kind = RGBROKER_OP_BYTE_DATA, .address = CHIP, .read = 1, .data = &byte}};
	size_t done = 99;
	char name[64];

	is_told(rgbroker_smbus_write_byte_data(handle, CHIP, 1, 1));
	is_told(rgbroker_smbus_read_byte_data(handle, CHIP, 1));
	is_told(rgbroker_smbus_quick(handle, CHIP, 0));
	is_told(rgbroker_smbus_read_block_data(handle, CHIP, 1, block));
	is_told(rgbroker_smbus_write_i2c_block_data(handle, CHIP, 1, 32, block));
	is_told(rgbroker_functionality(handle, &functionality));
	is_told(rgbroker_name(handle, name, sizeof(name)));
	is_told(rgbroker_batch(handle, ops, 2, &done));
	assert_int_equal(done, 0);
}

static void test_other_version(void **state)
{
	struct ring *ring = *state;
	struct rgbroker *handle, *another = open_here();
	unsigned descriptors;

	works(ring, another, 7);
	upgrade(ring, OTHER);
	handle = open_here(); /* a program that was started since */
	atomic_store(&ring->bus->count, 0);
	every_call_is_told(handle);
	every_call_is_told(another);
	descriptors = ring_descriptors(ring);
	for (unsigned i = 0; i < 50; i++)
		every_call_is_told(another);
	assert_int_equal(ring_descriptors(ring), descriptors); /* over the same connection */
	assert_int_equal(wire_count(ring), 0);
	/* once each, with both versions */
	assert_int_equal(ring_logged(ring, "it speaks version "), 2);
	assert_int_equal(ring_logged(ring, OTHER_IS_NEWER ? "it speaks version 1 of the protocol, "
							    "this broker version 99"
							  : "it speaks version 99 of the "
							    "protocol, this broker version 1"),
		2);
	/* The other one is taken back: both go on as if nothing had been. */
	upgrade(ring, SAME);
	works(ring, handle, 8);
	works(ring, another, 9);
	rgbroker_close(handle);
	rgbroker_close(another);
}

struct batch_of_ten {
	struct rgbroker *handle;
	size_t done;
	int result;
	enum rgbroker_reason_code reason;
};

static void *run_batch(void *argument)
{
	struct batch_of_ten *batch = argument;
	struct rgbroker_op ops[10];
	uint8_t values[10];

	for (uint8_t i = 0; i < 10; i++) {
		values[i] = i;
		ops[i] = (struct rgbroker_op){.kind = RGBROKER_OP_BYTE_DATA,
			.address = CHIP,
			.command = i,
			.length = 1,
			.data = &values[i]};
	}
	batch->result = rgbroker_batch(batch->handle, ops, 10, &batch->done);
	batch->reason = rgbroker_last_reason();
	return NULL;
}

/* In the middle of a batch: what was done is told, and why the rest was not. */
static void test_within_a_batch(void **state)
{
	struct ring *ring = *state;
	struct batch_of_ten batch = {.handle = open_here()};
	pthread_t thread;

	works(ring, batch.handle, 1);
	atomic_store(&ring->bus->count, 0);
	ring_hold_at(ring, 4);
	assert_int_equal(pthread_create(&thread, NULL, run_batch, &batch), 0);
	install(OTHER);
	ring_await_held(ring);
	assert_int_equal(kill(ring->pid, SIGTERM), 0);
	usleep(3000); /* it looks once a millisecond */
	ring_release(ring);
	assert_int_equal(ring_wait(ring), 0);
	ring_start(ring);
	pthread_join(thread, NULL);
	assert_int_equal(batch.result, -EPROTO);
	assert_int_equal(batch.reason, RGBROKER_OTHER_VERSION);
	assert_int_equal(batch.done, 4);
	assert_int_equal(wire_count(ring), 4);
	rgbroker_close(batch.handle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_version),
		TEST(test_same_version_under_load),
		TEST(test_other_version),
		TEST(test_within_a_batch),
	};

	return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
