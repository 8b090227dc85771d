/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/lock.h"
#include "image/blob_places.h"
#include "image/part.h"
#include "image/work.h"
#include "store_fixture.h"

#define TEXT "a document"

static off_t bytes_in_work(const struct store_fixture *f, const struct store_work *work,
			   const char *name)
{
	cleanup_free char *path = xasprintf(TMP_DIR "/%s/%s", work->name, name);

	return store_file_bytes(f, path);
}

/* Its owner has died: the lock goes with his last file descriptor. */
static void die(struct store_work *work)
{
	cleanup_close_fd(&work->fd);
	cleanup_close_fd(&work->lock_fd);
}

static void lock_and_clear(struct store_fixture *f)
{
	cleanup_fd int lock = -EBADF;

	assert_int_equal(store_lock(f->store, &lock, &f->err), 0);
}

static void test_what_is_complete_is_published_under_its_digest(void **state)
{
	struct store_fixture *f = *state;
	cleanup_work struct store_work work = STORE_WORK_NONE;
	struct digest id, again;

	assert_int_equal(store_work_begin(f->store, &work, &f->err), 0);
	assert_int_equal(work_put_blob(&work, TEXT, strlen(TEXT), &id, &f->err), 0);
	assert_int_equal(work_put_blob(&work, TEXT, strlen(TEXT), &again, &f->err), 0);
	assert_true(digest_eq(&id, &again));
	assert_true(work_has(&work, work_blob(&id)));
	assert_false(work_has(&work, work_layer(&id)));
	assert_false(blob_exists(f->store, &id, BLOB_ANY_SIZE));
	assert_int_equal(mkdirat(work.fd, work_layer(&id).s, 0700), 0);
	assert_int_equal(work_publish(&work, &f->err), 0);
	assert_int_equal(store_file_bytes(f, blob_path(&id).s), strlen(TEXT));
	assert_true(store_file_bytes(f, layer_path(&id).s) >= 0);
	assert_false(work_has(&work, work_blob(&id)));
}

static void test_a_layer_that_another_brought_stays_as_it_is(void **state)
{
	struct store_fixture *f = *state;
	cleanup_work struct store_work work = STORE_WORK_NONE;
	cleanup_free char *theirs = NULL;
	struct digest id;

	assert_int_equal(store_work_begin(f->store, &work, &f->err), 0);
	assert_int_equal(
		digest_parse("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaa",
			     &id),
		0);
	theirs = xasprintf("%s/theirs", layer_path(&id).s);
	assert_int_equal(mkdirat(f->store->root_fd, layer_path(&id).s, 0700), 0);
	assert_int_equal(mkdirat(f->store->root_fd, theirs, 0700), 0);
	assert_int_equal(mkdirat(work.fd, work_layer(&id).s, 0700), 0);
	assert_int_equal(work_publish(&work, &f->err), 0);
	assert_true(store_file_bytes(f, theirs) >= 0);
}

static void test_what_was_not_published_goes_with_its_owner(void **state)
{
	struct store_fixture *f = *state;
	struct store_work work, copy;
	struct digest id;

	for (int hurry = 0; hurry < 2; hurry++) {
		assert_int_equal(store_work_begin(f->store, &work, &f->err), 0);
		assert_int_equal(work_put_blob(&work, TEXT, strlen(TEXT), &id, &f->err), 0);
		copy = work;
		work.hurry = hurry;
		store_work_end(&work);
		assert_int_equal(bytes_in_work(f, &copy, ""), -1);
		assert_false(blob_exists(f->store, &id, BLOB_ANY_SIZE));
		store_work_end(&work); /* once more: nothing to do */
	}
}

static void test_the_next_writer_clears_away_what_a_dead_one_left(void **state)
{
	struct store_fixture *f = *state;
	struct store_work dead, next = STORE_WORK_NONE;
	cleanup_work struct store_work alive = STORE_WORK_NONE;
	struct digest id;

	assert_int_equal(store_work_begin(f->store, &dead, &f->err), 0);
	assert_int_equal(store_work_begin(f->store, &alive, &f->err), 0);
	assert_int_equal(work_put_blob(&dead, TEXT, strlen(TEXT), &id, &f->err), 0);
	lock_and_clear(f); /* both live */
	assert_int_equal(bytes_in_work(f, &dead, work_blob(&id).s), strlen(TEXT));
	die(&dead);
	assert_int_equal(store_work_begin(f->store, &next, &f->err), 0);
	assert_int_equal(bytes_in_work(f, &dead, ""), -1);
	assert_true(bytes_in_work(f, &alive, "") >= 0);
	assert_true(bytes_in_work(f, &next, "") >= 0);
	store_work_end(&next);
}

static void test_what_a_dead_writer_published_without_a_name_is_collected(void **state)
{
	struct store_fixture *f = *state;
	struct store_work dead;
	struct digest id;

	assert_int_equal(store_work_begin(f->store, &dead, &f->err), 0);
	assert_int_equal(work_put_blob(&dead, TEXT, strlen(TEXT), &id, &f->err), 0);
	assert_int_equal(work_publish(&dead, &f->err), 0);
	lock_and_clear(f);
	assert_true(
		blob_exists(f->store, &id, BLOB_ANY_SIZE)); /* he may be about to write the index */
	die(&dead);
	lock_and_clear(f);
	assert_false(blob_exists(f->store, &id, BLOB_ANY_SIZE));
}

static void touch(struct store_fixture *f, const char *path)
{
	assert_int_equal(close(openat(f->store->root_fd, path, O_CREAT | O_CLOEXEC, 0600)), 0);
}

static void test_documents_that_were_not_renamed_go_with_the_next_lock(void **state)
{
	struct store_fixture *f = *state;
	cleanup_fd int places = -EBADF;

	lock_and_clear(f);
	assert_int_equal(mkdirat(f->store->root_fd, "images/lists", 0700), 0);
	touch(f, "images/index.json.1.tmp");
	touch(f, "images/lists/x.json.1.tmp");
	touch(f, "images/places.json.1.tmp");
	assert_int_equal(lock_acquire(f->store->root_fd, BLOB_PLACES_LOCK, NULL, &places, &f->err),
			 0);
	lock_and_clear(f);
	assert_int_equal(store_file_bytes(f, "images/index.json.1.tmp"), -1);
	assert_int_equal(store_file_bytes(f, "images/lists/x.json.1.tmp"), -1);
	assert_int_equal(store_file_bytes(f, "images/places.json.1.tmp"),
			 0); /* somebody writes it */
	cleanup_close_fd(&places);
	places = -EBADF;
	lock_and_clear(f);
	assert_int_equal(store_file_bytes(f, "images/places.json.1.tmp"), -1);
}

static void test_a_store_that_cannot_be_written_is_an_error(void **state)
{
	struct store_fixture *f = *state;
	cleanup_work struct store_work work = STORE_WORK_NONE;

	assert_int_equal(close(openat(f->store->root_fd, TMP_DIR, O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_true(store_work_begin(f->store, &work, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, TMP_DIR));
	assert_true(work.fd < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
		TEST(test_what_is_complete_is_published_under_its_digest),
		TEST(test_a_layer_that_another_brought_stays_as_it_is),
		TEST(test_what_was_not_published_goes_with_its_owner),
		TEST(test_the_next_writer_clears_away_what_a_dead_one_left),
		TEST(test_what_a_dead_writer_published_without_a_name_is_collected),
		TEST(test_documents_that_were_not_renamed_go_with_the_next_lock),
		TEST(test_a_store_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
