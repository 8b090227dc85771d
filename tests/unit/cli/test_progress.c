/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/progress.h"

#define NARROW 80
#define WIDE   120

/* What a view writes for some steps. */
static char *shown(uint16_t columns, const struct progress *steps, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct progress_view *v = progress_view_new(out, columns);
	struct progress_sink sink = progress_view_sink(v);

	for (size_t i = 0; i < n; i++)
		progress_show(&sink, steps[i].id, steps[i].text, steps[i].done, steps[i].total);
	progress_view_free(v);
	(void)fclose(out);
	return text;
}

static void check(uint16_t columns, const struct progress *steps, size_t n, const char *expected)
{
	char *text = shown(columns, steps, n);

	assert_string_equal(text, expected);
	free(text);
}

static void test_a_file_gets_a_line_for_each_new_word_and_no_bar(void **state)
{
	static const struct progress steps[] = {
		{ NULL, "The push refers to repository [x]", 0, 0 },
		{ "a", "Preparing", 0, 0 },
		{ "b", "Preparing", 0, 0 },
		{ "a", "Pushing", 10, 100 },
		{ "a", "Preparing", 0, 0 },
		{ "a", "Pushed", 0, 0 },
		{ "a", "Pushed", 0, 0 },
	};

	(void)state;
	check(0, steps, ARRAY_SIZE(steps),
	      "The push refers to repository [x]\na: Preparing\nb: Preparing\na: Pushed\n");
}

static void test_a_terminal_line_changes_in_place(void **state)
{
	static const struct progress steps[] = {
		{ "a", "Preparing", 0, 0 },
		{ "b", "Preparing", 0, 0 },
		{ "a", "Pushed", 0, 0 },
	};

	(void)state;
	check(NARROW, steps, ARRAY_SIZE(steps),
	      "a: Preparing\nb: Preparing\n\033[2A\033[2K\ra: Pushed\r\033[2B");
}

static void test_a_narrow_terminal_gets_numbers_alone(void **state)
{
	static const struct progress step = { "a", "Pushing", 500000, 2000000 };

	(void)state;
	check(NARROW, &step, 1, "a: Pushing    500kB/2MB\n");
}

static void test_a_wide_terminal_gets_a_bar(void **state)
{
	static const struct progress step = { "a", "Pushing", 500000, 1000000 };

	(void)state;
	check(WIDE, &step, 1,
	      "a: Pushing [=========================>                         ]    "
	      "500kB/1MB\n");
}

static void test_updates_in_quick_succession_are_left_out_but_the_last(void **state)
{
	static const struct progress steps[] = {
		{ "a", "Pushing", 1, 1000 },
		{ "a", "Pushing", 2, 1000 },
		{ "a", "Pushing", 1000, 1000 },
	};

	(void)state;
	check(NARROW, steps, ARRAY_SIZE(steps),
	      "a: Pushing       1B/1kB\n\033[1A\033[2K\ra: Pushing      1kB/1kB\r\033[1B");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_gets_a_line_for_each_new_word_and_no_bar),
		cmocka_unit_test(test_a_terminal_line_changes_in_place),
		cmocka_unit_test(test_a_narrow_terminal_gets_numbers_alone),
		cmocka_unit_test(test_a_wide_terminal_gets_a_bar),
		cmocka_unit_test(test_updates_in_quick_succession_are_left_out_but_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
