/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "kernel/idmap.h"

static void test_extent_of_a_map(void **state)
{
	static const struct {
		const char *map;
		enum idmap_extent extent;
	} cases[] = {
		{ "         0          0 4294967295\n", IDMAP_ALL },
		{ "         0       1000          1\n", IDMAP_ONE },
		{ "      1000       1000          1\n", IDMAP_ONE },
		{ "         0       1000          1\n         1     100000      65536\n",
		  IDMAP_SOME },
		{ "         0          0          2\n", IDMAP_SOME },
		{ "         0     100000 4294867295\n", IDMAP_SOME },
		{ "", IDMAP_ALL }, /* not written yet, or no /proc */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(idmap_parse_extent(cases[i].map), cases[i].extent);
}

static void test_ranges_are_lines(void **state)
{
	static const struct idmap_range ranges[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
	cleanup_buf struct buf text = { 0 };

	idmap_format(ranges, 2, &text);
	assert_string_equal(buf_str(&text), "0 1000 1\n1 100000 65536\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extent_of_a_map),
		cmocka_unit_test(test_ranges_are_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
