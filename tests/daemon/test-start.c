/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beginnings: what a broker needs in order to start, and what it starts without. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

static void test_command_lines(void **state)
{
	static const char *const lines[][6] = {
		{NULL},
		{NULL, "--bus"},
		{NULL, "--bus", ""},
		{NULL, "--bus", "x"},
		{NULL, "--bus", "-1"},
		{NULL, "--bus", "+1"},
		{NULL, "--bus", " 1"},
		{NULL, "--bus", "0x1"},
		{NULL, "--bus", "1 "},
		{NULL, "--bus", "65536"},
		{NULL, "--bus", "99999999999999999999"},
		{NULL, "--bus", "7", "word"},
		{NULL, "--bus", "7", "--idle", "86401"},
		{NULL, "--bus", "7", "--idle", "x"},
		{NULL, "--bus", "7", "--config"},
		{NULL, "--bus", "7", "--force"},
		{NULL, "--bus", "7", "-v"},
		{NULL, "--idle", "7"},
		{NULL, "7"},
	};
	struct ring *ring = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *argv[7] = {NULL};

		memcpy(argv, lines[i], sizeof(lines[i]));
		ring_forget_log(ring);
		ring_spawn(ring, argv);
		if (ring_wait(ring) != 2)
			fail_msg("line %zu: %s", i, ring_log(ring));
		assert_int_equal(ring_logged(ring, "\n"), 1);
		assert_true(strstr(ring_log(ring), "usage: rgbrokerd --bus N") == ring_log(ring));
	}
	assert_int_equal(atomic_load(&ring->bus->count), 0);
}

static void must_not_start(struct ring *ring, const char *why)
{
	const char *argv[] = {NULL, "--bus", "7", "--config", ring->config, NULL};

	ring_spawn(ring, argv);
	assert_true(ring_wait(ring) > 0);
	if (ring_logged(ring, why) != 1)
		fail_msg("not told: %s, but: %s", why, ring_log(ring));
}

static void test_no_socket(void **state)
{
	struct ring *ring = *state;
	size_t n_doors = ring->n_doors;

	ring->n_doors = 0;
	must_not_start(ring, "no listening socket was passed: start rgbroker@7.socket");
	ring->n_doors = n_doors;
}

static void test_wrong_socket(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct ring *ring = *state;

	for (size_t i = 0; i < 3; i++) {
		close(ring->doors[1]);
		ring->doors[1] = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0); /* nobody listens */
		ring_forget_log(ring);
		must_not_start(ring, "door 'look': not a listening SEQPACKET socket");
	}
}

static void test_no_bus(void **state)
{
	struct ring *ring = *state;

	ring->bus->open_error = -ENOENT;
	must_not_start(ring, "/dev/i2c-7: No such file or directory");
}

/* A descriptor named "bus" is the node itself, and no door. */
static void test_bus_as_a_descriptor(void **state)
{
	struct ring *ring = *state;
	int fd;

	ring_start(ring);
	assert_int_equal(ring->bus->opened_fd, -1);
	assert_int_equal(ring_stop(ring), 0);
	ring->names[1] = "bus";
	ring_start(ring);
	assert_int_equal(ring->bus->opened_fd, 4);
	fd = peer_connect(ring, "rgb");
	peer_is_served(fd);
	close(fd);
	/* The name says more than where it is. */
	assert_int_equal(ring_stop(ring), 0);
	ring->bus->stdin_adapter = 7;
	ring_start(ring);
	assert_int_equal(ring->bus->opened_fd, 4);
	assert_int_equal(ring_stop(ring), 0);
	ring->names[1] = "look";
	ring_start(ring);
	assert_int_equal(ring->bus->opened_fd, STDIN_FILENO);
}

/* What is allowed on one bus would be done on another. */
static void test_another_bus_as_a_descriptor(void **state)
{
	struct ring *ring = *state;

	ring->bus->opened_fd = -2;
	ring->bus->stdin_adapter = 8;
	must_not_start(ring, "descriptor 0 was passed as the bus, but is not /dev/i2c-7");
	ring->bus->stdin_adapter = -1;
	ring->names[1] = "bus";
	ring->bus->passed_adapter = 0;
	must_not_start(ring, "descriptor 4 was passed as the bus, but is not /dev/i2c-7");
	ring_forget_log(ring);
	ring->bus->passed_adapter = -1;
	must_not_start(ring, "descriptor 4 was passed as the bus, but is not /dev/i2c-7");
	assert_int_equal(ring->bus->opened_fd, -2);
}

static void test_bus_without_class(void **state)
{
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x40, 0, 0);
	int fd;

	ring->bus->class = BUS_NONE;
	ring_start(ring);
	fd = peer_connect(ring, "rgb");
	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_DOOR, -EACCES);
	assert_int_equal(atomic_load(&ring->bus->count), 0);
	assert_int_equal(ring_logged(ring, "has no class"), 1);
	close(fd);
}

static void test_unknown_door_is_told(void **state)
{
	struct ring *ring = *state;

	ring_start(ring);
	assert_int_equal(ring_logged(ring, "door 'other' has no doors/other.conf"), 1);
	assert_int_equal(ring_logged(ring, "door 'rgb' has no"), 0);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The broken file is left out, with its line; the others count. */
static void test_broken_device_file(void **state)
{
	const char *lamp = "[Device]\nDescription=x\nBusClass=smbus\nAddress=0x20\n[Recognise]\n"
			   "Expect=none\n[Control]\nWrite=byte_data 0x300\n";
	const char *plain = "[Device]\nDescription=x\nBusClass=smbus\nAddress=0x40\n[Recognise]\n"
			    "Expect=none\n[Control]\nWrite=byte_data 0x00-0xff\n";
	struct ring *ring = *state;
	struct batch batch = batch_write(1, 0x20, 0x10, 1);
	char folder[] = "/tmp/rgbroker-test-XXXXXX", path[64], line[256];
	int fd;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/devices", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(path, "lamp.conf", lamp);
	write_file(path, "plain.conf", plain);
	snprintf(line, sizeof(line), "%s/lamp.conf:8: not a number of the allowed range", path);
	snprintf(path, sizeof(path), "%s/doors", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(path, "rgb.conf", "[Door]\nTransfer=read-write\nDevices=*\n");
	ring->config = folder;
	ring_start(ring);
	assert_int_equal(ring_logged(ring, line), 1);
	fd = peer_connect(ring, "rgb");
	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_RULE, -EACCES);
	peer_is_served(fd);
	close(fd);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up_stopped, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_lines),
		TEST(test_no_socket),
		TEST(test_wrong_socket),
		TEST(test_no_bus),
		TEST(test_bus_as_a_descriptor),
		TEST(test_another_bus_as_a_descriptor),
		TEST(test_bus_without_class),
		TEST(test_unknown_door_is_told),
		TEST(test_broken_device_file),
	};

	return cmocka_run_group_tests_name("start", tests, NULL, NULL);
}
