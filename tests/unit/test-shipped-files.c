/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that are shipped, judged over everything that can be asked. A change to devices/
 * changes what may be written to somebody's mainboard: it has to be said here too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

static bool within(unsigned value, unsigned first, unsigned last)
{
	return value >= first && value <= last;
}

static bool at_corsair(unsigned address)
{
	return within(address, 0x58, 0x5f) || within(address, 0x18, 0x1f);
}

static bool at_ene(unsigned address)
{
	return within(address, 0x70, 0x77) || within(address, 0x66, 0x67) ||
	       within(address, 0x39, 0x3d);
}

static bool at_spd(unsigned address)
{
	return within(address, 0x50, 0x57);
}

/* --- what is expected --- */

static bool write_expected(
	const struct rgbroker_operation *op, const uint8_t *data, bool recognised)
{
	if (at_corsair(op->address) && op->kind == RGBROKER_QUICK)
		return true;
	if (!recognised)
		return false;
	if (at_corsair(op->address))
		return op->kind == RGBROKER_BYTE_DATA &&
		       (within(op->command, 0xa4, 0xa7) || within(op->command, 0xb0, 0xc4));
	if (!at_ene(op->address))
		return false;
	if (op->kind == RGBROKER_BYTE_DATA)
		return op->command == 0x01;
	if (op->kind == RGBROKER_BLOCK_DATA)
		return op->command == 0x03 && within(op->length, 1, 3);
	if (op->kind != RGBROKER_WORD_DATA || op->command != 0x00)
		return false;
	/* The register that is pointed to; 0x80f8 and 0x80f9 would move the chip. */
	return ((data[0] == 0x10 || data[0] == 0x1c) && data[1] <= 0x3f) || data[0] == 0x81 ||
	       (data[0] == 0x80 && (data[1] <= 0x2f || data[1] == 0xa0));
}

static bool read_expected(const struct rgbroker_operation *op, const uint8_t *data, bool recognised)
{
	unsigned command = op->command;

	if (at_spd(op->address))
		return op->kind == RGBROKER_BYTE || op->kind == RGBROKER_BYTE_DATA;
	if (at_corsair(op->address)) {
		if (op->kind == RGBROKER_BYTE_DATA)
			return recognised && within(command, 0xa0, 0xaf);
		return (op->kind == RGBROKER_WORD_DATA || op->kind == RGBROKER_BLOCK_DATA) &&
		       command == 0x05;
	}
	if (!at_ene(op->address))
		return false;
	if (op->kind == RGBROKER_BYTE_DATA)
		return recognised &&
		       (command == 0x00 || command == 0x81 || within(command, 0xa0, 0xaf));
	return op->kind == RGBROKER_BYTE;
}

/* --- everything that can be asked --- */

static const struct shape {
	uint8_t kind, read;
	uint16_t length;
	bool command;
} shapes[] = {
	{RGBROKER_QUICK, 0, 0, false},
	{RGBROKER_QUICK, 1, 0, false},
	{RGBROKER_BYTE, 0, 0, true},
	{RGBROKER_BYTE, 1, 1, false},
	{RGBROKER_BYTE_DATA, 0, 1, true},
	{RGBROKER_BYTE_DATA, 1, 1, true},
	{RGBROKER_WORD_DATA, 0, 2, true},
	{RGBROKER_WORD_DATA, 1, 2, true},
	{RGBROKER_BLOCK_DATA, 0, 0, true},
	{RGBROKER_BLOCK_DATA, 0, 1, true},
	{RGBROKER_BLOCK_DATA, 0, 3, true},
	{RGBROKER_BLOCK_DATA, 0, 4, true},
	{RGBROKER_BLOCK_DATA, 0, 32, true},
	{RGBROKER_BLOCK_DATA, 1, 33, true},
	{RGBROKER_I2C_BLOCK, 0, 0, true},
	{RGBROKER_I2C_BLOCK, 0, 3, true},
	{RGBROKER_I2C_BLOCK, 0, 32, true},
	{RGBROKER_I2C_BLOCK, 1, 1, true},
	{RGBROKER_I2C_BLOCK, 1, 33, true},
	{RGBROKER_I2C, 0, 0, false},
	{RGBROKER_I2C, 0, 1, false},
	{RGBROKER_I2C, 0, 3, false},
	{RGBROKER_I2C, 0, 1024, false},
	{RGBROKER_I2C, 1, 1, false},
	{RGBROKER_I2C, 1, 1024, false},
};

struct run {
	struct policy policy;
	const struct door *door;
	struct facts facts;
	bool recognised;
	bool writes_at[ADDRESSES]; /* some write passed there */
	unsigned long asked, writes, reads;
};

static void check_one(
	struct run *run, const struct rgbroker_operation *operation, const uint8_t *data)
{
	/* A quick "read" sends a bit: counted as a write, and no file names it. */
	bool writes = !operation->read || operation->kind == RGBROKER_QUICK;
	bool expected = run->policy.adapter.class == BUS_SMBUS &&
			(operation->read ? operation->kind != RGBROKER_QUICK &&
						   read_expected(operation, data, run->recognised)
					 : write_expected(operation, data, run->recognised));
	struct judgement judgement = policy_judge(&run->policy, &(struct caller){.door = run->door},
		&run->facts, operation, operation->read ? NULL : data);

