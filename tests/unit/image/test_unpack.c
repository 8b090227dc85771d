/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/macro.h"
#include "codec/archive.h"
#include "image/unpack.h"
#include "tar_builder.h"

/* All tests use user.overlay.* marks, which an ordinary user may set, too. */
struct fixture {
	char dir[32];
	int dir_fd;
	int root_fd; /* dir/root: what is beside it, the archive must not reach */
	struct buf tar;
	struct error err;
	struct unpack_result result;
	struct unpack_limits limits;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test-unpack-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(f->dir_fd, "root", 0755) < 0)
		return -1;
	f->root_fd = openat(f->dir_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->limits = (struct unpack_limits){ 1 << 20, 100 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	close(f->root_fd);
	close(f->dir_fd);
	r = dir_remove_tree(AT_FDCWD, f->dir, &f->err);
	buf_done(&f->tar);
	free(f);
	return r;
}

static int unpack(struct fixture *f)
{
	struct tar_chunks chunks = { .tar = &f->tar };
	const struct archive_source source = tar_chunks_source(&chunks);
	cleanup_with(archive_reader_close) struct archive_reader *a = archive_reader_open(&source);

	return unpack_archive(a, f->root_fd, &f->limits, UNPACK_ROOTLESS, &f->result, &f->err);
}

static int unpack_ended(struct fixture *f)
{
	tar_end(&f->tar);
	return unpack(f);
}

static void assert_refused(struct fixture *f, const char *reason)
{
	assert_true(unpack_ended(f) < 0);
	assert_int_equal(f->err.kind, ERROR_INVALID);
	if (!strstr(f->err.msg, reason))
		fail_msg("'%s' does not say '%s'", f->err.msg, reason);
}

static void assert_content(struct fixture *f, const char *path, const char *text)
{
	char buf[64] = "";
	int fd = openat(f->root_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(buf, text);
}

static struct stat stat_of(struct fixture *f, const char *path)
{
	struct stat st = { 0 };

	if (fstatat(f->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("'%s' is not there", path);
	return st;
}

static bool exists(int fd, const char *path)
{
	return faccessat(fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_whiteout(struct fixture *f, const char *path)
{
	struct stat st = stat_of(f, path);

	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool is_opaque(struct fixture *f, const char *path)
{
	int fd = openat(f->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[4] = "";
	ssize_t n = fgetxattr(fd, "user.overlay.opaque", value, sizeof(value));

	close(fd);
	return n == 1 && value[0] == 'y';
}

/* Names */

static void test_absolute_name_lands_inside(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "/etc/passwd", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "etc/passwd", "x");
}

static void test_name_that_climbs_out_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a/../../evil", "x");
	assert_refused(f, "entry 'a/../../evil': its name leads out of the layer");
	assert_false(exists(f->dir_fd, "evil"));
}

static void test_dotdot_that_stays_inside_is_resolved(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "./a/../b", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "b", "x");
}

static void test_parent_that_is_an_absolute_symlink_ends_inside(void **state)
{
	struct fixture *f = *state;

	tar_add_dir(&f->tar, "tmp");
	tar_add_symlink(&f->tar, "out", "/tmp");
	tar_add_file(&f->tar, "out/berth-unpack-canary", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "tmp/berth-unpack-canary", "x");
	assert_false(exists(AT_FDCWD, "/tmp/berth-unpack-canary"));
}

static void test_parent_that_is_a_climbing_symlink_ends_inside(void **state)
{
	struct fixture *f = *state;

	tar_add_symlink(&f->tar, "up", "../../../..");
	tar_add_file(&f->tar, "up/evil", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "evil", "x");
	assert_false(exists(f->dir_fd, "evil"));
}

static void test_parent_that_is_a_dangling_symlink_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_symlink(&f->tar, "link", "nowhere");
	tar_add_file(&f->tar, "link/a", "x");
	assert_refused(f, "entry 'link/a': the directory above it cannot be made");
}

static void test_parent_that_is_a_file_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "x");
	tar_add_file(&f->tar, "a/b", "x");
	assert_refused(f, "not a directory");
}

static void test_parent_replaced_by_a_symlink_is_not_the_old_one(void **state)
{
	struct fixture *f = *state;

	tar_add_dir(&f->tar, "b");
	tar_add_dir(&f->tar, "a");
	tar_add_file(&f->tar, "a/one", "1");
	tar_add_symlink(&f->tar, "a", "b");
	tar_add_file(&f->tar, "a/two", "2");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "b/two", "2");
	assert_false(exists(f->root_fd, "b/one"));
}

static void test_missing_parents_are_made(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a/b/c", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a/b/c", "x");
}

