/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal lines about refusals: a program that is refused a thousand times a second fills no disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/log.h"

static void test_burst(void **state)
{
	struct rate_limit limit = {.interval_usec = 1000, .burst = 3};
	unsigned left_out = 99;

	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rate_limit_passes(&limit, 5000 + i, &left_out), i < 3);
	assert_int_equal(left_out, 0);
	assert_false(rate_limit_passes(&limit, 5999, &left_out));
	assert_true(rate_limit_passes(&limit, 6000, &left_out));
	assert_int_equal(left_out, 8);
	assert_true(rate_limit_passes(&limit, 6001, &left_out));
	assert_int_equal(left_out, 0);
}

static void test_soon_after_boot(void **state)
{
	struct rate_limit limit = {.interval_usec = 1000, .burst = 1};
	unsigned left_out;

	assert_true(rate_limit_passes(&limit, 1, &left_out));
	assert_false(rate_limit_passes(&limit, 2, &left_out));
	assert_true(rate_limit_passes(&limit, 1002, &left_out));
	assert_int_equal(left_out, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_soon_after_boot),
	};

	return cmocka_run_group_tests_name("rate-limit", tests, NULL, NULL);
}
