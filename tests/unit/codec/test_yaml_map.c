/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "codec/yaml_map.h"

/* "a/b=value;" for each entry; "a/b;" for nothing. */
static int collect(void *ctx, const char *const *keys, size_t n, const char *value,
		   struct error *err)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(ctx, "%s%s", i ? "/" : "", keys[i]);
	if (value)
		buf_printf(ctx, "=%s", value);
	buf_putc(ctx, ';');
	return 0;
}

static void test_mappings_are_read(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "" },
		{ "# x\n---\n\na: b", "a=b;" },
		{ "a: b # c\nd: e#f\r\n", "a=b;d=e#f;" },
		{ "a:\n  b: c\n  d:\n    e: f\ng: h\n", "a/b=c;a/d/e=f;g=h;" },
		{ "a:\n  localhost:5000:\n    b: https://x:1/y\n",
		  "a/localhost:5000/b=https://x:1/y;" },
		{ "'a b': \"c: d\"\n\"e\" : f", NULL },
		{ "'a b': \"c: d\" # x\n\"e\": 'f'", "a b=c: d;e=f;" },
		{ "a:\nb:\n  c:\n", "a;b/c;" },
		{ "a:\n    b: c\nd: e", "a/b=c;d=e;" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf out = { 0 };
		struct error err = { 0 };
		int r = yaml_map_read(cases[i].text, strlen(cases[i].text), collect, &out, &err);

		if (!cases[i].expected) {
			assert_true(r < 0);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void test_the_rest_of_yaml_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a: b\n- c", "line 2: only names with ':' behind them are read here" },
		{ "a: [b]", "line 1: only plain words and words in quotes are read here" },
		{ "a: &x b", "line 1: only plain words and words in quotes are read here" },
		{ "a: |\n  b", "line 1: only plain words and words in quotes are read here" },
		{ "a: b: c", "line 1: a mapping within a line is not read here" },
		{ "a: b\n  c: d", "line 2: more indented than the line before" },
		{ "  a: b", "line 1: indented as no name above" },
		{ "a:\n    b: c\n  d: e", "line 3: indented as no name above" },
		{ "a:\n\tb: c", "line 2: a tab" },
		{ "a", "line 1: expected a name and ':'" },
		{ "a: 'b", "line 1: a word in quotes does not end" },
		{ "a: \"\\n\"", "line 1: escapes are not read here" },
		{ "a: 'b' c", "line 1: expected the end of the line" },
		{ "a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h:\n        i:",
		  "line 9: too deep" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf out = { 0 };
		struct error err = { 0 };

		if (yaml_map_read(cases[i].text, strlen(cases[i].text), collect, &out, &err) >= 0)
			fail_msg("taken: %s", cases[i].text);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_string_equal(err.msg, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings_are_read),
		cmocka_unit_test(test_the_rest_of_yaml_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
