/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of a bus is left to the kernel's drivers, and who notices. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/bus.h"
#include "broker/pace.h"

static struct pace pace;
static struct bus bus;
static uint64_t now;
static uint8_t driver; /* the address that one has; 0: none */
static unsigned looks;

/* In place of the bus's. */
int bus_owner(struct bus *of, uint8_t address, bool *ret_owned)
{
	looks += address == 0x50;
	if (address == 0x20)
		return -ENXIO; /* tells nothing */
	*ret_owned = address == driver;
	return 0;
}

static int set_up(void **state)
{
	pace = (struct pace){0};
	now = 1000000000;
	driver = 0x48;
	looks = 0;
	return 0;
}

/* One transfer, after a while; then the bus is left alone as long as it is owed. Returns that. */
static unsigned use(unsigned idle_usec, unsigned usec)
{
	unsigned left;

	now += idle_usec;
	pace_used(&pace, now, now + usec);
	now += usec;
	left = (unsigned)pace_owed_ms(&pace, &bus) * 1000;
	now += left;
	return left;
}

/* The part of ten seconds in which the bus was left alone by who never pauses. */
static double part_left(unsigned usec)
{
	uint64_t began = now, left = 0;

	while (now - began < 10000000)
		left += use(0, usec);
	return (double)left / (double)(now - began);
}

/* One for two: a third. */
static void the_kernel_has_its_part(void **state)
{
	static const unsigned lengths[] = {100, 270, 500, 3200, 20000, 92000, 200000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		double part;

		set_up(state);
		part = part_left(lengths[i]);
		assert_true(part > 0.31 && part < 0.35);
	}
}

/* Nobody is left a thing where nobody is: at no cost, and looked at once in ten seconds. */
static void alone_on_the_bus(void **state)
{
	driver = 0;
	assert_true(part_left(500) == 0);
	assert_in_range(looks, 1, 2);
}

static void a_driver_comes_and_goes(void **state)
{
	driver = 0;
	assert_true(part_left(500) == 0);
	driver = 0x77;  /* the last one looked at */
	part_left(500); /* is seen meanwhile */
	assert_true(part_left(500) > 0.31);
	driver = 0;
	part_left(500);
	assert_true(part_left(500) == 0);
}

/* Who leaves the bus alone for as long himself is never made to. */
static void who_pauses_notices_nothing(void **state)
{
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(use(260, 500), 0);
}

/* Nor is who sends a frame of 0.2 s now and then. */
static void bursts_notice_nothing(void **state)
{
	for (unsigned frame = 0; frame < 50; frame++) {
		assert_int_equal(use(100000, 500), 0);
		for (unsigned i = 1; i < 400; i++)
			assert_int_equal(use(0, 500), 0);
	}
}

/* After a long transfer there is no long pause: whoever is there wants to go on. */
static void no_pause_is_long(void **state)
{
	assert_in_range(use(0, 4000000), 90000, PACE_CREDIT_USEC);
	assert_int_equal(use(0, 500), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_has_its_part),
		TEST(alone_on_the_bus),
		TEST(a_driver_comes_and_goes),
		TEST(who_pauses_notices_nothing),
		TEST(bursts_notice_nothing),
		TEST(no_pause_is_long),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
