/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/pending.h"
#include "image/store.h"
#include "image/store_private.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The disk: what happens while it is flushed, and how that ends. */
static struct {
	int calls, result;
	void (*meanwhile)(void);
} disk;

int syncfs(int fd)
{
	(void)fd;
	disk.calls++;
	if (disk.meanwhile)
		disk.meanwhile();
	errno = disk.result;
	return disk.result ? -1 : 0;
}

static struct image_store *store;
static char dir[32];
static struct error err;

static int set_up(void **state)
{
	cleanup_fd int lock = -EBADF;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	(void)snprintf(dir, sizeof(dir), "/tmp/test-pending-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(image_store_open(dir, &store, &err), 0);
	return store_lock(store, &lock, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store = image_store_close(store);
	return dir_remove_tree(AT_FDCWD, dir, &err);
}

static void add(const char *blob, const char *layer)
{
	char *blobs[] = { (char *)blob, NULL }, *layers[] = { (char *)layer, NULL };

	assert_int_equal(pending_add(store->root_fd, blobs, layers, &err), 0);
}

static void write_mark(const char *text)
{
	assert_int_equal(file_write_atomic(store->root_fd, PENDING_PATH, text, strlen(text), 0600,
					   0, &err),
			 0);
}

static enum pending_state state_of_mark(void)
{
	cleanup_pending struct pending p = { 0 };

	assert_int_equal(pending_load(store->root_fd, &p, &err), 0);
	return p.state;
}

static void test_a_store_without_a_mark_is_not_pending(void **state)
{
	(void)state;
	assert_int_equal(state_of_mark(), PENDING_NONE);
	assert_false(image_store_is_pending(store));
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(disk.calls, 0);
}

static void test_marks_are_added_up(void **state)
{
	cleanup_pending struct pending p = { 0 };

	(void)state;
	add(A, NULL);
	add(A, B);
	assert_int_equal(pending_load(store->root_fd, &p, &err), 0);
	assert_int_equal(p.state, PENDING_CACHED);
	assert_int_equal(strv_len(p.blobs), 1);
	assert_string_equal(p.blobs[0], A);
	assert_int_equal(strv_len(p.layers), 1);
	assert_string_equal(p.layers[0], B);
	assert_int_equal(image_store_settle(store, NULL, NULL, NULL, &err), 0);
	assert_true(image_store_is_pending(store));
}

static void test_a_flush_removes_the_mark(void **state)
{
	(void)state;
	add(A, B);
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(disk.calls, 1);
	assert_int_equal(state_of_mark(), PENDING_NONE);
}

static void publish_more(void)
{
	disk.meanwhile = NULL;
	add(NULL, B);
}

static void test_what_is_published_during_a_flush_is_flushed_too(void **state)
{
	(void)state;
	add(A, NULL);
	disk.meanwhile = publish_more;
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(disk.calls, 2);
	assert_int_equal(state_of_mark(), PENDING_NONE);
}

static void test_one_flushes_at_a_time(void **state)
{
	cleanup_free char *path = xasprintf("%s/images", dir);
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	add(A, NULL);
	assert_int_equal(image_store_settle(store, NULL, NULL, NULL, &err), 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(image_store_is_pending(store));
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(disk.calls, 0);
	assert_int_equal(state_of_mark(), PENDING_CACHED);
}

static void test_a_disk_that_fails_is_remembered(void **state)
{
	(void)state;
	add(A, NULL);
	disk.result = EIO;
	assert_int_equal(image_store_flush(store, &err), -EIO);
	assert_int_equal(state_of_mark(), PENDING_FAILED);
	/* a second try would succeed: the kernel has forgotten */
	disk.result = 0;
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(state_of_mark(), PENDING_FAILED);
	add(B, NULL);
	assert_int_equal(state_of_mark(), PENDING_FAILED);
}

static void test_a_mark_of_another_boot_is_not_flushed_away(void **state)
{
	(void)state;
	write_mark("{\"boot\":\"0-1\",\"blobs\":[\"" A "\"],\"layers\":[]}");
	assert_int_equal(state_of_mark(), PENDING_LOST);
	assert_false(image_store_is_pending(store));
	assert_int_equal(image_store_flush(store, &err), 0);
	assert_int_equal(disk.calls, 0);
	assert_int_equal(state_of_mark(), PENDING_LOST);
}

static void test_a_mark_that_cannot_be_read_is_of_another_boot(void **state)
{
	static const char *const texts[] = { "", "{\"boot\":", "[1]", "{\"boot\":7,\"blobs\":3}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_mark(texts[i]);
		assert_int_equal(state_of_mark(), PENDING_LOST);
	}
}

/* A blob that no image has: removed, and with it the mark. */
static void test_what_was_lost_is_settled_once(void **state)
{
	const char path[] = "images/blobs/sha256/"
			    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	cleanup_with(strv_free) char **report = NULL;

	(void)state;
	write_mark("{\"boot\":\"0-1\",\"blobs\":[\"" A "\"],\"layers\":[\"" B "\"]}");
	assert_int_equal(file_write_atomic(store->root_fd, path, "half", 4, 0600, 0, &err), 0);
	assert_int_equal(image_store_settle(store, NULL, NULL, &report, &err), 0);
	assert_int_equal(state_of_mark(), PENDING_NONE);
	assert_int_not_equal(faccessat(store->root_fd, path, F_OK, 0), 0);
}

static void test_what_is_cached_needs_no_settling(void **state)
{
	cleanup_with(strv_free) char **report = NULL;

	(void)state;
	add(A, B);
	assert_int_equal(image_store_settle(store, NULL, NULL, &report, &err), 0);
	assert_null(report);
	assert_int_equal(state_of_mark(), PENDING_CACHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_a_store_without_a_mark_is_not_pending),
		TEST(test_marks_are_added_up),
		TEST(test_a_flush_removes_the_mark),
		TEST(test_what_is_published_during_a_flush_is_flushed_too),
		TEST(test_one_flushes_at_a_time),
		TEST(test_a_disk_that_fails_is_remembered),
		TEST(test_a_mark_of_another_boot_is_not_flushed_away),
		TEST(test_a_mark_that_cannot_be_read_is_of_another_boot),
		TEST(test_what_was_lost_is_settled_once),
		TEST(test_what_is_cached_needs_no_settling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
