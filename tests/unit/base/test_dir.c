/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/macro.h"

struct fixture {
	char dir[32];
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test-dir-XXXXXX");
	f->fd = mkdtemp(f->dir) ? open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	*state = f;
	return f->fd < 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int r;

	close(f->fd);
	r = dir_remove_tree(AT_FDCWD, f->dir, &err);
	free(f);
	return r;
}

static void make_file(int fd, const char *name)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	close(file);
}

static bool exists(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_remove_takes_the_whole_tree(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "t/empty", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "t/full", 0700), 0);
	make_file(f->fd, "t/full/a");
	assert_int_equal(mkfifoat(f->fd, "t/full/fifo", 0600), 0);
	assert_int_equal(dir_remove_tree(f->fd, "t", &err), 0);
	assert_false(exists(f->fd, "t"));
}

static void test_remove_does_not_follow_symlinks(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "kept", 0700), 0);
	make_file(f->fd, "kept/file");
	assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
	assert_int_equal(symlinkat("../kept", f->fd, "t/link"), 0);
	assert_int_equal(symlinkat("kept", f->fd, "link"), 0);
	assert_int_equal(dir_remove_tree(f->fd, "t", &err), 0);
	assert_int_equal(dir_remove_tree(f->fd, "link", &err), 0);
	assert_true(exists(f->fd, "kept/file"));
	assert_false(exists(f->fd, "link"));
}

static void test_remove_of_nothing_is_success(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(dir_remove_tree(f->fd, "nothing", &err), 0);
	assert_int_equal(dir_move_to_trash(f->fd, "nothing", f->fd, &err), 0);
}

static void test_remove_takes_a_tree_deeper_than_we_may_have_files_open(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int fd = dup(f->fd);

	for (int i = 0; i < 2500; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	make_file(fd, "bottom");
	close(fd);
	assert_int_equal(dir_remove_tree(f->fd, "d", &err), 0);
	assert_false(exists(f->fd, "d"));
}

static void test_remove_takes_a_directory_larger_than_one_read(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
	for (int i = 0; i < 700; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "t/a-file-with-a-long-name-%d", i);
		make_file(f->fd, name);
	}
	assert_int_equal(dir_remove_tree(f->fd, "t", &err), 0);
	assert_false(exists(f->fd, "t"));
}

static void test_remove_takes_directories_without_permissions(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "t/work", 0700), 0);
	make_file(f->fd, "t/work/a");
	assert_int_equal(fchmodat(f->fd, "t/work", 0, 0), 0);
	assert_int_equal(dir_remove_tree(f->fd, "t", &err), 0);
}

static void test_remove_reaches_a_path_on_another_file_system(void **state)
{
	char dir[] = "/dev/shm/test-dir-XXXXXX";
	struct error err;
	int fd;

	if (!mkdtemp(dir))
		skip();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(fd, "a");
	close(fd);
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &err), 0);
	assert_false(exists(AT_FDCWD, dir));
}

static void test_trash_frees_the_name_at_once(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int trash = -EBADF;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "trash", 0700), 0);
	trash = openat(f->fd, "trash", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
		make_file(f->fd, "t/a");
		assert_int_equal(dir_move_to_trash(f->fd, "t", trash, &err), 0);
		assert_false(exists(f->fd, "t"));
	}
	assert_int_equal(dir_empty(trash, &err), 0);
	assert_int_equal(unlinkat(f->fd, "trash", AT_REMOVEDIR), 0);
}

static void write_bytes(int fd, const char *name, size_t n)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char *bytes = malloc(n);

	memset(bytes, 'x', n);
	assert_int_equal(write(file, bytes, n), (ssize_t)n);
	assert_int_equal(fsync(file), 0); /* only then all file systems know how many blocks */
	close(file);
	free(bytes);
}

static void make_hole(int fd, const char *name, off_t size)
{
	int file = openat(fd, name, O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(file, size), 0);
	close(file);
}

static uint64_t blocks_of(int fd, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void test_usage_counts_links_once_and_holes_not_at_all(void **state)
{
	struct fixture *f = *state;
	struct error err;
	uint64_t bytes;

	assert_int_equal(mkdirat(f->fd, "t", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "t/d", 0700), 0);
	write_bytes(f->fd, "t/file", 100000);
	assert_int_equal(linkat(f->fd, "t/file", f->fd, "t/d/link", 0), 0);
	assert_int_equal(linkat(f->fd, "t/file", f->fd, "t/third", 0), 0);
	write_bytes(f->fd, "t/sparse", 1);
	make_hole(f->fd, "t/sparse", 1 << 30);
	assert_int_equal(symlinkat("/", f->fd, "t/link"), 0);
	assert_int_equal(dir_usage(f->fd, "t", &bytes, &err), 0);
	assert_int_equal(bytes, blocks_of(f->fd, "t") + blocks_of(f->fd, "t/d") +
					blocks_of(f->fd, "t/file") + blocks_of(f->fd, "t/sparse") +
					blocks_of(f->fd, "t/link"));
	assert_true(bytes > 100000 && bytes < 1000000);
	assert_int_equal(dir_usage(f->fd, "t/sparse", &bytes, &err), 0);
	assert_int_equal(bytes, blocks_of(f->fd, "t/sparse"));
	assert_int_equal(dir_usage(f->fd, "nothing", &bytes, &err), -ENOENT);
}

static void test_usage_goes_deeper_than_we_may_have_files_open(void **state)
{
	struct fixture *f = *state;
	char path[4000] = "t";
	uint64_t expected = 0, bytes;
	struct error err;

	for (size_t i = 1; i + 2 < sizeof(path); i += 2) {
		assert_int_equal(mkdirat(f->fd, path, 0700), 0);
		expected += blocks_of(f->fd, path);
		strcpy(path + i, "/t");
	}
	assert_int_equal(dir_usage(f->fd, "t", &bytes, &err), 0);
	assert_int_equal(bytes, expected);
}

#define dir_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(test_remove_takes_the_whole_tree),
		dir_test(test_remove_does_not_follow_symlinks),
		dir_test(test_remove_of_nothing_is_success),
		dir_test(test_remove_takes_a_tree_deeper_than_we_may_have_files_open),
		dir_test(test_remove_takes_a_directory_larger_than_one_read),
		dir_test(test_remove_takes_directories_without_permissions),
		dir_test(test_remove_reaches_a_path_on_another_file_system),
		dir_test(test_trash_frees_the_name_at_once),
		dir_test(test_usage_counts_links_once_and_holes_not_at_all),
		dir_test(test_usage_goes_deeper_than_we_may_have_files_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
