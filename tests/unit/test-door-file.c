/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a door file may say, and that silence gives no right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

static const struct adapter smbus = {.class = BUS_SMBUS, .name = "SMBus"};

#define DEVICE "[Device]\nDescription=x\nBusClass=smbus\nAddress=0x20\n[Detect]\nRead=byte\n"

/* Families ene-a, ene-b and spd: bits 0, 1 and 2. */
static struct policy load_door(const char *text, struct problems *problems, char *ret_file)
{
	struct config_folder folder;
	const char *const folders[] = {folder.path, NULL};
	struct policy policy;

	folder_make(&folder);
	folder_write(&folder, "devices/ene-a.conf", DEVICE);
	folder_write(&folder, "devices/ene-b.conf", DEVICE);
	folder_write(&folder, "devices/spd.conf", DEVICE);
	folder_write(&folder, "doors/x.conf", text);
	folder_write(&folder, "doors/good.conf", "[Door]\nTransfer=read-only\n");
	assert_int_equal(policy_load(&policy, &smbus, folders, problems_add, problems), 0);
	strcpy(ret_file, folder_file(&folder, "doors/x.conf"));
	folder_remove(&folder);
	assert_non_null(policy_find_door(&policy, "good"));
	return policy;
}

static void test_rights(void **state)
{
	static const struct {
		const char *text;
		enum door_transfer transfer;
		bool inspect, release;
		uint64_t devices;
	} cases[] = {
		{"[Door]\n", DOOR_NOTHING, false, false, 0},
		{"# nothing\n", DOOR_NOTHING, false, false, 0},
		{"[Door]\nTransfer=nothing\n", DOOR_NOTHING, false, false, 0},
		{"[Door]\nTransfer=read-only\nInspect=yes\n", DOOR_READ_ONLY, true, false, 0},
		{"[Door]\nRelease=yes\nInspect=no\n", DOOR_NOTHING, false, true, 0},
		{"[Door]\nRelease=no\n", DOOR_NOTHING, false, false, 0},
		{"[Door]\nTransfer=read-write\nDevices=*\n", DOOR_READ_WRITE, false, false, 7},
		{"[Door]\nDevices=ene-*\n", DOOR_NOTHING, false, false, 3},
		{"[Door]\nDevices=spd ene-a\n", DOOR_NOTHING, false, false, 5},
		{"[Door]\nDevices=spd\nDevices=ene-b\n", DOOR_NOTHING, false, false, 6},
		{"[Door]\nDevices=other\n", DOOR_NOTHING, false, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct problems problems = {0};
		char file[512];
		struct policy policy = load_door(cases[i].text, &problems, file);
		const struct door *door = policy_find_door(&policy, "x");

		assert_int_equal(problems.count, 0);
		assert_non_null(door);
		assert_int_equal(door->transfer, cases[i].transfer);
		assert_int_equal(door->inspect, cases[i].inspect);
		assert_int_equal(door->release, cases[i].release);
		assert_int_equal(door->devices, cases[i].devices);
		policy_free(&policy);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *why;
	} cases[] = {
		{"[Door]\nTransfer=readwrite\n", 2,
			"Transfer= is nothing, read-only or read-write"},
		{"[Door]\nTransfer=\n", 2, "Transfer= is nothing, read-only or read-write"},
		{"[Door]\nInspect=true\n", 2, "say yes or no"},
		{"[Door]\n\nRights=all\n", 3,
			"unknown key in [Door] (Transfer, Inspect, Release, Devices)"},
		{"[Door]\nRelease=1\n", 2, "say yes or no"},
		{"[Door]\nRelease=yes\nInspect=yes\nInspect=no\n", 4, "given twice"},
		{"[Door]\nRelease=no\nRelease=no\n", 3, "given twice"},
		{"[Door]\nTransfer=nothing\nTransfer=read-write\n", 3, "given twice"},
		{"[Door]\nTransfer=nothing\n[Other]\n", 3, "unknown section ([Door])"},
		{"[Doors]\n", 1, "unknown section ([Door])"},
		{"Transfer=read-write\n", 1, "unknown section ([Door])"},
		{"[Door]\nTransfer=read-write\nopen\n", 3,
			"neither [Section], Key=value nor # comment"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct problems problems = {0};
		char file[512];
		struct policy policy = load_door(cases[i].text, &problems, file);

		assert_int_equal(problems.count, 1);
		problems_expect(&problems, file, cases[i].line, cases[i].why);
		assert_null(policy_find_door(&policy, "x")); /* no half of it counts */
		policy_free(&policy);
	}
}

static void test_sixteen_doors(void **state)
{
	struct config_folder folder;
	const char *const folders[] = {folder.path, NULL};
	struct problems problems = {0};
	struct policy policy;

	folder_make(&folder);
	for (unsigned i = 0; i < 17; i++) {
		char name[32];

		snprintf(name, sizeof(name), "doors/%02u.conf", i);
		folder_write(&folder, name, "[Door]\nTransfer=read-only\n");
	}
	assert_int_equal(policy_load(&policy, &smbus, folders, problems_add, &problems), 0);
	assert_int_equal(policy.n_doors, 16);
	assert_int_equal(problems.count, 1);
	problems_expect(&problems, folder_file(&folder, "doors/16.conf"), 0, "more than 16 doors");
	assert_null(policy_find_door(&policy, "16"));
	assert_null(policy_find_door(&policy, ""));
	policy_free(&policy);
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_sixteen_doors),
	};

	return cmocka_run_group_tests_name("door-file", tests, NULL, NULL);
}