static void test_names_are_bytes(void **state)
{
	/* the same letter, decomposed and composed: two files */
	static const char nfd[] = "e\xcc\x81", nfc[] = "\xc3\xa9", latin1[] = "\xe9";
	struct fixture *f = *state;

	tar_add_pax(&f->tar, "path", nfd);
	tar_add_file(&f->tar, "x", "nfd");
	tar_add_pax(&f->tar, "path", nfc);
	tar_add_file(&f->tar, "x", "nfc");
	tar_add_pax(&f->tar, "path", latin1);
	tar_add_file(&f->tar, "x", "latin1");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, nfd, "nfd");
	assert_content(f, nfc, "nfc");
	assert_content(f, latin1, "latin1");
}

static void test_root_directory_gets_the_archives_attributes(void **state)
{
	struct fixture *f = *state;

	tar_add_raw(&f->tar, '5', "./", NULL, 0711, NULL, 0);
	tar_add_file(&f->tar, "./a", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_int_equal(stat_of(f, ".").st_mode & 07777, 0711);
	assert_int_equal(stat_of(f, ".").st_mtime, TAR_MTIME);
}

static void test_root_directory_cannot_be_replaced(void **state)
{
	struct fixture *f = *state;

	tar_add_symlink(&f->tar, "./", "/etc");
	assert_refused(f, "root directory");
}

/* Links */

static void test_hardlink_shares_the_file(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "x");
	tar_add_hardlink(&f->tar, "d/b", "/a");
	assert_int_equal(unpack_ended(f), 0);
	assert_int_equal(stat_of(f, "a").st_ino, stat_of(f, "d/b").st_ino);
}

static void test_hardlink_to_a_symlink_links_the_symlink(void **state)
{
	struct fixture *f = *state;

	tar_add_symlink(&f->tar, "s", "/etc/shadow");
	tar_add_hardlink(&f->tar, "h", "s");
	assert_int_equal(unpack_ended(f), 0);
	assert_true(S_ISLNK(stat_of(f, "h").st_mode));
}

static void test_hardlink_that_climbs_out_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_hardlink(&f->tar, "h", "../secret");
	assert_refused(f, "hard link to '../secret', which leads out");
}

static void test_hardlink_through_a_symlink_ends_inside(void **state)
{
	struct fixture *f = *state;

	tar_add_symlink(&f->tar, "etc2", "/etc");
	tar_add_hardlink(&f->tar, "h", "etc2/passwd");
	assert_refused(f, "which is not in the layer");
}

static void test_hardlink_to_nothing_or_a_directory_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_dir(&f->tar, "d");
	tar_add_hardlink(&f->tar, "h", "d");
	assert_refused(f, "which is a directory");
}

static void test_hardlink_to_itself_keeps_the_file(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "x");
	tar_add_hardlink(&f->tar, "a", "./a");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a", "x");
}

/* Replacement */

static void test_later_file_replaces_an_earlier_one(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "one");
	tar_add_hardlink(&f->tar, "b", "a");
	tar_add_file(&f->tar, "a", "two");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a", "two");
	assert_content(f, "b", "one");
}

static void test_file_over_a_symlink_does_not_write_through_it(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "target", "old");
	tar_add_symlink(&f->tar, "a", "target");
	tar_add_file(&f->tar, "a", "new");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "target", "old");
	assert_content(f, "a", "new");
}

static void test_directories_merge_and_other_kinds_replace(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "d/one", "1");
	tar_add_dir(&f->tar, "d");
	tar_add_file(&f->tar, "e/gone", "x");
	tar_add_file(&f->tar, "e", "file");
	tar_add_file(&f->tar, "g", "file");
	tar_add_dir(&f->tar, "g");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "d/one", "1");
	assert_content(f, "e", "file");
	assert_true(S_ISDIR(stat_of(f, "g").st_mode));
}

/* Whiteouts */

static void test_whiteout_becomes_a_device_0_0(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "d/.wh.gone", "");
	assert_int_equal(unpack_ended(f), 0);
	assert_true(is_whiteout(f, "d/gone"));
}

static void test_whiteout_keeps_what_its_own_layer_holds(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "x");
	tar_add_file(&f->tar, ".wh.a", "");
	tar_add_file(&f->tar, "d/b", "x");
	tar_add_file(&f->tar, ".wh.d", "");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a", "x");
	assert_content(f, "d/b", "x");
	assert_true(is_opaque(f, "d"));
}

