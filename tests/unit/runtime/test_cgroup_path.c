/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/driver.h"

static void expect_in(bool v2, const char *root, const char *own, const char *wanted,
		      const char *path, const char *dir)
{
	struct cgroupfs_hierarchy h = {
		.v2 = v2,
		.controllers = (char *)"memory",
		.mount_point = (char *)"/cg/memory",
		.root = (char *)root,
	};
	cleanup_free char *got_path = NULL;
	cleanup_free char *got_dir = NULL;
	struct error err;

	assert_int_equal(cgroup_path_resolve(&h, own, wanted, "id", &got_path, &got_dir, &err), 0);
	assert_string_equal(got_path, path);
	assert_string_equal(got_dir, dir);
}

static void expect(const char *root, const char *own, const char *wanted, const char *path,
		   const char *dir)
{
	expect_in(false, root, own, wanted, path, dir);
}

static void test_absolute_paths_start_at_the_hierarchy(void **state)
{
	expect("/", "/user/me", "/berth/x", "/berth/x", "/cg/memory/berth/x");
}

static void test_relative_paths_start_at_the_caller(void **state)
{
	expect("/", "/user/me", "berth/x", "/user/me/berth/x", "/cg/memory/user/me/berth/x");
	expect("/", NULL, "berth/x", "/berth/x", "/cg/memory/berth/x");
}

/* where the caller is, there are processes: controllers could not be enabled below it */
static void test_relative_paths_of_v2_start_beside_the_caller(void **state)
{
	expect_in(true, "/", "/user/me", "berth/x", "/user/berth/x", "/cg/memory/user/berth/x");
	expect_in(true, "/", "/me", "x", "/x", "/cg/memory/x");
	expect_in(true, "/", "/", "x", "/x", "/cg/memory/x");
	expect_in(true, "/docker/c", "/docker/c", "x", "/docker/c/x", "/cg/memory/x");
}

static void test_no_path_is_the_id(void **state)
{
	expect("/", "/", NULL, "/id", "/cg/memory/id");
	expect("/", "/a", "", "/a/id", "/cg/memory/a/id");
}

static void test_dots_do_not_climb_out(void **state)
{
	expect("/", "/a/b", "../../../x", "/a/b/x", "/cg/memory/a/b/x");
	expect("/", "/a", "/../x/./y//z", "/x/y/z", "/cg/memory/x/y/z");
}

static void test_a_mount_of_a_part_shows_the_part(void **state)
{
	expect("/docker/c", "/docker/c", "/x", "/docker/c/x", "/cg/memory/x");
	expect("/docker/c", "/docker/c/d", "x", "/docker/c/d/x", "/cg/memory/d/x");
	expect("/docker/c", "/docker/c", "x", "/docker/c/x", "/cg/memory/x");
}

static void test_the_root_of_all_is_refused(void **state)
{
	struct cgroupfs_hierarchy h = { .controllers = (char *)"",
					.mount_point = (char *)"/cg",
					.root = (char *)"/" };
	char *path, *dir;
	struct error err;

	assert_true(cgroup_path_resolve(&h, "/", "/", "id", &path, &dir, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_true(cgroup_path_resolve(&h, "/", "/a/..", "id", &path, &dir, &err) < 0);
}

static void test_what_lies_below_is_found_by_the_end_of_the_directory(void **state)
{
	static const struct {
		const char *dir, *path, *rest;
	} cases[] = {
		{ "/sys/fs/cgroup/berth/c1", "/berth/c1/init.scope", "init.scope" },
		{ "/sys/fs/cgroup/berth/c1", "/berth/c1/a/b", "a/b" },
		{ "/sys/fs/cgroup/unified/berth/c1", "/berth/c1/a", "a" },
		{ "/sys/fs/cgroup/berth/c1", "/c1/a",
		  "a" }, /* only a part of the tree is mounted */
		{ "/sys/fs/cgroup/berth/c1", "/berth/c1", NULL },
		{ "/sys/fs/cgroup/berth/c1", "/berth/c10/a", NULL },
		{ "/sys/fs/cgroup/berth/c1", "/../x", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *rest = cgroup_rest_below(cases[i].dir, cases[i].path);

		assert_int_equal(!rest, !cases[i].rest);
		if (rest)
			assert_string_equal(rest, cases[i].rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_lies_below_is_found_by_the_end_of_the_directory),
		cmocka_unit_test(test_absolute_paths_start_at_the_hierarchy),
		cmocka_unit_test(test_relative_paths_start_at_the_caller),
		cmocka_unit_test(test_relative_paths_of_v2_start_beside_the_caller),
		cmocka_unit_test(test_no_path_is_the_id),
		cmocka_unit_test(test_dots_do_not_climb_out),
		cmocka_unit_test(test_a_mount_of_a_part_shows_the_part),
		cmocka_unit_test(test_the_root_of_all_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
