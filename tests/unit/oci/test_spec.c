/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/spec.h"

#define MINIMAL "\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"}"

static struct oci_spec *load(const char *name)
{
	struct oci_spec *spec = NULL;
	cleanup_free char *path = xasprintf(TEST_DATA_DIR "/%s", name);
	struct error err = { 0 };

	if (oci_spec_load(AT_FDCWD, path, &spec, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	return spec;
}

static struct oci_spec *parse(const char *text)
{
	struct oci_spec *spec = NULL;
	struct error err = { 0 };

	if (oci_spec_parse(text, strlen(text), &spec, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return spec;
}

/* The text of a file without white space. */
static char *compact(const char *name)
{
	cleanup_free char *path = xasprintf(TEST_DATA_DIR "/%s", name), *text = NULL;
	struct arena *arena cleanup_with(arena_free) = arena_new();
	struct buf out = { 0 };
	const struct json *root;
	struct json_writer w;
	struct error err;
	size_t len;

	assert_int_equal(file_read(AT_FDCWD, path, OCI_SPEC_MAX_BYTES, &text, &len, &err), 0);
	assert_int_equal(json_parse(text, len, arena, &root, &err), 0);
	json_writer_init(&w, &out, NULL);
	json_add_value(&w, NULL, root);
	return buf_take(&out);
}

static void test_every_field_of_the_specification_is_read_and_written(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = load("config-full.json");
	cleanup_free char *expected = compact("config-full.json");
	cleanup_buf struct buf out = { 0 };

	oci_spec_format(spec, NULL, &out);
	assert_string_equal(buf_str(&out), expected);
}

static void assert_stable(struct oci_spec *spec)
{
	struct oci_spec *again cleanup_with(oci_spec_free) = NULL;
	cleanup_buf struct buf first = { 0 }, second = { 0 };

	oci_spec_format(spec, "    ", &first);
	again = parse(buf_str(&first));
	oci_spec_format(again, "    ", &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
}

static void test_what_was_written_reads_back_the_same(void **state)
{
	static const char *const files[] = { "config-docker.json", "config-full.json" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct oci_spec *spec cleanup_with(oci_spec_free) = load(files[i]);

		assert_stable(spec);
	}
}

static void test_values_arrive_in_the_struct(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = load("config-full.json");
	const struct oci_process *p = spec->process;
	const struct oci_linux *l = &spec->linux_;

	assert_string_equal(p->args[2], "a \"quoted\" \xc3\xbcml\xc3\xa4ut");
	assert_null(p->args[3]);
	assert_int_equal(p->user.additional_gids[1], 4294967294u);
	assert_true(p->user.umask.set);
	assert_true(p->capabilities->sets[OCI_CAP_EFFECTIVE] == UINT64_C(1) << CAP_CHOWN);
	assert_true(p->capabilities->sets[OCI_CAP_BOUNDING] >> CAP_CHECKPOINT_RESTORE & 1);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(p->rlimits[0].hard == RLIM_INFINITY);
	assert_string_equal(l->namespaces[OCI_NS_NET].path, "/run/netns/full");
	assert_null(l->namespaces[OCI_NS_PID].path);
	assert_int_equal(l->resources.devices[0].type, 'a');
	assert_int_equal(l->resources.devices[0].major, -1);
	assert_int_equal(l->resources.devices[2].minor, -1);
	assert_int_equal(l->resources.devices[1].access, OCI_DEVICE_READ | OCI_DEVICE_WRITE);
	assert_int_equal(l->resources.memory_swap.value, -1);
	assert_true(l->seccomp->rules[1].args[0].value == UINT64_MAX);
	assert_int_equal(l->seccomp->flags, 1 << 1 | 1 << 5);
	assert_string_equal(l->resources.rdma[0].device, "mlx5_1");
	assert_string_equal(l->net_devices[0].host_name, "eth5");
	assert_int_equal(l->monotonic_s, -3);
	assert_string_equal(spec->hooks.list[OCI_HOOK_PRESTART][0].args[1], "-v");
	assert_null(spec->hooks.list[OCI_HOOK_PRESTART][1].args);
	assert_string_equal(oci_spec_annotation(spec, "org.example.a"), "1");
	assert_null(oci_spec_annotation(spec, "org.example.c"));
}

static void test_docker_s_document_is_understood(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = load("config-docker.json");
	struct error err = { 0 };
	size_t names = 0;

	for (size_t i = 0; i < spec->linux_.seccomp->n_rules; i++)
		names += spec->linux_.seccomp->rules[i].n_names;
	assert_true(names > 350);
	assert_int_equal(__builtin_popcountll(spec->process->capabilities->sets[0]), 14);
	assert_int_equal(spec->linux_.n_masked_paths, 12);
	assert_int_equal(oci_spec_check(spec, &err), 0);
}

static void test_absent_sections_stay_empty(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = parse("{" MINIMAL "}");

	assert_null(spec->process);
	assert_null(spec->linux_.seccomp);
	assert_int_equal(spec->n_mounts, 0);
	assert_false(spec->linux_.resources.memory_limit.set);
	assert_false(spec->linux_.namespaces[OCI_NS_PID].wanted);
}

static void test_unknown_fields_and_nulls_are_ignored(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) =
		parse("{" MINIMAL ",\"vm\":{\"x\":[1]},\"mounts\":null,\"linux\":{\"seccomp\":null,"
		      "\"future\":true,\"resources\":{\"memory\":{\"limit\":null}}}}");

	assert_int_equal(spec->n_mounts, 0);
	assert_null(spec->linux_.seccomp);
	assert_false(spec->linux_.resources.memory_limit.set);
}

static void test_unknown_capabilities_are_dropped(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) =
		parse("{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"capabilities\":{\"bounding\":"
		      "[\"CAP_FUTURE\",\"CAP_KILL\"]}}}");

	assert_true(spec->process->capabilities->sets[OCI_CAP_BOUNDING] == UINT64_C(1) << CAP_KILL);
}

static void test_words_with_two_spellings_mean_the_same(void **state)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = parse(
		"{" MINIMAL ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL_THREAD\"},"
		"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"u\",\"major\":1,\"minor\":2}],"
		"\"resources\":{\"devices\":[{\"allow\":false,\"type\":\"\"}]}}}");

	assert_int_equal(spec->linux_.seccomp->default_action, OCI_SECCOMP_KILL_THREAD);
	assert_int_equal(spec->linux_.devices[0].type, 'c');
	assert_int_equal(spec->linux_.resources.devices[0].type, 'a');
}

static const struct {
	const char *text, *message;
} bad_documents[] = {
	{ "", "config.json: the text ends too early: expected a value" },
	{ "[]", "config.json: not an object" },
	{ "{\"root\":{\"path\":\"r\"}}", "config.json: ociVersion: missing" },
	{ "{\"ociVersion\":\"1.0.0\"}", "config.json: root: missing" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{}}", "config.json: root.path: missing" },
	{ "{" MINIMAL ",\"process\":{}}", "config.json: process.cwd: missing" },
	{ "{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[1]}}",
	  "config.json: process.args[0]: not a string" },
	{ "{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\\u0000\"]}}",
	  "config.json: process.args[0]: contains a NUL character" },
	{ "{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}}",
	  "config.json: process.user.uid: -1 is out of range" },
	{ "{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_X\"}]}}",
	  "config.json: process.rlimits[0].type: unknown rlimit 'RLIMIT_X'" },
	{ "{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"capabilities\":[]}}",
	  "config.json: process.capabilities: not an object" },
	{ "{" MINIMAL ",\"mounts\":[{\"destination\":\"/a\"},{}]}",
	  "config.json: mounts[1].destination: missing" },
	{ "{" MINIMAL ",\"mounts\":{}}", "config.json: mounts: not an array" },
	{ "{" MINIMAL ",\"hooks\":{\"prestart\":[{\"timeout\":1}]}}",
	  "config.json: hooks.prestart[0].path: missing" },
	{ "{" MINIMAL ",\"annotations\":{\"a.b\":1}}",
	  "config.json: annotations[\"a.b\"]: not a string" },
	{ "{" MINIMAL ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
	  "config.json: linux.namespaces[1]: namespace 'pid' is listed twice" },
	{ "{" MINIMAL ",\"linux\":{\"namespaces\":[{\"type\":\"disk\"}]}}",
	  "config.json: linux.namespaces[0]: unknown namespace type 'disk'" },
	{ "{" MINIMAL ",\"linux\":{\"namespaces\":[{}]}}",
	  "config.json: linux.namespaces[0].type: missing" },
	{ "{" MINIMAL ",\"linux\":{\"seccomp\":{}}}",
	  "config.json: linux.seccomp.defaultAction: missing" },
	{ "{" MINIMAL ",\"linux\":{\"seccomp\":{\"defaultAction\":\"X\"}}}",
	  "config.json: linux.seccomp.defaultAction: unknown seccomp action 'X'" },
	{ "{" MINIMAL ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\","
	  "\"flags\":[\"X\"]}}}",
	  "config.json: linux.seccomp.flags[0]: unknown seccomp flag 'X'" },
	{ "{" MINIMAL ",\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,"
	  "\"access\":\"rx\"}]}}}",
	  "config.json: linux.resources.devices[0].access: unknown device access 'x' in 'rx'" },
	{ "{" MINIMAL ",\"linux\":{\"resources\":{\"memory\":{\"limit\":1.5}}}}",
	  "config.json: linux.resources.memory.limit: 1.5 is not an integer" },
	{ "{" MINIMAL ",\"linux\":{\"resources\":{\"cpu\":{\"shares\":-1}}}}",
	  "config.json: linux.resources.cpu.shares: -1 is negative" },
};

static void test_bad_documents_are_refused_with_the_field(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_documents); i++) {
		struct oci_spec *spec = NULL;
		struct error err = { 0 };

		assert_int_equal(oci_spec_parse(bad_documents[i].text,
						strlen(bad_documents[i].text), &spec, &err),
				 -EINVAL);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_string_equal(err.msg, bad_documents[i].message);
		assert_null(spec);
	}
}

