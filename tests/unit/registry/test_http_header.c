/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "registry/http_header.h"

/* Headers */

static void add(struct http_headers *h, const char *line)
{
	assert_int_equal(http_headers_add(h, line, strlen(line)), 0);
}

static void test_headers_are_found_in_any_case(void **state)
{
	struct http_headers h = { 0 };
	size_t i = 0;

	add(&h, "Content-Type:  text/plain \r\n");
	add(&h, "X: 1\r\n");
	add(&h, "x:2");
	add(&h, "no header\r\n");
	add(&h, ": nameless\r\n");
	add(&h, "Empty:\r\n");
	assert_int_equal(h.n, 4);
	assert_string_equal(http_headers_get(&h, "content-type"), "text/plain");
	assert_string_equal(http_headers_get(&h, "EMPTY"), "");
	assert_null(http_headers_get(&h, "Y"));
	assert_string_equal(http_headers_next(&h, "X", &i), "1");
	assert_string_equal(http_headers_next(&h, "X", &i), "2");
	assert_null(http_headers_next(&h, "X", &i));
	http_headers_done(&h);
}

static void test_headers_have_a_bound(void **state)
{
	struct http_headers h = { 0 };
	char line[1024];
	int r = 0;

	memset(line, 'x', sizeof(line));
	line[1] = ':';
	for (size_t i = 0; i <= HTTP_HEADERS_MAX_BYTES / sizeof(line) && r == 0; i++)
		r = http_headers_add(&h, line, sizeof(line));
	assert_int_equal(r, -E2BIG);
	http_headers_done(&h);
}

/* Challenges */

static void test_challenges_are_read(void **state)
{
	static const struct {
		const char *value, *scheme, *realm, *service, *scope;
	} rows[] = {
		{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/nginx:pull,push\"",
		  "bearer", "https://auth.docker.io/token", "registry.docker.io",
		  "repository:library/nginx:pull,push" },
		{ "Basic realm=\"a \\\"b\\\" c\"", "basic", "a \"b\" c", NULL, NULL },
		{ "bearer REALM = \"x\" , Service=y", "bearer", "x", "y", NULL },
		{ "Basic realm=\"one\", Bearer realm=\"two\",service=\"s\"", "bearer", "two", "s",
		  NULL },
		{ "Negotiate, Bearer realm=t", "bearer", "t", NULL, NULL },
		{ "Negotiate YWJj==, Basic realm=r", "basic", "r", NULL, NULL },
		{ "Bearer realm=\"x\",realm=\"evil\"", "bearer", "x", NULL, NULL },
		{ "Bearer", "bearer", NULL, NULL, NULL },
		{ "Bearer realm=\"open", "bearer", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_http_challenges struct http_challenges c = { 0 };
		const struct http_challenge *found;

		http_challenges_add(&c, rows[i].value);
		found = http_challenges_find(&c, rows[i].scheme);
		assert_non_null(found);
		if (rows[i].realm)
			assert_string_equal(found->realm, rows[i].realm);
		else
			assert_null(found->realm);
		if (rows[i].service)
			assert_string_equal(found->service, rows[i].service);
		if (rows[i].scope)
			assert_string_equal(found->scope, rows[i].scope);
	}
}

static void test_what_is_no_challenge_gives_none(void **state)
{
	static const char *const values[] = { "", " , ", "\"Bearer\"", "=x" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		cleanup_http_challenges struct http_challenges c = { 0 };

		http_challenges_add(&c, values[i]);
		assert_int_equal(c.n, 0);
	}
}

/* Values */

static void test_content_range(void **state)
{
	static const struct {
		const char *value;
		int r;
		uint64_t first, last, total;
	} rows[] = {
		{ "bytes 10-99/100", 0, 10, 99, 100 },
		{ "bytes 0-0/*", 0, 0, 0, UINT64_MAX },
		{ "Bytes=5-6/7", 0, 5, 6, 7 },
		{ "bytes */100", -EINVAL, 0, 0, 0 },
		{ "bytes 10-9/100", -EINVAL, 0, 0, 0 },
		{ "bytes 10-100/100", -EINVAL, 0, 0, 0 },
		{ "bytes -1-2/3", -EINVAL, 0, 0, 0 },
		{ "bytes 1-2", -EINVAL, 0, 0, 0 },
		{ "bytes 1-2/3x", -EINVAL, 0, 0, 0 },
		{ "bytes 1-99999999999999999999/*", -EINVAL, 0, 0, 0 },
		{ "lines 1-2/3", -EINVAL, 0, 0, 0 },
		{ "", -EINVAL, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t first, last, total;

		assert_int_equal(http_content_range(rows[i].value, &first, &last, &total),
				 rows[i].r);
		if (rows[i].r < 0)
			continue;
		assert_int_equal(first, rows[i].first);
		assert_int_equal(last, rows[i].last);
		assert_int_equal(total, rows[i].total);
	}
}

static void test_retry_after(void **state)
{
	const int64_t now = 784111777LL * 1000000000; /* Sun, 06 Nov 1994 08:49:37 GMT */
	int64_t ms;

	assert_int_equal(http_retry_after("7", now, &ms), 0);
	assert_int_equal(ms, 7000);
	assert_int_equal(http_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now, &ms), 0);
	assert_int_equal(ms, 60000);
	assert_int_equal(http_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now, &ms), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(http_retry_after("99999999999999", now, &ms), 0);
	assert_true(ms > 0);
	assert_int_equal(http_retry_after("-1", now, &ms), -EINVAL);
	assert_int_equal(http_retry_after("soon", now, &ms), -EINVAL);
	assert_int_equal(http_retry_after("", now, &ms), -EINVAL);
}

static void test_link_to_the_next_page(void **state)
{
	static const struct {
		const char *value, *next;
	} rows[] = {
		{ "</v2/x/tags/list?last=b&n=2>; rel=\"next\"", "/v2/x/tags/list?last=b&n=2" },
		{ "<a>; rel=prev, <b>; rel=next", "b" },
		{ "<a>; title=\"x\"; rel=\"next\"", "a" },
		{ "<a>; rel=\"previous\"", NULL },
		{ "<a>; rel=\"nextish\"", NULL },
		{ "<a", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *next = http_link_next(rows[i].value);

		if (rows[i].next)
			assert_string_equal(next, rows[i].next);
		else
			assert_null(next);
	}
}

static void test_media_type_without_parameters(void **state)
{
	cleanup_free char *type = http_media_type(" application/json; charset=utf-8");

	assert_string_equal(type, "application/json");
}

static void test_escapes_what_is_not_plain(void **state)
{
	cleanup_buf struct buf b = { 0 };

	http_escape(&b, "a/b:c d&\xc3\xa4~", "/");
	assert_string_equal(buf_str(&b), "a/b%3Ac%20d%26%C3%A4~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_are_found_in_any_case),
		cmocka_unit_test(test_headers_have_a_bound),
		cmocka_unit_test(test_challenges_are_read),
		cmocka_unit_test(test_what_is_no_challenge_gives_none),
		cmocka_unit_test(test_content_range),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_link_to_the_next_page),
		cmocka_unit_test(test_media_type_without_parameters),
		cmocka_unit_test(test_escapes_what_is_not_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
