/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "image/store.h"
#include "oci/image.h"
#include "image_builder.h"

struct fixture {
	struct store_fixture s;
	struct buf archive;
	struct image_loaded loaded;
	struct image_removal removal;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	*state = f;
	return store_begin(&f->s);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = store_end(&f->s);

	image_loaded_done(&f->loaded);
	image_removal_done(&f->removal);
	buf_done(&f->archive);
	free(f);
	return r;
}

static int load(struct fixture *f)
{
	image_loaded_done(&f->loaded);
	return load_archive(&f->s, &f->archive, &f->loaded);
}

static void load_one(struct fixture *f, const char *name, const char *text)
{
	cleanup_buf struct buf layer = make_layer("a", text);

	buf_clear(&f->archive);
	docker_archive(&f->archive, name, &layer, 1);
	assert_int_equal(load(f), 0);
}

static void assert_file(struct fixture *f, const char *image_name, const char *path,
			const char *text)
{
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_with(strv_free) char **dirs = NULL;
	char buf[64] = "";
	bool found = false;

	assert_int_equal(image_lookup(f->s.store, image_name, &image, &f->s.err), 0);
	assert_int_equal(image_lowerdirs(f->s.store, image, &dirs, &f->s.err), 0);
	for (size_t i = 0; dirs[i] && !found; i++) {
		int dir = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

		found = fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0;
		close(fd);
		close(dir);
	}
	assert_true(found);
	assert_string_equal(buf, text);
}

static size_t count_images(struct fixture *f)
{
	struct image_list list;
	size_t n;

	assert_int_equal(image_list(f->s.store, &list, &f->s.err), 0);
	n = list.n;
	image_list_done(&list);
	return n;
}

static size_t count_files(struct fixture *f, const char *dir)
{
	cleanup_free char *path = NULL;
	size_t n = 0;
	struct dirent *d;
	DIR *stream;

	assert_true(asprintf(&path, "%s/%s", f->s.dir, dir) > 0);
	stream = opendir(path);
	if (!stream) {
		assert_int_equal(errno, ENOENT); /* nobody has written yet */
		return 0;
	}
	while ((d = readdir(stream)))
		n += d->d_name[0] != '.';
	closedir(stream);
	return n;
}

/* Load */

static void test_empty_store_has_no_images(void **state)
{
	struct fixture *f = *state;
	struct image *image;

	assert_int_equal(count_images(f), 0);
	assert_true(image_lookup(f->s.store, "nginx", &image, &f->s.err) < 0);
	assert_int_equal(f->s.err.kind, ERROR_NOT_FOUND);
	assert_string_equal(f->s.err.msg, "No such image: nginx:latest");
}

static void test_docker_archive_is_loaded(void **state)
{
	struct fixture *f = *state;
	struct buf layers[] = { make_layer("a", "one"), make_layer("b", "two") };
	cleanup_with(image_free) struct image *image = NULL;

	docker_archive(&f->archive, "x:1", layers, 2);
	assert_int_equal(load(f), 0);
	assert_int_equal(f->loaded.n, 1);
	assert_string_equal(f->loaded.rows[0].names[0], "x:1");
	assert_file(f, "x:1", "a", "one");
	assert_file(f, "x:1", "b", "two");
	assert_int_equal(image_lookup(f->s.store, "x:1", &image, &f->s.err), 0);
	assert_int_equal(image->n_layers, 2);
	assert_int_equal(image->size_bytes, 6);
	assert_string_equal(image->config->config.cmd[0], "/a");
	assert_string_equal(image->names[0], "docker.io/library/x:1");
	buf_done(&layers[0]);
	buf_done(&layers[1]);
}

static void test_layers_linked_in_the_archive_are_found(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one");
	cleanup_buf struct buf config = make_config(&layer, 1, "x");

	tar_add_bytes(&f->archive, "c.json", &config);
	tar_add_bytes(&f->archive, "one/layer.tar", &layer);
	tar_add_symlink(&f->archive, "two/layer.tar", "../one/layer.tar");
	tar_add_file(&f->archive, "manifest.json",
		     "[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"two/layer.tar\"]}]");
	tar_end(&f->archive);
	assert_int_equal(load(f), 0);
	assert_null(f->loaded.rows[0].names);
	assert_file(f, f->loaded.rows[0].id.text, "a", "one");
}

static void test_oci_archive_is_loaded_with_its_manifest(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one");

	oci_archive(&f->archive, "quay.io/me/x:1", &layer, false);
	assert_int_equal(load(f), 0);
	assert_file(f, "quay.io/me/x:1", "a", "one");
}

