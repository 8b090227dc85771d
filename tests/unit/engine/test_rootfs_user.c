/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/rootfs_user.h"

struct fixture {
	char dir[64];
	char *layers[3]; /* top, bottom */
	int dir_fd;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/berth-engine-user-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->layers[0] = xasprintf("%s/top", f->dir);
	f->layers[1] = xasprintf("%s/bottom", f->dir);
	*state = f;
	return mkdirat(f->dir_fd, "top", 0755) || mkdirat(f->dir_fd, "bottom", 0755) ||
	       mkdirat(f->dir_fd, "bottom/etc", 0755);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	close(f->dir_fd);
	r = dir_remove_tree(AT_FDCWD, f->dir, NULL);
	free(f->layers[0]);
	free(f->layers[1]);
	free(f);
	return r;
}

static void put(struct fixture *f, const char *path, const char *text)
{
	struct error err;

	assert_int_equal(file_write_atomic(f->dir_fd, path, text, strlen(text), 0644, 0, &err), 0);
}

static int resolve(struct fixture *f, const char *user, struct user_identity *id, struct error *err)
{
	return rootfs_user_resolve(f->layers, f->dir_fd, user, NULL, id, err);
}

static void test_name_is_found_in_the_lower_layer(void **state)
{
	cleanup_user_identity struct user_identity id = { 0 };
	struct fixture *f = *state;
	struct error err;

	put(f, "bottom/etc/passwd", "www:x:33:44::/:/bin/sh\n");
	assert_int_equal(resolve(f, "www", &id, &err), 0);
	assert_int_equal(id.uid, 33);
	assert_int_equal(id.gid, 44);
	assert_int_not_equal(faccessat(f->dir_fd, "user-names", F_OK, 0), 0);
}

static void test_upper_layer_wins(void **state)
{
	cleanup_user_identity struct user_identity id = { 0 };
	struct fixture *f = *state;
	struct error err;

	put(f, "bottom/etc/passwd", "www:x:33:44::/:/bin/sh\n");
	assert_int_equal(mkdirat(f->dir_fd, "top/etc", 0755), 0);
	put(f, "top/etc/passwd", "www:x:1:2::/:/bin/sh\n");
	assert_int_equal(resolve(f, "www", &id, &err), 0);
	assert_int_equal(id.uid, 1);
}

static void test_files_may_come_from_different_layers(void **state)
{
	cleanup_user_identity struct user_identity id = { 0 };
	struct fixture *f = *state;
	struct error err;

	put(f, "bottom/etc/passwd", "www:x:33:44::/:/bin/sh\n");
	assert_int_equal(mkdirat(f->dir_fd, "top/etc", 0755), 0);
	put(f, "top/etc/group", "extra:x:77:www\n");
	assert_int_equal(resolve(f, "www", &id, &err), 0);
	assert_int_equal(id.uid, 33);
	assert_int_equal(id.n_groups, 1);
	assert_int_equal(id.groups[0], 77);
	assert_int_not_equal(faccessat(f->dir_fd, "user-names", F_OK, 0), 0);
}

static void test_whiteout_hides_the_lower_file(void **state)
{
	cleanup_user_identity struct user_identity id = { 0 };
	struct fixture *f = *state;
	struct error err;

	put(f, "bottom/etc/passwd", "www:x:33:44::/:/bin/sh\n");
	assert_int_equal(mkdirat(f->dir_fd, "top/etc", 0755), 0);
	if (mknodat(f->dir_fd, "top/etc/passwd", S_IFCHR, makedev(0, 0)) < 0)
		skip();
	assert_true(resolve(f, "www", &id, &err) < 0);
	assert_non_null(strstr(err.msg, "www"));
}

static void test_rootfs_without_files_knows_numbers(void **state)
{
	cleanup_user_identity struct user_identity id = { 0 };
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(resolve(f, "1000:1000", &id, &err), 0);
	assert_int_equal(id.uid, 1000);
	assert_true(resolve(f, "nobody", &id, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_name_is_found_in_the_lower_layer),     T(test_upper_layer_wins),
		T(test_files_may_come_from_different_layers), T(test_whiteout_hides_the_lower_file),
		T(test_rootfs_without_files_knows_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
