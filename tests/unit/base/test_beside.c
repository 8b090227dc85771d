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

#include "base/beside.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/macro.h"

static char start[4096];

/* Each in a directory of its own, the current one. */
static int setup(void **state)
{
	char *dir = strdup("/tmp/test-beside-XXXXXX");

	*state = dir;
	return getcwd(start, sizeof(start)) && mkdtemp(dir) ? chdir(dir) : -1;
}

static int teardown(void **state)
{
	struct error err;
	int r = dir_remove_tree(AT_FDCWD, *state, &err);

	unsetenv("BERTH_FAIL");
	free(*state);
	return chdir(start) < 0 ? -1 : r;
}

static void put(const char *path, const char *text)
{
	struct error err;

	assert_int_equal(file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, 0, &err), 0);
}

static void assert_holds(const char *path, const char *text)
{
	cleanup_free char *data = NULL;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, path, 100, &data, NULL, &err), 0);
	assert_string_equal(data, text);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void write_and_commit(const char *path, const char *text)
{
	cleanup_beside struct beside b = BESIDE_NONE;
	struct error err;

	assert_int_equal(beside_open(path, false, &b, &err), 0);
	assert_int_equal(write(b.fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(beside_commit(&b, &err), 0);
}

static void test_file_is_new_or_replaces(void **state UNUSED)
{
	write_and_commit("file", "one");
	assert_holds("file", "one");
	write_and_commit("./file", "two");
	assert_holds("file", "two");
	put(".file.part", "left by a killed one");
	write_and_commit("file", "three");
	assert_holds("file", "three");
	assert_false(is_there(".file.part"));
}

static void test_what_is_not_committed_leaves_the_target_alone(void **state UNUSED)
{
	struct beside b;
	struct error err;

	put("file", "before");
	for (int dir = 0; dir < 2; dir++) {
		assert_int_equal(beside_open("file", dir, &b, &err), 0);
		assert_holds("file", "before");
		beside_close(&b);
		assert_holds("file", "before");
		assert_false(is_there(".file.part"));
	}
}

static void test_directory_takes_its_name_and_clears_what_a_killed_one_left(void **state UNUSED)
{
	cleanup_beside struct beside b = BESIDE_NONE;
	struct error err;

	assert_int_equal(mkdir(".dir.part", 0700), 0);
	put(".dir.part/left", "");
	assert_int_equal(beside_open("dir//", true, &b, &err), 0);
	assert_int_equal(mkdirat(b.fd, "new", 0700), 0);
	assert_int_equal(beside_commit(&b, &err), 0);
	assert_true(is_there("dir/new"));
	assert_false(is_there("dir/left"));
	assert_false(is_there(".dir.part"));
}

static void test_second_owner_of_a_directory_is_refused(void **state UNUSED)
{
	cleanup_beside struct beside first = BESIDE_NONE, second = BESIDE_NONE;
	struct error err;

	assert_int_equal(beside_open("dir", true, &first, &err), 0);
	assert_true(beside_open("dir", true, &second, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	assert_true(is_there(".dir.part"));
}

static void test_directory_of_another_user_is_left_alone(void **state UNUSED)
{
	struct beside b;
	struct error err;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(".dir.part", 0777), 0);
	assert_int_equal(chown(".dir.part", 1234, 1234), 0);
	put(".dir.part/his", "");
	assert_true(beside_open("dir", true, &b, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	assert_true(is_there(".dir.part/his"));
}

static void test_directory_that_holds_something_is_not_replaced(void **state UNUSED)
{
	cleanup_beside struct beside b = BESIDE_NONE;
	struct error err;

	assert_int_equal(mkdir("dir", 0700), 0);
	put("dir/file", "");
	assert_int_equal(beside_open("dir", true, &b, &err), 0);
	assert_int_equal(beside_commit(&b, &err), -ENOTEMPTY);
	beside_close(&b);
	assert_true(is_there("dir/file"));
	assert_false(is_there(".dir.part"));
}

/* Where a file needs a name: with failures on purpose only. */
static void test_file_with_a_name_is_the_same(void **state UNUSED)
{
	struct beside b;
	struct error err;

	assert_int_equal(setenv("BERTH_FAIL", "base.tmpfile", 1), 0);
	assert_int_equal(beside_open("file", false, &b, &err), 0);
	if (!b.is_named) {
		beside_close(&b);
		skip();
	}
	assert_true(is_there(".file.part"));
	beside_close(&b);
	assert_false(is_there(".file.part"));
	test_file_is_new_or_replaces(NULL);
	test_what_is_not_committed_leaves_the_target_alone(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_is_new_or_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_committed_leaves_the_target_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_directory_takes_its_name_and_clears_what_a_killed_one_left, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_second_owner_of_a_directory_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_directory_of_another_user_is_left_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_directory_that_holds_something_is_not_replaced,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_with_a_name_is_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
