/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a bus is left alone, for how long, and what ends it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/quarantine.h"

#define SECOND UINT64_C(1000000)

static struct quarantine quarantine;
static uint64_t now;

static int set_up(void **state)
{
	quarantine = (struct quarantine){.number = 7};
	now = 1000 * SECOND;
	return 0;
}

static struct rgbroker_operation at(uint8_t address)
{
	return (struct rgbroker_operation){.kind = RGBROKER_BYTE_DATA, .address = address};
}

/* Whether a transfer would be tried. */
static bool tried(uint8_t address)
{
	const struct rgbroker_operation operation = at(address);
	int r = quarantine_answer(&quarantine, &operation, 1, now);

	assert_true(r == 0 || r == -ETIMEDOUT);
	return r == 0;
}

static void comes_to(uint8_t address, int result)
{
	const struct rgbroker_operation operation = at(address);

	assert_true(tried(address));
	quarantine_learn(&quarantine, &operation, 1, result, now);
}

static bool bus_is_in(void)
{
	return quarantine.of[QUARANTINE_BUS].since_usec;
}

static bool chip_is_in(uint8_t address)
{
	return quarantine.of[address].since_usec;
}

static void wedge(void)
{
	comes_to(0x40, -ETIMEDOUT);
	comes_to(0x41, -ETIMEDOUT);
	comes_to(0x40, -ETIMEDOUT);
	assert_true(bus_is_in());
}

static void two_are_no_reason(void **state)
{
	comes_to(0x40, -ETIMEDOUT);
	comes_to(0x41, -ETIMEDOUT);
	assert_int_equal(quarantine.active, 0);
	assert_true(tried(0x40));
	assert_true(tried(0x42));
}

static void three_in_a_row(void **state)
{
	wedge();
	assert_int_equal(quarantine.active, 1);
	assert_int_equal(quarantine.begun, 1);
	/* nobody's transfer is tried, at whatever address */
	for (uint8_t address = 0; address < 128; address++)
		assert_false(tried(address));
	assert_int_equal(quarantine.spared, 128);
	now += SECOND - 1;
	assert_false(tried(0x40));
	now += 1;
	assert_true(tried(0x40));
}

/* What says that the wire works, or says nothing of it. */
static void what_is_between_them(void **state)
{
	static const struct {
		int result;
		bool row_goes_on;
	} cases[] = {
		{0, false},
		{-ENXIO, false},
		{-EIO, false},
		{-EAGAIN, false},
		{-EREMOTEIO, false},
		{-EPROTO, false},
		{-EBUSY, true},
		{-EINVAL, true},
		{-EOPNOTSUPP, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up(state);
		comes_to(0x40, -ETIMEDOUT);
		comes_to(0x41, -ETIMEDOUT);
		comes_to(0x42, cases[i].result);
		comes_to(0x40, -ETIMEDOUT);
		assert_int_equal(bus_is_in(), cases[i].row_goes_on);
	}
}

/* 1, 2, 4 ... 32, 60, 60 s, each from the end of the last attempt on, which itself takes a while.
 */
static void pauses_grow(void **state)
{
	static const unsigned pauses[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

	wedge();
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		const struct rgbroker_operation operation = at(0x45);

		now += pauses[i] * SECOND - 1;
		assert_false(tried(0x45));
		now += 1;
		assert_true(tried(0x45));
		now += SECOND / 5;
		quarantine_learn(&quarantine, &operation, 1, -ETIMEDOUT, now);
	}
	assert_int_equal(quarantine.begun, 1);
	assert_int_equal(quarantine.active, 1);
	now += 60 * SECOND;
	comes_to(0x45, 0);
	assert_int_equal(quarantine.active, 0);
	/* and from one second on again */
	wedge();
	now += SECOND;
	assert_true(tried(0x40));
}

/* One that nobody acknowledges, too: the adapter works. */
static void any_answer_ends_it(void **state)
{
	static const int answers[] = {0, -ENXIO, -EIO, -EAGAIN};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		set_up(state);
		wedge();
		now += SECOND;
		comes_to(0x50, answers[i]);
		assert_int_equal(quarantine.active, 0);
		assert_true(tried(0x40));
		/* a row begins anew */
		comes_to(0x40, -ETIMEDOUT);
		comes_to(0x41, -ETIMEDOUT);
		assert_int_equal(quarantine.active, 0);
	}
}

/* One that never was on the wire tells nothing: the next is tried as well. */
static void a_probe_that_tells_nothing(void **state)
{
	wedge();
	now += SECOND;
	comes_to(0x50, -EOPNOTSUPP);
	assert_true(bus_is_in());
	comes_to(0x40, -ETIMEDOUT);
	now += 2 * SECOND - 1;
	assert_false(tried(0x40));
}

static void one_chip_alone(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		comes_to(0x40, -ETIMEDOUT);
	assert_false(bus_is_in());
	assert_true(chip_is_in(0x40));
	assert_false(tried(0x40));
	for (unsigned i = 0; i < 10; i++) {
		comes_to(0x41, 0);
		assert_false(tried(0x40));
	}
	now += SECOND;
	comes_to(0x40, -ETIMEDOUT); /* one more, now in a row of its own */
	now += SECOND;
	comes_to(0x41, 0);
	assert_false(tried(0x40));
	now += SECOND;
	comes_to(0x40, 0);
	assert_int_equal(quarantine.active, 0);
	assert_int_equal(quarantine.begun, 1);
}

static void then_another(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		comes_to(0x40, -ETIMEDOUT);
	comes_to(0x41, -ETIMEDOUT);
	assert_true(bus_is_in());
	assert_int_equal(quarantine.active, 2);
	now += SECOND;
	comes_to(0x42, 0);
	assert_false(bus_is_in());
	assert_true(chip_is_in(0x40)); /* that one has not answered yet */
	comes_to(0x40, 0);
	assert_int_equal(quarantine.active, 0);
}

/* Who could blame another chip could keep others from it. */
static void joined_messages_blame_nobody(void **state)
{
	const struct rgbroker_operation operations[] = {at(0x40), at(0x41)};
	const struct rgbroker_operation same[] = {at(0x42), at(0x42)};

	for (unsigned i = 0; i < 10; i++)
		quarantine_learn(&quarantine, operations, 2, -ETIMEDOUT, now);
	assert_int_equal(quarantine.active, 0);
	for (unsigned i = 0; i < 3; i++)
		quarantine_learn(&quarantine, same, 2, -ETIMEDOUT, now);
	assert_true(chip_is_in(0x42));
	comes_to(0x41, -ETIMEDOUT);
	assert_true(bus_is_in());
	now += SECOND;
	/* an answer ends all it is of */
	quarantine_learn(&quarantine, same, 2, 0, now);
	assert_int_equal(quarantine.active, 0);
	for (unsigned i = 0; i < 3; i++)
		comes_to(0x41, -ETIMEDOUT);
	assert_int_equal(quarantine_answer(&quarantine, operations, 2, now), -ETIMEDOUT);
	assert_int_equal(quarantine_answer(&quarantine, operations, 1, now), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_are_no_reason),
		TEST(three_in_a_row),
		TEST(what_is_between_them),
		TEST(pauses_grow),
		TEST(any_answer_ends_it),
		TEST(a_probe_that_tells_nothing),
		TEST(one_chip_alone),
		TEST(then_another),
		TEST(joined_messages_blame_nobody),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
