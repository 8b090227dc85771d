/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/user.h"
#include "engine/spec_build.h"

struct fixture {
	struct arena *arena;
	struct container_options o;
	struct container_config c;
	struct spec_paths paths;
	struct user_identity user;
	struct buf text;
	struct error err;
};

static const char *const overlay[] = { "lowerdir=/l", "upperdir=/u", "workdir=/w" };

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->arena = arena_new();
	container_options_init(&f->o);
	f->o.image = "x";
	f->o.command = strv_push(NULL, "sh");
	f->c.arena = f->arena;
	f->c.options = &f->o;
	memset(f->c.id, 'a', ID_LEN);
	f->paths = (struct spec_paths){ .dir = "/d",
					.rootfs = "/d/rootfs",
					.mount_type = "overlay",
					.mount_source = "overlay",
					.mount_options = overlay,
					.n_mount_options = 3 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	container_options_done(&f->o);
	buf_done(&f->text);
	arena_free(f->arena);
	free(f);
	return 0;
}

static const char *build(struct fixture *f)
{
	struct oci_spec spec;

	assert_int_equal(container_config_merge(&f->c, NULL, NULL, &f->err), 0);
	spec_build(&f->c, &f->paths, &f->user, &spec);
	assert_int_equal(oci_spec_check(&spec, &f->err), 0);
	buf_clear(&f->text);
	oci_spec_format(&spec, NULL, &f->text);
	return buf_str(&f->text);
}

static void expect(struct fixture *f, const char *part)
{
	const char *text = build(f);

	if (!strstr(text, part))
		fail_msg("'%s' is not in %s", part, text);
}

static void expect_not(struct fixture *f, const char *part)
{
	assert_null(strstr(build(f), part));
}

static void test_root_is_the_first_mount(void **state)
{
	struct fixture *f = *state;

	expect(f, "\"root\":{\"path\":\"/d/rootfs\"");
	expect(f, "\"mounts\":[{\"destination\":\"/\",\"type\":\"overlay\",\"source\":\"overlay\","
		  "\"options\":[\"lowerdir=/l\",\"upperdir=/u\",\"workdir=/w\"]},");
}

