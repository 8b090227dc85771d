/* SPDX-License-Identifier: Apache-2.0 */

/* Plans of container file systems, as text: nothing is mounted. */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "oci/spec.h"
#include "runtime/cgroup/driver.h"
#include "runtime/rootfs.h"

#define DOCUMENT(root, mounts, linux)                                                          \
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"" root "},\"mounts\":[" mounts \
	"],\"linux\":{\"namespaces\":[{\"type\":\"mount\"}" linux "}}"

struct planned {
	struct error err;
	int r;
	struct buf text;
};

static void done(struct planned *p)
{
	buf_done(&p->text);
}

#define cleanup_planned __attribute__((cleanup(done)))

static struct planned plan_with(const char *json, const struct cgroup *cg, bool user_namespace)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_mount_plan struct mount_plan plan = { 0 };
	struct planned p = { .r = 0 };
	struct mount_plan_input in = { .bundle_path = "/bundle",
				       .cgroup = cg,
				       .user_namespace = user_namespace };

	assert_int_equal(oci_spec_parse(json, strlen(json), &spec, &p.err), 0);
	in.spec = spec;
	p.r = rootfs_plan(&in, &plan, &p.err);
	if (p.r == 0)
		mount_plan_format(&plan, &p.text);
	return p;
}

static struct planned plan(const char *json)
{
	return plan_with(json, NULL, false);
}

/* Position of a line that starts so; -1. */
static int line_of(const struct planned *p, const char *start)
{
	int n = 0;

	for (const char *line = buf_str(&p->text); *line; n++) {
		if (strncmp(line, start, strlen(start)) == 0)
			return n;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return -1;
}

static void test_a_mount_label_is_the_context_of_new_file_systems(void **state)
{
	cleanup_planned struct planned p = plan(
		DOCUMENT("",
			 "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"size=1m\"]},"
			 "{\"destination\":\"/proc\",\"type\":\"proc\"},"
			 "{\"destination\":\"/q\",\"type\":\"mqueue\"},"
			 "{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/b\"}",
			 "],\"mountLabel\":\"system_u:object_r:x_t:s0:c1,c2\""));

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /a type tmpfs size=1m "
				"context=system_u:object_r:x_t:s0:c1,c2\n") > 0);
	assert_true(line_of(&p, "mount /proc type proc\n") > 0);
	assert_true(line_of(&p, "mount /q type mqueue label system_u:object_r:x_t:s0:c1,c2\n") > 0);
	assert_true(line_of(&p, "bind /b from /b\n") > 0);
}

static void test_an_annotation_names_the_option_of_the_label(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("", "{\"destination\":\"/a\",\"type\":\"tmpfs\"}",
			      "],\"mountLabel\":\"a:b:c:s0\"},\"annotations\":{"
			      "\"run.oci.mount_context_type\":\"rootcontext\""));

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /a type tmpfs rootcontext=a:b:c:s0\n") > 0);
}

static void test_the_rootfs_comes_first_relative_to_the_bundle(void **state)
{
	cleanup_planned struct planned p = plan(DOCUMENT("", "", "]"));

	assert_int_equal(p.r, 0);
	assert_int_equal(line_of(&p, "rootfs bind / from /bundle/rootfs (recursive)\n"), 0);
}

static void test_a_mount_on_the_root_is_the_rootfs(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("",
			      "{\"destination\":\"/\",\"type\":\"overlay\",\"source\":\"overlay\","
			      "\"options\":[\"lowerdir=/a:/b\",\"volatile\"]}",
			      "]"));

	assert_int_equal(p.r, 0);
	assert_int_equal(line_of(&p, "rootfs / type overlay lowerdir=/a:/b volatile\n"), 0);
	assert_int_equal(line_of(&p, "rootfs bind"), -1);
}

static void test_a_later_mount_on_the_root_is_refused(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("",
			      "{\"destination\":\"/proc\",\"type\":\"proc\"},"
			      "{\"destination\":\"/\",\"type\":\"tmpfs\"}",
			      "]"));

	assert_true(p.r < 0);
	assert_int_equal(p.err.kind, ERROR_INVALID);
}