static void test_no_processes_means_no_limit_before_1_3(void **state)
{
	static const struct {
		const char *version;
		int64_t limit;
	} cases[] = {
		{ "1.0.0", -1 },
		{ "1.2.1", -1 },
		{ "1.3.0", 0 },
		{ "1.10.0", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_spec *spec = NULL;
		struct error err;
		char text[200];

		(void)snprintf(text, sizeof(text),
			       "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"},"
			       "\"linux\":{\"resources\":{\"pids\":{\"limit\":0}}}}",
			       cases[i].version);
		assert_int_equal(oci_spec_parse(text, strlen(text), &spec, &err), 0);
		assert_int_equal(spec->linux_.resources.pids_limit.value, cases[i].limit);
		oci_spec_free(spec);
	}
}

static void test_a_missing_file_is_named(void **state)
{
	struct oci_spec *spec = NULL;
	struct error err = { 0 };

	assert_int_equal(oci_spec_load(AT_FDCWD, "/nonexistent/config.json", &spec, &err), -ENOENT);
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/config.json"));
}

static void test_a_process_alone_is_read(void **state)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	static const char text[] = "{\"cwd\":\"/\",\"args\":[\"ls\"],\"terminal\":true}";
	static const char broken[] = "{\"cwd\":5}";
	const struct oci_process *process = NULL;
	struct error err = { 0 };

	assert_int_equal(oci_process_parse(text, strlen(text), arena, &process, &err), 0);
	assert_true(process->terminal);
	assert_string_equal(process->args[0], "ls");
	assert_int_equal(oci_process_parse(broken, strlen(broken), arena, &process, &err), -EINVAL);
	assert_string_equal(err.msg, "process: cwd: not a string");
}

