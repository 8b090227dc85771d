/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static const struct json *parse(void **state, const char *text)
{
	const struct json *v = NULL;
	struct error err = { 0 };

	if (json_parse(text, strlen(text), *state, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

static void assert_refused(void **state, const char *text, size_t len, const char *message)
{
	const struct json *v = NULL;
	struct error err = { 0 };

	assert_int_equal(json_parse(text, len, *state, &v, &err), -EINVAL);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(err.msg, message);
	assert_null(v);
}

/* Reads text and writes it back without white space. */
static void assert_round_trip(void **state, const char *text, const char *expected)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, NULL);
	json_add_value(&w, NULL, parse(state, text));
	assert_string_equal(buf_str(&out), expected);
}

static void test_values_survive_reading_and_writing(void **state)
{
	static const char *const same[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"12",
		"-1.5e+3",
		"\"\"",
		"[]",
		"{}",
		"[[],{}]",
		"{\"a\":[1,2,{\"b\":null},3],\"c\":\"d\"}",
		"18446744073709551615",
		"-9223372036854775808",
	};

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_round_trip(state, same[i], same[i]);
}

static void test_white_space_is_skipped(void **state)
{
	assert_round_trip(state, " \r\n\t{ \"a\" : [ 1 , 2 ] , \"b\" : 3 } \n",
			  "{\"a\":[1,2],\"b\":3}");
}

static void test_escapes_are_decoded(void **state)
{
	const struct json *v = parse(state, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac"
					    "\\ud83d\\ude00\"");

	assert_string_equal(v->text, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(v->n, strlen(v->text));
}

static void test_half_a_surrogate_becomes_the_replacement_character(void **state)
{
	assert_string_equal(parse(state, "\"\\ud800x\"")->text, "\xef\xbf\xbdx");
	assert_string_equal(parse(state, "\"\\udc00\"")->text, "\xef\xbf\xbd");
	assert_string_equal(parse(state, "\"\\ud800\\u0041\"")->text, "\xef\xbf\xbd"
								      "A");
}

static void test_bad_text_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *message;
	} table[] = {
		{ "", "the text ends too early: expected a value" },
		{ "{\"a\":1", "the text ends too early: expected ',' or '}'" },
		{ "[1 2]", "line 1, column 4: expected ',' or ']'" },
		{ "{\n\"a\" 1}", "line 2, column 5: expected ':'" },
		{ "{a:1}", "line 1, column 2: expected a name in quotes" },
		{ "[1,]", "line 1, column 4: expected a value" },
		{ "{\"a\":1,}", "line 1, column 8: expected a name in quotes" },
		{ "[01]", "line 1, column 2: number with a leading zero" },
		{ "[-]", "line 1, column 2: expected a value" },
		{ "[1.]", "line 1, column 4: expected a digit behind the point" },
		{ "[1e+]", "line 1, column 5: expected a digit in the exponent" },
		{ "[nul]", "line 1, column 2: expected a value" },
		{ "\"a\nb\"", "line 1, column 3: control character in a string" },
		{ "\"a", "the text ends too early: a string is not closed" },
		{ "\"\\x\"", "line 1, column 3: unknown escape in a string" },
		{ "\"\\u12g4\"", "line 1, column 4: expected four hex digits behind \\u" },
		{ "{\"a\\u0000\":1}", "line 1, column 11: NUL character in a name" },
		{ "{} x", "line 1, column 4: text behind the document" },
		{ "{}{}", "line 1, column 3: text behind the document" },
		{ "[1}", "line 1, column 3: expected ',' or ']'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_refused(state, table[i].text, strlen(table[i].text), table[i].message);
}

static void test_line_numbers_count_past_decoded_escapes(void **state)
{
	const char *text = "[\"\\n\\n\",\n x]";

	assert_refused(state, text, strlen(text), "line 2, column 2: expected a value");
}

static void test_a_nul_byte_is_no_end(void **state)
{
	assert_refused(state, "{}\0", 3, "line 1, column 3: text behind the document");
	assert_refused(state, "[\"a\0b\"]", 7, "line 1, column 4: control character in a string");
}

static void test_depth_is_bounded(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 4];

	memset(text, '[', sizeof(text));
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * JSON_DEPTH_MAX] = '\0';
	assert_int_equal(parse(state, text)->type, JSON_ARRAY);

	memset(text, '[', JSON_DEPTH_MAX + 1);
	text[JSON_DEPTH_MAX + 1] = ']';
	assert_refused(state, text, JSON_DEPTH_MAX + 2, "line 1, column 49: nested too deeply");
}

