/* SPDX-License-Identifier: Apache-2.0 */
/* A pull from a registry that is these functions: what it asks for, what it keeps when it fails. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/part.h"
#include "image/pull.h"
#include "image/reference.h"
#include "../registry/home.h"
#include "registry/registry.h"
#include "store_fixture.h"
#include "tar_builder.h"

#define LAYER_BYTES (40 << 10)
#define NAME	    "registry.test/app:1"

/* The registry: one image */

struct fake {
	struct buf layer, config, manifest;
	const char *media_type; /* of the manifest */
	unsigned heads, gets, blobs;
	uint64_t offset;   /* that was asked for last */
	uint64_t breaks;   /* the layer's stream fails there; 0: not */
	bool is_wrong;	   /* another byte in the layer */
	int stop_fd;	   /* >= 0: the layer's stream asks for the end, and waits for it */
	atomic_bool ended; /* registry_cancel() was called */
};
static struct fake fake;

int registry_open(const struct registry_options *o, struct registry **ret, struct error *err)
{
	assert_string_equal(o->domain, "registry.test");
	*ret = (struct registry *)&fake; /* some address: nobody but us looks behind it */
	return 0;
}

struct registry *registry_close(struct registry *r)
{
	return NULL;
}

void registry_cancel(struct registry *r)
{
	atomic_store(&fake.ended, true);
}

static void fill_manifest(struct registry_manifest *ret, bool with_json)
{
	*ret = (struct registry_manifest){
		.media_type = xstrdup(fake.media_type),
		.id = sha256_digest(fake.manifest.data, fake.manifest.len),
	};
	if (!with_json)
		return;
	ret->json = xstrndup(fake.manifest.data, fake.manifest.len);
	ret->len = fake.manifest.len;
}

int registry_manifest_head(struct registry *r, const char *reference, struct registry_manifest *ret,
			   struct error *err)
{
	fake.heads++;
	fill_manifest(ret, false);
	return 0;
}

int registry_manifest_get(struct registry *r, const char *reference, struct registry_manifest *ret,
			  struct error *err)
{
	fake.gets++;
	fill_manifest(ret, true);
	return 0;
}

void registry_manifest_done(struct registry_manifest *m)
{
	free(m->json);
	free(m->media_type);
}

int registry_tags(struct registry *r, char ***ret_tags, struct error *err)
{
	*ret_tags = strv_push(strv_push(NULL, "1"), "2");
	return 0;
}

int registry_blob_open(struct registry *r, const struct digest *id, uint64_t bytes,
		       struct stream **ret, struct error *err)
{
	*ret = stream_from_memory(fake.config.data, fake.config.len);
	return 0;
}

struct layer_stream {
	struct stream base;
	uint64_t offset;
};

static ssize_t wait_for_the_end(struct error *err)
{
	const uint64_t one = 1;

	(void)fd_write_all(fake.stop_fd, &one, sizeof(one)); /* into an eventfd */
	for (int i = 0; i < 5000 && !atomic_load(&fake.ended); i++)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return error_num(err, ECANCELED, "stopped");
}

static ssize_t read_layer(struct stream *base, void *buf, size_t n, struct error *err)
{
	struct layer_stream *s = container_of(base, struct layer_stream, base);
	uint64_t end = fake.breaks ? fake.breaks : fake.layer.len;

	n = MIN(n, (size_t)(end - MIN(end, s->offset)));
	if (n == 0 && fake.stop_fd >= 0)
		return wait_for_the_end(err);
	if (n == 0 && fake.breaks)
		return error_num(err, ECONNRESET, "the connection broke");
	memcpy(buf, fake.layer.data + s->offset, n);
	if (fake.is_wrong && n > 0)
		((char *)buf)[n - 1] ^= 1;
	s->offset += n;
	return (ssize_t)n;
}

static void close_layer(struct stream *base)
{
	free(container_of(base, struct layer_stream, base));
}

int registry_blob_open_at(struct registry *r, const struct digest *id, uint64_t bytes,
			  uint64_t offset, struct stream **ret, struct error *err)
{
	static const struct stream_ops ops = { .read = read_layer, .close = close_layer };
	struct layer_stream *s = xcalloc(1, sizeof(*s));

	assert_int_equal(bytes, fake.layer.len);
	fake.blobs++;
	fake.offset = offset;
	s->base.ops = &ops;
	s->offset = offset;
	*ret = &s->base;
	return 0;
}

/* The fixture */

struct fixture {
	struct store_fixture s;
	void *home;
	struct reference ref;
	struct image_pulled pulled;
	struct digest layer, diff_id;
};

