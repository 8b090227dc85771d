/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"

/* The sanitizers see a write behind its end. */
static void test_a_copy_of_any_length_grows(void **state)
{
	for (size_t n = 0; n < 40; n++) {
		cleanup_with(strv_free) char **v = NULL, **copy = NULL;

		for (size_t i = 0; i < n; i++)
			v = strv_push(v, "x");
		copy = strv_copy(v);
		for (size_t i = 0; i < 10; i++)
			copy = strv_push(copy, "y");
		assert_int_equal(strv_len(copy), n + 10);
		assert_string_equal(copy[n], "y");
	}
}

static void test_pieces_are_kept_or_left_out(void **state)
{
	cleanup_with(strv_free) char **all = strv_split("a,,b", ",", true);
	cleanup_with(strv_free) char **words = strv_split("a,,b", ",", false);

	assert_int_equal(strv_len(all), 3);
	assert_string_equal(all[1], "");
	assert_int_equal(strv_len(words), 2);
	assert_true(strv_has(words, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_of_any_length_grows),
		cmocka_unit_test(test_pieces_are_kept_or_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
