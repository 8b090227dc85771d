/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macro.h"
#include "image/reference.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64

static void test_names_are_normalised_and_made_familiar(void **state)
{
	static const struct {
		const char *text, *full, *familiar;
	} rows[] = {
		{ "nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27" },
		{ "library/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "me/app", "docker.io/me/app:latest", "me/app:latest" },
		{ "a/b/c:1", "docker.io/a/b/c:1", "a/b/c:1" },
		{ "quay.io/me/app:1", "quay.io/me/app:1", "quay.io/me/app:1" },
		{ "localhost/app", "localhost/app:latest", "localhost/app:latest" },
		{ "localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x" },
		{ "[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest" },
		{ "docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest" },
		{ "UPPER/app", "UPPER/app:latest", "UPPER/app:latest" },
		{ "a__b/c-d.e_f--g", "docker.io/a__b/c-d.e_f--g:latest", "a__b/c-d.e_f--g:latest" },
		{ "x:_T.a-g", "docker.io/library/x:_T.a-g", "x:_T.a-g" },
		{ "x@" SHA256, "docker.io/library/x@" SHA256, "x@" SHA256 },
		{ "x:1@" SHA256, "docker.io/library/x:1@" SHA256, "x:1@" SHA256 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *full = reference_normalise(rows[i].text);
		cleanup_free char *familiar = full ? reference_familiar_text(full) : NULL;

		if (!full)
			fail_msg("'%s' was refused", rows[i].text);
		assert_string_equal(full, rows[i].full);
		assert_string_equal(familiar, rows[i].familiar);
	}
}

static void test_what_is_no_reference_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":tag",
		"x:",
		"x:-a",
		"x:a b",
		"x@",
		"x@sha256:12",
		("x@md5:" HEX64),
		"x@" SHA256 "@" SHA256,
		"/x",
		"x/",
		"a//b",
		"-x",
		"x-",
		"x..y",
		"x___y",
		"x._y",
		"http://x",
		"a.b-/x",
		"a.b:port/x",
		"[::1/x",
		"x\n",
		"../x",
		".",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct reference ref;
		struct error err;

		if (reference_parse(bad[i], &ref, &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.msg, "invalid reference format"));
	}
}

static void test_upper_case_names_are_refused_with_the_reason(void **state)
{
	struct reference ref;
	struct error err;

	assert_true(reference_parse("Nginx", &ref, &err) < 0);
	assert_string_equal(err.msg, "invalid reference format: repository name (library/Nginx) "
				     "must be lowercase");
}

static void test_an_id_is_no_name(void **state)
{
	struct reference ref;
	struct error err;

	assert_true(reference_parse(HEX64, &ref, &err) < 0);
	assert_non_null(strstr(err.msg, "64-byte hexadecimal"));
}

static void test_too_long_parts_are_refused(void **state)
{
	char text[400] = "x:";
	struct reference ref;
	struct error err;

	memset(text + 2, 'a', 129);
	assert_true(reference_parse(text, &ref, &err) < 0);
	text[2 + 128] = '\0';
	assert_int_equal(reference_parse(text, &ref, &err), 0);
	reference_done(&ref);
	memset(text, 'a', 256);
	text[256] = '\0';
	assert_true(reference_parse(text, &ref, &err) < 0);
	assert_non_null(strstr(err.msg, "255 characters"));
}

static void test_bare_parse_adds_no_tag(void **state)
{
	cleanup_reference struct reference ref = { 0 };
	struct error err;

	assert_int_equal(reference_parse_bare("nginx", &ref, &err), 0);
	assert_null(ref.tag);
	assert_string_equal(ref.path, "library/nginx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_normalised_and_made_familiar),
		cmocka_unit_test(test_what_is_no_reference_is_refused),
		cmocka_unit_test(test_upper_case_names_are_refused_with_the_reason),
		cmocka_unit_test(test_an_id_is_no_name),
		cmocka_unit_test(test_too_long_parts_are_refused),
		cmocka_unit_test(test_bare_parse_adds_no_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
