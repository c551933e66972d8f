/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor, against a device file that allows everything everywhere and is recognised everywhere.
 * What stays closed then is written down here once more, by address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

enum action { READ, WRITE, QUICK };

static bool within(unsigned address, unsigned first, unsigned last)
{
	return address >= first && address <= last;
}

static bool closed_on_smbus(unsigned address, enum action action)
{
	if (within(address, 0x00, 0x08) || address == 0x0c || within(address, 0x30, 0x37) ||
		within(address, 0x78, 0x7f))
		return true; /* reserved; SPD pages and write protection */
	if (action == READ)
		return false;
	return within(address, 0x09, 0x0b) || /* batteries */
	       within(address, 0x48, 0x4f) || /* voltage regulators: until DDR5 can be ruled out */
	       within(address, 0x50, 0x57) || /* SPD */
	       address == 0x69;               /* clock generator */
}

static bool closed_on_gpu(unsigned address, enum action action)
{
	if (within(address, 0x00, 0x07) || within(address, 0x78, 0x7f))
		return true;
	return action != READ && (address == 0x30 || address == 0x37 || address == 0x3a ||
					 within(address, 0x50, 0x57));
}

static bool closed(enum bus_class class, unsigned address, enum action action)
{
	if (class == BUS_SMBUS)
		return closed_on_smbus(address, action);
	if (class == BUS_GPU)
		return closed_on_gpu(address, action);
	return within(address, 0x00, 0x07) || within(address, 0x78, 0x7f);
}

/* Writes for which the floor wants to see a chip that the broker has recognised. */
static bool wants_chip(enum bus_class class, unsigned address)
{
	return class == BUS_SMBUS && (within(address, 0x10, 0x1f) || within(address, 0x58, 0x5f));
}

/* A family that allows all there is; put together here, as the reader would not take it. */
struct anything {
	struct rule rules[2 * (RGBROKER_I2C + 1)];
	struct expectation expectation;
	struct device device;
	struct policy policy;
	struct door door;
	struct facts facts;
};

static void make_anything(struct anything *anything, enum bus_class class, bool fingerprint)
{
	size_t count = 0;

	memset(anything, 0, sizeof(*anything));
	for (unsigned kind = 0; kind <= RGBROKER_I2C; kind++)
		for (unsigned read = 0; read < 2; read++) {
			struct rule *rule = &anything->rules[count++];

			*rule = (struct rule){.kind = (uint8_t)kind, .read = read};
			memset(rule->commands, 0xff, sizeof(rule->commands));
			rule->length.last = RGBROKER_TRANSFER_MAX;
		}
	anything->device = (struct device){.no_fingerprint = !fingerprint,
		.expectations = &anything->expectation,
		.n_expectations = fingerprint,
		.rules = anything->rules,
		.n_rules = count};
	memset(anything->device.addresses, 0xff, sizeof(anything->device.addresses));
	anything->policy = (struct policy){
		.adapter.class = class, .devices = {&anything->device}, .n_devices = 1};
	anything->door =
		(struct door){.transfer = DOOR_READ_WRITE, .inspect = true, .devices = UINT64_MAX};
	memset(anything->facts.recognised, fingerprint ? 0xff : 0,
		sizeof(anything->facts.recognised));
	memset(anything->facts.owner, OWNER_NONE, sizeof(anything->facts.owner));
}

/* One operation of each kind and direction the wire can carry. */
static const struct rgbroker_operation operations[] = {
	{.kind = RGBROKER_QUICK},
	{.kind = RGBROKER_QUICK, .read = 1},
	{.kind = RGBROKER_BYTE},
	{.kind = RGBROKER_BYTE, .read = 1, .length = 1},
	{.kind = RGBROKER_BYTE_DATA, .length = 1},
	{.kind = RGBROKER_BYTE_DATA, .read = 1, .length = 1},
	{.kind = RGBROKER_WORD_DATA, .length = 2},
	{.kind = RGBROKER_WORD_DATA, .read = 1, .length = 2},
	{.kind = RGBROKER_BLOCK_DATA, .length = 0},
	{.kind = RGBROKER_BLOCK_DATA, .length = 32},
	{.kind = RGBROKER_BLOCK_DATA, .read = 1, .length = 33},
	{.kind = RGBROKER_I2C_BLOCK, .length = 32},
	{.kind = RGBROKER_I2C_BLOCK, .read = 1, .length = 1},
	{.kind = RGBROKER_I2C, .length = 0},
	{.kind = RGBROKER_I2C, .length = 1024},
	{.kind = RGBROKER_I2C, .read = 1, .length = 1024},
	{.kind = RGBROKER_I2C, .joined = 1, .length = 1},
};

