/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/mount_word.h"

static void test_volume_binds_host_path_recursively(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct mount_word m;
	struct error err;

	(void)state;
	assert_int_equal(mount_word_parse_volume("/a//b:/c/", arena, &m, &err), 0);
	assert_int_equal(m.type, MOUNT_WORD_BIND);
	assert_string_equal(m.source, "/a/b");
	assert_string_equal(m.destination, "/c");
	assert_string_equal(m.propagation, "rprivate");
	assert_true(m.recursive);
	assert_true(m.create_source);
	assert_false(m.read_only);
}

static void test_volume_modes_are_understood(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct mount_word m;
	struct error err;

	(void)state;
	assert_int_equal(mount_word_parse_volume("/a:/b:ro,z,rslave", arena, &m, &err), 0);
	assert_true(m.read_only);
	assert_string_equal(m.propagation, "rslave");
	assert_string_equal(m.mode, "ro,z,rslave");
}

static void test_bad_volumes_are_refused_in_dockers_words(void **state)
{
	static const struct {
		const char *text;
		enum error_kind kind;
		const char *part;
	} cases[] = {
		{ "/a:b", ERROR_INVALID, "mount path must be absolute" },
		{ "/a:/", ERROR_INVALID, "destination can't be '/'" },
		{ "/a:/b:rx", ERROR_INVALID, "invalid mode: rx" },
		{ "/a:/b:ro,rw", ERROR_INVALID, "invalid mode: ro,rw" },
		{ "/a:/b:ro:x", ERROR_INVALID, "invalid volume specification: '/a:/b:ro:x'" },
		{ ":/b", ERROR_INVALID, "invalid volume specification: ':/b'" },
		{ "data:/b", ERROR_UNSUPPORTED, "not supported yet: named volumes" },
		{ "/b", ERROR_UNSUPPORTED, "not supported yet: anonymous volumes" },
	};
	cleanup_with(arena_free) struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_word m;
		struct error err;

		assert_true(mount_word_parse_volume(cases[i].text, arena, &m, &err) < 0);
		assert_int_equal(err.kind, cases[i].kind);
		assert_non_null(strstr(err.msg, cases[i].part));
	}
}

static void test_mount_fields_have_their_aliases(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct mount_word m;
	struct error err;

	(void)state;
	assert_int_equal(
		mount_word_parse_mount("type=bind,src=/a,dst=/b,readonly,bind-propagation=shared,"
				       "bind-recursive=disabled",
				       arena, &m, &err),
		0);
	assert_string_equal(m.source, "/a");
	assert_string_equal(m.destination, "/b");
	assert_string_equal(m.propagation, "shared");
	assert_true(m.read_only);
	assert_false(m.recursive);
	assert_false(m.create_source);
}

static void test_read_only_is_so_below_unless_told_otherwise(void **state)
{
	static const struct {
		const char *volume, *mount;
		bool below;
	} cases[] = {
		{ "/a:/b:ro", "type=bind,src=/a,dst=/b,readonly", true },
		{ "/a:/b:readonly", "type=bind,src=/a,dst=/b,ro,bind-recursive=enabled", true },
		{ "/a:/b", "type=bind,src=/a,dst=/b,ro,bind-recursive=writable", false },
		{ "/a:/b:rw", "type=bind,src=/a,dst=/b", false },
	};
	cleanup_with(arena_free) struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_word m;
		struct error err;

		assert_int_equal(mount_word_parse_volume(cases[i].volume, arena, &m, &err), 0);
		assert_int_equal(m.read_only_below, cases[i].below);
		assert_int_equal(mount_word_parse_mount(cases[i].mount, arena, &m, &err), 0);
		assert_int_equal(m.read_only_below, cases[i].below);
	}
}

static void test_mount_quotes_hold_commas(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct mount_word m;
	struct error err;

	(void)state;
	assert_int_equal(
		mount_word_parse_mount("type=bind,\"source=/a,b\",target=/c", arena, &m, &err), 0);
	assert_string_equal(m.source, "/a,b");
	assert_true(mount_word_parse_mount("type=bind,\"source=/a", arena, &m, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
}

static void test_tmpfs_gets_safe_options_unless_contradicted(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct mount_word m;
	struct error err;

	(void)state;
	assert_int_equal(mount_word_parse_tmpfs("/t:exec,size=1m", arena, &m, &err), 0);
	assert_int_equal(m.type, MOUNT_WORD_TMPFS);
	assert_string_equal(m.destination, "/t");
	assert_string_equal(m.options[0], "nosuid");
	assert_string_equal(m.options[1], "nodev");
	assert_string_equal(m.options[2], "exec");
	assert_string_equal(m.options[3], "size=1m");
	assert_null(m.options[4]);
}

static void test_mounts_are_sorted_parents_first(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	char *volumes[] = { (char *)"/x:/a/b", (char *)"/y:/a", NULL };
	struct mount_word *words;
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(mount_words_parse(volumes, NULL, NULL, arena, &words, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(words[0].destination, "/a");
	assert_string_equal(words[1].destination, "/a/b");
}

static void test_two_mounts_on_one_place_are_refused(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	char *volumes[] = { (char *)"/x:/a", NULL }, *tmpfs[] = { (char *)"/a/", NULL };
	struct mount_word *words;
	struct error err;
	size_t n;

	(void)state;
	assert_true(mount_words_parse(volumes, NULL, tmpfs, arena, &words, &n, &err) < 0);
	assert_string_equal(err.msg, "Duplicate mount point: /a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volume_binds_host_path_recursively),
		cmocka_unit_test(test_volume_modes_are_understood),
		cmocka_unit_test(test_bad_volumes_are_refused_in_dockers_words),
		cmocka_unit_test(test_mount_fields_have_their_aliases),
		cmocka_unit_test(test_mount_quotes_hold_commas),
		cmocka_unit_test(test_read_only_is_so_below_unless_told_otherwise),
		cmocka_unit_test(test_tmpfs_gets_safe_options_unless_contradicted),
		cmocka_unit_test(test_mounts_are_sorted_parents_first),
		cmocka_unit_test(test_two_mounts_on_one_place_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
