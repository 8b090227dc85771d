/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/macro.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_hex_round_trip_is_lower_case(void **state)
{
	uint8_t bytes[3];
	char text[7];

	assert_int_equal(hex_parse("0aFf7c", bytes, 3), 0);
	assert_string_equal(hex_format(bytes, 3, text), "0aff7c");
}

static void test_hex_refuses_short_long_and_foreign_text(void **state)
{
	uint8_t bytes[2];

	assert_int_equal(hex_parse("0a1", bytes, 2), -EINVAL);
	assert_int_equal(hex_parse("0a1b2", bytes, 2), -EINVAL);
	assert_int_equal(hex_parse("0a1g", bytes, 2), -EINVAL);
	assert_int_equal(hex_parse("", bytes, 2), -EINVAL);
}

static void test_digest_is_sha256_and_64_lower_case_digits(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		HEX64,
		"sha512:" HEX64,
		"sha256:" HEX64 "0",
		"sha256:0123",
		"sha256:A123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:/../456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};
	struct digest d;

	assert_int_equal(digest_parse("sha256:" HEX64, &d), 0);
	assert_string_equal(digest_hex(&d), HEX64);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(digest_parse(bad[i], &d), -EINVAL);
}

static void test_no_digest_has_no_digits(void **state)
{
	const struct digest none = { "" };

	assert_false(digest_is_set(&none));
	assert_string_equal(digest_hex(&none), "");
}

static void test_digest_of_a_sum_is_its_text(void **state)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	struct digest a, b;

	assert_int_equal(hex_parse(HEX64, sum, sizeof(sum)), 0);
	a = digest_from_sha256(sum);
	assert_int_equal(digest_parse("sha256:" HEX64, &b), 0);
	assert_true(digest_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_round_trip_is_lower_case),
		cmocka_unit_test(test_hex_refuses_short_long_and_foreign_text),
		cmocka_unit_test(test_digest_is_sha256_and_64_lower_case_digits),
		cmocka_unit_test(test_no_digest_has_no_digits),
		cmocka_unit_test(test_digest_of_a_sum_is_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
