/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/units.h"

static void test_bytes_are_read_with_binary_units(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "512b", 512 },
		{ "1k", 1024 },
		{ "64MiB", 64 << 20 },
		{ "512m", 512 << 20 },
		{ "1.5g", INT64_C(3) << 29 },
		{ "2 GB", INT64_C(2) << 30 },
		{ "1t", INT64_C(1) << 40 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t bytes = -1;

		assert_int_equal(units_parse_bytes(cases[i].text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void test_bytes_refuse_what_is_no_size(void **state)
{
	static const char *const bad[] = { "", "m", "-1", "1x", "1kk", "1.2.3", "12 34", " 1" };
	int64_t bytes = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(units_parse_bytes(bad[i], &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("9223372036854775808", &bytes), -ERANGE);
	assert_int_equal(units_parse_bytes("9000p", &bytes), -ERANGE);
	assert_int_equal(bytes, 7);
}

static void test_cpus_are_exact_decimals(void **state)
{
	int64_t nano = 0;

	(void)state;
	assert_int_equal(units_parse_nano("1.5", &nano), 0);
	assert_int_equal(nano, 1500000000);
	assert_int_equal(units_parse_nano(".1", &nano), 0);
	assert_int_equal(nano, 100000000);
	assert_int_equal(units_parse_nano("0.0000000001", &nano), -EINVAL);
	assert_int_equal(units_parse_nano("two", &nano), -EINVAL);
}

static void test_durations_are_read_as_go_writes_them(void **state)
{
	int64_t ns = 0;

	(void)state;
	assert_int_equal(units_parse_duration("1h2m3.5s", &ns), 0);
	assert_int_equal(ns, INT64_C(3723500000000));
	assert_int_equal(units_parse_duration("300ms", &ns), 0);
	assert_int_equal(ns, 300000000);
	assert_int_equal(units_parse_duration("0", &ns), 0);
	assert_int_equal(ns, 0);
	assert_int_equal(units_parse_duration("10", &ns), -EINVAL);
	assert_int_equal(units_parse_duration("", &ns), -EINVAL);
}

static void test_sizes_are_written_as_docker_writes_them(void **state)
{
	char buf[UNITS_TEXT_MAX];

	(void)state;
	assert_string_equal(units_format_bytes(7999488, buf), "7.629MiB");
	assert_string_equal(units_format_bytes(0, buf), "0B");
	assert_string_equal(units_format_bytes(1536, buf), "1.5KiB");
	assert_string_equal(units_format_size(1451234, 3, buf), "1.45MB");
	assert_string_equal(units_format_size(999, 3, buf), "999B");
}

static void test_durations_are_written_as_docker_writes_them(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "Less than a second" }, { 1, "1 second" },		 { 59, "59 seconds" },
		{ 60, "About a minute" },    { 120, "2 minutes" },	 { 3600, "About an hour" },
		{ 47 * 3600, "47 hours" },   { 48 * 3600, "2 days" },	 { 21 * 86400, "3 weeks" },
		{ 90 * 86400, "3 months" },  { 800 * 86400, "2 years" },
	};
	char buf[UNITS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(units_format_duration(cases[i].seconds * INT64_C(1000000000),
							  buf),
				    cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_read_with_binary_units),
		cmocka_unit_test(test_bytes_refuse_what_is_no_size),
		cmocka_unit_test(test_cpus_are_exact_decimals),
		cmocka_unit_test(test_durations_are_read_as_go_writes_them),
		cmocka_unit_test(test_sizes_are_written_as_docker_writes_them),
		cmocka_unit_test(test_durations_are_written_as_docker_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
