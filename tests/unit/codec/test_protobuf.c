/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "codec/protobuf.h"

#define BYTES(text) (text), sizeof(text) - 1

/* The examples of the encoding's own description, and the edges of a varint. */
static void test_numbers_are_written_as_varints(void **state)
{
	static const struct {
		unsigned field;
		uint64_t value;
		const char *bytes;
		size_t n;
	} cases[] = {
		{ 1, 0, BYTES("\x08\x00") },
		{ 1, 150, BYTES("\x08\x96\x01") },
		{ 1, 127, BYTES("\x08\x7f") },
		{ 15, 128, BYTES("\x78\x80\x01") },
		{ 16, 1, BYTES("\x80\x01\x01") },
		{ 50, 1, BYTES("\x90\x03\x01") },
		{ 1, (uint64_t)(int64_t)-2, BYTES("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
		{ 0x1fffffff, 1, BYTES("\xf8\xff\xff\xff\x0f\x01") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf b = { 0 };
		struct protobuf_reader r;
		struct protobuf_field f;

		protobuf_add_number(&b, cases[i].field, cases[i].value);
		assert_int_equal(b.len, cases[i].n);
		assert_memory_equal(b.data, cases[i].bytes, b.len);
		r = (struct protobuf_reader){ (unsigned char *)b.data, b.len };
		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_int_equal(f.number, cases[i].field);
		assert_int_equal(f.kind, PROTOBUF_NUMBER);
		assert_true(f.value == cases[i].value);
		assert_int_equal(protobuf_next(&r, &f), 0);
	}
}

static void test_a_message_in_a_message_is_read_back(void **state)
{
	cleanup_buf struct buf inner = { 0 }, outer = { 0 };
	struct protobuf_reader r;
	struct protobuf_field f;

	protobuf_add_string(&inner, 2, "testing");
	assert_int_equal(inner.len, 9);
	assert_memory_equal(inner.data, "\x12\x07testing", 9);
	protobuf_add_bytes(&outer, 3, inner.data, inner.len);
	protobuf_add_string(&outer, 4, "");
	r = (struct protobuf_reader){ (unsigned char *)outer.data, outer.len };
	assert_int_equal(protobuf_next(&r, &f), 1);
	assert_int_equal(f.number, 3);
	assert_int_equal(f.kind, PROTOBUF_BYTES);
	assert_int_equal(f.len, inner.len);
	assert_memory_equal(f.data, inner.data, f.len);
	assert_int_equal(protobuf_next(&r, &f), 1);
	assert_int_equal(f.number, 4);
	assert_int_equal(f.len, 0);
	assert_int_equal(protobuf_next(&r, &f), 0);
}

static void test_fixed_values_are_stepped_over(void **state)
{
	static const char text[] =
		"\x0d\x01\x02\x03\x04\x11\x01\x02\x03\x04\x05\x06\x07\x08\x18\x05";
	struct protobuf_reader r = { (const unsigned char *)text, sizeof(text) - 1 };
	struct protobuf_field f;

	assert_int_equal(protobuf_next(&r, &f), 1);
	assert_int_equal(f.kind, PROTOBUF_FIXED);
	assert_int_equal(f.len, 4);
	assert_int_equal(protobuf_next(&r, &f), 1);
	assert_int_equal(f.number, 2);
	assert_int_equal(f.len, 8);
	assert_int_equal(protobuf_next(&r, &f), 1);
	assert_int_equal(f.number, 3);
	assert_int_equal(f.value, 5);
	assert_int_equal(protobuf_next(&r, &f), 0);
}

static void test_what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ BYTES("\x08") },					    /* no value */
		{ BYTES("\x08\x80") },					    /* it goes on nowhere */
		{ BYTES("\x00\x01") },					    /* field 0 */
		{ BYTES("\x80\x80\x80\x80\x10\x01") },			    /* field 2^29 */
		{ BYTES("\x0a\x02x") },					    /* one byte too few */
		{ BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x") }, /* 2^64-1 bytes */
		{ BYTES("\x0b\x0c") },					    /* a group */
		{ BYTES("\x0e\x01") },					    /* wire type 6 */
		{ BYTES("\x0d\x01\x02\x03") },				    /* 3 of 4 bytes */
		{ BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02") },  /* 65 bits */
		{ BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01") }, /* 11 bytes */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct protobuf_reader r = { (const unsigned char *)cases[i].bytes, cases[i].n };
		struct protobuf_field f;

		assert_int_equal(protobuf_next(&r, &f), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_written_as_varints),
		cmocka_unit_test(test_a_message_in_a_message_is_read_back),
		cmocka_unit_test(test_fixed_values_are_stepped_over),
		cmocka_unit_test(test_what_is_no_message_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