static void make_image(const char *more)
{
	static char text[LAYER_BYTES];
	struct digest layer, config;

	memset(text, 'x', sizeof(text));
	tar_add_raw(&fake.layer, '0', "file", NULL, 0644, text, sizeof(text));
	tar_end(&fake.layer);
	layer = sha256_digest(fake.layer.data, fake.layer.len);
	buf_printf(&fake.config,
		   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		   "\"diff_ids\":[\"%s\"]}}",
		   layer.text);
	config = sha256_digest(fake.config.data, fake.config.len);
	fake.media_type = "application/vnd.oci.image.manifest.v1+json";
	buf_printf(
		&fake.manifest,
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar%s\",\"digest\":\"%s\",\"size\":%zu}]}",
		config.text, fake.config.len, more, layer.text, fake.layer.len);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	*state = f;
	(void)home_setup(&f->home);
	home_write(&f->home, ".config/containers/policy.json",
		   "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}", 0600);
	fake = (struct fake){ .stop_fd = -1 };
	make_image("");
	f->layer = sha256_digest(fake.layer.data, fake.layer.len);
	assert_int_equal(reference_parse(NAME, &f->ref, &f->s.err), 0);
	return store_begin(&f->s);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = store_end(&f->s);

	reference_done(&f->ref);
	buf_done(&fake.layer);
	buf_done(&fake.config);
	buf_done(&fake.manifest);
	(void)home_teardown(&f->home);
	free(f);
	return r;
}

static int pull(struct fixture *f)
{
	const struct image_pull_options o = { .platform = "linux/amd64", .stop_fd = fake.stop_fd };

	f->s.err = (struct error){ 0 };
	return image_pull(f->s.store, &f->ref, &o, &f->pulled, &f->s.err);
}

static off_t part_bytes(struct fixture *f)
{
	cleanup_free char *path = xasprintf(PARTS_DIR "/%s", digest_hex(&f->layer));

	return store_file_bytes(&f->s, path);
}

static bool is_whole(struct fixture *f)
{
	cleanup_with(image_free) struct image *image = NULL;

	assert_int_equal(image_lookup(f->s.store, NAME, &image, &f->s.err), 0);
	return store_file_bytes(&f->s, blob_path(&f->layer).s) == (off_t)fake.layer.len &&
	       store_file_bytes(&f->s, layer_path(&f->layer).s) >= 0;
}

/* Tests */

static void test_an_image_is_pulled_and_then_up_to_date(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pull(f), 0);
	assert_true(f->pulled.newer);
	assert_true(is_whole(f));
	assert_int_equal(part_bytes(f), -1);
	assert_int_equal(pull(f), 0);
	assert_false(f->pulled.newer);
	assert_int_equal(fake.heads, 1);
	assert_int_equal(fake.gets, 1);
	assert_int_equal(fake.blobs, 1);
}

static void test_what_was_removed_is_fetched_although_the_tag_is_the_same(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *layer = xstrdup(layer_path(&f->layer).s);

	assert_int_equal(pull(f), 0);
	assert_int_equal(dir_remove_tree(f->s.store->root_fd, layer, &f->s.err), 0);
	assert_int_equal(pull(f), 0);
	assert_true(is_whole(f));
	assert_int_equal(fake.blobs, 1); /* its blob was here */
	assert_int_equal(unlinkat(f->s.store->root_fd, blob_path(&f->layer).s, 0), 0);
	assert_int_equal(pull(f), 0);
	assert_true(is_whole(f));
	assert_int_equal(fake.blobs, 2);
}

static void test_a_transfer_that_failed_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;

	fake.breaks = 10000;
	assert_true(pull(f) < 0);
	assert_non_null(strstr(f->s.err.msg, "the connection broke"));
	assert_int_equal(part_bytes(f), 10000);
	fake.breaks = 0;
	assert_int_equal(pull(f), 0);
	assert_int_equal(fake.offset, 10000);
	assert_true(is_whole(f));
	assert_int_equal(part_bytes(f), -1);
}

static void test_wrong_bytes_are_not_kept(void **state)
{
	struct fixture *f = *state;

	fake.is_wrong = true;
	assert_true(pull(f) < 0);
	assert_int_equal(f->s.err.kind, ERROR_INVALID);
	assert_non_null(strstr(f->s.err.msg, f->layer.text));
	assert_int_equal(part_bytes(f), -1);
	assert_int_equal(fake.blobs, 1); /* once: nothing of it was from before */
}

static void test_wrong_bytes_from_before_are_fetched_anew(void **state)
{
	struct fixture *f = *state;

	fake.is_wrong = true;
	fake.breaks = 10000;
	assert_true(pull(f) < 0);
	fake.is_wrong = false;
	fake.breaks = 0;
	assert_int_equal(pull(f), 0);
	assert_int_equal(fake.offset, 0);
	assert_int_equal(fake.blobs, 3);
	assert_true(is_whole(f));
}

static void test_a_user_ends_it(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int fd = eventfd(0, EFD_CLOEXEC);

	fake.stop_fd = fd;
	fake.breaks = 10000;
	assert_int_equal(pull(f), -ECANCELED);
	assert_true(atomic_load(&fake.ended));
	assert_int_equal(part_bytes(f), 10000);
	fake.stop_fd = -1;
	fake.breaks = 0;
	assert_int_equal(pull(f), 0);
	assert_true(is_whole(f));
}

