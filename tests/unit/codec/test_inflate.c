/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "codec/inflate.h"
#include "codec/inflate_backend.h"
#include "codec/sha256.h"

#define TEXT_BYTES 300000

/* Text that neither compresses to nothing nor stays as it is. */
static void make_text(struct buf *out)
{
	uint32_t x = 1;

	while (out->len < TEXT_BYTES) {
		x = x * 1664525 + 1013904223;
		buf_printf(out, "%u,", x >> 20);
	}
}

static void add_gzip(struct buf *out, const char *data, size_t n)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	buf_reserve(out, deflateBound(&z, n));
	z.next_in = (Bytef *)data;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)deflateBound(&z, n);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

static void add_zstd(struct buf *out, const char *data, size_t n)
{
	size_t bound = ZSTD_compressBound(n);

	buf_reserve(out, bound);
	out->len += ZSTD_compress(out->data + out->len, bound, data, n, 3);
}

static void add_plain(struct buf *out, const char *data, size_t n)
{
	buf_add(out, data, n);
}

/* Everything in it, read in pieces of step bytes. */
static int inflate_all(const char *packed, size_t len, size_t step, struct buf *out,
		       enum compression *kind, struct error *err)
{
	cleanup_with(stream_close) struct stream *s = NULL;
	cleanup_free char *piece = malloc(step);
	ssize_t n;
	int r = inflate_open(stream_from_memory(packed, len), &s, kind, err);

	if (r < 0)
		return r;
	while ((n = stream_read(s, piece, step, err)) > 0)
		buf_add(out, piece, (size_t)n);
	return (int)n;
}

static void check_round_trip(void (*add)(struct buf *, const char *, size_t), enum compression kind)
{
	static const size_t steps[] = { 100, 4096, 1 << 20 };
	cleanup_buf struct buf text = { 0 }, packed = { 0 };

	make_text(&text);
	add(&packed, text.data, text.len);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		cleanup_buf struct buf out = { 0 };
		enum compression found;
		struct error err;

		assert_int_equal(inflate_all(packed.data, packed.len, steps[i], &out, &found, &err),
				 0);
		assert_int_equal(found, kind);
		assert_int_equal(out.len, text.len);
		assert_memory_equal(out.data, text.data, text.len);
	}
}

static void test_gzip_is_recognised_and_read(void **state)
{
	check_round_trip(add_gzip, COMPRESSION_GZIP);
}

static void test_zstd_is_recognised_and_read(void **state)
{
	check_round_trip(add_zstd, COMPRESSION_ZSTD);
}

static void test_plain_bytes_pass_through(void **state)
{
	check_round_trip(add_plain, COMPRESSION_NONE);
}

static void test_empty_input_is_empty_output(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	assert_int_equal(inflate_all("", 0, 100, &out, NULL, &err), 0);
	assert_int_equal(out.len, 0);
}

static void check_members_in_a_row(void (*add)(struct buf *, const char *, size_t))
{
	cleanup_buf struct buf text = { 0 }, packed = { 0 }, out = { 0 };
	struct error err;

	make_text(&text);
	add(&packed, text.data, 1000);
	add(&packed, text.data, 0);
	add(&packed, text.data + 1000, text.len - 1000);
	assert_int_equal(inflate_all(packed.data, packed.len, 5000, &out, NULL, &err), 0);
	assert_int_equal(out.len, text.len);
	assert_memory_equal(out.data, text.data, text.len);
}

static void test_members_in_a_row_are_one_stream(void **state)
{
	check_members_in_a_row(add_gzip);
	check_members_in_a_row(add_zstd);
}

static void check_damage(void (*add)(struct buf *, const char *, size_t))
{
	cleanup_buf struct buf text = { 0 }, packed = { 0 };

	make_text(&text);
	add(&packed, text.data, text.len);
	for (size_t cut = 1; cut < packed.len; cut += packed.len / 20) {
		cleanup_buf struct buf out = { 0 };
		struct error err;

		assert_true(inflate_all(packed.data, packed.len - cut, 65536, &out, NULL, &err) <
			    0);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
}

static void test_data_that_ends_early_is_an_error(void **state)
{
	check_damage(add_gzip);
	check_damage(add_zstd);
}

static void test_gzip_checksum_is_verified(void **state)
{
	cleanup_buf struct buf packed = { 0 }, out = { 0 };
	struct error err;

	add_gzip(&packed, "some text", 9);
	packed.data[packed.len - 7] ^= 1;
	assert_true(inflate_all(packed.data, packed.len, 100, &out, NULL, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
}

static void test_zeros_behind_gzip_are_padding_and_the_rest_is_not(void **state)
{
	cleanup_buf struct buf packed = { 0 }, out = { 0 }, out2 = { 0 };
	struct error err;

	add_gzip(&packed, "some text", 9);
	buf_add(&packed, "\0\0\0\0\0", 5);
	assert_int_equal(inflate_all(packed.data, packed.len, 100, &out, NULL, &err), 0);
	assert_string_equal(buf_str(&out), "some text");
	buf_puts(&packed, "garbage");
	assert_true(inflate_all(packed.data, packed.len, 100, &out2, NULL, &err) < 0);
}

static void test_other_compressions_are_named(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err;

	assert_true(inflate_all("\xfd"
				"7zXZ\0\0",
				8, 100, &out, NULL, &err) < 0);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "xz"));
	assert_true(inflate_all("BZh9\1\2\3", 8, 100, &out, NULL, &err) < 0);
	assert_non_null(strstr(err.msg, "bzip2"));
}

static void test_zlib_reads_what_isal_reads(void **state)
{
	cleanup_buf struct buf text = { 0 }, packed = { 0 };
	cleanup_free uint8_t *out = malloc(TEXT_BYTES * 2);
	void *z = inflate_zlib.open();
	struct inflate_io io;

	make_text(&text);
	add_gzip(&packed, text.data, text.len);
	io = (struct inflate_io){ (uint8_t *)packed.data, packed.len, out, TEXT_BYTES * 2 };
	assert_int_equal(inflate_zlib.run(z, &io), INFLATE_END);
	assert_int_equal(io.in_left, 0);
	assert_memory_equal(out, text.data, text.len);
	inflate_zlib.close(z);
}

static void test_sha256_of_known_text(void **state)
{
	/* FIPS 180-4 examples */
	struct digest d = sha256_digest("abc", 3);

	assert_string_equal(
		d.text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip_is_recognised_and_read),
		cmocka_unit_test(test_zstd_is_recognised_and_read),
		cmocka_unit_test(test_plain_bytes_pass_through),
		cmocka_unit_test(test_empty_input_is_empty_output),
		cmocka_unit_test(test_members_in_a_row_are_one_stream),
		cmocka_unit_test(test_data_that_ends_early_is_an_error),
		cmocka_unit_test(test_gzip_checksum_is_verified),
		cmocka_unit_test(test_zeros_behind_gzip_are_padding_and_the_rest_is_not),
		cmocka_unit_test(test_other_compressions_are_named),
		cmocka_unit_test(test_zlib_reads_what_isal_reads),
		cmocka_unit_test(test_sha256_of_known_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
