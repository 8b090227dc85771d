/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/id.h"
#include "base/macro.h"

static void test_ids_are_64_hex_digits_and_differ(void **state)
{
	char a[ID_LEN + 1], b[ID_LEN + 1];
	struct error err;

	(void)state;
	assert_int_equal(id_new(a, &err), 0);
	assert_int_equal(id_new(b, &err), 0);
	assert_true(id_is_full(a));
	assert_string_not_equal(a, b);
}

static void test_prefixes_are_short_lower_hex(void **state)
{
	(void)state;
	assert_true(id_is_prefix("a"));
	assert_true(id_is_prefix("0123456789ab"));
	assert_false(id_is_prefix(""));
	assert_false(id_is_prefix("xyz"));
	assert_false(id_is_prefix("AB"));
	assert_false(id_is_full("0123456789ab"));
}

static void test_generated_names_are_valid_names(void **state)
{
	char name[ID_NAME_MAX];
	struct error err;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(id_name_new(i % 12, name, &err), 0);
		assert_true(id_name_is_valid(name));
		assert_non_null(strchr(name, '_'));
	}
}

static void test_names_are_checked_as_docker_does(void **state)
{
	static const char *const good[] = { "ab", "a1", "web-1", "a_b.c", "0x" };
	static const char *const bad[] = { "", "a", "-a", ".a", "a b", "a/b", "\xc3\xa9t\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(id_name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(id_name_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_64_hex_digits_and_differ),
		cmocka_unit_test(test_prefixes_are_short_lower_hex),
		cmocka_unit_test(test_generated_names_are_valid_names),
		cmocka_unit_test(test_names_are_checked_as_docker_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
