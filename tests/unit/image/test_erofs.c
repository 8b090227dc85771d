/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel makes of an image is tests/integration/image_erofs.bats' subject. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/macro.h"
#include "base/str.h"
#include "codec/erofs.h"
#include "codec/sha256.h"
#include "image/erofs.h"
#include "tar_builder.h"

struct fixture {
	struct buf tar;
	struct error err;
	struct unpack_result result;
	struct unpack_limits limits;
	int fd; /* the image */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->limits = (struct unpack_limits){ 1 << 20, 100, false };
	f->fd = memfd_create("layer.erofs", MFD_CLOEXEC);
	*state = f;
	return f->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	buf_done(&f->tar);
	free(f);
	return 0;
}

static int write_image(struct fixture *f)
{
	struct tar_chunks chunks = { .tar = &f->tar };
	const struct archive_source source = tar_chunks_source(&chunks);

	tar_end(&f->tar);
	return erofs_layer_write(&source, f->fd, &f->limits, &f->result, &f->err);
}

static struct digest tar_digest(const struct fixture *f)
{
	return sha256_digest(f->tar.data, f->tar.len);
}

static void add_usual(struct buf *tar)
{
	tar_add_dir(tar, "etc/");
	tar_add_file(tar, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
	tar_add_symlink(tar, "lib", "usr/lib");
	tar_add_dir(tar, "usr/lib");
	tar_add_file(tar, "lib/x", "through the symlink");
	tar_add_hardlink(tar, "usr/y", "lib/x");
	tar_add_file(tar, "etc/.wh.gone", "");
}

/* A sparse file as pax 1.0 says it: its size and map as records and lines. */
static void add_sparse(struct buf *tar, const char *name, const char *realsize, const char *map)
{
	char data[3 * 512] = "", records[100];
	int n = snprintf(
		records, sizeof(records),
		"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n%zu GNU.sparse.realsize=%s\n",
		24 + strlen(realsize), realsize);

	(void)snprintf(data, 512, "%s", map);
	memset(data + 512, 's', 1024);
	tar_add_raw(tar, 'x', "pax", NULL, 0644, records, (size_t)n);
	tar_add_raw(tar, '0', name, NULL, 0644, data, sizeof(data));
}

static void test_an_image_holds_its_archive(void **state)
{
	struct fixture *f = *state;
	char *back;

	add_usual(&f->tar);
	assert_int_equal(write_image(f), 0);
	assert_int_equal(f->result.entries, 7);
	assert_int_equal(f->result.bytes, 22 + 7 + 19); /* a symlink is as long as its target */
	back = malloc(f->tar.len);
	assert_int_equal(pread(f->fd, back, f->tar.len, EROFS_ARCHIVE_OFFSET), (ssize_t)f->tar.len);
	assert_memory_equal(back, f->tar.data, f->tar.len);
	free(back);
}

static void test_a_whole_image_passes_the_check(void **state)
{
	struct fixture *f = *state;
	struct digest id;

	add_usual(&f->tar);
	assert_int_equal(write_image(f), 0);
	id = tar_digest(f);
	assert_int_equal(erofs_layer_check(f->fd, &id, &f->err), 0);
}

/* Wherever it is, in holes and paddings too. */
static void test_damage_is_found(void **state)
{
	struct fixture *f = *state;
	struct digest id;
	struct stat st;

	add_usual(&f->tar);
	add_sparse(&f->tar, "sparse", "20000", "2\n100\n512\n18000\n512\n");
	assert_int_equal(write_image(f), 0);
	id = tar_digest(f);
	assert_int_equal(fstat(f->fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 13) {
		char was, other;

		assert_int_equal(pread(f->fd, &was, 1, at), 1);
		other = (char)(was ^ 0x10);
		assert_int_equal(pwrite(f->fd, &other, 1, at), 1);
		if (erofs_layer_check(f->fd, &id, &f->err) != -EINVAL)
			fail_msg("a change of byte %lld is not seen", (long long)at);
		assert_int_equal(pwrite(f->fd, &was, 1, at), 1);
	}
	assert_int_equal(erofs_layer_check(f->fd, &id, &f->err), 0);
	assert_int_equal(ftruncate(f->fd, st.st_size + 512), 0);
	assert_true(erofs_layer_check(f->fd, &id, &f->err) < 0);
	assert_int_equal(ftruncate(f->fd, st.st_size - 1), 0);
	assert_true(erofs_layer_check(f->fd, &id, &f->err) < 0);
	assert_int_equal(ftruncate(f->fd, 100), 0);
	assert_true(erofs_layer_check(f->fd, &id, &f->err) < 0);
}

static void test_an_image_can_be_unpacked(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/test-erofs-XXXXXX", text[32] = "";
	int root_fd, fd;

	add_usual(&f->tar);
	assert_int_equal(write_image(f), 0);
	assert_non_null(mkdtemp(dir));
	root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(erofs_layer_unpack(f->fd, root_fd, &f->limits, UNPACK_ROOTLESS, &f->result,
					    &f->err),
			 0);
	fd = openat(root_fd, "usr/y", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 19);
	assert_string_equal(text, "through the symlink");
	close(fd);
	close(root_fd);
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &f->err), 0);
}

