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
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "broken:x:abc:0::/:/bin/sh\n"
			     "+::::::\n"
			     "app:x:1000:1001:App,,,:/home/app:/bin/sh\n"
			     "short:x:1002:1002\n"
			     "5000:x:77:77::/digits:/bin/sh\n"
			     "huge:x:4294967296:0::/:/bin/sh\n"
			     "last:x:1003:1003::/home/last:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "wheel:x:10:root,app\n"
			    "app:x:1001:app\n"
			    "apps:x:1010:apps,xapp\n"
			    "audio:x:29:pulse,app,other\n"
			    "nomembers:x:30\n";

static void put(int root_fd, const char *path, const char *text, size_t len)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

struct root {
	char path[64];
	int fd;
};

static int make_root(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	strcpy(r->path, "/tmp/berth-test-user-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	r->fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(r->fd, "etc", 0755), 0);
	put(r->fd, "etc/passwd", passwd, sizeof(passwd) - 1);
	put(r->fd, "etc/group", group, sizeof(group) - 1);
	*state = r;
	return 0;
}

static int remove_root(void **state)
{
	struct root *r = *state;

	(void)unlinkat(r->fd, "etc/passwd", 0); /* a test may have removed it */
	(void)unlinkat(r->fd, "etc/group", 0);
	(void)unlinkat(r->fd, "etc", AT_REMOVEDIR);
	close(r->fd);
	assert_int_equal(rmdir(r->path), 0);
	free(r);
	return 0;
}

static void check(void **state, const char *spec, uint32_t uid, uint32_t gid, const char *home,
		  size_t n_groups)
{
	struct root *r = *state;
	struct user_identity id;
	struct error err;

	if (user_resolve(r->fd, spec, &id, &err) < 0)
		fail_msg("%s: %s", spec, err.msg);
	assert_int_equal(id.uid, uid);
	assert_int_equal(id.gid, gid);
	assert_string_equal(id.home, home);
	assert_int_equal(id.n_groups, n_groups);
	user_identity_done(&id);
}

static void check_refused(void **state, const char *spec, const char *words)
{
	struct root *r = *state;
	struct user_identity id;
	struct error err;

	assert_true(user_resolve(r->fd, spec, &id, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in '%s'", words, err.msg);
}

static void test_empty_is_root(void **state)
{
	check(state, "", 0, 0, "/root", 1);
	check(state, NULL, 0, 0, "/root", 1);
}

static void test_name_brings_gid_home_and_groups(void **state)
{
	check(state, "app", 1000, 1001, "/home/app", 3);
	check(state, "last", 1003, 1003, "/home/last", 0);
}

static void test_number_with_a_line_is_that_user(void **state)
{
	check(state, "1000", 1000, 1001, "/home/app", 3);
}

static void test_number_without_a_line_has_gid_0(void **state)
{
	check(state, "4711", 4711, 0, "/", 0);
	check(state, "2147483647", 2147483647, 0, "/", 0);
}

static void test_a_group_replaces_the_supplementary_ones(void **state)
{
	check(state, "app:audio", 1000, 29, "/home/app", 0);
	check(state, "app:4712", 1000, 4712, "/home/app", 0);
	check(state, "4711:wheel", 4711, 10, "/", 0);
	check(state, ":wheel", 0, 10, "/root", 0);
	check(state, "app:nomembers", 1000, 30, "/home/app", 0);
}

static void test_an_empty_group_is_none(void **state)
{
	check(state, "app:", 1000, 1001, "/home/app", 3);
}

static void test_a_name_of_digits_is_found_in_file_order(void **state)
{
	check(state, "5000", 77, 77, "/digits", 0);
}

static void test_short_lines_are_enough(void **state)
{
	check(state, "short", 1002, 1002, "/", 0);
}

static void test_unknown_names_are_refused(void **state)
{
	check_refused(state, "nobody",
		      "unable to find user nobody: no matching entries in passwd file");
	check_refused(state, "app:nogroup",
		      "unable to find group nogroup: no matching entries in group file");
	check_refused(state, "broken", "unable to find user broken");
	check_refused(state, "huge", "unable to find user huge");
	check_refused(state, "0x10", "unable to find user 0x10");
	check_refused(state, " 5", "unable to find user  5");
}

static void test_numbers_out_of_range_are_refused(void **state)
{
	check_refused(state, "2147483648", "uids and gids must be in range 0-2147483647");
	check_refused(state, "-1", "uids and gids must be in range");
	check_refused(state, "99999999999999999999999", "uids and gids must be in range");
	check_refused(state, "app:4294967295", "uids and gids must be in range");
}

static void test_missing_files_are_empty(void **state)
{
	struct root *r = *state;

	unlinkat(r->fd, "etc/passwd", 0);
	unlinkat(r->fd, "etc/group", 0);
	check(state, "", 0, 0, "/", 0);
	check(state, "7:8", 7, 8, "/", 0);
	check_refused(state, "app", "unable to find user app");
}

static void test_a_file_too_large_is_refused(void **state)
{
	struct root *r = *state;
	int fd = openat(r->fd, "etc/passwd", O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, USER_FILE_MAX_BYTES + 1), 0);
	close(fd);
	check_refused(state, "app", "/etc/passwd of the rootfs is larger");
}

static void test_a_pipe_for_a_file_does_not_block(void **state)
{
	struct root *r = *state;

	unlinkat(r->fd, "etc/passwd", 0);
	assert_int_equal(mkfifoat(r->fd, "etc/passwd", 0644), 0);
	check(state, "7", 7, 0, "/", 0);
}

static void test_links_lead_to_files_inside_the_root(void **state)
{
	struct root *r = *state;

	assert_int_equal(renameat(r->fd, "etc/passwd", r->fd, "etc/group"), 0);
	assert_int_equal(symlinkat("/../../etc/group", r->fd, "etc/passwd"), 0);
	check(state, "short", 1002, 1002, "/", 0);
}

static void test_groups_are_added_once(void **state)
{
	struct root *r = *state;
	const char *more[] = { "audio", "29", "555", "wheel", NULL };
	const char *unknown[] = { "nogroup", NULL };
	struct user_identity id;
	struct error err;

	assert_int_equal(user_resolve(r->fd, "app", &id, &err), 0);
	assert_int_equal(user_add_groups(r->fd, (char **)more, &id, &err), 0);
	assert_int_equal(id.n_groups, 4);
	assert_int_equal(id.groups[3], 555);
	assert_true(user_add_groups(r->fd, (char **)unknown, &id, &err) < 0);
	user_identity_done(&id);
}

static void test_the_primary_group_is_one_of_the_groups(void **state)
{
	struct root *r = *state;
	struct user_identity id;
	struct error err;

	assert_int_equal(user_resolve(r->fd, "4242:77", &id, &err), 0);
	assert_int_equal(id.n_groups, 0);
	assert_int_equal(user_add_primary_group(&id, &err), 0);
	assert_int_equal(user_add_primary_group(&id, &err), 0);
	assert_int_equal(id.n_groups, 1);
	assert_int_equal(id.groups[0], 77);
	user_identity_done(&id);
}

static void test_home_of_a_uid(void **state)
{
	struct root *r = *state;
	char home[16];

	assert_int_equal(user_home(r->fd, 1003, home, sizeof(home)), 0);
	assert_string_equal(home, "/home/last");
	assert_int_equal(user_home(r->fd, 1002, home, sizeof(home)), 0);
	assert_string_equal(home, "/");
	assert_int_equal(user_home(r->fd, 99, home, sizeof(home)), 0);
	assert_string_equal(home, "/");
	assert_int_equal(user_home(r->fd, 1000, home, 5), 0); /* does not fit */
	assert_string_equal(home, "/");
}

static void test_home_skips_lines_that_do_not_fit(void **state)
{
	struct root *r = *state;
	char text[9000], home[32];
	static const char last[] = "\nfar:x:8:8::/far:/bin/sh\n";

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - sizeof(last), last, sizeof(last));
	put(r->fd, "etc/passwd", text, sizeof(text) - 1);
	assert_int_equal(user_home(r->fd, 8, home, sizeof(home)), 0);
	assert_string_equal(home, "/far");
}

static void test_subids_of_a_user(void **state)
{
	static const char text[] = "app:100000:65536\n1000:200000:10\nother:300000:65536\n"
				   "app:x:1\napp:5:0\napp:4294967295:2\n";
	struct root *r = *state;
	struct user_id_range *ranges;
	struct error err;
	size_t n;

	put(r->fd, "etc/passwd", text, sizeof(text) - 1);
	assert_int_equal(user_subids(r->fd, "/etc/passwd", "app", 1000, &ranges, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ranges[0].first, 100000);
	assert_int_equal(ranges[1].count, 10);
	free(ranges);
	assert_int_equal(user_subids(r->fd, "/etc/none", "app", 1000, &ranges, &n, &err), 0);
	assert_int_equal(n, 0);
	free(ranges);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty_is_root),
		TEST(test_name_brings_gid_home_and_groups),
		TEST(test_number_with_a_line_is_that_user),
		TEST(test_number_without_a_line_has_gid_0),
		TEST(test_a_group_replaces_the_supplementary_ones),
		TEST(test_an_empty_group_is_none),
		TEST(test_a_name_of_digits_is_found_in_file_order),
		TEST(test_short_lines_are_enough),
		TEST(test_unknown_names_are_refused),
		TEST(test_numbers_out_of_range_are_refused),
		TEST(test_missing_files_are_empty),
		TEST(test_a_file_too_large_is_refused),
		TEST(test_a_pipe_for_a_file_does_not_block),
		TEST(test_links_lead_to_files_inside_the_root),
		TEST(test_groups_are_added_once),
		TEST(test_the_primary_group_is_one_of_the_groups),
		TEST(test_home_of_a_uid),
		TEST(test_home_skips_lines_that_do_not_fit),
		TEST(test_subids_of_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