static void test_dockers_mounts_are_there(void **state)
{
	static const char *const parts[] = {
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid"
		"\",\"noexec\",\"nodev\"]}",
		"\"size=65536k\"",
		"\"ptmxmode=0666\"",
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":["
		"\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}",
		"\"destination\":\"/sys/fs/cgroup\"",
		"\"size=67108864\"",
		"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/d/hosts\",",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		expect(f, parts[i]);
}

static void test_environment_has_dockers_order(void **state)
{
	struct fixture *f = *state;

	f->o.tty = true;
	f->o.env = strv_push(strv_push(NULL, "A=1"), "TERM=vt100");
	expect(f, "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
		  "\"HOSTNAME=aaaaaaaaaaaa\",\"TERM=vt100\",\"A=1\"]");
}

static void test_namespaces_are_private_by_default(void **state)
{
	struct fixture *f = *state;

	build(f);
	for (size_t i = 0; i < 5; i++) {
		static const char *const types[] = { "mount", "pid", "ipc", "uts", "network" };
		cleanup_free char *part = xasprintf("{\"type\":\"%s\"}", types[i]);

		expect(f, part);
	}
	expect_not(f, "{\"type\":\"cgroup\"}");
}

static void test_joined_namespace_waits_for_its_pid(void **state)
{
	struct fixture *f = *state;

	f->o.network = "container:abc";
	expect(f, "\"path\":\"/proc/0/ns/net\"");
}

static void test_host_namespaces_are_left_out(void **state)
{
	struct fixture *f = *state;

	f->o.uts = "host";
	f->o.pid = "host";
	expect_not(f, "{\"type\":\"uts\"}");
	expect_not(f, "{\"type\":\"pid\"}");
	expect_not(f, "\"hostname\"");
}

static void test_low_ports_are_open_in_a_private_network(void **state)
{
	struct fixture *f = *state;

	expect(f, "\"net.ipv4.ip_unprivileged_port_start\":\"0\"");
	f->o.sysctl = strv_push(NULL, "net.ipv4.ip_unprivileged_port_start=512");
	expect(f, "\"net.ipv4.ip_unprivileged_port_start\":\"512\"");
	f->o.sysctl = strv_free(f->o.sysctl);
	f->o.network = "host";
	expect_not(f, "ip_unprivileged_port_start");
}

static void test_limits_become_resources(void **state)
{
	struct fixture *f = *state;

	f->o.memory = 64 << 20;
	f->o.nano_cpus = 1500000000;
	f->o.pids_limit = 100;
	expect(f, "\"limit\":67108864");
	expect(f, "\"swap\":134217728");
	expect(f, "\"quota\":150000");
	expect(f, "\"period\":100000");
	expect(f, "\"pids\":{\"limit\":100}");
}

static void test_nothing_asked_limits_nothing(void **state)
{
	struct fixture *f = *state;

	expect(f, "\"resources\":{\"devices\":[{\"allow\":false,");
	expect_not(f, "\"memory\":{");
	expect_not(f, "\"cpu\":{");
	expect_not(f, "\"pids\":{");
}

static void test_cgroup_lies_below_its_parent(void **state)
{
	struct fixture *f = *state;

	expect(f, "\"cgroupsPath\":\"/berth/aaaaaaaaaaaa");
	f->o.cgroup_parent = "mine";
	expect(f, "\"cgroupsPath\":\"/mine/aaaaaaaaaaaa");
}

static void test_privileged_masks_nothing_and_writes_sys(void **state)
{
	struct fixture *f = *state;

	expect(f, "\"/proc/kcore\"");
	expect(f, "\"/proc/sysrq-trigger\"");
	f->o.privileged = true;
	expect_not(f, "\"/proc/kcore\"");
	expect_not(f, "\"seccomp\"");
	expect(f, "\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"rw\"]");
	expect(f, "{\"allow\":true,");
}

static void test_users_mount_replaces_the_default(void **state)
{
	struct fixture *f = *state;

	f->o.volume = strv_push(NULL, "/my/hosts:/etc/hosts:ro");
	expect_not(f, "/d/hosts");
	expect(f, "{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/my/hosts\","
		  "\"options\":[\"rbind\",\"rro\",\"rprivate\"]}");
}

static void test_shared_mount_opens_the_roots_propagation(void **state)
{
	struct fixture *f = *state;

	expect_not(f, "rootfsPropagation");
	f->o.volume = strv_push(NULL, "/a:/b:rshared");
	expect(f, "\"rootfsPropagation\":\"shared\"");
}

static void test_init_comes_before_the_command(void **state)
{
	struct fixture *f = *state;

	f->paths.init = "/opt/berth-init";
	expect(f, "\"args\":[\"/sbin/berth-init\",\"--\",\"sh\"]");
	expect(f, "{\"destination\":\"/sbin/berth-init\",\"type\":\"bind\",\"source\":"
		  "\"/opt/berth-init\",\"options\":[\"bind\",\"ro\",\"rprivate\"]}");
}

static void test_text_can_be_read_back(void **state)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	struct fixture *f = *state;
	const char *text = build(f);

	assert_int_equal(oci_spec_parse(text, strlen(text), &spec, &f->err), 0);
	assert_int_equal(spec->process->n_args, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_root_is_the_first_mount),
		T(test_dockers_mounts_are_there),
		T(test_environment_has_dockers_order),
		T(test_namespaces_are_private_by_default),
		T(test_joined_namespace_waits_for_its_pid),
		T(test_host_namespaces_are_left_out),
		T(test_low_ports_are_open_in_a_private_network),
		T(test_limits_become_resources),
		T(test_nothing_asked_limits_nothing),
		T(test_cgroup_lies_below_its_parent),
		T(test_privileged_masks_nothing_and_writes_sys),
		T(test_users_mount_replaces_the_default),
		T(test_shared_mount_opens_the_roots_propagation),
		T(test_init_comes_before_the_command),
		T(test_text_can_be_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