static enum action action_of(const struct rgbroker_operation *operation)
{
	if (operation->kind == RGBROKER_QUICK)
		return QUICK;
	return operation->read ? READ : WRITE;
}

typedef enum rgbroker_reason (*expected)(
	enum bus_class class, unsigned address, enum action action);

/* Every address, kind, direction and command. */
static void check_all(struct anything *anything, expected reason)
{
	static const uint8_t data[RGBROKER_TRANSFER_MAX];

	for (unsigned address = 0; address < ADDRESSES; address++)
		for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
			for (unsigned command = 0; command < 256; command++) {
				struct rgbroker_operation operation = operations[i];
				enum rgbroker_reason expect = reason(anything->policy.adapter.class,
					address, action_of(&operation));
				struct judgement judgement;

				operation.address = (uint8_t)address;
				operation.command = (uint8_t)command;
				judgement = policy_judge(&anything->policy,
					&(struct caller){.door = &anything->door}, &anything->facts,
					&operation, operation.read ? NULL : data);
				if (judgement.reason != expect ||
					judgement.verdict !=
						(expect ? VERDICT_REFUSED : VERDICT_ALLOWED))
					fail_msg("class %d 0x%02x kind %u read %u command 0x%02x: "
						 "%d",
						anything->policy.adapter.class, address,
						operation.kind, operation.read, command,
						judgement.reason);
				if (expect == RGBROKER_REASON_FLOOR)
					assert_in_range(address, judgement.floor->first,
						judgement.floor->last);
			}
}

static enum rgbroker_reason if_recognised(
	enum bus_class class, unsigned address, enum action action)
{
	return closed(class, address, action) ? RGBROKER_REASON_FLOOR : RGBROKER_REASON_NONE;
}

static enum rgbroker_reason if_nothing_to_recognise(
	enum bus_class class, unsigned address, enum action action)
{
	if (closed(class, address, action))
		return RGBROKER_REASON_FLOOR;
	return action == WRITE && wants_chip(class, address) ? RGBROKER_REASON_UNPROVEN
							     : RGBROKER_REASON_NONE;
}

static enum rgbroker_reason if_owned(enum bus_class class, unsigned address, enum action action)
{
	enum rgbroker_reason reason = if_recognised(class, address, action);

	return reason ? reason : RGBROKER_REASON_OWNED;
}

static enum rgbroker_reason if_no_class(enum bus_class class, unsigned address, enum action action)
{
	return RGBROKER_REASON_DOOR;
}

/* On the wire a plain read of no bytes is a quick command. */
static void test_empty_plain_read_is_quick(void **state)
{
	struct rgbroker_operation operation = {.kind = RGBROKER_I2C, .read = 1, .address = 0x50};
	const struct floor_row *row = floor_find(BUS_SMBUS, 0x50);

	assert_int_equal(floor_lift(row, &operation), FLOOR_NEVER);
	operation.length = 1;
	assert_int_equal(floor_lift(row, &operation), FLOOR_OPEN);
}

static void test_never_lifted(void **state)
{
	struct anything anything;

	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		make_anything(&anything, class, true);
		check_all(&anything, if_recognised);
	}
}

static void test_expect_none_does_not_lift(void **state)
{
	struct anything anything;

	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		make_anything(&anything, class, false);
		check_all(&anything, if_nothing_to_recognise);
	}
}

static void test_kernel_owned_beats_every_rule(void **state)
{
	struct anything anything;

	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		make_anything(&anything, class, true);
		memset(anything.facts.owner, OWNER_KERNEL, sizeof(anything.facts.owner));
		check_all(&anything, if_owned);
	}
}

static void test_bus_without_class(void **state)
{
	struct anything anything;

	make_anything(&anything, BUS_NONE, true);
	check_all(&anything, if_no_class);
}

static void test_each_row_says_why(void **state)
{
	for (enum bus_class class = BUS_NONE; class <= BUS_CUSTOM; class ++)
		for (unsigned address = 0; address < ADDRESSES; address++) {
			const struct floor_row *row = floor_find(class, (uint8_t)address);

			if (!row)
				continue;
			assert_int_equal(row->class, class);
			assert_true(within(address, row->first, row->last));
			assert_true(strlen(row->why) > 8);
		}
	assert_null(floor_find(BUS_SMBUS, 0x70));
	assert_int_equal(floor_lift(NULL, &operations[0]), FLOOR_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_plain_read_is_quick),
		cmocka_unit_test(test_never_lifted),
		cmocka_unit_test(test_expect_none_does_not_lift),
		cmocka_unit_test(test_kernel_owned_beats_every_rule),
		cmocka_unit_test(test_bus_without_class),
		cmocka_unit_test(test_each_row_says_why),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
