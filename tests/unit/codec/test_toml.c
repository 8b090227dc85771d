/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/toml.h"

struct pair {
	const char *text, *expected;
};

static void assert_reads(const char *text, const char *expected)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	cleanup_buf struct buf out = { 0 };
	const struct json *v = NULL;
	struct json_writer w;
	struct error err = { 0 };

	if (toml_parse(text, strlen(text), arena, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	json_writer_init(&w, &out, NULL);
	json_add_value(&w, NULL, v);
	assert_string_equal(buf_str(&out), expected);
}

static void assert_refused(const char *text, size_t len, const char *message)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const struct json *v = NULL;
	struct error err = { 0 };

	if (toml_parse(text, len, arena, &v, &err) != -EINVAL)
		fail_msg("taken: %s", text);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(err.msg, message);
	assert_null(v);
}

static void assert_all_read(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_reads(pairs[i].text, pairs[i].expected);
}

static void test_values_are_read(void **state)
{
	static const struct pair pairs[] = {
		{ "", "{}" },
		{ "# only a comment", "{}" },
		{ "a = 1\r\nb = true # why\n", "{\"a\":1,\"b\":true}" },
		{ "a=false", "{\"a\":false}" },
		{ "a=+17\nb=-3\nc=0\nd=1_000_000", "{\"a\":17,\"b\":-3,\"c\":0,\"d\":1000000}" },
		{ "a=0xDEAD_beef\nb=0o755\nc=0b1101", "{\"a\":3735928559,\"b\":493,\"c\":13}" },
		{ "a=3.14\nb=-0.01\nc=5e+22\nd=6.6_26e-34",
		  "{\"a\":3.14,\"b\":-0.01,\"c\":5e+22,\"d\":6.626e-34}" },
		{ "a=1979-05-27T07:32:00Z\nb=1979-05-27 07:32:00\nc=1979-05-27\nd=07:32:00.5",
		  "{\"a\":\"1979-05-27T07:32:00Z\",\"b\":\"1979-05-27 07:32:00\","
		  "\"c\":\"1979-05-27\",\"d\":\"07:32:00.5\"}" },
		{ "a = [ ]\nb=[1,2,]\nc = [ # x\n \"y\", # z\n\n [ 3 ]\n]",
		  "{\"a\":[],\"b\":[1,2],\"c\":[\"y\",[3]]}" },
		{ "a = {}\nb = { x = 1, y.z = \"w\" }",
		  "{\"a\":{},\"b\":{\"x\":1,\"y\":{\"z\":\"w\"}}}" },
	};

	assert_all_read(pairs, ARRAY_SIZE(pairs));
}

static void test_strings_of_all_four_kinds_are_read(void **state)
{
	static const struct pair pairs[] = {
		{ "a = \"\"\nb=''", "{\"a\":\"\",\"b\":\"\"}" },
		{ "a = \"t\\tq\\\"b\\\\u\\u00e9U\\U0001F600\"",
		  "{\"a\":\"t\\tq\\\"b\\\\u\u00e9U\U0001F600\"}" },
		{ "a = 'C:\\new\"x'", "{\"a\":\"C:\\\\new\\\"x\"}" },
		{ "a = \"\"\"\none\ntwo\"\"\"", "{\"a\":\"one\\ntwo\"}" },
		{ "a = \"\"\"one \\  \n\n   two\"\"\"", "{\"a\":\"one two\"}" },
		{ "a = \"\"\"\"\"x\"\"\"\"\"", "{\"a\":\"\\\"\\\"x\\\"\\\"\"}" },
		{ "a = '''\nI'm \\n ''here'''''", "{\"a\":\"I'm \\\\n ''here''\"}" },
		{ "a = \"\"\"\"\"\"", "{\"a\":\"\"}" },
	};

	assert_all_read(pairs, ARRAY_SIZE(pairs));
}

static void test_keys_and_tables_make_a_tree(void **state)
{
	static const struct pair pairs[] = {
		{ "\"a b\" = 1\n'c.d' = 2\n3-_e = 3", "{\"a b\":1,\"c.d\":2,\"3-_e\":3}" },
		{ "a . \"b\" . c = 1\na.d = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}" },
		{ "[a]\nx=1\n[b.c]\ny=2\n[b]\nz=3",
		  "{\"a\":{\"x\":1},\"b\":{\"c\":{\"y\":2},\"z\":3}}" },
		{ "[[a]]\nx=1\n[[a]]\n[[a]]\nx=2\n[[a.b]]\ny=1\n[[a.b]]\ny=2\n[a.c]\nz=1",
		  "{\"a\":[{\"x\":1},{},{\"x\":2,\"b\":[{\"y\":1},{\"y\":2}],\"c\":{\"z\":1}}]}" },
		{ "[a]\nb.c=1\n[a.b.d]\ne=2", "{\"a\":{\"b\":{\"c\":1,\"d\":{\"e\":2}}}}" },
		{ "[ a . 'b' ] # x\n", "{\"a\":{\"b\":{}}}" },
	};

	assert_all_read(pairs, ARRAY_SIZE(pairs));
}