static void test_file_after_its_whiteout_is_there(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, ".wh.a", "");
	tar_add_file(&f->tar, "a", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a", "x");
}

static void test_directory_after_its_whiteout_hides_the_one_below(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, ".wh.d", "");
	tar_add_dir(&f->tar, "d");
	assert_int_equal(unpack_ended(f), 0);
	assert_true(is_opaque(f, "d"));
}

static void test_opaque_mark_becomes_an_attribute(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "d/.wh..wh..opq", "");
	assert_int_equal(unpack_ended(f), 0);
	assert_true(is_opaque(f, "d"));
	assert_false(exists(f->root_fd, "d/.wh..wh..opq"));
}

static void test_whiteout_of_nothing_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "d/.wh...", "");
	assert_refused(f, "whiteout of nothing");
}

static void test_notes_of_aufs_are_left_out(void **state)
{
	struct fixture *f = *state;

	tar_add_dir(&f->tar, ".wh..wh.plnk");
	tar_add_file(&f->tar, ".wh..wh.plnk/1.2", "x");
	tar_add_file(&f->tar, ".wh..wh.aufs", "");
	assert_int_equal(unpack_ended(f), 0);
	assert_false(exists(f->root_fd, ".wh..wh.plnk"));
	assert_false(exists(f->root_fd, ".wh..wh.aufs"));
}

/* Attributes */

static void test_modes_and_times_are_kept(void **state)
{
	struct fixture *f = *state;

	tar_add_raw(&f->tar, '5', "d", NULL, 01777, NULL, 0);
	tar_add_raw(&f->tar, '0', "d/su", NULL, 04755, "x", 1);
	tar_add_raw(&f->tar, '0', "d/none", NULL, 0, "x", 1);
	tar_add_raw(&f->tar, '0', "d/all", NULL, 0666, "x", 1);
	tar_add_symlink(&f->tar, "d/link", "su");
	assert_int_equal(unpack_ended(f), 0);
	assert_int_equal(stat_of(f, "d").st_mode & 07777, 01777);
	assert_int_equal(stat_of(f, "d/su").st_mode & 07777, 04755);
	assert_int_equal(stat_of(f, "d/none").st_mode & 07777, 0);
	assert_int_equal(stat_of(f, "d/all").st_mode & 07777, 0666);
	assert_int_equal(stat_of(f, "d").st_mtime, TAR_MTIME);
	assert_int_equal(stat_of(f, "d/su").st_mtime, TAR_MTIME);
	assert_int_equal(stat_of(f, "d/link").st_mtime, TAR_MTIME);
}

static void test_read_only_directory_is_filled(void **state)
{
	struct fixture *f = *state;

	tar_add_raw(&f->tar, '5', "d", NULL, 0555, NULL, 0);
	tar_add_file(&f->tar, "d/a", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "d/a", "x");
	assert_int_equal(stat_of(f, "d").st_mode & 07777, 0555);
}

static void test_extended_attributes_are_kept_but_overlays_own(void **state)
{
	struct fixture *f = *state;
	char value[8];
	int fd;

	tar_add_pax(&f->tar, "SCHILY.xattr.user.note", "text");
	tar_add_file(&f->tar, "a", "x");
	tar_add_pax(&f->tar, "SCHILY.xattr.user.overlay.opaque", "y");
	tar_add_dir(&f->tar, "d");
	assert_int_equal(unpack_ended(f), 0);
	fd = openat(f->root_fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "user.note", value, sizeof(value)), 4);
	assert_memory_equal(value, "text", 4);
	close(fd);
	assert_false(is_opaque(f, "d"));
}

static void test_unknown_pax_records_are_fine(void **state)
{
	struct fixture *f = *state;

	tar_add_raw(&f->tar, 'g', "pax_global_header", NULL, 0644, "13 comment=x\n", 13);
	tar_add_pax(&f->tar, "VENDOR.thing", "x");
	tar_add_file(&f->tar, "a", "x");
	assert_int_equal(unpack_ended(f), 0);
	assert_content(f, "a", "x");
}

static void test_fifo_is_made(void **state)
{
	struct fixture *f = *state;

	tar_add_raw(&f->tar, '6', "fifo", NULL, 0600, NULL, 0);
	assert_int_equal(unpack_ended(f), 0);
	assert_true(S_ISFIFO(stat_of(f, "fifo").st_mode));
}

/* Bounds */