static void test_bare_tag_of_a_layout_is_no_name(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one");

	oci_archive(&f->archive, "latest", &layer, false);
	assert_int_equal(load(f), 0);
	assert_null(f->loaded.rows[0].names);
	assert_int_equal(count_images(f), 1);
}

static void test_compressed_archive_is_loaded_from_a_pipe(void **state)
{
	const struct image_load_options options = { 0 };
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one"), packed = { 0 };
	int fds[2];

	docker_archive(&f->archive, "x:1", &layer, 1);
	add_gzip(&packed, &f->archive);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(fds[1], packed.data, packed.len), 0);
	close(fds[1]);
	assert_int_equal(image_load(f->s.store, fds[0], "stdin", &options, &f->loaded, &f->s.err),
			 0);
	close(fds[0]);
	assert_file(f, "x:1", "a", "one");
}

static void assert_load_refused(struct fixture *f, const char *reason)
{
	assert_true(load(f) < 0);
	assert_int_equal(f->s.err.kind, ERROR_INVALID);
	if (!strstr(f->s.err.msg, reason))
		fail_msg("'%s' does not say '%s'", f->s.err.msg, reason);
	assert_int_equal(count_images(f), 0);
	assert_int_equal(count_files(f, "layers"), 0);
	assert_int_equal(count_files(f, "tmp"), 0);
}

static void test_blob_that_is_not_its_digest_is_refused(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one");

	oci_archive(&f->archive, "x:1", &layer, true);
	assert_load_refused(f, "its digest is sha256:");
}

static void test_layer_that_is_not_its_diff_id_is_refused(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one"), other = make_layer("a", "two");
	cleanup_buf struct buf config = make_config(&other, 1, "x");

	tar_add_bytes(&f->archive, "c.json", &config);
	tar_add_bytes(&f->archive, "l.tar", &layer);
	tar_add_file(&f->archive, "manifest.json",
		     "[{\"Config\":\"c.json\",\"RepoTags\":[\"x\"],\"Layers\":[\"l.tar\"]}]");
	tar_end(&f->archive);
	assert_load_refused(f, "its diff ID is sha256:");
}

static void test_hostile_layer_is_refused_by_entry(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("../evil", "x");

	docker_archive(&f->archive, "x:1", &layer, 1);
	assert_load_refused(f, "entry '../evil'");
	assert_int_equal(count_files(f, "images/blobs/sha256"), 0);
}

static void test_archive_without_an_image_says_what_to_do(void **state)
{
	struct fixture *f = *state;

	tar_add_file(&f->archive, "etc/passwd", "x");
	tar_end(&f->archive);
	assert_load_refused(f, "berth import");
}

static void test_what_a_crash_left_is_cleaned_by_the_next_writer(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *path = NULL;

	load_one(f, "x:1", "one");
	assert_true(asprintf(&path, "%s/tmp/layer-0", f->s.dir) > 0);
	assert_int_equal(mkdir(path, 0700), 0);
	load_one(f, "x:2", "two");
	assert_int_equal(count_files(f, "tmp"), 0);
}

static void test_same_layer_is_stored_once(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	load_one(f, "y:1", "one");
	assert_int_equal(count_images(f), 2);
	assert_int_equal(count_files(f, "layers"), 1);
}

static void test_layer_twice_in_an_image_is_unpacked_once(void **state)
{
	struct fixture *f = *state;
	struct buf layers[] = { make_layer("a", "one"), make_layer("a", "one") };

	docker_archive(&f->archive, "x:1", layers, 2);
	assert_int_equal(load(f), 0);
	assert_int_equal(count_files(f, "layers"), 1);
	assert_file(f, "x:1", "a", "one");
	buf_done(&layers[0]);
	buf_done(&layers[1]);
}

/* Names */

static void test_name_moves_to_the_image_loaded_later(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	load_one(f, "x:1", "two");
	assert_file(f, "x:1", "a", "two");
	assert_int_equal(count_images(f), 2); /* the first is dangling now */
}

static void test_images_are_found_by_id_and_prefix(void **state)
{
	struct fixture *f = *state;
	char prefix[16] = "";

	load_one(f, "x:1", "one");
	memcpy(prefix, digest_hex(&f->loaded.rows[0].id), 12);
	assert_file(f, prefix, "a", "one");
	assert_file(f, digest_hex(&f->loaded.rows[0].id), "a", "one");
	assert_file(f, f->loaded.rows[0].id.text, "a", "one");
}