static void test_what_is_not_toml_is_refused_with_its_line(void **state)
{
	static const struct pair pairs[] = {
		{ "a = 1\nb\n", "line 2: expected '=' behind a key" },
		{ "a = 1 b = 2", "line 1: expected the end of the line" },
		{ "\n\n= 1", "line 3: expected a key" },
		{ "a = ", "line 1: expected a value" },
		{ "a = \"x\n\"", "line 1: a string does not end" },
		{ "a = \"\"\"x", "line 1: a string does not end" },
		{ "a = '\x01'", "line 1: control character in a string" },
		{ "# \x7f", "line 1: control character in a comment" },
		{ "a = \"\\x41\"", "line 1: unknown escape in a string" },
		{ "a = \"\\ud800\"", "line 1: an escape that is no character" },
		{ "a = \"\\u12\"", "line 1: too few hex digits in an escape" },
		{ "a = [1 2]", "line 1: expected ',' or ']' in an array" },
		{ "a = [1,\n", "line 2: expected a value" },
		{ "a = { b = 1", "line 1: expected ',' or '}' in an inline table" },
		{ "a = { b = 1, }", "line 1: expected a key" },
		{ "[a", "line 1: expected ']' behind the name of a table" },
		{ "[[a]\n", "line 1: expected ']]' behind the name of a table" },
		{ "\"\"\"a\"\"\" = 1", "line 1: a key cannot have several lines" },
		{ "a = \"\xff\"", "line 1: bytes that are not UTF-8" },
		{ "a = \"\xc0\x80\"", "line 1: bytes that are not UTF-8" },
	};
	static const char *const numbers[] = {
		"yes",	"01",  "1_",  "1__0", "_1", ".5",  "5.",
		"0x",	"1e",  "--1", "inf",  "+",  "0b2", "0xffffffffffffffffff",
		"1.e5", "True"
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_refused(pairs[i].text, strlen(pairs[i].text), pairs[i].expected);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		cleanup_free char *text = xasprintf("a = %s\n", numbers[i]);

		assert_refused(text, strlen(text),
			       "line 1: a value that is neither a number nor true nor false (a "
			       "string stands in quotes)");
	}
	assert_refused("a = 1\0", 6, "line 1: expected the end of the line");
}

static void test_a_second_definition_is_refused(void **state)
{
	static const struct pair pairs[] = {
		{ "a = 1\na = 2", "line 2: 'a' is defined twice" },
		{ "[a]\n[a]", "line 2: 'a' is defined twice" },
		{ "[a]\nb = 1\n[a.b]", "line 3: 'a.b' is defined twice" },
		{ "a = 1\n[a.b]", "line 2: 'a.b' is no table" },
		{ "a = {}\n[a.b]", "line 2: 'a.b' is an inline table" },
		{ "a = {}\na.b = 1", "line 2: 'a.b' is defined twice" },
		{ "a = []\n[[a]]", "line 2: 'a' is defined twice" },
		{ "[a]\n[[a]]", "line 2: 'a' is defined twice" },
		{ "[[a]]\n[a]", "line 2: 'a' is defined twice" },
		{ "[a.b.c]\n[a]\nb.d = 1", "line 3: 'b.d' is defined twice" },
		{ "a.b = 1\n[a]", "line 2: 'a' is defined twice" },
		{ "a = { b = 1, b = 2 }", "line 1: 'b' is defined twice" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_refused(pairs[i].text, strlen(pairs[i].text), pairs[i].expected);
}

static void test_depth_is_bounded(void **state)
{
	cleanup_buf struct buf nested = { 0 }, dotted = { 0 };

	buf_puts(&nested, "a = ");
	for (int i = 0; i < 100000; i++)
		buf_putc(&nested, '[');
	assert_refused(buf_str(&nested), nested.len, "line 1: too deep");
	for (int i = 0; i < 30; i++)
		buf_printf(&dotted, "%sa%d", i ? "." : "[", i);
	buf_puts(&dotted, "]\na.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1");
	assert_refused(buf_str(&dotted), dotted.len, "line 2: too deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_read),
		cmocka_unit_test(test_strings_of_all_four_kinds_are_read),
		cmocka_unit_test(test_keys_and_tables_make_a_tree),
		cmocka_unit_test(test_what_is_not_toml_is_refused_with_its_line),
		cmocka_unit_test(test_a_second_definition_is_refused),
		cmocka_unit_test(test_depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
