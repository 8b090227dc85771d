/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "cli/table.h"

static void check(const char *text, const char *aligned)
{
	struct buf out = { 0 };

	table_align(text, TABLE_MIN_WIDTH, &out);
	assert_string_equal(buf_str(&out), aligned);
	buf_done(&out);
}

static void test_short_columns_are_ten_wide(void **state)
{
	(void)state;
	check("A\tB\n1\t2\n", "A         B\n1         2\n");
}

static void test_columns_grow_with_three_spaces_between(void **state)
{
	(void)state;
	check("ID\tNAME\n0123456789ab\tx\n", "ID             NAME\n0123456789ab   x\n");
}

static void test_the_last_cell_is_not_padded(void **state)
{
	(void)state;
	check("A\tlong last cell\nB\tx\n", "A         long last cell\nB         x\n");
}

static void test_characters_count_not_bytes(void **state)
{
	(void)state;
	check("\"ab…\"\tx\n\"abcd\"\ty\n", "\"ab…\"     x\n\"abcd\"    y\n");
}

static void test_empty_text_stays_empty(void **state)
{
	(void)state;
	check("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_columns_are_ten_wide),
		cmocka_unit_test(test_columns_grow_with_three_spaces_between),
		cmocka_unit_test(test_the_last_cell_is_not_padded),
		cmocka_unit_test(test_characters_count_not_bytes),
		cmocka_unit_test(test_empty_text_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
