/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor, against a family that allows everything everywhere. What it keeps closed, and what
 * lifts it, is written down here once more, by address.
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

/* For good, whatever is known. */
static bool closed_on_smbus(unsigned address, enum action action)
{
	if (within(address, 0x00, 0x08) || address == 0x0c || within(address, 0x30, 0x37) ||
		within(address, 0x78, 0x7f))
		return true; /* reserved; SPD pages and write protection */
	if (action == READ)
		return false;
	return within(address, 0x09, 0x0b) || /* batteries */
	       within(address, 0x50, 0x57) || /* SPD */
	       address == 0x69;               /* clock generator */
}

static bool closed(enum bus_class class, unsigned address, enum action action)
{
	if (class == BUS_SMBUS)
		return closed_on_smbus(address, action);
	return within(address, 0x00, 0x07) || within(address, 0x78, 0x7f);
}

/* Thermometers and clock drivers of registered modules, by slot. */
static bool wants_unbuffered(enum bus_class class, unsigned address, enum action action)
{
	return class == BUS_SMBUS && action == WRITE &&
	       (within(address, 0x18, 0x1f) || within(address, 0x58, 0x5f));
}

/* Voltage regulators of DDR5 modules. */
static bool wants_no_ddr5(enum bus_class class, unsigned address, enum action action)
{
	return class == BUS_SMBUS && action != READ && within(address, 0x48, 0x4f);
}

/* Writes for which the floor wants to see a chip that the broker has recognised. */
static bool wants_chip(enum bus_class class, unsigned address, enum action action)
{
	return (class == BUS_SMBUS && action == WRITE && within(address, 0x10, 0x17)) ||
	       wants_unbuffered(class, address, action) || wants_no_ddr5(class, address, action);
}

static bool wants_no_display(enum bus_class class, unsigned address, enum action action)
{
	return class == BUS_GPU && action != READ &&
	       (address == 0x30 || address == 0x37 || address == 0x3a ||
		       within(address, 0x50, 0x57));
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
	memset(anything->facts.edid, PRESENCE_NO, sizeof(anything->facts.edid));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		anything->facts.memory[slot].kind = MEMORY_EMPTY;
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
	{.kind = RGBROKER_I2C, .read = 1, .length = 0}, /* the same on the wire as quick */
	{.kind = RGBROKER_I2C, .joined = 1, .length = 1},
};

static enum action action_of(const struct rgbroker_operation *operation)
{
	if (operation->kind == RGBROKER_QUICK ||
		(operation->kind == RGBROKER_I2C && operation->read && !operation->length))
		return QUICK;
	return operation->read ? READ : WRITE;
}

struct expected {
	enum verdict verdict;
	enum rgbroker_reason reason;
	enum fact fact;
	uint8_t fact_address;
};

static struct expected refuse(enum rgbroker_reason reason)
{
	return (struct expected){.verdict = VERDICT_REFUSED, .reason = reason};
}

static struct expected need(enum fact fact, unsigned address)
{
	return (struct expected){
		.verdict = VERDICT_NEEDS_FACT, .fact = fact, .fact_address = (uint8_t)address};
}

/* What the memory modules or a display make of it. */
static struct expected expect_proof(
	const struct anything *anything, unsigned address, enum action action)
{
	enum bus_class class = anything->policy.adapter.class;
	const struct memory *memory = anything->facts.memory;
	const uint8_t *edid = anything->facts.edid;
	unsigned slot = address & 7;

	if (wants_unbuffered(class, address, action)) {
		if (memory[slot].kind == MEMORY_UNSEEN)
			return need(FACT_MEMORY, 0x50 + slot);
		if (memory[slot].kind != MEMORY_EMPTY && !memory[slot].unbuffered)
			return refuse(RGBROKER_REASON_FLOOR);
	}
	for (slot = 0; slot < 8 && wants_no_ddr5(class, address, action); slot++) {
		if (memory[slot].kind == MEMORY_UNSEEN)
			return need(FACT_MEMORY, 0x50 + slot);
		if (memory[slot].kind == MEMORY_DDR5 || memory[slot].kind == MEMORY_OBSCURE)
			return refuse(RGBROKER_REASON_FLOOR);
	}
	if (wants_no_display(class, address, action)) {
		if (edid[0x50] == PRESENCE_UNKNOWN)
			return need(FACT_EDID, 0x50);
		if (edid[0x50] == PRESENCE_YES)
			return refuse(RGBROKER_REASON_FLOOR);
		if (within(address, 0x51, 0x57) && edid[address] == PRESENCE_UNKNOWN)
			return need(FACT_EDID, address);
		if (within(address, 0x51, 0x57) && edid[address] == PRESENCE_YES)
			return refuse(RGBROKER_REASON_FLOOR);
	}
	return (struct expected){.verdict = VERDICT_ALLOWED};
}

static struct expected expect(const struct anything *anything, unsigned address, enum action action)
{
	enum bus_class class = anything->policy.adapter.class;
	struct expected expected;

	if (class == BUS_NONE)
		return refuse(RGBROKER_REASON_DOOR);
	if (closed(class, address, action))
		return refuse(RGBROKER_REASON_FLOOR);
	if (anything->facts.owner[address] == OWNER_KERNEL)
		return refuse(RGBROKER_REASON_OWNED);
	if (anything->facts.owner[address] == OWNER_UNKNOWN)
		return need(FACT_OWNER, address);
	expected = expect_proof(anything, address, action);
	if (expected.verdict != VERDICT_ALLOWED || !wants_chip(class, address, action) ||
		anything->facts.recognised[address])
		return expected;
	return anything->device.n_expectations && !anything->facts.stranger[address]
		       ? need(FACT_RECOGNISED, address)
		       : refuse(RGBROKER_REASON_UNPROVEN);
}

