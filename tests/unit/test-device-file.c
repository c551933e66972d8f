/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device file may say: every mistake is told with its line and reason, and takes that one
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

static const struct adapter smbus = {.number = 4, .class = BUS_SMBUS, .name = "SMBus I801"};

#define GOOD                                                                                       \
	"[Device]\nDescription=good\nBusClass=smbus\nAddress=0x20\n[Control]\n"                    \
	"Write=byte 0x00-0xff\n[Recognise]\nExpect=none\n"

/* Head of four lines; line 5 is the first of what a case adds. */
#define HEAD "[Device]\nDescription=x\nBusClass=smbus\nAddress=0x21\n"

#define NUMBER "not a number of the allowed range (decimal or 0x...)"

static const struct {
	const char *text;
	int line;
	const char *why;
} mistakes[] = {
	/* the file as a whole */
	{"[Device]\nBusClass=smbus\nAddress=0x21\n[Detect]\nRead=byte\n", 0,
		"no Description= in [Device]"},
	{"[Device]\nDescription=x\nAddress=0x21\n[Detect]\nRead=byte\n", 0,
		"no BusClass= in [Device]"},
	{"[Device]\nDescription=x\nBusClass=smbus\n[Detect]\nRead=byte\n", 0,
		"no Address= in [Device]"},
	{HEAD, 0, "no Read= or Write= in [Detect] or [Control]"},
	{HEAD "[Control]\nRead=byte\n", 0,
		"[Control] without a fingerprint; Expect=none if the family has none"},
	{HEAD "[Detect]\nRead=byte\n[Recognise]\nExpect=none\nExpect=byte_data 0 1\n", 0,
		"Expect=none beside another Expect="},
	/* form */
	{HEAD "Description=y\n", 5, "given twice"},
	{HEAD "Adapter=a\nAdapter=b\n", 6, "given twice"},
	{HEAD "rubbish\n", 5, "neither [Section], Key=value nor # comment"},
	{HEAD "[Detect\n", 5, "neither [Section], Key=value nor # comment"},
	{HEAD "[Other]\nA=b\n", 6, "unknown section ([Device], [Recognise], [Detect], [Control])"},
	{HEAD "[detect]\nRead=byte\n", 6,
		"unknown section ([Device], [Recognise], [Detect], [Control])"},
	{"Description=x\n" HEAD, 1, "unknown section ([Device], [Recognise], [Detect], [Control])"},
	{HEAD "Name=x\n", 5, "unknown key in [Device] (Description, BusClass, Adapter, Address)"},
	{HEAD "[Recognise]\nRead=byte\n", 6, "unknown key in [Recognise] (Expect)"},
	{HEAD "[Detect]\nread=byte\n", 6, "unknown key here (Read, Write)"},
	{HEAD "[Control]\nExpect=none\n", 6, "unknown key here (Read, Write)"},
	/* [Device] */
	{HEAD "BusClass=pci\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "BusClass=none\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "BusClass=gpu smbus,custom\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "Address=0x80\n", 5, NUMBER},
	{HEAD "Address=128\n", 5, NUMBER},
	{HEAD "Address=021\n", 5, NUMBER},
	{HEAD "Address=00\n", 5, NUMBER},
	{HEAD "Address=0x\n", 5, NUMBER},
	{HEAD "Address=0X21\n", 5, NUMBER},
	{HEAD "Address=0x2g\n", 5, NUMBER},
	{HEAD "Address=2a\n", 5, NUMBER},
	{HEAD "Address=0x1000021\n", 5, NUMBER},
	{HEAD "Address=4294967329\n", 5, NUMBER},
	{HEAD "Address=+33\n", 5, NUMBER},
	{HEAD "Address=-33\n", 5, NUMBER},
	{HEAD "Address=0x21-0x20\n", 5, "range the wrong way round"},
	{HEAD "Address=0x21-\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x21-0x80\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x21-0x22-0x23\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x21 - 0x22\n", 5, NUMBER},
	{HEAD "Address=0x21,0x22\n", 5, NUMBER},
	/* what the floor closes for good */
	{HEAD "Address=0x00\n[Detect]\nRead=byte\n", 0,
		"Address holds one that the floor closes for good"},
	{HEAD "Address=0x22-0x36\n[Detect]\nRead=byte\n", 0,
		"Address holds one that the floor closes for good"},
	{HEAD "Address=0x77-0x78\n[Detect]\nRead=byte\n", 0,
		"Address holds one that the floor closes for good"},
	{HEAD "BusClass=gpu\nAddress=0x7f\n[Detect]\nRead=byte\n", 0,
		"Address holds one that the floor closes for good"},
	/* [Recognise] */
	{HEAD "[Recognise]\nExpect=byte 0 1\n", 6,
		"a fingerprint is read by byte_data or word_data"},
	{HEAD "[Recognise]\nExpect=None\n", 6, "a fingerprint is read by byte_data or word_data"},
	{HEAD "[Recognise]\nExpect=\n", 6, "a fingerprint is read by byte_data or word_data"},
	{HEAD "[Recognise]\nExpect=byte_data 0\n", 6,
		"say: OPERATION COMMAND VALUE, with up to four values"},
	{HEAD "[Recognise]\nExpect=byte_data 0 1 2 3 4 5\n", 6,
		"say: OPERATION COMMAND VALUE, with up to four values"},
	{HEAD "[Recognise]\nExpect=byte_data 0-1 1\n", 6, "one command to a line"},
	{HEAD "[Recognise]\nExpect=byte_data 0x100 1\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 0x100\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=word_data 0 0x10000\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 9-8\n", 6, "range the wrong way round"},
	/* rules */
	{HEAD "[Detect]\nRead=\n", 6,
		"unknown operation (quick, byte, byte_data, word_data, block_data, i2c_block, "
		"i2c)"},
	{HEAD "[Detect]\nRead=proc_call 0\n", 6,
		"unknown operation (quick, byte, byte_data, word_data, block_data, i2c_block, "
		"i2c)"},
	{HEAD "[Detect]\nWrite=byte\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data length 1\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data *\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=byte_data 0x100\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=byte_data 5-4\n", 6, "range the wrong way round"},
	{HEAD "[Detect]\nRead=quick 0\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte 0\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nWrite=i2c 0x01\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte_data 0 length 1\n", 6, "this operation has one length only"},
	{HEAD "[Detect]\nWrite=quick length 0\n", 6, "this operation has one length only"},
	{HEAD "[Detect]\nRead=i2c_block 0 length\n", 6, "length: how many bytes?"},
	{HEAD "[Detect]\nRead=i2c_block 0 length 33\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=i2c length 1025\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=i2c length 4-2\n", 6, "range the wrong way round"},
	{HEAD "[Detect]\nRead=i2c length 4 5\n", 6,
		"something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=i2c length 4 length 5\n", 6,
		"something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte_data 0 data 1\n", 6, "data: a read carries none"},
	{HEAD "[Detect]\nWrite=byte_data 0 data\n", 6, "data: which bytes?"},
	{HEAD "[Detect]\nWrite=byte_data 0 data 256\n", 6, NUMBER},
	{HEAD "[Detect]\nWrite=byte_data 0 data 1 2\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=word_data 0 data 1 2 3\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=byte 0 data 1\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=i2c data 1 2 3 4 5 6 7 8 9\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=block_data 3 length 1-2 data 1 2 3\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=block_data 3 data 1 length 1\n", 6, NUMBER},
};

static void test_each_mistake(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct config_folder folder;
		struct problems problems = {0};
		struct policy policy;
		const char *const folders[] = {folder.path, NULL};

		folder_make(&folder);
		folder_write(&folder, "devices/good.conf", GOOD);
		folder_write(&folder, "devices/bad.conf", mistakes[i].text);
		assert_int_equal(policy_load(&policy, &smbus, folders, problems_add, &problems), 0);
		problems_expect(&problems, folder_file(&folder, "devices/bad.conf"),
			mistakes[i].line, mistakes[i].why);
		assert_int_equal(problems.count, 1);
		assert_int_equal(policy.n_devices, 1); /* the good one */
		assert_string_equal(policy.devices[0]->name, "good");
		policy_free(&policy);
		folder_remove(&folder);
	}
}

