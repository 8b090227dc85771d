/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bitlist.h"
#include "base/macro.h"

#define BITS 128

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		int n;
		unsigned long low, high;
	} cases[] = {
		{ "", 0, 0, 0 },
		{ "0", 1, 1, 0 },
		{ "0-3", 4, 0xf, 0 },
		{ "0-3,7", 5, 0x8f, 0 },
		{ " 1 , 3 \n", 2, 0xa, 0 },
		{ "63-64", 2, 1UL << 63, 1 },
		{ "127", 1, 0, 1UL << 63 },
		{ "2,2,1-2", 2, 0x6, 0 },
	};
	unsigned long bits[BITLIST_LONGS(BITS)] = { ~0UL, ~0UL };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(bitlist_parse(cases[i].text, bits, BITS), cases[i].n);
		assert_int_equal(bits[0], cases[i].low);
		assert_int_equal(bits[1], cases[i].high);
	}
}

static void test_what_is_no_list_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "a", -EINVAL },   { "1-", -EINVAL },	  { "-1", -EINVAL },
		{ "3-1", -EINVAL }, { "1,", -EINVAL },	  { ",1", -EINVAL },
		{ "1 2", -EINVAL }, { "0x1", -EINVAL },	  { "1--2", -EINVAL },
		{ "128", -ERANGE }, { "0-128", -ERANGE }, { "99999999999999999999", -ERANGE },
	};
	unsigned long bits[BITLIST_LONGS(BITS)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(bitlist_parse(cases[i].text, bits, BITS), cases[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