static void test_more_bytes_than_allowed_are_refused(void **state)
{
	struct fixture *f = *state;

	f->limits.max_bytes = 10;
	tar_add_file(&f->tar, "a", "123456");
	tar_add_file(&f->tar, "b", "123456");
	assert_refused(f, "entry 'b': the layer unpacks to more than 10 bytes");
}

static void test_more_entries_than_allowed_are_refused(void **state)
{
	struct fixture *f = *state;

	f->limits.max_entries = 2;
	for (int i = 0; i < 3; i++)
		tar_add_dir(&f->tar, "d");
	assert_refused(f, "more than 2 entries");
}

static void test_deep_and_long_names_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[2 * PATH_MAX] = "", out[PATH_MAX];

	for (int i = 0; i < UNPACK_DEPTH_MAX + 1; i++)
		strcat(path, "d/");
	assert_int_equal(unpack_clean_path(path, out), -ELOOP);
	tar_add_pax(&f->tar, "path", path);
	tar_add_file(&f->tar, "x", "x");
	assert_refused(f, "nested deeper than");
	memset(path, 'a', sizeof(path) - 1);
	assert_int_equal(unpack_clean_path(path, out), -ENAMETOOLONG);
}

static void test_archive_that_ends_early_is_an_error(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->tar, "a", "some text");
	f->tar.len -= 512;
	assert_true(unpack(f) < 0);
	assert_int_equal(f->err.kind, ERROR_INVALID);
}

static void test_what_is_no_tar_is_an_error(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2000; i++)
		buf_printf(&f->tar, "%d bottles of beer\n", i);
	assert_true(unpack(f) < 0);
	assert_int_equal(f->err.kind, ERROR_INVALID);
}

static void test_empty_layer_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unpack_ended(f), 0);
	assert_int_equal(f->result.entries, 0);
	f->tar.len = 0;
	assert_int_equal(unpack(f), 0);
}

#define unpack_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unpack_test(test_absolute_name_lands_inside),
		unpack_test(test_name_that_climbs_out_is_refused),
		unpack_test(test_dotdot_that_stays_inside_is_resolved),
		unpack_test(test_parent_that_is_an_absolute_symlink_ends_inside),
		unpack_test(test_parent_that_is_a_climbing_symlink_ends_inside),
		unpack_test(test_parent_that_is_a_dangling_symlink_is_refused),
		unpack_test(test_parent_that_is_a_file_is_refused),
		unpack_test(test_parent_replaced_by_a_symlink_is_not_the_old_one),
		unpack_test(test_missing_parents_are_made),
		unpack_test(test_names_are_bytes),
		unpack_test(test_root_directory_gets_the_archives_attributes),
		unpack_test(test_root_directory_cannot_be_replaced),
		unpack_test(test_hardlink_shares_the_file),
		unpack_test(test_hardlink_to_a_symlink_links_the_symlink),
		unpack_test(test_hardlink_that_climbs_out_is_refused),
		unpack_test(test_hardlink_through_a_symlink_ends_inside),
		unpack_test(test_hardlink_to_nothing_or_a_directory_is_refused),
		unpack_test(test_hardlink_to_itself_keeps_the_file),
		unpack_test(test_later_file_replaces_an_earlier_one),
		unpack_test(test_file_over_a_symlink_does_not_write_through_it),
		unpack_test(test_directories_merge_and_other_kinds_replace),
		unpack_test(test_whiteout_becomes_a_device_0_0),
		unpack_test(test_whiteout_keeps_what_its_own_layer_holds),
		unpack_test(test_file_after_its_whiteout_is_there),
		unpack_test(test_directory_after_its_whiteout_hides_the_one_below),
		unpack_test(test_opaque_mark_becomes_an_attribute),
		unpack_test(test_whiteout_of_nothing_is_refused),
		unpack_test(test_notes_of_aufs_are_left_out),
		unpack_test(test_modes_and_times_are_kept),
		unpack_test(test_read_only_directory_is_filled),
		unpack_test(test_extended_attributes_are_kept_but_overlays_own),
		unpack_test(test_unknown_pax_records_are_fine),
		unpack_test(test_fifo_is_made),
		unpack_test(test_more_bytes_than_allowed_are_refused),
		unpack_test(test_more_entries_than_allowed_are_refused),
		unpack_test(test_deep_and_long_names_are_refused),
		unpack_test(test_archive_that_ends_early_is_an_error),
		unpack_test(test_what_is_no_tar_is_an_error),
		unpack_test(test_empty_layer_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