static void test_resources_alone_are_read(void **state)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	static const char text[] = "{\"memory\":{\"limit\":1048576},\"pids\":{\"limit\":-1}}";
	struct oci_resources res = { 0 };
	struct error err = { 0 };

	assert_int_equal(oci_resources_parse(text, strlen(text), arena, &res, &err), 0);
	assert_int_equal(res.memory_limit.value, 1048576);
	assert_true(res.pids_limit.set);
	assert_int_equal(res.pids_limit.value, -1);
	assert_false(res.cpu_quota.set);
}

static void test_the_default_is_valid_and_stable(void **state)
{
	for (int rootless = 0; rootless <= 1; rootless++) {
		struct oci_spec *spec cleanup_with(oci_spec_free) = oci_spec_default(rootless);
		struct error err = { 0 };

		assert_int_equal(oci_spec_check(spec, &err), 0);
		assert_stable(spec);
		assert_string_equal(spec->process->args[0], "sh");
		assert_true(spec->linux_.namespaces[OCI_NS_USER].wanted == rootless);
		assert_true(spec->linux_.namespaces[OCI_NS_NET].wanted == !rootless);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_of_the_specification_is_read_and_written),
		cmocka_unit_test(test_what_was_written_reads_back_the_same),
		cmocka_unit_test(test_values_arrive_in_the_struct),
		cmocka_unit_test(test_docker_s_document_is_understood),
		cmocka_unit_test(test_absent_sections_stay_empty),
		cmocka_unit_test(test_unknown_fields_and_nulls_are_ignored),
		cmocka_unit_test(test_unknown_capabilities_are_dropped),
		cmocka_unit_test(test_words_with_two_spellings_mean_the_same),
		cmocka_unit_test(test_bad_documents_are_refused_with_the_field),
		cmocka_unit_test(test_no_processes_means_no_limit_before_1_3),
		cmocka_unit_test(test_a_missing_file_is_named),
		cmocka_unit_test(test_a_process_alone_is_read),
		cmocka_unit_test(test_resources_alone_are_read),
		cmocka_unit_test(test_the_default_is_valid_and_stable),
	};

	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