static void test_ambiguous_prefix_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct image *image;
	char prefix[2] = "";
	bool seen[256] = { false };

	/* seventeen ids cannot have seventeen first digits */
	for (int i = 0; i < 17 && !*prefix; i++) {
		char name[16];
		char first;

		(void)snprintf(name, sizeof(name), "x:%d", i);
		load_one(f, name, name);
		first = digest_hex(&f->loaded.rows[0].id)[0];
		if (seen[(unsigned char)first])
			prefix[0] = first;
		seen[(unsigned char)first] = true;
	}
	assert_true(image_lookup(f->s.store, prefix, &image, &f->s.err) < 0);
	assert_int_equal(f->s.err.kind, ERROR_CONFLICT);
	assert_non_null(strstr(f->s.err.msg, "ambiguous"));
}

static void test_tag_adds_a_name(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	assert_int_equal(image_tag(f->s.store, "x:1", "me/y", &f->s.err), 0);
	assert_file(f, "me/y:latest", "a", "one");
	assert_int_equal(count_images(f), 1);
}

/* Removal */

static int removal_of(struct fixture *f, const char *text, unsigned flags, image_in_use_fn in_use)
{
	image_removal_done(&f->removal);
	return image_remove(f->s.store, text, flags, in_use, NULL, &f->removal, &f->s.err);
}

static void test_last_name_takes_the_image_along(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	assert_int_equal(image_tag(f->s.store, "x:1", "y:1", &f->s.err), 0);
	assert_int_equal(removal_of(f, "x:1", 0, NULL), 0);
	assert_int_equal(f->removal.n, 1);
	assert_false(f->removal.rows[0].deleted);
	assert_string_equal(f->removal.rows[0].what, "x:1");
	assert_int_equal(removal_of(f, "y:1", 0, NULL), 0);
	assert_int_equal(f->removal.n, 3); /* name, image, layer */
	assert_int_equal(count_files(f, "layers"), 0);
	assert_int_equal(count_files(f, "images/blobs/sha256"), 0);
	assert_int_equal(count_files(f, "trash"), 0);
}

static void test_shared_layer_stays(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	load_one(f, "y:1", "one");
	assert_int_equal(removal_of(f, "x:1", 0, NULL), 0);
	assert_int_equal(f->removal.n, 2);
	assert_file(f, "y:1", "a", "one");
}

static void test_image_of_several_names_wants_force(void **state)
{
	struct fixture *f = *state;
	struct digest id;

	load_one(f, "x:1", "one");
	id = f->loaded.rows[0].id;
	assert_int_equal(image_tag(f->s.store, "x:1", "y:1", &f->s.err), 0);
	assert_true(removal_of(f, id.text, 0, NULL) < 0);
	assert_int_equal(f->s.err.kind, ERROR_CONFLICT);
	assert_int_equal(removal_of(f, id.text, IMAGE_REMOVE_FORCE, NULL), 0);
	assert_int_equal(count_images(f), 0);
}

/* A prune found it without a name; now it has one. */
static void test_image_that_was_named_meanwhile_stays(void **state)
{
	struct fixture *f = *state;
	struct digest id;

	load_one(f, "x:1", "one");
	id = f->loaded.rows[0].id;
	assert_true(removal_of(f, id.text, IMAGE_REMOVE_UNNAMED, NULL) < 0);
	assert_int_equal(f->s.err.kind, ERROR_CONFLICT);
	assert_int_equal(count_images(f), 1);
	assert_int_equal(image_untag(f->s.store, "x:1", NULL, &f->s.err), 0);
	assert_int_equal(removal_of(f, id.text, IMAGE_REMOVE_UNNAMED, NULL), 0);
	assert_int_equal(count_images(f), 0);
}

static int used_by_stopped(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	(void)snprintf(who, who_size, "c0ffee");
	return 1;
}

static void test_used_image_is_not_removed(void **state)
{
	struct fixture *f = *state;

	load_one(f, "x:1", "one");
	assert_true(removal_of(f, "x:1", 0, used_by_stopped) < 0);
	assert_int_equal(f->s.err.kind, ERROR_CONFLICT);
	assert_non_null(strstr(f->s.err.msg, "c0ffee"));
	assert_file(f, "x:1", "a", "one");
}

static void test_used_image_only_loses_its_name_by_force(void **state)
{
	struct fixture *f = *state;
	struct digest id;

	load_one(f, "x:1", "one");
	id = f->loaded.rows[0].id;
	assert_int_equal(removal_of(f, "x:1", IMAGE_REMOVE_FORCE, used_by_stopped), 0);
	assert_int_equal(f->removal.n, 1);
	assert_file(f, id.text, "a", "one");
}

