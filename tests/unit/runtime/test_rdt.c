/* SPDX-License-Identifier: Apache-2.0 */

/* Against a directory that looks like resctrl: what the kernel puts into a new group is put there
 * by make_dir. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/rdt.h"

static char root[64];

static void put(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = path_join(dir, name);
	struct error err;

	assert_int_equal(file_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, 0, &err), 0);
}

static void expect_file(const char *name, const char *text)
{
	cleanup_free char *path = path_join(root, name);
	cleanup_free char *have = NULL;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, path, 4096, &have, NULL, &err), 0);
	assert_string_equal(have, text);
}

static bool exists(const char *name)
{
	cleanup_free char *path = path_join(root, name);

	return access(path, F_OK) == 0;
}

/* As the kernel: a group has its files as soon as it is there. */
static int make_group(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0)
		return -1;
	put(path, "tasks", "");
	if (strstr(path, "mon_groups/"))
		return 0;
	put(path, "schemata", "");
	{
		cleanup_free char *monitors = path_join(path, "mon_groups");

		assert_int_equal(mkdir(monitors, 0755), 0);
	}
	return 0;
}

static int set_up(void **state)
{
	(void)snprintf(root, sizeof(root), "/tmp/berth-test-rdt-XXXXXX");
	assert_non_null(mkdtemp(root));
	put(root, "schemata", "    L3:0=fffff;1=fffff\n    MB:0= 100;1= 100\n");
	put(root, "tasks", "");
	return 0;
}

static int tear_down(void **state)
{
	struct error err;

	return dir_remove_tree(AT_FDCWD, root, &err);
}

static int plan(const struct oci_linux *config, struct rdt *r, struct error *err)
{
	struct oci_linux c = *config;

	c.has_intel_rdt = true;
	*r = (struct rdt)RDT_INIT;
	r->make_dir = make_group;
	return rdt_plan(&c, "box", root, r, err);
}

/* Makes it and enters; the caller undoes. */
static void make(const struct oci_linux *config, struct rdt *r)
{
	struct error err;

	if (plan(config, r, &err) < 0 || rdt_make(r, &err) < 0 || rdt_open_enter(r, &err) < 0 ||
	    rdt_enter(r, &err) < 0)
		fail_msg("%s", err.msg);
}

static void refused(const struct oci_linux *config, enum error_kind kind, const char *words)
{
	struct error err;
	struct rdt r;
	int result = plan(config, &r, &err);

	if (result == 0)
		result = rdt_make(&r, &err);
	assert_true(result < 0);
	if (kind != ERROR_INTERNAL)
		assert_int_equal(err.kind, kind);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in '%s'", words, err.msg);
	assert_false(r.made_group || r.made_monitor);
	rdt_done(&r);
}

static void test_nothing_asked_touches_nothing(void **state)
{
	struct rdt r = RDT_INIT;
	struct oci_linux config = { .rdt_clos_id = "x" };
	struct error err;

	assert_int_equal(rdt_plan(&config, "box", NULL, &r, &err), 0);
	assert_null(r.group);
	assert_int_equal(rdt_make(&r, &err), 0);
	assert_int_equal(rdt_enter(&r, &err), 0);
	rdt_done(&r);
}

