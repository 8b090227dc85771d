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

#define ZEROS60 "000000000000000000000000000000000000000000000000000000000000"
#define HEX64	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_bytes_are_written_as_lower_case_digits(void **state)
{
	static const uint8_t bytes[] = { 0x0a, 0xff, 0x7c };
	char text[7];

	assert_string_equal(hex_format(bytes, 3, text), "0aff7c");
}

static void test_digits_are_lower_case_only(void **state)
{
	assert_true(hex_is_lower("0189afx", 6));
	for (const char *p = "/:`gAF"; *p; p++)
		assert_false(hex_is_lower(p, 1));
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
	static const uint8_t sum[DIGEST_SHA256_BYTES] = { [0] = 0x01, [31] = 0xef };
	struct digest a, b;

	a = digest_from_sha256(sum);
	assert_int_equal(digest_parse("sha256:01" ZEROS60 "ef", &b), 0);
	assert_true(digest_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_written_as_lower_case_digits),
		cmocka_unit_test(test_digits_are_lower_case_only),
		cmocka_unit_test(test_digest_is_sha256_and_64_lower_case_digits),
		cmocka_unit_test(test_no_digest_has_no_digits),
		cmocka_unit_test(test_digest_of_a_sum_is_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