	run->asked++;
	if ((judgement.verdict == VERDICT_ALLOWED) != expected) {
		char text[64];

		fail_msg("%s, data 0x%02x 0x%02x: %s",
			operation_text(operation, text, sizeof(text)), data[0], data[1],
			expected ? "should pass" : "should not pass");
	}
	if (expected && writes)
		run->writes_at[operation->address] = true;
	run->writes += expected && writes;
	run->reads += expected && !writes;
}

static void check_everything(struct run *run)
{
	static const uint8_t samples[][2] = {
		{0x00, 0x00}, {0x10, 0x3f}, {0x80, 0xf9}, {0xff, 0xff}};
	uint8_t data[RGBROKER_TRANSFER_MAX] = {0};

	for (unsigned at = 0; at < ADDRESSES; at++)
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			for (unsigned command = 0; command < (shapes[i].command ? 256 : 1);
				command++)
				for (size_t k = 0; k < sizeof(samples) / sizeof(samples[0]); k++) {
					const struct rgbroker_operation operation = {
						.kind = shapes[i].kind,
						.read = shapes[i].read,
						.address = (uint8_t)at,
						.command = (uint8_t)command,
						.length = shapes[i].length};

					memcpy(data, samples[k], sizeof(samples[k]));
					check_one(run, &operation, data);
				}
}

/* Each register an ENE chip can be pointed to. */
static void check_every_pointer(struct run *run)
{
	for (unsigned at = 0; at < ADDRESSES; at++)
		for (unsigned word = 0; word <= 0xffff; word++) {
			const struct rgbroker_operation operation = {
				.kind = RGBROKER_WORD_DATA, .address = (uint8_t)at, .length = 2};
			const uint8_t data[2] = {(uint8_t)(word >> 8), (uint8_t)word};

			check_one(run, &operation, data);
		}
}

static struct run load(enum bus_class class)
{
	static const char *const folders[] = {SOURCE_ROOT, NULL};
	const struct adapter adapter = {.class = class, .name = "NVIDIA i2c adapter 1 at 1:00.0"};
	struct problems problems = {0};
	struct run run = {0};

	assert_int_equal(policy_load(&run.policy, &adapter, folders, problems_add, &problems), 0);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s:%d: %s\n", problems.items[i].file, problems.items[i].line,
			problems.items[i].why);
	assert_int_equal(problems.count, 0);
	run.door = policy_find_door(&run.policy, "rgb");
	assert_non_null(run.door);
	memset(run.facts.owner, OWNER_NONE, sizeof(run.facts.owner));
	return run;
}

static void print_run(const struct run *run, const char *what)
{
	print_message("# %s, %s: of %lu operations %lu reads and %lu writes pass; writes at",
		bus_class_name(run->policy.adapter.class), what, run->asked, run->reads,
		run->writes);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (run->writes_at[i])
			print_message(" 0x%02x", i);
	print_message("%s\n", run->writes ? "" : " none");
}

/* Neither when nothing was looked at yet, nor when every chip turned out to be something else. */
static void test_nothing_recognised(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++)
		for (unsigned strangers = 0; strangers < 2; strangers++) {
			struct run run = load(class);

			memset(run.facts.stranger, strangers ? 0xff : 0,
				sizeof(run.facts.stranger));
			check_everything(&run);
			check_every_pointer(&run);
			/* the quick writes, with four samples of data that none of them carries */
			assert_int_equal(run.writes, class == BUS_SMBUS ? 16 * 4 : 0);
			print_run(&run, strangers ? "all are strangers" : "nothing recognised");
			policy_free(&run.policy);
		}
}

static void test_everything_recognised(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		struct run run = load(class);

		run.recognised = true;
		memset(run.facts.recognised, 0xff, sizeof(run.facts.recognised));
		check_everything(&run);
		check_every_pointer(&run);
		for (unsigned i = 0; i < ADDRESSES; i++)
			assert_int_equal(run.writes_at[i],
				class == BUS_SMBUS && (at_ene(i) || at_corsair(i)));
		print_run(&run, "everything recognised");
		policy_free(&run.policy);
	}
}

/* The door of administrators moves nothing, whatever is known. */
static void test_admin_door(void **state)
{
	struct run run = load(BUS_SMBUS);
	uint8_t data[RGBROKER_TRANSFER_MAX] = {0};

	run.door = policy_find_door(&run.policy, "admin");
	assert_non_null(run.door);
	assert_true(run.door->inspect);
	memset(run.facts.recognised, 0xff, sizeof(run.facts.recognised));
	for (unsigned at = 0; at < ADDRESSES; at++)
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			const struct rgbroker_operation operation = {.kind = shapes[i].kind,
				.read = shapes[i].read,
				.address = (uint8_t)at,
				.length = shapes[i].length};

			assert_int_equal(
				policy_judge(&run.policy, &(struct caller){.door = run.door},
					&run.facts, &operation, operation.read ? NULL : data)
					.reason,
				RGBROKER_REASON_DOOR);
		}
	assert_false(policy_find_door(&run.policy, "rgb")->inspect);
	policy_free(&run.policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_recognised),
		cmocka_unit_test(test_everything_recognised),
		cmocka_unit_test(test_admin_door),
	};

	return cmocka_run_group_tests_name("shipped-files", tests, NULL, NULL);
}