static void test_without_resctrl_the_field_is_named(void **state)
{
	static const struct {
		struct oci_linux config;
		const char *field;
	} cases[] = {
		{ { .rdt_clos_id = "a", .rdt_l3_schema = "L3:0=f" }, "linux.intelRdt.closID" },
		{ { .rdt_l3_schema = "L3:0=f" }, "linux.intelRdt.l3CacheSchema" },
		{ { .rdt_mem_schema = "MB:0=5" }, "linux.intelRdt.memBwSchema" },
		{ { .rdt_enable_monitoring = true }, "linux.intelRdt.enableMonitoring" },
		{ { .rdt_clos_id = NULL }, "linux.intelRdt:" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_linux c = cases[i].config;
		struct rdt r = RDT_INIT;
		struct error err;

		c.has_intel_rdt = true;
		assert_true(rdt_plan(&c, "box", NULL, &r, &err) < 0);
		assert_int_equal(err.kind, ERROR_UNSUPPORTED);
		assert_non_null(strstr(err.msg, cases[i].field));
		rdt_done(&r);
	}
}

static void test_a_class_of_its_own_goes_with_the_container(void **state)
{
	struct oci_linux config = { .rdt_l3_schema = "L3:0=f;1=f0\nMB:0=10",
				    .rdt_mem_schema = "MB:0=20;1=70",
				    .rdt_enable_monitoring = true };
	struct error err;
	struct rdt r;

	make(&config, &r);
	expect_file("box/schemata", "L3:0=f;1=f0\nMB:0=20;1=70\n");
	expect_file("box/tasks", "0");
	expect_file("box/mon_groups/box/tasks", "0");
	assert_string_equal(r.own, r.group);
	rdt_done(&r);
	/* the next one of that name would share it */
	refused(&config, ERROR_CONFLICT, "exists already");
	assert_int_equal(rdt_remove("/tmp/berth-test-rdt-nosuch", &err), 0);
}

static void test_schemata_come_last_as_they_are(void **state)
{
	static const char *const lines[] = { "L2:0=f", "MB:0=50" };
	struct oci_linux config = { .rdt_clos_id = "gold",
				    .rdt_l3_schema = "L3:0=ff\nMB:0=10",
				    .rdt_schemata = lines,
				    .n_rdt_schemata = 2 };
	struct rdt r;

	make(&config, &r);
	expect_file("gold/schemata", "L3:0=ff\nMB:0=10\nL2:0=f\nMB:0=50\n");
	assert_null(r.own); /* others may use it after us */
	rdt_undo(&r);
	rdt_done(&r);
}

static void test_a_named_class_without_limits_must_exist(void **state)
{
	struct oci_linux config = { .rdt_clos_id = "silver" };
	struct rdt r;

	refused(&config, ERROR_INTERNAL, "linux.intelRdt.closID");
	config.rdt_clos_id = "/";
	make(&config, &r);
	expect_file("tasks", "0");
	rdt_undo(&r);
	rdt_done(&r);
	assert_true(exists("schemata"));
}

static void test_a_class_that_exists_must_have_the_same_limits(void **state)
{
	static const struct {
		const char *l3, *mem;
		bool same;
	} cases[] = {
		{ "L3:0=f;1=f0", NULL, true },	 { "L3:1=f0", NULL, true },
		{ "L3:0=00F", "MB:0=20", true }, { "L3:0=ff", NULL, false },
		{ "L3:2=f", NULL, false },	 { NULL, "MB:0=20;1=100", true },
		{ NULL, "MB:0=30", false },	 { "L2:0=f", NULL, false },
		{ "nonsense", NULL, false },
	};
	cleanup_free char *dir = path_join(root, "shared");

	assert_int_equal(make_group(dir, 0755), 0);
	put(dir, "schemata", "    L3:0=0000f;1=000f0\n    MB:0=  20;1= 100\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_linux config = { .rdt_clos_id = "shared",
					    .rdt_l3_schema = cases[i].l3,
					    .rdt_mem_schema = cases[i].mem };
		struct rdt r;

		if (!cases[i].same) {
			refused(&config, ERROR_CONFLICT, "linux.intelRdt.closID");
			continue;
		}
		make(&config, &r);
		rdt_undo(&r);
		rdt_done(&r);
	}
	assert_true(exists("shared/schemata"));
}

static void test_schemas_are_single_lines_of_their_resource(void **state)
{
	static const char *const two[] = { "L3:0=f\nL3:1=f" };

	refused(&(struct oci_linux){ .rdt_mem_schema = "L3:0=f" }, ERROR_INVALID, "memBwSchema");
	refused(&(struct oci_linux){ .rdt_mem_schema = "MB:0=5\nL3:0=f" }, ERROR_INVALID,
		"memBwSchema");
	refused(&(struct oci_linux){ .rdt_schemata = two, .n_rdt_schemata = 1 }, ERROR_INVALID,
		"schemata");
}

static void test_monitoring_in_a_shared_class_leaves_the_class(void **state)
{
	struct oci_linux config = { .rdt_clos_id = "watched",
				    .rdt_l3_schema = "L3:0=f",
				    .rdt_enable_monitoring = true };
	struct rdt r;

	make(&config, &r);
	assert_string_equal(r.own, r.monitor);
	expect_file("watched/mon_groups/box/tasks", "0");
	rdt_done(&r);
	assert_true(exists("watched"));
}

static void test_update_writes_and_restores(void **state)
{
	struct oci_linux config = { .rdt_l3_schema = "L3:0=f" };
	cleanup_free char *before = NULL;
	struct error err;
	struct rdt r, none = RDT_INIT;

	make(&config, &r);
	assert_int_equal(rdt_update(&r, "L3:0=1", "MB:0=50", &before, &err), 0);
	expect_file("box/schemata", "L3:0=1\nMB:0=50\n");
	assert_string_equal(before, "L3:0=f\n");
	assert_true(rdt_update(&r, NULL, "50", &before, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_true(rdt_update(&none, "L3:0=1", NULL, &before, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	rdt_done(&r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_asked_touches_nothing),
		TEST(test_without_resctrl_the_field_is_named),
		TEST(test_a_class_of_its_own_goes_with_the_container),
		TEST(test_schemata_come_last_as_they_are),
		TEST(test_a_named_class_without_limits_must_exist),
		TEST(test_a_class_that_exists_must_have_the_same_limits),
		TEST(test_schemas_are_single_lines_of_their_resource),
		TEST(test_monitoring_in_a_shared_class_leaves_the_class),
		TEST(test_update_writes_and_restores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
