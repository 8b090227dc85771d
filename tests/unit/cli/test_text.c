/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "cli/text.h"

static void assert_text(char *got, const char *expected)
{
	assert_string_equal(got, expected);
	free(got);
}

static void test_long_text_ends_in_an_ellipsis(void **state)
{
	(void)state;
	assert_text(text_ellipsis("short", 5), "short");
	assert_text(text_ellipsis("longer", 5), "long…");
	assert_text(text_ellipsis("äöüäöü", 5), "äöüä…");
	assert_text(text_ellipsis("", 5), "");
}

static void test_quotes_and_control_characters_are_escaped(void **state)
{
	(void)state;
	assert_text(text_quote("sh -c \"x\""), "\"sh -c \\\"x\\\"\"");
	assert_text(text_quote("a\nb\x1b"), "\"a\\nb\\x1b\"");
}

static void test_times_are_read_in_all_their_forms(void **state)
{
	struct error err;
	int64_t ns, now = clock_real_ns();

	(void)state;
	assert_int_equal(text_parse_time("2026-11-21T00:00:01Z", &ns, &err), 0);
	assert_int_equal(ns / 1000000000, 1795219201);
	assert_int_equal(text_parse_time("2026-11-21", &ns, &err), 0);
	assert_int_equal(ns / 1000000000, 1795219200);
	assert_int_equal(text_parse_time("1795219201", &ns, &err), 0);
	assert_int_equal(ns / 1000000000, 1795219201);
	assert_int_equal(text_parse_time("10m", &ns, &err), 0);
	assert_in_range((now - ns) / 1000000000, 599, 601);
	assert_int_equal(text_parse_time("soon", &ns, &err), -EINVAL);
	assert_int_equal(err.kind, ERROR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_text_ends_in_an_ellipsis),
		cmocka_unit_test(test_quotes_and_control_characters_are_escaped),
		cmocka_unit_test(test_times_are_read_in_all_their_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
