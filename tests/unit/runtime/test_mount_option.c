/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "runtime/mount_option.h"

static struct arena *arena;

static int set_up(void **state)
{
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	arena = arena_free(arena);
	return 0;
}

static struct mount_options parse(const char *const *words, size_t n)
{
	struct mount_options o;

	mount_options_parse(words, n, arena, &o);
	return o;
}

#define PARSE(...)                                  \
	parse((const char *const[]){ __VA_ARGS__ }, \
	      sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *))

static void test_words_are_sorted_for_the_search(void **state)
{
	for (size_t i = 0; mount_option_word(i + 1); i++)
		assert_true(strcmp(mount_option_word(i), mount_option_word(i + 1)) < 0);
}

static void test_every_word_is_understood(void **state)
{
	static const char *const passed_on[] = { "acl",	     "async", "dirsync", "iversion",
						 "lazytime", "mand",  "noacl",	 "nolazytime",
						 "nomand",   "sync" };

	for (size_t i = 0; mount_option_word(i); i++) {
		const char *word = mount_option_word(i);
		struct mount_options o = PARSE(word);
		bool expected = false;

		for (size_t k = 0; k < sizeof(passed_on) / sizeof(passed_on[0]); k++)
			expected = expected || strcmp(word, passed_on[k]) == 0;
		assert_int_equal(o.n_params, expected ? 1 : 0);
		assert_true(o.n_params == 0 || o.params[0].common);
	}
}

static void test_an_access_time_mode_that_is_not_wanted_chooses_no_other(void **state)
{
	struct mount_options o = PARSE("norelatime", "nostrictatime", "rnostrictatime");

	assert_int_equal(o.set | o.clear | o.recursive_set | o.recursive_clear, 0);
	o = PARSE("noatime", "nostrictatime");
	assert_int_equal(o.set, MOUNT_ATTR_NOATIME);
	o = PARSE("strictatime", "nostrictatime");
	assert_int_equal(o.set | o.clear, 0);
	o = PARSE("atime");
	assert_int_equal(o.clear, MOUNT_ATTR__ATIME);
}

static void test_cruns_words_are_not_options_of_the_file_system(void **state)
{
	struct mount_options o = PARSE("copy-symlink", "dest-nofollow", "src-nofollow",
				       "idmap=uids=0-1-2;gids=0-1-2");

	assert_int_equal(o.n_params, 0);
	assert_true(o.copy_symlink && o.dest_nofollow && o.src_nofollow && o.idmap);
	assert_string_equal(o.idmap_text, "uids=0-1-2;gids=0-1-2");
}

static void test_the_later_of_two_opposites_wins(void **state)
{
	assert_int_equal(PARSE("ro", "rw").set & MOUNT_ATTR_RDONLY, 0);
	assert_int_equal(PARSE("ro", "rw").clear & MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY);
	assert_int_equal(PARSE("rw", "ro").set & MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY);
	assert_int_equal(PARSE("rw", "ro").clear & MOUNT_ATTR_RDONLY, 0);
}

static void test_access_time_modes_replace_each_other(void **state)
{
	struct mount_options o = PARSE("noatime", "strictatime");

	assert_int_equal(o.set & MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(o.clear & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
	assert_int_equal(PARSE("noatime", "relatime").set & MOUNT_ATTR__ATIME, 0);
}

static void test_recursive_words_touch_only_the_recursive_set(void **state)
{
	struct mount_options o = PARSE("rro", "nosuid");

	assert_int_equal(o.recursive_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(o.set, MOUNT_ATTR_NOSUID);
}

static void test_rbind_is_bind_and_recursive(void **state)
{
	assert_true(PARSE("rbind").bind);
	assert_true(PARSE("rbind").recursive_bind);
	assert_false(PARSE("bind").recursive_bind);
}

static void test_the_last_propagation_counts(void **state)
{
	struct mount_options o = PARSE("rshared", "private");

	assert_int_equal(o.propagation, MS_PRIVATE);
	assert_int_equal(o.recursive_propagation, 0);
}

static void test_unknown_words_go_to_the_file_system_in_order(void **state)
{
	struct mount_options o = PARSE("mode=755", "nosuid", "volatile", "size=64m", "");

	assert_int_equal(o.n_params, 3);
	assert_string_equal(o.params[0].key, "mode");
	assert_string_equal(o.params[0].value, "755");
	assert_string_equal(o.params[1].key, "volatile");
	assert_null(o.params[1].value);
	assert_string_equal(o.params[2].value, "64m");
}

static void test_only_the_first_equals_sign_divides(void **state)
{
	struct mount_options o = PARSE("context=\"a=b\"", "upperdir=/x=y");

	assert_string_equal(o.params[0].key, "context");
	assert_string_equal(o.params[0].value, "\"a=b\"");
	assert_string_equal(o.params[1].value, "/x=y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_sorted_for_the_search),
		cmocka_unit_test(test_every_word_is_understood),
		cmocka_unit_test(test_an_access_time_mode_that_is_not_wanted_chooses_no_other),
		cmocka_unit_test(test_cruns_words_are_not_options_of_the_file_system),
		cmocka_unit_test(test_the_later_of_two_opposites_wins),
		cmocka_unit_test(test_access_time_modes_replace_each_other),
		cmocka_unit_test(test_recursive_words_touch_only_the_recursive_set),
		cmocka_unit_test(test_rbind_is_bind_and_recursive),
		cmocka_unit_test(test_the_last_propagation_counts),
		cmocka_unit_test(test_unknown_words_go_to_the_file_system_in_order),
		cmocka_unit_test(test_only_the_first_equals_sign_divides),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