static void test_devices_follow_the_mounts_and_masks_follow_the_devices(void **state)
{
	cleanup_planned struct planned p = plan(
		DOCUMENT("",
			 "{\"destination\":\"/dev\",\"type\":\"tmpfs\"},"
			 "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\"}",
			 "],\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"]"));

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /dev type tmpfs") < line_of(&p, "mount /dev/shm"));
	assert_true(line_of(&p, "mount /dev/shm") < line_of(&p, "device /dev/null"));
	assert_true(line_of(&p, "symlink /dev/ptmx from pts/ptmx") >= 0);
	assert_true(line_of(&p, "device /dev/zero") < line_of(&p, "read-only /proc/sys"));
	assert_true(line_of(&p, "read-only /proc/sys") < line_of(&p, "mask /proc/kcore"));
}

static void test_a_bound_dev_is_left_alone(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("",
			      "{\"destination\":\"/dev\",\"source\":\"/dev\","
			      "\"options\":[\"rbind\"]}",
			      "]"));

	assert_int_equal(p.r, 0);
	assert_int_equal(line_of(&p, "device"), -1);
	assert_int_equal(line_of(&p, "symlink"), -1);
}

static void test_devices_in_a_user_namespace_are_binds_of_the_host(void **state)
{
	cleanup_planned struct planned p = plan_with(DOCUMENT("", "", "]"), NULL, true);

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "device /dev/null from /dev/null") >= 0);
}

static void test_a_read_only_tmpfs_is_sealed_at_the_end(void **state)
{
	cleanup_planned struct planned p = plan(DOCUMENT(
		",\"readonly\":true",
		"{\"destination\":\"/run\",\"type\":\"tmpfs\",\"options\":[\"ro\"]},"
		"{\"destination\":\"/run/x\",\"source\":\"/etc\",\"options\":[\"bind\",\"ro\"]}",
		"]"));

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /run type tmpfs\n") >= 0);
	assert_true(line_of(&p, "seal /run set 0x1") > line_of(&p, "bind /run/x"));
	assert_true(line_of(&p, "seal / set 0x1") > line_of(&p, "seal /run"));
}

static void test_destinations_are_cleaned(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("", "{\"destination\":\"/a/../../b//c\",\"type\":\"tmpfs\"}", "]"));

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /b/c type tmpfs") >= 0);
}

static void refuses(const char *json, const char *part)
{
	cleanup_planned struct planned p = plan(json);

	assert_true(p.r < 0);
	assert_int_equal(p.err.kind, ERROR_INVALID);
	assert_non_null(strstr(p.err.msg, part));
}

static void test_only_known_files_may_be_mounted_inside_proc(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("",
			      "{\"destination\":\"/proc\",\"type\":\"proc\"},"
			      "{\"destination\":\"/proc/meminfo\",\"source\":\"/x\","
			      "\"options\":[\"bind\"]}",
			      "]"));

	assert_int_equal(p.r, 0);
	refuses(DOCUMENT("",
			 "{\"destination\":\"/proc/self/attr\",\"source\":\"/x\","
			 "\"options\":[\"bind\"]}",
			 "]"),
		"inside /proc");
	refuses(DOCUMENT("", "{\"destination\":\"/dev/../proc/sys\",\"type\":\"tmpfs\"}", "]"),
		"inside /proc");
	refuses(DOCUMENT("", "{\"destination\":\"/proc\",\"type\":\"tmpfs\"}", "]"),
		"must be of type proc");
}

static void test_a_name_that_only_begins_like_proc_is_free(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("", "{\"destination\":\"/process\",\"type\":\"tmpfs\"}", "]"));

	assert_int_equal(p.r, 0);
}

static void test_incomplete_mounts_are_refused_by_name(void **state)
{
	refuses(DOCUMENT("", "{\"destination\":\"/x\",\"options\":[\"bind\"]}", "]"),
		"mounts[0].source");
	refuses(DOCUMENT("", "{\"destination\":\"/x\"}", "]"), "mounts[0].type");
}

static void test_words_of_a_file_system_do_nothing_in_a_bind(void **state)
{
	cleanup_planned struct planned p =
		plan(DOCUMENT("",
			      "{\"destination\":\"/x\",\"source\":\"/y\","
			      "\"options\":[\"bind\",\"size=1m\"]}",
			      "]"));

	assert_int_equal(p.r, 0);
	assert_non_null(strstr(buf_str(&p.text), "bind /x from /y\n"));
}

static void test_an_unknown_rootfs_propagation_is_refused(void **state)
{
	refuses(DOCUMENT("", "", "],\"rootfsPropagation\":\"upwards\""), "upwards");
}