static struct device *load_text(const char *text, struct problems *problems)
{
	struct config_folder folder;
	struct device *device;
	char path[512];
	char *files[] = {path, NULL};

	folder_make(&folder);
	folder_write(&folder, "x.conf", text);
	snprintf(path, sizeof(path), "%s", folder_file(&folder, "x.conf"));
	device = device_load("x", files, problems_add, problems);
	folder_remove(&folder);
	return device;
}

static void test_every_bad_line_is_told(void **state)
{
	struct problems problems = {0};

	assert_null(load_text(
		HEAD "Foo=1\n[Detect]\nRead=none\nWrite=quick\nRead=byte 7\n", &problems));
	assert_int_equal(problems.count, 3);
	assert_int_equal(problems.items[0].line, 5);
	assert_int_equal(problems.items[1].line, 7);
	assert_int_equal(problems.items[2].line, 9);
}

static void test_all_that_can_be_said(void **state)
{
	struct problems problems = {0};
	struct device *device = load_text(
		"# comment\n; comment\n[Device]\nDescription = with = sign \nBusClass=smbus gpu\n"
		"BusClass=custom\nAddress=33 0x2A-0x2b\nAddress=0x70\nAdapter=NV*\n[Detect]\n"
		"Read=byte\nWrite=quick\n[Recognise]\nExpect=word_data 0xff 0x1234 1-2 0xffff\n"
		"[Control]\nWrite=block_data 3 0x10-0x11 length 2-4 data 0x80 0x20-0x23",
		&problems);
	const struct rule *rule;

	assert_int_equal(problems.count, 0);
	assert_non_null(device);
	assert_string_equal(device->description, "with = sign");
	assert_string_equal(device->adapters.items[0], "NV*");
	assert_int_equal(device->classes, 1 << BUS_SMBUS | 1 << BUS_GPU | 1 << BUS_CUSTOM);
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_int_equal(!!bitmap_has(device->addresses, i),
			i == 0x21 || i == 0x2a || i == 0x2b || i == 0x70);
	assert_int_equal(device->n_rules, 3);
	assert_false(device->rules[0].after_recognition);
	assert_false(device->rules[1].read);
	rule = &device->rules[2]; /* the last line has no newline */
	assert_true(rule->after_recognition);
	assert_int_equal(rule->kind, RGBROKER_BLOCK_DATA);
	assert_int_equal(rule->line, 16);
	assert_string_equal(
		rule->text, "Write=block_data 3 0x10-0x11 length 2-4 data 0x80 0x20-0x23");
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(!!bitmap_has(rule->commands, i), i == 3 || i == 0x10 || i == 0x11);
	assert_int_equal(rule->length.first, 2);
	assert_int_equal(rule->length.last, 4);
	assert_int_equal(rule->n_data, 2);
	assert_int_equal(rule->data[0].first, 0x80);
	assert_int_equal(rule->data[0].last, 0x80);
	assert_int_equal(rule->data[1].last, 0x23);
	assert_int_equal(device->n_expectations, 1);
	assert_int_equal(device->expectations[0].n_values, 3);
	assert_int_equal(device->expectations[0].values[1].last, 2);
	device_free(device);
}

static void test_which_adapter(void **state)
{
	static const struct {
		enum bus_class class;
		const char *name;
		bool matches;
	} cases[] = {{BUS_GPU, "NVIDIA i2c adapter 1", true}, {BUS_GPU, "AMDGPU", false},
		{BUS_SMBUS, "NVIDIA i2c adapter 1", false}, {BUS_GPU, "an NVIDIA", false},
		{BUS_NONE, "NVIDIA i2c adapter 1", false}};
	struct problems problems = {0};
	struct device *device = load_text("[Device]\nDescription=x\nBusClass=gpu\nAdapter=NVIDIA*\n"
					  "Address=0x49\n[Detect]\nRead=byte\n",
		&problems);

	assert_non_null(device);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct adapter adapter = {.class = cases[i].class};

		snprintf(adapter.name, sizeof(adapter.name), "%s", cases[i].name);
		assert_int_equal(device_matches(device, &adapter), cases[i].matches);
	}
	device_free(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake),
		cmocka_unit_test(test_every_bad_line_is_told),
		cmocka_unit_test(test_all_that_can_be_said),
		cmocka_unit_test(test_which_adapter),
	};

	return cmocka_run_group_tests_name("device-file", tests, NULL, NULL);
}
