/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "codec/deflate.h"
#include "codec/sha256.h"

#define MANY ((size_t)3 << 20)

/* Bytes that compress, but not to nothing. */
static char *make_bytes(size_t n)
{
	char *data = xmalloc(n + 1);
	unsigned x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245u + 12345u;
		data[i] = (char)('a' + (x >> 28));
	}
	return data;
}

static struct deflated compress(const char *data, size_t n, enum compression how, int fd)
{
	cleanup_with(stream_close) struct stream *in = stream_from_memory(data, n);
	struct deflated d;
	struct error err;

	assert_int_equal(deflate_copy(in, fd, how, NULL, NULL, &d, &err), 0);
	return d;
}

static void check_round_trip(size_t n, enum compression how)
{
	cleanup_fd int fd = memfd_create("test", MFD_CLOEXEC), again_fd = memfd_create("x", 0);
	cleanup_free char *data = make_bytes(n), *back = xmalloc(n + 1);
	cleanup_with(stream_close) struct stream *plain = NULL;
	struct deflated d = compress(data, n, how, fd);
	struct deflated again = compress(data, n, how, again_fd);
	cleanup_free char *file = xmalloc(d.out_bytes);
	enum compression seen;
	struct digest id;
	struct error err;

	assert_true(d.in_bytes == n);
	id = sha256_digest(data, n);
	assert_true(digest_eq(&d.in_id, &id));
	assert_true(pread(fd, file, d.out_bytes, 0) == (ssize_t)d.out_bytes);
	id = sha256_digest(file, d.out_bytes);
	assert_true(digest_eq(&d.out_id, &id));
	assert_true(lseek(fd, 0, SEEK_END) == (off_t)d.out_bytes);
	assert_true(digest_eq(&d.out_id, &again.out_id));
	assert_int_equal(inflate_open(stream_from_fd(fd, 0, d.out_bytes, "x"), &plain, &seen, &err),
			 0);
	assert_int_equal(seen, how);
	assert_true(stream_read_full(plain, back, n + 1, &err) == (ssize_t)n);
	assert_memory_equal(back, data, n);
}

static void test_what_was_compressed_comes_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 131072, 131073, MANY };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_round_trip(sizes[i], COMPRESSION_GZIP);
		check_round_trip(sizes[i], COMPRESSION_ZSTD);
	}
}

static int give_up(void *ctx, uint64_t bytes)
{
	*(uint64_t *)ctx = bytes;
	return 1;
}

static void test_it_can_be_given_up(void **state)
{
	cleanup_fd int fd = memfd_create("test", MFD_CLOEXEC);
	cleanup_free char *data = make_bytes(MANY);
	cleanup_with(stream_close) struct stream *in = stream_from_memory(data, MANY);
	struct deflated d;
	struct error err;
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(deflate_copy(in, fd, COMPRESSION_GZIP, give_up, &seen, &d, &err),
			 -ECANCELED);
	assert_true(seen > 0 && seen < MANY);
}

static void test_a_full_disk_is_an_error(void **state)
{
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cleanup_free char *data = make_bytes(MANY);
	cleanup_with(stream_close) struct stream *in = stream_from_memory(data, MANY);
	struct deflated d;
	struct error err;

	(void)state;
	assert_int_equal(deflate_copy(in, fd, COMPRESSION_ZSTD, NULL, NULL, &d, &err), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_compressed_comes_back),
		cmocka_unit_test(test_it_can_be_given_up),
		cmocka_unit_test(test_a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