static void test_gc_collects_what_no_image_has(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *path = NULL;
	uint64_t bytes = 0;
	int fd;

	load_one(f, "x:1", "one");
	assert_true(asprintf(&path, "%s/images/blobs/sha256/%064d", f->s.dir, 0) > 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, "12345", 5), 0);
	close(fd);
	assert_int_equal(image_gc(f->s.store, NULL, &bytes, &f->s.err), 0);
	assert_int_equal(bytes, 5);
	assert_file(f, "x:1", "a", "one");
}

/* Import and save */

static void test_import_makes_an_image_of_one_layer(void **state)
{
	char *const changes[] = { (char *)"CMD [\"sh\", \"-c\"]", (char *)"ENV A=1 B='x y'", NULL };
	const struct image_import_options options = { .target = "me/x", .changes = changes };
	struct fixture *f = *state;
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_buf struct buf layer = make_layer("a", "one");
	cleanup_fd int fd = file_of(&layer);
	struct digest id;

	assert_int_equal(image_import(f->s.store, fd, "-", &options, &id, &f->s.err), 0);
	assert_file(f, "me/x", "a", "one");
	assert_int_equal(image_lookup(f->s.store, id.text, &image, &f->s.err), 0);
	assert_string_equal(image->config->config.cmd[1], "-c");
	assert_string_equal(image->config->config.env[1], "B=x y");
}

static void test_import_refuses_a_wrong_change_first(void **state)
{
	char *const changes[] = { (char *)"RUN rm -rf /", NULL };
	const struct image_import_options options = { .changes = changes };
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "one");
	cleanup_fd int fd = file_of(&layer);
	struct digest id;

	assert_true(image_import(f->s.store, fd, "-", &options, &id, &f->s.err) < 0);
	assert_non_null(strstr(f->s.err.msg, "RUN is not a valid change command"));
	assert_int_equal(count_files(f, "layers"), 0);
}

static void test_saved_image_loads_as_the_same(void **state)
{
	char *const texts[] = { (char *)"x:1", NULL };
	const struct image_load_options options = { 0 };
	struct fixture *f = *state;
	cleanup_fd int fd = memfd_create("saved", MFD_CLOEXEC);
	struct digest id;

	load_one(f, "x:1", "one");
	id = f->loaded.rows[0].id;
	assert_int_equal(
		image_save(f->s.store, texts, &(struct image_save_options){ 0 }, fd, &f->s.err), 0);
	assert_int_equal(removal_of(f, "x:1", 0, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	image_loaded_done(&f->loaded);
	assert_int_equal(image_load(f->s.store, fd, "saved", &options, &f->loaded, &f->s.err), 0);
	assert_true(digest_eq(&f->loaded.rows[0].id, &id));
	assert_file(f, "x:1", "a", "one");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(test_empty_store_has_no_images),
		store_test(test_docker_archive_is_loaded),
		store_test(test_layers_linked_in_the_archive_are_found),
		store_test(test_oci_archive_is_loaded_with_its_manifest),
		store_test(test_bare_tag_of_a_layout_is_no_name),
		store_test(test_compressed_archive_is_loaded_from_a_pipe),
		store_test(test_blob_that_is_not_its_digest_is_refused),
		store_test(test_layer_that_is_not_its_diff_id_is_refused),
		store_test(test_hostile_layer_is_refused_by_entry),
		store_test(test_archive_without_an_image_says_what_to_do),
		store_test(test_what_a_crash_left_is_cleaned_by_the_next_writer),
		store_test(test_same_layer_is_stored_once),
		store_test(test_layer_twice_in_an_image_is_unpacked_once),
		store_test(test_name_moves_to_the_image_loaded_later),
		store_test(test_images_are_found_by_id_and_prefix),
		store_test(test_ambiguous_prefix_is_an_error),
		store_test(test_tag_adds_a_name),
		store_test(test_last_name_takes_the_image_along),
		store_test(test_shared_layer_stays),
		store_test(test_image_of_several_names_wants_force),
		store_test(test_image_that_was_named_meanwhile_stays),
		store_test(test_used_image_is_not_removed),
		store_test(test_used_image_only_loses_its_name_by_force),
		store_test(test_gc_collects_what_no_image_has),
		store_test(test_import_makes_an_image_of_one_layer),
		store_test(test_import_refuses_a_wrong_change_first),
		store_test(test_saved_image_loads_as_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
