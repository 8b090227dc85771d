/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/macro.h"

static void test_base64_round_trip(void **state)
{
	/* the vectors of RFC 4648, section 10 */
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text = base64_format(rows[i][0], strlen(rows[i][0]));
		cleanup_free void *data = NULL;
		size_t len;

		assert_string_equal(text, rows[i][1]);
		assert_int_equal(base64_parse(text, &data, &len), 0);
		assert_int_equal(len, strlen(rows[i][0]));
		assert_string_equal(data, rows[i][0]);
	}
}

static void test_base64_refuses_what_is_not_canonical(void **state)
{
	static const char *const bad[] = { "Zg",   "Zg=",      "Zh==", "Zm9=",	 "Z===",
					   "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *data;
		size_t len;

		assert_int_equal(base64_parse(bad[i], &data, &len), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_round_trip),
		cmocka_unit_test(test_base64_refuses_what_is_not_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
