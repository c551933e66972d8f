/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people are told: which file and line decided, or what closed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

struct fixture {
	struct config_folder folder;
	struct policy policy;
	struct facts facts;
};

static struct fixture fixture;

static int set_up(void **state)
{
	const struct adapter adapter = {.class = BUS_SMBUS};
	const char *const folders[] = {fixture.folder.path, NULL};
	struct problems problems = {0};

	folder_make(&fixture.folder);
	folder_write(&fixture.folder, "devices/a.conf",
		"[Device]\nDescription=lamp\nBusClass=smbus\nAddress=0x20\n"
		"[Recognise]\nExpect=byte_data 0 1\n[Control]\nWrite=byte_data 0x10\n");
	folder_write(&fixture.folder, "devices/a.conf.d/more.conf",
		"# local\n[Control]\nWrite=byte_data 0x11\n");
	folder_write(&fixture.folder, "doors/rgb.conf", "[Door]\nTransfer=read-write\nDevices=*\n");
	assert_int_equal(
		policy_load(&fixture.policy, &adapter, folders, problems_add, &problems), 0);
	assert_int_equal(problems.count, 0);
	memset(&fixture.facts, 0, sizeof(fixture.facts));
	memset(fixture.facts.owner, OWNER_NONE, sizeof(fixture.facts.owner));
	return 0;
}

static int tear_down(void **state)
{
	policy_free(&fixture.policy);
	folder_remove(&fixture.folder);
	return 0;
}

static struct judgement judge(const char *door, uint8_t address, uint8_t command)
{
	const struct rgbroker_operation operation = {
		.kind = RGBROKER_BYTE_DATA, .address = address, .command = command, .length = 1};

	const struct caller caller = {.door = policy_find_door(&fixture.policy, door)};

	return policy_judge(
		&fixture.policy, &caller, &fixture.facts, &operation, (const uint8_t *)"x");
}

/* expected: with the file's path where it has %s */
static void explained(struct judgement judgement, const char *file, const char *expected)
{
	char text[320], full[640];
	const char *path = folder_file(&fixture.folder, file);
	const char *hole = strstr(expected, "%s");

	if (hole)
		snprintf(full, sizeof(full), "%.*s%s%s", (int)(hole - expected), expected, path,
			hole + 2);
	else
		snprintf(full, sizeof(full), "%s", expected);
	assert_ptr_equal(policy_explain(&judgement, text, sizeof(text)), text);
	assert_string_equal(text, full);
}

static void test_rules(void **state)
{
	const char *file = "devices/a.conf";

	explained(judge("rgb", 0x20, 0x10), file,
		"%s:8 allows it once the broker itself has recognised the chip: lamp");
	fixture.facts.stranger[0x20] = 1;
	explained(judge("rgb", 0x20, 0x10), file,
		"%s:8 would allow it, but no such chip was recognised there: lamp");
	fixture.facts.recognised[0x20] = 1;
	explained(judge("rgb", 0x20, 0x10), file, "%s:8 allows it: Write=byte_data 0x10");
	explained(judge("rgb", 0x20, 0x12), file, "no device file allows it");
}

/* A line's number is of use only with the file it stands in. */
static void test_rules_of_drop_ins(void **state)
{
	const char *file = "devices/a.conf.d/more.conf";

	explained(judge("rgb", 0x20, 0x11), file,
		"%s:3 allows it once the broker itself has recognised the chip: lamp");
	fixture.facts.stranger[0x20] = 1;
	explained(judge("rgb", 0x20, 0x11), file,
		"%s:3 would allow it, but no such chip was recognised there: lamp");
	fixture.facts.recognised[0x20] = 1;
	explained(judge("rgb", 0x20, 0x11), file, "%s:3 allows it: Write=byte_data 0x11");
}

static void test_the_rest(void **state)
{
	explained(judge("other", 0x20, 0x10), "", "this door gives no right to it");
	explained(judge("rgb", 0x50, 0x10), "",
		"closed by the built-in floor, 0x50-0x57: the SPD of a memory module: "
		"a written byte can stop the machine from booting");
	fixture.facts.owner[0x20] = OWNER_UNKNOWN;
	explained(judge("rgb", 0x20, 0x10), "", "depends on whether a kernel driver has 0x20");
	fixture.facts.owner[0x20] = OWNER_KERNEL;
	explained(judge("rgb", 0x20, 0x10), "", "a kernel driver is bound to the address");
}

static void test_short_buffers(void **state)
{
	struct judgement judgement = judge("rgb", 0x50, 0x10);
	const struct rgbroker_operation operation = {.kind = RGBROKER_BYTE_DATA};

	for (size_t size = 1; size < 40; size++) {
		char text[41];

		memset(text, 'z', sizeof(text));
		policy_explain(&judgement, text, size);
		assert_int_equal(strlen(text), size - 1);
		assert_int_equal(text[size], 'z');
		memset(text, 'z', sizeof(text));
		operation_text(&operation, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 'z');
	}
}

static void test_operations(void **state)
{
	static const struct {
		struct rgbroker_operation operation;
		const char *text;
	} cases[] = {
		{{.kind = RGBROKER_QUICK, .address = 0x58}, "write quick at 0x58"},
		{{.kind = RGBROKER_QUICK, .read = 1, .address = 3}, "read quick at 0x03"},
		{{.kind = RGBROKER_BYTE, .address = 0x58, .command = 7}, "write byte 0x07 at 0x58"},
		{{.kind = RGBROKER_BYTE, .read = 1, .address = 0x58, .length = 1},
			"read byte at 0x58"},
		{{.kind = RGBROKER_BYTE_DATA, .address = 0x58, .command = 0x21},
			"write byte_data 0x21 at 0x58"},
		{{.kind = RGBROKER_WORD_DATA, .read = 1, .address = 0x70},
			"read word_data 0x00 at 0x70"},
		{{.kind = RGBROKER_BLOCK_DATA, .address = 0x7f, .command = 0xff},
			"write block_data 0xff at 0x7f"},
		{{.kind = RGBROKER_I2C_BLOCK, .read = 1, .address = 0x7f, .command = 0xff},
			"read i2c_block 0xff at 0x7f"},
		{{.kind = RGBROKER_I2C, .read = 1, .address = 0x7f}, "read i2c at 0x7f"},
		{{.kind = 4, .address = 0x7f}, "write unknown 0x00 at 0x7f"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];

		assert_string_equal(
			operation_text(&cases[i].operation, text, sizeof(text)), cases[i].text);
	}
	for (unsigned kind = 0; kind < 256; kind++) {
		int back = operation_kind_from_name(operation_kind_name((uint8_t)kind));

		assert_true(back == (int)kind || back == -1);
	}
	assert_int_equal(operation_kind_from_name(""), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules),
		TEST(test_rules_of_drop_ins),
		TEST(test_the_rest),
		TEST(test_short_buffers),
		cmocka_unit_test(test_operations),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
