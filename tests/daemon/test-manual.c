/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The example of librgbroker(3), compiled as it stands there, on a real broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

#define LAMP "0x20"

static char folder[] = "/tmp/rgbroker-XXXXXX";
static char path[sizeof(folder) + 8];

static int set_up(void **state)
{
	ring_set_up_stopped(state);
	strcpy(folder, "/tmp/rgbroker-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/i2c-7", folder);
	ring_put_door(*state, "rgb", path);
	ring_start(*state);
	setenv("RGBROKER_SOCKET_DIR", folder, 1);
	return 0;
}

static int tear_down(void **state)
{
	ring_tear_down(state);
	unlink(path);
	rmdir(folder);
	return 0;
}

/* Its exit code; what it says is left in said. */
static int run(const char *arguments, char *said, size_t size)
{
	char command[512];
	FILE *output;
	size_t length;

	snprintf(command, sizeof(command), EXAMPLE " %s 2>&1", arguments);
	output = popen(command, "r");
	assert_non_null(output);
	length = fread(said, 1, size - 1, output);
	said[length] = '\0';
	return WEXITSTATUS(pclose(output));
}

static void test_writes(void **state)
{
	const struct ring *ring = *state;
	unsigned last;
	char said[256];

	assert_int_equal(run("7 " LAMP " 0x10 0x55", said, sizeof(said)), 0);
	assert_string_equal(said, "");
	last = atomic_load(&ring->bus->count) - 1;
	assert_int_equal(ring->bus->log[last].address, 0x20);
	assert_int_equal(ring->bus->log[last].read, 0);
	assert_int_equal(ring->bus->log[last].command, 0x10);
	assert_int_equal(ring->bus->log[last].data[0], 0x55);
}

static void test_says_why_not(void **state)
{
	const struct ring *ring = *state;
	char said[256];

	assert_int_equal(run("7 0x50 0 0xff", said, sizeof(said)), 1);
	assert_non_null(strstr(said, "Permission denied: closed for good"));
	assert_int_equal(run("7 " LAMP " 0x80 0", said, sizeof(said)), 1);
	assert_non_null(strstr(said, "Permission denied: no device file allows it"));
	assert_int_equal(run("8 " LAMP " 0x10 0", said, sizeof(said)), 1);
	assert_non_null(strstr(said, "i2c-8: No such device"));
	assert_int_equal(run("7", said, sizeof(said)), 2);
	assert_int_equal(atomic_load(&ring->bus->count), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_says_why_not, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
