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
#include <cmocka.h>

#include "base/clock.h"
#include "base/dir.h"
#include "image/filter.h"

#define SECOND INT64_C(1000000000)

struct fixture {
	char dir[32];
	struct image_store *store;
	struct error err;
};

/* An empty store: these filters do not read it. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test-filter-XXXXXX");
	if (!mkdtemp(f->dir) || image_store_open(f->dir, &f->store, &f->err) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	image_store_close(f->store);
	r = dir_remove_tree(AT_FDCWD, f->dir, &f->err);
	free(f);
	return r;
}

static int parse(struct fixture *f, const char *word, enum image_filter_set set,
		 struct image_filter *ret)
{
	char *words[] = { strdup(word), NULL };
	int r = image_filter_parse(f->store, words, set, ret, &f->err);

	free(words[0]);
	return r;
}

static bool passes(struct fixture *f, const char *word, const struct image_row *row)
{
	cleanup_image_filter struct image_filter filter = { 0 };

	assert_int_equal(parse(f, word, IMAGE_FILTER_LIST, &filter), 0);
	return image_filter_match(&filter, f->store, row, &f->err) == 1;
}

static void test_no_words_let_everything_pass(void **state)
{
	struct fixture *f = *state;
	cleanup_image_filter struct image_filter filter = { 0 };
	struct image_row row = { .created_ns = 0 };

	assert_int_equal(image_filter_parse(f->store, NULL, IMAGE_FILTER_LIST, &filter, &f->err),
			 0);
	assert_int_equal(image_filter_match(&filter, f->store, &row, &f->err), 1);
	assert_true(image_filter_name(&filter, "docker.io/library/x:1"));
}

static void test_dangling_is_about_names(void **state)
{
	struct fixture *f = *state;
	char *names[] = { (char[]){ "docker.io/library/x:1" }, NULL };
	struct image_row named = { .names = names }, nameless = { 0 };

	assert_true(passes(f, "dangling=true", &nameless));
	assert_false(passes(f, "dangling=true", &named));
	assert_true(passes(f, "dangling=0", &named));
	assert_false(passes(f, "dangling=false", &nameless));
}

static void test_until_is_a_time_or_an_age(void **state)
{
	struct fixture *f = *state;
	struct image_row old = { .created_ns = clock_real_ns() - 3700 * SECOND };

	assert_true(passes(f, "until=1h", &old));
	assert_false(passes(f, "until=2h", &old));
	assert_false(passes(f, "until=2020-01-01", &old));
	assert_true(passes(f, "until=2200-01-01T00:00:00", &old));
}

static void test_id_is_a_beginning(void **state)
{
	struct fixture *f = *state;
	struct image_row row = { 0 };

	(void)snprintf(row.id.text, sizeof(row.id.text), "sha256:abc%061d", 0);
	assert_true(passes(f, "id=abc0", &row));
	assert_true(passes(f, "id=sha256:ab", &row));
	assert_false(passes(f, "id=bc", &row));
}

static void test_references_are_familiar_patterns(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *pattern, *name;
		bool match;
	} rows[] = {
		{ "x", "docker.io/library/x:1", true },
		{ "x:1", "docker.io/library/x:1", true },
		{ "x:2", "docker.io/library/x:1", false },
		{ "*", "docker.io/library/x:1", true },
		{ "*", "docker.io/me/x:1", false }, /* a star stays within a component */
		{ "*/*", "docker.io/me/x:1", true },
		{ "localhost:5000/*", "localhost:5000/x:1", true },
		{ "[xy]:?", "docker.io/library/y:1", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_image_filter struct image_filter filter = { 0 };
		char word[64];

		(void)snprintf(word, sizeof(word), "reference=%s", rows[i].pattern);
		assert_int_equal(parse(f, word, IMAGE_FILTER_LIST, &filter), 0);
		assert_int_equal(image_filter_name(&filter, rows[i].name), rows[i].match);
	}
}

static void test_labels_are_keys_or_pairs(void **state)
{
	assert_true(image_filter_label("a", "a", "1"));
	assert_true(image_filter_label("a=1", "a", "1"));
	assert_true(image_filter_label("a=", "a", ""));
	assert_false(image_filter_label("a=2", "a", "1"));
	assert_false(image_filter_label("ab", "a", "1"));
	assert_false(image_filter_label("a", "ab", "1"));
}

static void test_labels_of_an_image_that_is_gone_match_nothing(void **state)
{
	struct fixture *f = *state;
	cleanup_image_filter struct image_filter filter = { 0 };
	struct image_row row = { 0 };

	assert_int_equal(
		digest_parse(
			"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			&row.id),
		0);
	assert_int_equal(parse(f, "label=a", IMAGE_FILTER_LIST, &filter), 0);
	assert_int_equal(image_filter_match(&filter, f->store, &row, &f->err), 0);
}

static void test_wrong_words_are_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *word;
		enum image_filter_set set;
		enum error_kind kind;
	} rows[] = {
		{ "label", IMAGE_FILTER_LIST, ERROR_INVALID },
		{ "colour=red", IMAGE_FILTER_LIST, ERROR_INVALID },
		{ "label!=x", IMAGE_FILTER_LIST, ERROR_INVALID },
		{ "reference=x", IMAGE_FILTER_PRUNE, ERROR_INVALID },
		{ "dangling=perhaps", IMAGE_FILTER_PRUNE, ERROR_INVALID },
		{ "until=soon", IMAGE_FILTER_PRUNE, ERROR_INVALID },
		{ "before=nobody", IMAGE_FILTER_LIST, ERROR_NOT_FOUND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image_filter filter;

		assert_true(parse(f, rows[i].word, rows[i].set, &filter) < 0);
		assert_int_equal(f->err.kind, rows[i].kind);
	}
}

#define filter_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		filter_test(test_no_words_let_everything_pass),
		filter_test(test_dangling_is_about_names),
		filter_test(test_until_is_a_time_or_an_age),
		filter_test(test_id_is_a_beginning),
		filter_test(test_references_are_familiar_patterns),
		filter_test(test_labels_are_keys_or_pairs),
		filter_test(test_labels_of_an_image_that_is_gone_match_nothing),
		filter_test(test_wrong_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
