/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/macro.h"

#define LARGE_BYTES (64 << 20)
#define MANY	    4000

struct fixture {
	char dir[32];
	int fd;
};

static int setup(void **state)
{
	static struct fixture f;

	(void)snprintf(f.dir, sizeof(f.dir), "/tmp/test-trash-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f.fd >= 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct error err;

	close(f->fd);
	return dir_remove_tree(AT_FDCWD, f->dir, &err);
}

static void make_file(int dir_fd, const char *name, off_t size)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void make_many(int dir_fd)
{
	char name[16];

	assert_int_equal(mkdirat(dir_fd, "many", 0700), 0);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many/%d", i);
		make_file(dir_fd, name, 0);
	}
}

static void test_what_is_small_is_deleted_at_once(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(mkdirat(f->fd, "a", 0700), 0);
	make_file(f->fd, "a/b", 100);
	make_file(f->fd, "blob", 100);
	assert_true(trash_is_left(f->fd));
	assert_int_equal(trash_sweep_small(f->fd, &err), 0);
	assert_false(trash_is_left(f->fd));
	assert_int_equal(faccessat(f->fd, "a", F_OK, 0), -1);
}

static void test_a_large_file_is_left_for_the_sweep(void **state)
{
	struct fixture *f = *state;
	struct error err;

	make_file(f->fd, "blob", LARGE_BYTES);
	assert_int_equal(trash_sweep_small(f->fd, &err), TRASH_LEFT);
	assert_int_equal(faccessat(f->fd, "blob", F_OK, 0), 0);
	assert_int_equal(trash_sweep(f->fd, &err), 0);
	assert_false(trash_is_left(f->fd));
}

static void test_many_entries_are_left_for_the_sweep(void **state)
{
	struct fixture *f = *state;
	struct error err;

	make_many(f->fd);
	assert_int_equal(trash_sweep_small(f->fd, &err), TRASH_LEFT);
	assert_int_equal(faccessat(f->fd, "many", F_OK, 0), 0);
	assert_int_equal(trash_sweep(f->fd, &err), 0);
	assert_int_equal(faccessat(f->fd, "many", F_OK, 0), -1);
}

static void test_one_at_a_time_sweeps(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int other = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err;

	make_file(f->fd, "a", 0);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_false(trash_is_left(f->fd)); /* it has somebody who deletes it */
	assert_int_equal(trash_sweep(f->fd, &err), 0);
	assert_int_equal(faccessat(f->fd, "a", F_OK, 0), 0);
	assert_int_equal(flock(other, LOCK_UN), 0); /* killed half way */
	assert_true(trash_is_left(f->fd));
	assert_int_equal(trash_sweep(f->fd, &err), 0);
	assert_int_equal(faccessat(f->fd, "a", F_OK, 0), -1);
}

#define trash_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		trash_test(test_what_is_small_is_deleted_at_once),
		trash_test(test_a_large_file_is_left_for_the_sweep),
		trash_test(test_many_entries_are_left_for_the_sweep),
		trash_test(test_one_at_a_time_sweeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
