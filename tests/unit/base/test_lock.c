/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/lock.h"
#include "base/macro.h"

struct fixture {
	char dir[32];
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test-lock-XXXXXX");
	f->fd = mkdtemp(f->dir) ? open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	*state = f;
	return f->fd < 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlinkat(f->fd, "lock", 0);
	close(f->fd);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void test_second_holder_is_told_who_holds_the_lock(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int lock = -EBADF;
	struct error err;
	char pid[32];
	int second;

	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), 0);
	assert_true(lock_acquire(f->fd, "lock", NULL, &second, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	(void)snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(err.msg, pid));
}

static void test_closing_the_fd_unlocks(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int lock;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), 0);
		close(lock);
	}
}

static void test_bounded_wait_ends(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int lock = -EBADF;
	struct error err;
	int second;

	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), 0);
	assert_true(lock_acquire(f->fd, "lock", &(struct lock_wait){ .timeout_ms = 50 }, &second,
				 &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
}

static int notices;

static void take_notice(const char *sentence)
{
	char pid[64];

	(void)snprintf(pid, sizeof(pid), "(pid %d), which uses 'lock'", (int)getpid());
	assert_non_null(strstr(sentence, pid));
	notices++;
}

static void test_long_wait_is_told_once(void **state)
{
	struct fixture *f = *state;
	const struct lock_wait wait = { .timeout_ms = 1300, .notice = take_notice };
	cleanup_fd int lock = -EBADF;
	struct error err;
	int second;

	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), 0);
	notices = 0;
	assert_true(lock_acquire(f->fd, "lock", &wait, &second, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	assert_int_equal(notices, 1);
}

static void test_wait_ends_when_stopped(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int lock = -EBADF;
	struct error err;
	int second, ends[2];

	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[1]); /* readable: the end */
	assert_int_equal(
		lock_acquire(f->fd, "lock",
			     &(struct lock_wait){ .timeout_ms = 60000, .stop_fd = ends[0] },
			     &second, &err),
		-ECANCELED);
	close(ends[0]);
}

static void test_holder_that_is_dead_is_not_named(void **state)
{
	static const char text[] = "berth (pid 2147483647)\n";
	struct fixture *f = *state;
	struct error err;
	int reader, writer;

	assert_int_equal(lock_share(f->fd, "lock", NULL, &reader, &err), 0);
	assert_int_equal(pwrite(reader, text, strlen(text), 0), strlen(text));
	assert_true(lock_acquire(f->fd, "lock", NULL, &writer, &err) < 0);
	assert_string_equal(err.msg, "'lock' is in use by another program");
	close(reader);
}

static void test_lock_file_is_never_a_symlink(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int lock;

	assert_int_equal(symlinkat("/nowhere", f->fd, "lock"), 0);
	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &lock, &err), -ELOOP);
}

static void test_sharers_keep_a_writer_out_and_no_other_sharer(void **state)
{
	struct fixture *f = *state;
	struct error err;
	int a, b, writer;

	assert_int_equal(lock_share(f->fd, "lock", NULL, &a, &err), 0);
	assert_int_equal(lock_share(f->fd, "lock", NULL, &b, &err), 0);
	close(a);
	assert_true(lock_acquire(f->fd, "lock", NULL, &writer, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	close(b);
	assert_int_equal(lock_acquire(f->fd, "lock", NULL, &writer, &err), 0);
	assert_true(lock_share(f->fd, "lock", NULL, &a, &err) < 0);
	close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_second_holder_is_told_who_holds_the_lock,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_closing_the_fd_unlocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_wait_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_wait_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_ends_when_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holder_that_is_dead_is_not_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_lock_file_is_never_a_symlink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sharers_keep_a_writer_out_and_no_other_sharer,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
