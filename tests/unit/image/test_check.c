/* SPDX-License-Identifier: Apache-2.0 */
/* What is found and mended in files is tests/integration/store_check.bats' subject; here it is who is asked, and when. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/str.h"
#include "image/check.h"
#include "image_builder.h"

struct fixture {
	struct store_fixture s;
	struct image_loaded loaded;
	char **report;
	size_t left;
	/* of the question whether an image is used */
	int answer;
	unsigned asked, asked_without_lock;
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
	strv_free(f->report);
	free(f);
	return r;
}

static void load_one(struct fixture *f)
{
	cleanup_buf struct buf layer = make_layer("a", "text"), archive = { 0 };

	docker_archive(&archive, "x:1", &layer, 1);
	assert_int_equal(load_archive(&f->s, &archive, &f->loaded), 0);
}

static int in_use(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	struct fixture *f = ctx;
	cleanup_fd int lock = -EBADF;
	struct error err;

	assert_string_equal(id->text, f->loaded.rows[0].id.text);
	f->asked++;
	if (lock_acquire(f->s.store->root_fd, "images/lock", NULL, &lock, &err) == 0)
		f->asked_without_lock++;
	(void)snprintf(who, who_size, "someone");
	return f->answer;
}

static void repair(struct fixture *f)
{
	const struct image_check_options o = { .flags = IMAGE_CHECK_REPAIR,
					       .in_use = in_use,
					       .ctx = f };

	f->report = strv_free(f->report);
	f->asked = 0;
	assert_int_equal(image_check(f->s.store, &o, &f->report, &f->left, &f->s.err), 0);
	assert_int_equal(f->asked_without_lock, 0);
}

static void assert_said(const struct fixture *f, const char *words)
{
	assert_int_equal(strv_len(f->report), 1);
	if (!strstr(f->report[0], words))
		fail_msg("'%s' does not say '%s'", f->report[0], words);
}

static void damage(const struct fixture *f, const char *path)
{
	struct error err;

	assert_int_equal(file_write_atomic(f->s.store->root_fd, path, "{}", 2, 0600, 0, &err), 0);
}

static void test_a_layer_is_exchanged_only_if_nobody_runs_on_it(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf layer = make_layer("a", "text");
	struct digest id = sha256_digest(layer.data, layer.len);
	cleanup_free char *file = NULL;

	load_one(f);
	assert_true(asprintf(&file, "layers/%s/diff/a", digest_hex(&id)) > 0);
	damage(f, file);
	f->answer = 2;
	repair(f);
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->left, 1);
	assert_said(f, "stop its containers first");
	assert_int_equal(store_file_bytes(&f->s, file), 2);
	f->answer = 1; /* one that is stopped stands on nothing */
	repair(f);
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->left, 0);
	assert_said(f, "unpacked again");
	assert_int_equal(store_file_bytes(&f->s, file), 4);
}

static void test_an_image_without_its_config_goes_only_if_nobody_uses_it(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *file = NULL;
	struct image_list list;

	load_one(f);
	assert_true(asprintf(&file, "images/blobs/sha256/%s", digest_hex(&f->loaded.rows[0].id)) >
		    0);
	damage(f, file);
	f->answer = 1;
	repair(f);
	assert_int_equal(f->left, 1);
	assert_said(f, "container someone uses it");
	f->answer = 0;
	repair(f);
	assert_true(f->asked > 0);
	assert_int_equal(image_list(f->s.store, &list, &f->s.err), 0);
	assert_int_equal(list.n, 0);
	image_list_done(&list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_layer_is_exchanged_only_if_nobody_runs_on_it),
		TEST(test_an_image_without_its_config_goes_only_if_nobody_uses_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