static void test_acls_are_for_unpacking(void **state)
{
	struct fixture *f = *state;

	tar_add_pax(&f->tar, "SCHILY.xattr.system.posix_acl_access", "\x02");
	tar_add_file(&f->tar, "x", "");
	assert_int_equal(write_image(f), EROFS_UNFIT);
}

static void test_a_sparse_map_out_of_order_is_for_unpacking(void **state)
{
	struct fixture *f = *state;

	add_sparse(&f->tar, "x", "20000", "2\n8000\n512\n0\n512\n");
	assert_int_equal(write_image(f), EROFS_UNFIT);
}

/* mknod(2) cannot make it either; in an image it would be another device. */
static void test_a_device_that_the_kernel_cannot_have_is_refused(void **state)
{
	struct fixture *f = *state;

	tar_add_pax(&f->tar, "SCHILY.devmajor", "4096");
	tar_add_raw(&f->tar, '3', "x", NULL, 0600, NULL, 0);
	assert_int_equal(write_image(f), -EINVAL);
	assert_string_equal(f->err.msg, "entry 'x': cannot create it");
}

/* Refusals: those of unpack_archive(), in its words */

static void climb(struct buf *t)
{
	tar_add_file(t, "a/../../b", "x");
}

static void file_above(struct buf *t)
{
	tar_add_file(t, "a", "x");
	tar_add_file(t, "a/b", "x");
}

static void dangling_above(struct buf *t)
{
	tar_add_symlink(t, "a", "nowhere");
	tar_add_file(t, "a/b", "x");
}

static void dangling_far_above(struct buf *t)
{
	tar_add_symlink(t, "a", "nowhere");
	tar_add_file(t, "a/b/c/d", "x");
}

static void loop_above(struct buf *t)
{
	tar_add_symlink(t, "a", "b");
	tar_add_symlink(t, "b", "a");
	tar_add_file(t, "a/b", "x");
}

static void link_out(struct buf *t)
{
	tar_add_hardlink(t, "a", "../../etc/passwd");
}

static void link_to_nothing(struct buf *t)
{
	tar_add_hardlink(t, "a", "/etc/passwd");
}

static void link_to_directory(struct buf *t)
{
	tar_add_dir(t, "d");
	tar_add_hardlink(t, "a", "d");
}

static void link_into_what_it_replaces(struct buf *t)
{
	tar_add_dir(t, "d");
	tar_add_file(t, "d/f", "x");
	tar_add_hardlink(t, "d", "d/f");
}

static void root_file(struct buf *t)
{
	tar_add_file(t, "./", "x");
}

static void whiteout_of_nothing(struct buf *t)
{
	tar_add_file(t, ".wh.", "");
}

static void whiteout_of_parent(struct buf *t)
{
	tar_add_file(t, "a/.wh...", "");
}

static void long_component(struct buf *t)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	tar_add_pax(t, "path", name);
	tar_add_file(t, "x", "x");
}

static void too_deep(struct buf *t)
{
	char name[2 * (UNPACK_DEPTH_MAX + 2) + 1] = "";

	for (int i = 0; i < UNPACK_DEPTH_MAX + 2; i++)
		strcpy(name + 2 * (size_t)i, "a/");
	tar_add_pax(t, "path", name);
	tar_add_file(t, "x", "x");
}

static void too_many_bytes(struct buf *t)
{
	char text[1000];

	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 12; i++)
		tar_add_file(t, "x", text);
}

