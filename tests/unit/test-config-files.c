/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files count, in what order, and what becomes of those that cannot be read. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

#define DEVICE(description)                                                                        \
	"[Device]\nDescription=" description "\nBusClass=smbus\nAddress=0x20\n[Detect]\nRead="     \
	"byte\n"

static const struct adapter smbus = {.class = BUS_SMBUS, .name = "SMBus"};

/* Three folders, as /etc, /run and /usr/lib. */
struct fixture {
	struct config_folder root;
	char etc[80], run[80], lib[80];
	const char *folders[4];
	struct problems problems;
	struct policy policy;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	folder_make(&fixture->root);
	snprintf(fixture->etc, sizeof(fixture->etc), "%s/etc", fixture->root.path);
	snprintf(fixture->run, sizeof(fixture->run), "%s/run", fixture->root.path);
	snprintf(fixture->lib, sizeof(fixture->lib), "%s/lib", fixture->root.path);
	fixture->folders[0] = fixture->etc;
	fixture->folders[1] = fixture->run;
	fixture->folders[2] = fixture->lib;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	policy_free(&fixture->policy);
	folder_remove(&fixture->root);
	free(fixture);
	return 0;
}

static void load(struct fixture *fixture)
{
	assert_int_equal(policy_load(&fixture->policy, &smbus, fixture->folders, problems_add,
				 &fixture->problems),
		0);
}

static void told(struct fixture *fixture, const char *file, int line, const char *why)
{
	assert_int_equal(fixture->problems.count, 1);
	problems_expect(&fixture->problems, folder_file(&fixture->root, file), line, why);
}

static void test_earlier_folder_wins(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/b.conf", DEVICE("b of lib"));
	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a of lib"));
	folder_write(&fixture->root, "lib/devices/c.conf", DEVICE("c of lib"));
	folder_write(&fixture->root, "run/devices/b.conf", DEVICE("b of run"));
	folder_write(&fixture->root, "run/devices/a.conf", DEVICE("a of run"));
	folder_write(&fixture->root, "etc/devices/a.conf", DEVICE("a of etc"));
	load(fixture);
	assert_int_equal(fixture->problems.count, 0);
	assert_int_equal(fixture->policy.n_devices, 3);
	assert_string_equal(fixture->policy.devices[0]->description, "a of etc");
	assert_string_equal(fixture->policy.devices[1]->description, "b of run");
	assert_string_equal(fixture->policy.devices[2]->description, "c of lib");
	assert_string_equal(fixture->policy.devices[0]->file,
		folder_file(&fixture->root, "etc/devices/a.conf"));
}

static void test_masks(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_link(&fixture->root, "etc/devices/a.conf", "/dev/null");
	folder_write(&fixture->root, "lib/devices/b.conf", DEVICE("b"));
	folder_write(&fixture->root, "run/devices/b.conf", "");
	folder_write(&fixture->root, "lib/devices/c.conf", DEVICE("c"));
	load(fixture);
	assert_int_equal(fixture->problems.count, 0);
	assert_int_equal(fixture->policy.n_devices, 1);
	assert_string_equal(fixture->policy.devices[0]->name, "c");
}

static void test_other_names_do_not_count(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/README.md", "x");
	folder_write(&fixture->root, "lib/devices/a.conf~", "x");
	folder_write(&fixture->root, "lib/devices/a.conf.dpkg-new", "x");
	folder_write(&fixture->root, "lib/devices/.conf", "x");
	folder_write(&fixture->root, "lib/devices/lone.conf.d/x.conf", "x"); /* adds to nothing */
	load(fixture);
	assert_int_equal(fixture->problems.count, 0);
	assert_int_equal(fixture->policy.n_devices, 0);
}

static void test_drop_ins(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_write(&fixture->root, "lib/devices/a.conf.d/20.conf", "[Device]\nAddress=0x22\n");
	folder_write(&fixture->root, "lib/devices/a.conf.d/30.conf", "[Device]\nAddress=0x23\n");
	folder_write(&fixture->root, "lib/devices/a.conf.d/40.conf", "[Device]\nAddress=0x24\n");
	folder_write(&fixture->root, "etc/devices/a.conf.d/10.conf", "[Detect]\nWrite=quick\n");
	folder_write(&fixture->root, "etc/devices/a.conf.d/20.conf", "[Device]\nAddress=0x25\n");
	folder_link(&fixture->root, "run/devices/a.conf.d/40.conf", "/dev/null");
	load(fixture);
	assert_int_equal(fixture->problems.count, 0);
	assert_int_equal(fixture->policy.n_devices, 1);
	device = fixture->policy.devices[0];
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_int_equal(
			!!bitmap_has(device->addresses, i), i == 0x20 || i == 0x23 || i == 0x25);
	assert_int_equal(device->n_rules, 2);
	assert_false(device->rules[1].read);
}

static void test_mistake_in_a_drop_in(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_write(&fixture->root, "lib/devices/b.conf", DEVICE("b"));
	folder_write(&fixture->root, "etc/devices/a.conf.d/x.conf", "[Detect]\n\nRead=what\n");
	load(fixture);
	told(fixture, "etc/devices/a.conf.d/x.conf", 3,
		"unknown operation (quick, byte, byte_data, word_data, block_data, i2c_block, "
		"i2c)");
	assert_int_equal(fixture->policy.n_devices, 1);
	assert_string_equal(fixture->policy.devices[0]->name, "b");
}

static void test_folder_in_place_of_a_file(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/a.conf/inside", "x");
	folder_write(&fixture->root, "lib/devices/b.conf", DEVICE("b"));
	load(fixture);
	told(fixture, "lib/devices/a.conf", 0, "cannot be read to its end");
	assert_int_equal(fixture->policy.n_devices, 1);
}