static struct cgroup_node node(const struct cgroup_driver *driver, const char *controllers,
			       const char *dir, const char *mount_point)
{
	return (struct cgroup_node){ .driver = driver,
				     .controllers = (char *)(uintptr_t)controllers,
				     .dir = (char *)(uintptr_t)dir,
				     .mount_point = (char *)(uintptr_t)mount_point };
}

#define CGROUP_MOUNT                                               \
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\"," \
	"\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\"]}"

static void test_v1_hierarchies_are_bound_into_a_sealed_tmpfs(void **state)
{
	struct cgroup_node nodes[] = {
		node(&cgroup_v1, "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/x",
		     "/sys/fs/cgroup/cpu,cpuacct"),
		node(&cgroup_v1, "name=systemd", "/sys/fs/cgroup/systemd/x",
		     "/sys/fs/cgroup/systemd"),
	};
	struct cgroup cg = { nodes, 2 };
	cleanup_planned struct planned p = plan_with(DOCUMENT("", CGROUP_MOUNT, "]"), &cg, false);

	assert_int_equal(p.r, 0);
	assert_true(line_of(&p, "mount /sys/fs/cgroup type tmpfs") >= 0);
	assert_true(line_of(&p, "bind /sys/fs/cgroup/cpu,cpuacct from "
				"/sys/fs/cgroup/cpu,cpuacct/x set 0x3") >= 0);
	assert_true(line_of(&p, "symlink /sys/fs/cgroup/cpuacct from cpu,cpuacct") >= 0);
	assert_true(line_of(&p, "bind /sys/fs/cgroup/systemd from") >= 0);
	assert_true(line_of(&p, "seal /sys/fs/cgroup set 0x1") >
		    line_of(&p, "bind /sys/fs/cgroup/systemd"));
}

static void test_v2_shows_the_own_directory_only_in_an_own_namespace(void **state)
{
	struct cgroup_node nodes[] = { node(&cgroup_v2, "cpu memory", "/sys/fs/cgroup/x",
					    "/sys/fs/cgroup") };
	struct cgroup cg = { nodes, 1 };
	cleanup_planned struct planned shared =
		plan_with(DOCUMENT("", CGROUP_MOUNT, "]"), &cg, false);
	cleanup_planned struct planned own =
		plan_with(DOCUMENT("", CGROUP_MOUNT, ",{\"type\":\"cgroup\"}]"), &cg, false);

	assert_true(line_of(&shared, "bind /sys/fs/cgroup from /sys/fs/cgroup set") >= 0);
	assert_true(line_of(&own, "bind /sys/fs/cgroup from /sys/fs/cgroup/x set") >= 0);
}

static void test_docker_default_document_has_a_plan(void **state)
{
	cleanup_free char *json = NULL;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, CONFIG_DOCKER, 1 << 20, &json, NULL, &err), 0);
	{
		cleanup_planned struct planned p = plan(json);

		assert_int_equal(p.r, 0);
		assert_true(line_of(&p, "mount /proc type proc") >= 0);
		assert_true(line_of(&p, "mask /proc/kcore") >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mount_label_is_the_context_of_new_file_systems),
		cmocka_unit_test(test_an_annotation_names_the_option_of_the_label),
		cmocka_unit_test(test_the_rootfs_comes_first_relative_to_the_bundle),
		cmocka_unit_test(test_a_mount_on_the_root_is_the_rootfs),
		cmocka_unit_test(test_a_later_mount_on_the_root_is_refused),
		cmocka_unit_test(test_devices_follow_the_mounts_and_masks_follow_the_devices),
		cmocka_unit_test(test_a_bound_dev_is_left_alone),
		cmocka_unit_test(test_devices_in_a_user_namespace_are_binds_of_the_host),
		cmocka_unit_test(test_a_read_only_tmpfs_is_sealed_at_the_end),
		cmocka_unit_test(test_destinations_are_cleaned),
		cmocka_unit_test(test_only_known_files_may_be_mounted_inside_proc),
		cmocka_unit_test(test_a_name_that_only_begins_like_proc_is_free),
		cmocka_unit_test(test_incomplete_mounts_are_refused_by_name),
		cmocka_unit_test(test_words_of_a_file_system_do_nothing_in_a_bind),
		cmocka_unit_test(test_an_unknown_rootfs_propagation_is_refused),
		cmocka_unit_test(test_v1_hierarchies_are_bound_into_a_sealed_tmpfs),
		cmocka_unit_test(test_v2_shows_the_own_directory_only_in_an_own_namespace),
		cmocka_unit_test(test_docker_default_document_has_a_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
