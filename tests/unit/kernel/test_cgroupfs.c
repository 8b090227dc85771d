/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "kernel/mountinfo.h"

static void test_mountinfo_reads_all_fields(void **state)
{
	char text[] = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root "
		      "rw,errors=continue\n";
	char *cursor = text;
	struct mountinfo m;

	assert_int_equal(mountinfo_next(&cursor, &m), 1);
	assert_int_equal(m.id, 36);
	assert_int_equal(m.parent_id, 35);
	assert_int_equal(m.major, 98);
	assert_string_equal(m.root, "/mnt1");
	assert_string_equal(m.mount_point, "/mnt 2");
	assert_string_equal(m.options, "rw,noatime");
	assert_string_equal(m.optional, "master:1 shared:2");
	assert_string_equal(m.fs_type, "ext3");
	assert_string_equal(m.source, "/dev/root");
	assert_string_equal(m.super_options, "rw,errors=continue");
	assert_int_equal(mountinfo_next(&cursor, &m), 0);
}

static void test_mountinfo_skips_what_it_cannot_read(void **state)
{
	char text[] = "\nx\n1 2\n1 2 3:4 / /a rw\n1 2 3:4 / /a rw - \n"
		      "1 2 3:4 / /ok rw - tmpfs none rw\n1 2 3:4";
	char *cursor = text;
	struct mountinfo m;

	assert_int_equal(mountinfo_next(&cursor, &m), 1);
	assert_string_equal(m.mount_point, "/ok");
	assert_string_equal(m.optional, "");
	assert_int_equal(mountinfo_next(&cursor, &m), 0);
}

static void test_mountinfo_takes_an_empty_source(void **state)
{
	char text[] = "1 2 3:4 / /a rw - tmpfs  rw,size=1k\n";
	char *cursor = text;
	struct mountinfo m;

	assert_int_equal(mountinfo_next(&cursor, &m), 1);
	assert_string_equal(m.fs_type, "tmpfs");
}

static void count_mount(void *arg, const struct mountinfo *m)
{
	assert_string_equal(m->fs_type, "cgroup");
	assert_string_equal(m->root, "/a b");
	++*(int *)arg;
}

/* Its buffer is smaller than the file, so that lines lie across the ends of what is read. */
static void test_walking_reads_any_number_of_mounts(void **state)
{
	static char layers[MOUNTINFO_LINE_MAX * 2 + 1];
	FILE *file = tmpfile();
	struct error err;
	int n = 0;

	assert_non_null(file);
	memset(layers, '1', sizeof(layers) - 1);
	for (int i = 0; i < 2000; i++) {
		(void)fprintf(file, "%d 1 0:5 / /cgroup-%d rw - tmpfs cgroup rw\n", i, i);
		(void)fprintf(file, "%d 1 0:6 /a\\040b /c rw - cgroup none rw,cpu\n", i);
		if (i % 100 == 0)
			(void)fprintf(
				file,
				"%d 1 0:7 / /o rw - overlay o lowerdir=%s 1 0:6 /d /c rw - cgroup none rw\n",
				i, layers);
	}
	rewind(file);
	assert_int_equal(mountinfo_walk(fileno(file), "cgroup", count_mount, &n, &err), 0);
	assert_int_equal(n, 2000);
	(void)fclose(file);
}

static void test_a_hybrid_host_has_both_versions(void **state)
{
	char text[] =
		"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";
	struct cgroupfs fs;

	cgroupfs_parse(text, &fs);
	assert_int_equal(fs.n, 3);
	assert_string_equal(fs.h[0].controllers, "cpu,cpuacct");
	assert_string_equal(fs.h[0].mount_point, "/sys/fs/cgroup/cpu,cpuacct");
	assert_false(fs.h[0].v2);
	assert_string_equal(fs.h[1].controllers, "name=systemd");
	assert_true(fs.h[2].v2);
	assert_string_equal(fs.h[2].controllers, "");
	cgroupfs_done(&fs);
}

static void test_a_second_mount_of_a_hierarchy_is_ignored(void **state)
{
	char text[] = "1 0 0:29 /part /a rw - cgroup c rw,memory\n"
		      "2 0 0:29 / /b rw - cgroup c rw,memory\n"
		      "3 0 0:29 / /c rw - cgroup c rw,memory\n";
	struct cgroupfs fs;

	cgroupfs_parse(text, &fs);
	assert_int_equal(fs.n, 1);
	assert_string_equal(fs.h[0].mount_point, "/b"); /* shows all of it */
	assert_string_equal(fs.h[0].root, "/");
	cgroupfs_done(&fs);
}

static void test_own_cgroup_is_found_by_its_controllers(void **state)
{
	static const char text[] = "9:name=systemd:/s\n4:memory:/a:b\n2:cpu,cpuacct:/c\n0::/u\n";
	static const struct {
		const char *controllers, *path;
	} rows[] = {
		{ "name=systemd", "/s" }, { "memory", "/a:b" },
		{ "cpu,cpuacct", "/c" },  { "", "/u" },
		{ "cpu", NULL },	  { "pids", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cgroupfs_hierarchy h = { .controllers = (char *)rows[i].controllers };
		cleanup_free char *own = cgroupfs_parse_own(text, &h);

		assert_true(str_eq(own, rows[i].path));
	}
}

static void test_lists_have_whole_words_only(void **state)
{
	assert_true(cgroupfs_list_has("cpu,cpuacct", "cpu"));
	assert_true(cgroupfs_list_has("cpu,cpuacct", "cpuacct"));
	assert_false(cgroupfs_list_has("cpuacct", "cpu"));
	assert_false(cgroupfs_list_has("", "cpu"));
}

static void test_keys_are_whole_words(void **state)
{
	static const char text[] = "oom 1\noom_kill 3\npopulated 0\nbig 18446744073709551616\n";
	uint64_t value;

	assert_true(cgroupfs_key_u64(text, "oom_kill", &value));
	assert_int_equal(value, 3);
	assert_true(cgroupfs_key_u64(text, "oom", &value));
	assert_int_equal(value, 1);
	assert_false(cgroupfs_key_u64(text, "kill", &value));
	assert_false(cgroupfs_key_u64(text, "big", &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mountinfo_reads_all_fields),
		cmocka_unit_test(test_mountinfo_skips_what_it_cannot_read),
		cmocka_unit_test(test_mountinfo_takes_an_empty_source),
		cmocka_unit_test(test_walking_reads_any_number_of_mounts),
		cmocka_unit_test(test_a_hybrid_host_has_both_versions),
		cmocka_unit_test(test_a_second_mount_of_a_hierarchy_is_ignored),
		cmocka_unit_test(test_own_cgroup_is_found_by_its_controllers),
		cmocka_unit_test(test_lists_have_whole_words_only),
		cmocka_unit_test(test_keys_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