/* A file that is there and cannot be read must not let the packaged one through: it may mask it. */
static void test_unreadable(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_write(&fixture->root, "etc/devices/a.conf", DEVICE("closed"));
	folder_write(&fixture->root, "lib/devices/b.conf", DEVICE("b"));
	assert_int_equal(chmod(folder_file(&fixture->root, "etc/devices/a.conf"), 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0); /* root reads everything */
	load(fixture);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	told(fixture, "etc/devices/a.conf", 0, "Permission denied");
	assert_int_equal(fixture->policy.n_devices, 1);
}

/* Nor may a folder: what it holds might mask, or restrict a door. */
static void test_unreadable_folder(void **state)
{
	struct fixture *fixture = *state;
	int r;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_write(&fixture->root, "etc/devices/a.conf", "");
	assert_int_equal(chmod(folder_file(&fixture->root, "etc/devices"), 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	r = policy_load(
		&fixture->policy, &smbus, fixture->folders, problems_add, &fixture->problems);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(folder_file(&fixture->root, "etc/devices"), 0755), 0);
	assert_int_equal(r, -EACCES);
	assert_int_equal(fixture->policy.n_devices, 0);
}

static void test_dangling_link(void **state)
{
	struct fixture *fixture = *state;

	folder_write(&fixture->root, "lib/devices/a.conf", DEVICE("a"));
	folder_link(&fixture->root, "etc/devices/a.conf", "nowhere");
	load(fixture);
	told(fixture, "etc/devices/a.conf", 0, "No such file or directory");
	assert_int_equal(fixture->policy.n_devices, 0);
}

static void test_nul_bytes(void **state)
{
	/* In the last line, at the end of a file without newline, and between two lines. */
	static const char last[] = DEVICE("a") "Read=byte_data 0x00-0xff\0 length 1";
	static const char middle[] =
		DEVICE("b") "Read=byte_data 0x00\0\n[Detect]\nRead=byte_data 0x01\n";
	struct fixture *fixture = *state;

	folder_write_bytes(&fixture->root, "lib/devices/a.conf", last, sizeof(last) - 1);
	folder_write_bytes(&fixture->root, "lib/devices/b.conf", middle, sizeof(middle) - 1);
	load(fixture);
	assert_int_equal(fixture->problems.count, 2);
	problems_expect(&fixture->problems, folder_file(&fixture->root, "lib/devices/a.conf"), 7,
		"a NUL byte");
	problems_expect(&fixture->problems, folder_file(&fixture->root, "lib/devices/b.conf"), 7,
		"a NUL byte");
	assert_int_equal(fixture->policy.n_devices, 0);
}

/* Lines of every length around the reader's buffer; one mistake behind shows the line's number. */
static void test_long_lines(void **state)
{
	for (unsigned length = 190; length < 450; length++) {
		struct fixture *fixture;
		void *inner;
		char text[1024];
		int size = snprintf(text, sizeof(text), DEVICE("x") "#");

		set_up(&inner);
		fixture = inner;
		memset(text + size, 'y', length - 1);
		strcpy(text + size + length - 1, "\nRead=what\n");
		folder_write(&fixture->root, "lib/devices/a.conf", text);
		load(fixture);
		assert_int_equal(fixture->problems.count, length > 198 ? 2 : 1);
		if (length > 198) {
			assert_int_equal(fixture->problems.items[0].line, 7);
			assert_string_equal(
				fixture->problems.items[0].why, "line longer than 198 characters");
		}
		assert_int_equal(fixture->problems.items[fixture->problems.count - 1].line, 8);
		tear_down(&inner);
	}
}

static void test_sixty_four_families(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 66; i++) {
		char name[64];

		snprintf(name, sizeof(name), "lib/devices/%02u.conf", i);
		folder_write(&fixture->root, name, DEVICE("x"));
	}
	/* Those of other buses do not count. */
	folder_write(&fixture->root, "lib/devices/00-gpu.conf",
		"[Device]\nDescription=g\nBusClass=gpu\nAddress=0x20\n[Detect]\nRead=byte\n");
	folder_write(&fixture->root, "lib/doors/rgb.conf", "[Door]\nDevices=*\n");
	load(fixture);
	assert_int_equal(fixture->policy.n_devices, 64);
	assert_int_equal(fixture->problems.count, 2);
	problems_expect(&fixture->problems, folder_file(&fixture->root, "lib/devices/64.conf"), 0,
		"more than 64 families on one bus");
	problems_expect(&fixture->problems, folder_file(&fixture->root, "lib/devices/65.conf"), 0,
		"more than 64 families on one bus");
	assert_true(fixture->policy.doors[0].devices == UINT64_MAX);
}

static void test_nothing_at_all(void **state)
{
	struct fixture *fixture = *state;

	load(fixture);
	assert_int_equal(fixture->problems.count, 0);
	assert_int_equal(fixture->policy.n_devices, 0);
	assert_int_equal(fixture->policy.n_doors, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_earlier_folder_wins),
		TEST(test_masks),
		TEST(test_other_names_do_not_count),
		TEST(test_drop_ins),
		TEST(test_mistake_in_a_drop_in),
		TEST(test_folder_in_place_of_a_file),
		TEST(test_unreadable),
		TEST(test_unreadable_folder),
		TEST(test_dangling_link),
		TEST(test_nul_bytes),
		cmocka_unit_test(test_long_lines),
		TEST(test_sixty_four_families),
		TEST(test_nothing_at_all),
	};

	return cmocka_run_group_tests_name("config-files", tests, NULL, NULL);
}