static void test_what_is_no_image_is_refused_before_a_layer_is_asked_for(void **state)
{
	struct fixture *f = *state;

	buf_done(&fake.layer);
	buf_done(&fake.config);
	buf_done(&fake.manifest);
	make_image("-of-another-kind");
	assert_true(pull(f) < 0);
	assert_int_equal(f->s.err.kind, ERROR_UNSUPPORTED);
	fake.media_type = "application/vnd.docker.distribution.manifest.v1+json";
	assert_true(pull(f) < 0);
	assert_non_null(strstr(f->s.err.msg, "schema 1"));
	assert_int_equal(fake.blobs, 0);
}

static void test_all_tags_are_pulled_and_each_layer_once(void **state)
{
	struct fixture *f = *state;
	const struct image_pull_options o = { .platform = "linux/amd64", .all_tags = true };
	struct image_list list = { 0 };

	assert_int_equal(image_pull(f->s.store, &f->ref, &o, &f->pulled, &f->s.err), 0);
	assert_int_equal(fake.blobs, 1);
	assert_int_equal(image_list(f->s.store, &list, &f->s.err), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(strv_len(list.rows[0].names), 2);
	image_list_done(&list);
}

/* Parts */

static bool never(const void *ctx)
{
	return false;
}

static void test_a_part_belongs_to_one_until_it_is_closed(void **state)
{
	static const struct part_waiter waiter = { never, NULL };
	struct fixture *f = *state;
	struct image_store *store = f->s.store;
	cleanup_part struct part part = PART_NONE;
	struct part_survey found;

	assert_int_equal(mkdirat(store->root_fd, "images", 0700), 0);
	assert_int_equal(part_open(store, &f->layer, 100, &waiter, false, &part, &f->s.err), 0);
	assert_int_equal(fd_write_all(part.fd, "0123456789", 10), 0);
	part_look(store, 0, true, &found);
	assert_int_equal(found.n, 0);
	assert_int_equal(part_bytes(f), 10);
	part_close(&part);
	part_look(store, 3600, true, &found);
	assert_int_equal(found.n, 0);
	assert_int_equal(part_open(store, &f->layer, 100, &waiter, false, &part, &f->s.err), 0);
	assert_int_equal(part.bytes, 10);
	part_close(&part);
	assert_int_equal(part_open(store, &f->layer, 9, &waiter, false, &part, &f->s.err), 0);
	assert_int_equal(part.bytes, 0); /* it was too long */
	assert_int_equal(part_bytes(f), 0);
	part_close(&part);
	part_look(store, 0, true, &found);
	assert_int_equal(found.n, 1);
	assert_int_equal(part_bytes(f), -1);
}

static void test_a_part_that_is_whole_is_there_for_others(void **state)
{
	static const struct part_waiter waiter = { never, NULL };
	struct fixture *f = *state;
	struct image_store *store = f->s.store;
	cleanup_part struct part part = PART_NONE, other = PART_NONE;

	assert_int_equal(mkdirat(store->root_fd, "images", 0700), 0);
	assert_int_equal(part_open(store, &f->layer, 4, &waiter, false, &part, &f->s.err), 0);
	assert_int_equal(fd_write_all(part.fd, "1234", 4), 0);
	assert_int_equal(part_finish(&part, store->root_fd, "mine", &f->s.err), 0);
	assert_int_equal(store_file_bytes(&f->s, "mine"), 4);
	assert_int_equal(part_open(store, &f->layer, 4, &waiter, false, &other, &f->s.err),
			 PART_WHOLE);
	assert_int_equal(part_link_whole(store, &f->layer, store->root_fd, "theirs", &f->s.err), 0);
	assert_int_equal(store_file_bytes(&f->s, "theirs"), 4);
	part_unlink_whole(store, digest_hex(&f->layer));
	assert_true(part_link_whole(store, &f->layer, store->root_fd, "no", &f->s.err) > 0);
	assert_int_equal(part_open(store, &f->layer, 4, &waiter, false, &other, &f->s.err), 0);
	assert_int_equal(other.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_an_image_is_pulled_and_then_up_to_date),
		TEST(test_what_was_removed_is_fetched_although_the_tag_is_the_same),
		TEST(test_a_transfer_that_failed_goes_on_where_it_was),
		TEST(test_wrong_bytes_are_not_kept),
		TEST(test_wrong_bytes_from_before_are_fetched_anew),
		TEST(test_a_user_ends_it),
		TEST(test_what_is_no_image_is_refused_before_a_layer_is_asked_for),
		TEST(test_all_tags_are_pulled_and_each_layer_once),
		TEST(test_a_part_belongs_to_one_until_it_is_closed),
		TEST(test_a_part_that_is_whole_is_there_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
