/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/executable.h"

struct fixture {
	char dir[64], path[256], file[128];
};

static void make(const char *dir, const char *name, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	close(fd);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/berth-test-exec-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "/no/such:%s/a:%s/b", f->dir, f->dir);
	snprintf(f->file, sizeof(f->file), "%s/a", f->dir);
	assert_int_equal(mkdir(f->file, 0755), 0);
	make(f->dir, "a/data", 0644);
	make(f->dir, "a/tool", 0644);
	snprintf(f->file, sizeof(f->file), "%s/b", f->dir);
	assert_int_equal(mkdir(f->file, 0755), 0);
	make(f->dir, "b/tool", 0755);
	snprintf(f->file, sizeof(f->file), "%s/a/dir", f->dir);
	assert_int_equal(mkdir(f->file, 0755), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a/dir", "a/data", "a/tool", "b/tool", "a", "b", "." };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(f->file, sizeof(f->file), "%s/%s", f->dir, names[i]);
		(void)remove(i == 6 ? f->dir : f->file);
	}
	free(f);
	return 0;
}

static void check(const char *name, const char *path, const char *found)
{
	char ret[PATH_MAX];
	struct error err;

	if (executable_find(name, path, ret, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(ret, found);
}

static void check_refused(const char *name, const char *path, enum error_kind kind, const char *msg)
{
	char ret[PATH_MAX];
	struct error err;

	assert_true(executable_find(name, path, ret, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.msg, msg);
	assert_int_equal(err.sys, 0);
}

static void test_path_is_searched_in_order(void **state)
{
	struct fixture *f = *state;

	/* the first tool is not executable */
	snprintf(f->file, sizeof(f->file), "%s/b/tool", f->dir);
	check("tool", f->path, f->file);
}

static void test_a_name_with_a_slash_is_taken_as_it_is(void **state)
{
	struct fixture *f = *state;

	snprintf(f->file, sizeof(f->file), "%s/b/tool", f->dir);
	check(f->file, NULL, f->file);
}

static void test_what_is_not_in_path_is_not_found(void **state)
{
	struct fixture *f = *state;

	check_refused("nope", f->path, ERROR_CMD_NOT_FOUND,
		      "exec: \"nope\": executable file not found in $PATH");
	check_refused("data", f->path, ERROR_CMD_NOT_FOUND,
		      "exec: \"data\": executable file not found in $PATH");
	check_refused("tool", NULL, ERROR_CMD_NOT_FOUND,
		      "exec: \"tool\": executable file not found in $PATH");
	check_refused("", f->path, ERROR_CMD_NOT_FOUND,
		      "process.args[0]: exec: \"\": executable file not found in $PATH");
}

static void test_a_missing_file_is_named(void **state)
{
	check_refused("/x/y", NULL, ERROR_CMD_NOT_FOUND,
		      "exec: \"/x/y\": stat /x/y: no such file or directory");
}

static void test_what_cannot_be_run_is_told_apart(void **state)
{
	struct fixture *f = *state;
	char msg[512];

	snprintf(f->file, sizeof(f->file), "%s/a/data", f->dir);
	snprintf(msg, sizeof(msg), "exec: \"%s\": permission denied", f->file);
	check_refused(f->file, NULL, ERROR_CMD_NOT_RUNNABLE, msg);
	snprintf(f->file, sizeof(f->file), "%s/a/dir", f->dir);
	snprintf(msg, sizeof(msg), "exec: \"%s\": is a directory: permission denied", f->file);
	check_refused(f->file, NULL, ERROR_CMD_NOT_RUNNABLE, msg);
	snprintf(f->file, sizeof(f->file), "%s/a/data/x", f->dir);
	snprintf(msg, sizeof(msg), "exec: \"%s\": stat %s: not a directory", f->file, f->file);
	check_refused(f->file, NULL, ERROR_CMD_NOT_RUNNABLE, msg);
}

static void test_names_too_long_do_not_overflow(void **state)
{
	static char name[2 * PATH_MAX];
	char ret[PATH_MAX];
	struct error err;

	memset(name, 'x', sizeof(name) - 1);
	assert_true(executable_find(name, "/bin:/usr/bin", ret, &err) < 0);
	assert_int_equal(err.kind, ERROR_CMD_NOT_FOUND);
	name[0] = '/';
	assert_true(executable_find(name, "/bin", ret, &err) < 0);
	assert_int_equal(err.kind, ERROR_CMD_NOT_RUNNABLE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_path_is_searched_in_order),
		TEST(test_a_name_with_a_slash_is_taken_as_it_is),
		TEST(test_what_is_not_in_path_is_not_found),
		TEST(test_a_missing_file_is_named),
		TEST(test_what_cannot_be_run_is_told_apart),
		TEST(test_names_too_long_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