static void too_many_entries(struct buf *t)
{
	for (int i = 0; i < 30; i++)
		tar_add_file(t, "x", "");
}

static void bad_owner(struct buf *t)
{
	tar_add_pax(t, "uid", "4294967296");
	tar_add_dir(t, "x");
}

static void empty_symlink(struct buf *t)
{
	tar_add_symlink(t, "x", "");
}

static void content_behind_the_end(struct buf *t)
{
	add_sparse(t, "x", "10", "1\n1073741824\n1024\n");
}

static void no_archive(struct buf *t)
{
	for (int i = 0; i < 100; i++)
		buf_puts(t, "this is no archive. ");
}

static void (*const refused[])(struct buf *) = {
	climb,
	file_above,
	dangling_above,
	dangling_far_above,
	loop_above,
	link_out,
	link_to_nothing,
	link_to_directory,
	link_into_what_it_replaces,
	root_file,
	whiteout_of_nothing,
	whiteout_of_parent,
	long_component,
	too_deep,
	too_many_bytes,
	too_many_entries,
	bad_owner,
	empty_symlink,
	content_behind_the_end,
	no_archive,
};

static int unpack_it(struct fixture *f, struct error *err)
{
	struct tar_chunks chunks = { .tar = &f->tar };
	const struct archive_source source = tar_chunks_source(&chunks);
	struct archive_reader *a = archive_reader_open(&source);
	char dir[] = "/tmp/test-erofs-XXXXXX";
	struct error ignored;
	int fd, r;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = unpack_archive(a, fd, &f->limits, UNPACK_ROOTLESS, &f->result, err);
	close(fd);
	archive_reader_close(a);
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &ignored), 0);
	return r;
}

static void test_what_unpacking_refuses_is_refused_in_the_same_words(void **state)
{
	struct fixture *f = *state;

	f->limits = (struct unpack_limits){ 10000, 20, false };
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error unpacked;
		int r;

		buf_clear(&f->tar);
		assert_int_equal(ftruncate(f->fd, 0), 0);
		refused[i](&f->tar);
		r = write_image(f);
		if (unpack_it(f, &unpacked) >= 0 || r >= 0)
			fail_msg("case %zu is not refused", i);
		assert_string_equal(f->err.msg, unpacked.msg);
		assert_int_equal(f->err.kind, unpacked.kind);
		assert_int_equal(f->err.sys, unpacked.sys);
	}
}

/* The encoder */

static const char name_of_64k[UINT16_MAX + 1];

static void test_directory_blocks_do_not_split_names(void **state)
{
	struct erofs_dirent entries[3] = { { ".", 1, 2, S_IFDIR }, { "..", 2, 2, S_IFDIR } };
	char name[EROFS_NAME_MAX];
	uint8_t out[3 * EROFS_BLOCK_BYTES] = { 0 };

	memset(name, 'n', sizeof(name));
	entries[2] = (struct erofs_dirent){ name, 255, 7, S_IFREG };
	assert_int_equal(erofs_dir_bytes(entries, 3), 3 * 12 + 1 + 2 + 255);
	entries[0] = entries[1] = entries[2];
	assert_int_equal(erofs_dir_bytes(entries, 3), 2 * EROFS_BLOCK_BYTES + 12 + 255);
	erofs_dir_format(entries, 3, out);
	assert_int_equal(out[8], 12); /* one name in the first block */
}

static void test_attributes_without_a_namespace_are_not_encoded(void **state)
{
	cleanup_buf struct buf body = { 0 };

	assert_int_equal(erofs_xattr_add(&body, "user.a", "1", 1), 0);
	assert_int_equal(body.len, 12 + 4 + 1 + 1 + 2);
	assert_int_equal(erofs_xattr_add(&body, "other.a", "1", 1), 1);
	assert_int_equal(erofs_xattr_add(&body, "user.big", name_of_64k, sizeof(name_of_64k)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_image_holds_its_archive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_whole_image_passes_the_check, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_image_can_be_unpacked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_acls_are_for_unpacking, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_device_that_the_kernel_cannot_have_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sparse_map_out_of_order_is_for_unpacking,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_unpacking_refuses_is_refused_in_the_same_words, setup, teardown),
		cmocka_unit_test(test_directory_blocks_do_not_split_names),
		cmocka_unit_test(test_attributes_without_a_namespace_are_not_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
