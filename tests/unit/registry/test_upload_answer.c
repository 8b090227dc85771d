/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "registry/upload_answer.h"

#define ID "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_a_range_says_how_many_bytes_came(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0-1023", 1024 },
		{ "bytes=0-1023", 1024 },
		{ "0-0", 0 },
		{ "0-1", 2 },
		{ "0-18446744073709551614", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		uint64_t bytes = 7;

		assert_int_equal(upload_range(good[i].text, &bytes), 0);
		assert_true(bytes == good[i].bytes);
	}
}

static void test_another_range_is_refused(void **state)
{
	static const char *const bad[] = { "",	    "0-",      "-5",
					   "1-5",   "0-5,7-9", "bytes 0-5/6",
					   "0--5",  "0-x",     "0-18446744073709551615",
					   "00-12", "0 - 5" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t bytes = 7;

		assert_int_equal(upload_range(bad[i], &bytes), -EINVAL);
		assert_true(bytes == 7);
	}
}

static void test_parameters_of_a_location_are_kept(void **state)
{
	static const char *const cases[][2] = {
		{ "http://r/v2/x/blobs/uploads/1", "http://r/v2/x/blobs/uploads/1?" },
		{ "http://r/u/1?_state=a%2Bb&n=1", "http://r/u/1?_state=a%2Bb&n=1&" },
		{ "http://r/u/1?", "http://r/u/1?" },
		{ "http://r/u/1?a=b#part", "http://r/u/1?a=b&" },
		{ "http://r/u/1#part?x", "http://r/u/1?" },
	};
	struct digest id;

	(void)state;
	assert_int_equal(digest_parse("sha256:" ID, &id), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *url = upload_finish_url(cases[i][0], &id);
		char expected[200];

		(void)snprintf(expected, sizeof(expected), "%sdigest=sha256%%3A" ID, cases[i][1]);
		assert_string_equal(url, expected);
		free(url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_range_says_how_many_bytes_came),
		cmocka_unit_test(test_another_range_is_refused),
		cmocka_unit_test(test_parameters_of_a_location_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