static void test_the_last_of_equal_keys_counts(void **state)
{
	const struct json *v = parse(state, "{\"a\":1,\"a\":2}");
	int64_t n = 0;
	struct error err;

	assert_int_equal(json_get_i64(v, "a", &n, &err), 0);
	assert_int_equal(n, 2);
}

static void test_null_and_absent_leave_the_value_as_it_was(void **state)
{
	const struct json *v = parse(state, "{\"a\":null}");
	const char *s = "kept";
	bool b = true;
	struct error err;

	assert_int_equal(json_get_string(v, "a", &s, &err), 0);
	assert_int_equal(json_get_string(v, "b", &s, &err), 0);
	assert_int_equal(json_get_string(NULL, "b", &s, &err), 0);
	assert_int_equal(json_get_bool(v, "a", &b, &err), 0);
	assert_string_equal(s, "kept");
	assert_true(b);
}

static void test_integers_keep_all_bits(void **state)
{
	const struct json *v = parse(state, "[18446744073709551615,-9223372036854775808]");
	uint64_t u = 0;
	int64_t i = 0;
	struct error err;

	assert_int_equal(json_to_u64(json_first(v), &u, &err), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(json_to_i64(json_first(v)->next, &i, &err), 0);
	assert_true(i == INT64_MIN);
}

static int read_u32(const struct json *v, struct error *err)
{
	uint32_t n;

	return json_get_u32(v, "n", &n, err);
}

static int read_u64(const struct json *v, struct error *err)
{
	uint64_t n;

	return json_get_u64(v, "n", &n, err);
}

static int read_i32(const struct json *v, struct error *err)
{
	int32_t n;

	return json_get_i32(v, "n", &n, err);
}

static int read_bool(const struct json *v, struct error *err)
{
	bool b;

	return json_get_bool(v, "n", &b, err);
}

static int read_string(const struct json *v, struct error *err)
{
	const char *s;

	return json_get_string(v, "n", &s, err);
}

static int read_object(const struct json *v, struct error *err)
{
	const struct json *o;

	return json_get_object(v, "n", &o, err);
}

static int read_strings(const struct json *v, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const char *const *strings;

	return json_get_strings(v, "n", arena, &strings, NULL, err);
}

static void test_wrong_types_name_the_field(void **state)
{
	static const struct {
		const char *text;
		int (*read)(const struct json *v, struct error *err);
		const char *message;
	} table[] = {
		{ "{\"n\":4294967296}", read_u32, "n: 4294967296 is out of range" },
		{ "{\"n\":-1}", read_u32, "n: -1 is out of range" },
		{ "{\"n\":-1}", read_u64, "n: -1 is negative" },
		{ "{\"n\":18446744073709551616}", read_u64,
		  "n: 18446744073709551616 is out of range" },
		{ "{\"n\":1.5}", read_i32, "n: 1.5 is not an integer" },
		{ "{\"n\":1e3}", read_u64, "n: 1e3 is not an integer" },
		{ "{\"n\":\"1\"}", read_i32, "n: not a number" },
		{ "{\"n\":1}", read_bool, "n: not true or false" },
		{ "{\"n\":1}", read_string, "n: not a string" },
		{ "{\"n\":\"a\\u0000b\"}", read_string, "n: contains a NUL character" },
		{ "{\"n\":[]}", read_object, "n: not an object" },
		{ "{\"n\":{}}", read_strings, "n: not an array" },
		{ "{\"n\":[\"a\",2]}", read_strings, "n[1]: not a string" },
		{ "[]", read_string, "not an object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = { 0 };

		assert_int_equal(table[i].read(parse(state, table[i].text), &err), -EINVAL);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_string_equal(err.msg, table[i].message);
	}
}

static void test_paths_show_where_a_value_stands(void **state)
{
	const struct json *v = parse(state, "{\"process\":{\"args\":[\"a\",{\"b.c\":1}]}}");
	const struct json *args = json_find(v, "process", "args", NULL);
	struct error err;

	json_fail(json_first(json_first(args)->next), &err, "wrong %d", 7);
	assert_string_equal(err.msg, "process.args[1][\"b.c\"]: wrong 7");
	json_fail_missing(json_get(v, "process"), "cwd", &err);
	assert_string_equal(err.msg, "process.cwd: missing");
	json_fail_missing(v, "ociVersion", &err);
	assert_string_equal(err.msg, "ociVersion: missing");
}

static void test_hostile_names_are_cut_and_cleaned_in_errors(void **state)
{
	const struct json *v = parse(state, "{\"\\u001b[2J\":1}");
	struct error err;

	json_fail(json_first(v), &err, "wrong");
	assert_string_equal(err.msg, "[\"?[2J\"]: wrong");
}

static void test_string_lists_are_null_terminated(void **state)
{
	const struct json *v = parse(state, "{\"a\":[\"x\",\"y\"],\"b\":[]}");
	const char *const *a = NULL, *const *b = NULL;
	size_t n = 9;
	struct error err;

	assert_int_equal(json_get_strings(v, "a", *state, &a, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(a[1], "y");
	assert_null(a[2]);
	assert_int_equal(json_get_strings(v, "b", *state, &b, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_non_null(b);
	assert_null(b[0]);
}

static void write_sample(struct json_writer *w)
{
	static const char *const list[] = { "x", "y" };

	json_begin_object(w, NULL);
	json_add_string(w, "name", "a\"b");
	json_add_strings(w, "list", list, 2);
	json_begin_object(w, "empty");
	json_end(w);
	json_begin_array(w, "none");
	json_end(w);
	json_add_u64(w, "big", UINT64_MAX);
	json_add_i64(w, "small", INT64_MIN);
	json_add_bool(w, "yes", true);
	json_add_string(w, "nothing", NULL);
	json_end(w);
}

static void test_compact_output_has_no_spaces(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, NULL);
	write_sample(&w);
	assert_string_equal(buf_str(&out),
			    "{\"name\":\"a\\\"b\",\"list\":[\"x\",\"y\"],\"empty\":{},\"none\":[],"
			    "\"big\":18446744073709551615,\"small\":-9223372036854775808,"
			    "\"yes\":true,\"nothing\":null}");
}

static void test_indented_output_looks_like_go(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, "    ");
	write_sample(&w);
	assert_string_equal(buf_str(&out), "{\n"
					   "    \"name\": \"a\\\"b\",\n"
					   "    \"list\": [\n"
					   "        \"x\",\n"
					   "        \"y\"\n"
					   "    ],\n"
					   "    \"empty\": {},\n"
					   "    \"none\": [],\n"
					   "    \"big\": 18446744073709551615,\n"
					   "    \"small\": -9223372036854775808,\n"
					   "    \"yes\": true,\n"
					   "    \"nothing\": null\n"
					   "}");
}

static void test_strings_are_escaped_when_written(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		const char *json;
	} table[] = {
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "\b\f\n\r\t\x1b\x7f", 7, "\"\\b\\f\\n\\r\\t\\u001b\x7f\"" },
		{ "</script>", 9, "\"</script>\"" },
		{ "\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
		{ "\xe2\x80\xa8", 3, "\"\\u2028\"" },
		{ "a\xff\xc3", 3, "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* a surrogate */
		{ "\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },		   /* overlong */
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		cleanup_buf struct buf out = { 0 };
		struct json_writer w;

		json_writer_init(&w, &out, NULL);
		json_add_bytes(&w, NULL, table[i].s, table[i].n);
		assert_string_equal(buf_str(&out), table[i].json);
	}
}

static void test_doubles_are_written_short_and_exact(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, NULL);
	json_begin_array(&w, NULL);
	json_add_double(&w, NULL, 0.1);
	json_add_double(&w, NULL, 1.0 / 3);
	json_add_double(&w, NULL, 1.0 / 0.0);
	json_end(&w);
	assert_string_equal(buf_str(&out), "[0.1,0.3333333333333333,null]");
	assert_true(strtod("0.3333333333333333", NULL) == 1.0 / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_survive_reading_and_writing),
		cmocka_unit_test(test_white_space_is_skipped),
		cmocka_unit_test(test_escapes_are_decoded),
		cmocka_unit_test(test_half_a_surrogate_becomes_the_replacement_character),
		cmocka_unit_test(test_bad_text_is_refused_with_its_place),
		cmocka_unit_test(test_line_numbers_count_past_decoded_escapes),
		cmocka_unit_test(test_a_nul_byte_is_no_end),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_the_last_of_equal_keys_counts),
		cmocka_unit_test(test_null_and_absent_leave_the_value_as_it_was),
		cmocka_unit_test(test_integers_keep_all_bits),
		cmocka_unit_test(test_wrong_types_name_the_field),
		cmocka_unit_test(test_paths_show_where_a_value_stands),
		cmocka_unit_test(test_hostile_names_are_cut_and_cleaned_in_errors),
		cmocka_unit_test(test_string_lists_are_null_terminated),
		cmocka_unit_test(test_compact_output_has_no_spaces),
		cmocka_unit_test(test_indented_output_looks_like_go),
		cmocka_unit_test(test_strings_are_escaped_when_written),
		cmocka_unit_test(test_doubles_are_written_short_and_exact),
	};

	return cmocka_run_group_tests_name("json", tests, setup, teardown);
}