static bool as_expected(const struct judgement *judgement, const struct expected *expected)
{
	return judgement->verdict == expected->verdict &&
	       (judgement->verdict != VERDICT_REFUSED || judgement->reason == expected->reason) &&
	       (judgement->verdict != VERDICT_NEEDS_FACT ||
		       (judgement->fact == expected->fact &&
			       judgement->fact_address == expected->fact_address));
}

/* Every address, kind and direction, and every step-th command. Returns how many pass. */
static unsigned long check_some(const struct anything *anything, unsigned step)
{
	static const uint8_t data[RGBROKER_TRANSFER_MAX];
	unsigned long passed = 0;

	for (unsigned address = 0; address < ADDRESSES; address++)
		for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
			for (unsigned command = 0; command < 256; command += step) {
				struct rgbroker_operation operation = operations[i];
				struct expected expected =
					expect(anything, address, action_of(&operation));
				struct judgement judgement;

				operation.address = (uint8_t)address;
				operation.command = (uint8_t)command;
				judgement = policy_judge(&anything->policy,
					&(struct caller){.door = &anything->door}, &anything->facts,
					&operation, operation.read ? NULL : data);
				if (!as_expected(&judgement, &expected))
					fail_msg("class %d 0x%02x kind %u read %u command 0x%02x: "
						 "%d %d %d 0x%02x",
						anything->policy.adapter.class, address,
						operation.kind, operation.read, command,
						judgement.verdict, judgement.reason, judgement.fact,
						judgement.fact_address);
				if (judgement.reason == RGBROKER_REASON_FLOOR)
					assert_in_range(address, judgement.floor->first,
						judgement.floor->last);
				passed += judgement.verdict == VERDICT_ALLOWED;
			}
	return passed;
}

static unsigned long check_all(const struct anything *anything)
{
	return check_some(anything, 1);
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

static void test_all_is_proven(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		struct anything anything;

		make_anything(&anything, class, true);
		assert_true(check_all(&anything) > 0);
	}
}

static void test_nothing_is_known(void **state)
{
	for (enum bus_class class = BUS_NONE; class <= BUS_CUSTOM; class ++) {
		struct anything anything;

		make_anything(&anything, class, true);
		memset(&anything.facts, 0, sizeof(anything.facts));
		assert_int_equal(check_all(&anything), 0);
		memset(anything.facts.owner, OWNER_NONE, sizeof(anything.facts.owner));
		check_all(&anything);
	}
}

static void test_strangers(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		struct anything anything;

		make_anything(&anything, class, true);
		memset(anything.facts.recognised, 0, sizeof(anything.facts.recognised));
		check_all(&anything);
		memset(anything.facts.stranger, 0xff, sizeof(anything.facts.stranger));
		check_all(&anything);
	}
}

static void test_expect_none_does_not_lift(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		struct anything anything;

		make_anything(&anything, class, false);
		check_all(&anything);
	}
}

/* One slot holds each kind of module, registered or not; the others hold something harmless. */
static void test_memory(void **state)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		for (enum memory_kind kind = MEMORY_UNSEEN; kind <= MEMORY_OBSCURE; kind++)
			for (unsigned unbuffered = 0; unbuffered < 2; unbuffered++) {
				struct anything anything;

				make_anything(&anything, BUS_SMBUS, true);
				anything.facts.memory[slot] = (struct memory){kind, unbuffered, 0};
				anything.facts.memory[(slot + 3) % SLOTS] =
					(struct memory){MEMORY_DDR4, true, 0};
				check_some(&anything, 255);
			}
}

/* A display at 0x50 closes all that is a display's, one of the other EEPROMs its own address. */
static void test_displays(void **state)
{
	for (unsigned at = 0x50; at < 0x58; at++)
		for (enum presence presence = PRESENCE_UNKNOWN; presence <= PRESENCE_YES;
			presence++) {
			struct anything anything;

			make_anything(&anything, BUS_GPU, true);
			anything.facts.edid[at] = presence;
			check_some(&anything, 255);
		}
}

static void test_kernel_owned_beats_every_rule(void **state)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		struct anything anything;

		make_anything(&anything, class, true);
		memset(anything.facts.owner, OWNER_KERNEL, sizeof(anything.facts.owner));
		assert_int_equal(check_all(&anything), 0);
	}
}

static void test_bus_without_class(void **state)
{
	struct anything anything;

	make_anything(&anything, BUS_NONE, true);
	assert_int_equal(check_all(&anything), 0);
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
	assert_null(floor_find(BUS_NONE, 0x50));
	assert_null(floor_find(BUS_SMBUS, 0x70));
	assert_int_equal(floor_lift(NULL, &operations[0]), FLOOR_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_plain_read_is_quick),
		cmocka_unit_test(test_all_is_proven),
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_expect_none_does_not_lift),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_displays),
		cmocka_unit_test(test_kernel_owned_beats_every_rule),
		cmocka_unit_test(test_bus_without_class),
		cmocka_unit_test(test_each_row_says_why),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
