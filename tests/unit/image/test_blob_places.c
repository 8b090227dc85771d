/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/macro.h"
#include "image/blob_places.h"

static struct digest id(unsigned n)
{
	char text[DIGEST_TEXT_LEN + 1];
	struct digest d;

	(void)snprintf(text, sizeof(text), "sha256:%064x", n);
	assert_int_equal(digest_parse(text, &d), 0);
	return d;
}

/* A store's root with nothing in it but the directory. */
static int make_root(void **state)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/berth-places-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	*state = path;
	return 0;
}

static int remove_root(void **state)
{
	struct error err;

	return dir_remove_tree(AT_FDCWD, *state, &err);
}

static int open_root(void **state)
{
	int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)mkdirat(fd, "images", 0700); /* there already is fine */
	return fd;
}

static void test_what_was_noted_is_found_again(void **state)
{
	cleanup_blob_places struct blob_places news = { 0 }, read = { 0 };
	const struct blob_packed packed = {
		.plain = id(1), .packed = id(2), .packed_bytes = 77, .how = COMPRESSION_GZIP
	};
	const struct blob_packed *found;
	cleanup_fd int fd = open_root(state);
	struct digest blob = id(1), other = id(3);

	blob_places_add(&news, &blob, "localhost:5000/a/b");
	blob_places_add(&news, &blob, "localhost:5000/c");
	blob_places_add(&news, &blob, "docker.io/library/x");
	blob_places_add_packed(&news, &packed);
	blob_places_merge(fd, &news);
	blob_places_merge(fd, &news); /* twice is once */

	blob_places_load(fd, &read);
	assert_int_equal(read.n_places, 3);
	assert_true(blob_places_knows(&read, &blob));
	assert_false(blob_places_knows(&read, &other));
	assert_string_equal(blob_places_find(&read, &blob, "localhost:5000", "x", 0), "c");
	assert_string_equal(blob_places_find(&read, &blob, "localhost:5000", "x", 1), "a/b");
	assert_null(blob_places_find(&read, &blob, "localhost:5000", "x", 2));
	assert_string_equal(blob_places_find(&read, &blob, "localhost:5000", "c", 0), "a/b");
	assert_null(blob_places_find(&read, &blob, "localhost", "x", 0));
	found = blob_places_find_packed(&read, &blob, COMPRESSION_GZIP);
	assert_non_null(found);
	assert_true(digest_eq(&found->packed, &packed.packed));
	assert_true(found->packed_bytes == 77);
	assert_null(blob_places_find_packed(&read, &blob, COMPRESSION_ZSTD));
}

static void test_only_so_many_are_kept_and_the_oldest_go(void **state)
{
	cleanup_blob_places struct blob_places p = { 0 };
	struct digest first = id(0), last = id(BLOB_PLACES_MAX);

	(void)state;
	for (unsigned i = 0; i <= BLOB_PLACES_MAX; i++) {
		struct digest blob = id(i);

		blob_places_add(&p, &blob, "r/x");
	}
	assert_int_equal(p.n_places, BLOB_PLACES_MAX);
	assert_false(blob_places_knows(&p, &first));
	assert_true(blob_places_knows(&p, &last));
}

static void test_a_damaged_file_is_as_none(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"places\":7}",
		"{\"places\":[7,{},{\"blob\":\"sha256:x\"}]}",
		("{\"places\":[{\"blob\":\"sha256:"
		 "0000000000000000000000000000000000000000000000000000000000000001\","
		 "\"repository\":\"noslash\"}],\"compressed\":[{\"plain\":null}]}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_blob_places struct blob_places p = { 0 };

		blob_places_parse(texts[i], strlen(texts[i]), &p);
		assert_int_equal(p.n_places + p.n_packed, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_noted_is_found_again),
		cmocka_unit_test(test_only_so_many_are_kept_and_the_oldest_go),
		cmocka_unit_test(test_a_damaged_file_is_as_none),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
