/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/features.h"
#include "oci/state.h"
#include "oci/words.h"

static void test_a_state_is_written_for_people_and_for_hooks(void **state)
{
	static const struct oci_pair annotations[] = { { "k", "v" } };
	static const struct oci_state s = {
		.id = "web",
		.status = OCI_STATUS_RUNNING,
		.pid = 4422,
		.bundle = "/bundle",
		.rootfs = "/bundle/rootfs",
		.annotations = annotations,
		.n_annotations = 1,
	};
	cleanup_buf struct buf line = { 0 }, lines = { 0 };

	oci_state_format(&s, NULL, &line);
	assert_string_equal(buf_str(&line),
			    "{\"ociVersion\":\"" OCI_VERSION "\",\"id\":\"web\","
			    "\"pid\":4422,\"status\":\"running\",\"bundle\":\"/bundle\","
			    "\"rootfs\":\"/bundle/rootfs\",\"annotations\":{\"k\":\"v\"}}");
	oci_state_format(&s, "  ", &lines);
	assert_non_null(strstr(buf_str(&lines), "\n  \"status\": \"running\",\n"));
}

static void test_states_make_an_array(void **state)
{
	static const struct oci_state states[] = {
		{ .id = "a", .bundle = "/a", .status = OCI_STATUS_STOPPED },
		{ .id = "b", .bundle = "/b", .status = OCI_STATUS_CREATED, .pid = 7 },
	};
	cleanup_buf struct buf out = { 0 };

	oci_states_format(NULL, 0, &out);
	assert_string_equal(buf_str(&out), "[]");
	buf_clear(&out);
	oci_states_format(states, 2, &out);
	assert_non_null(strstr(buf_str(&out), "\"pid\":0,\"status\":\"stopped\""));
	assert_non_null(strstr(buf_str(&out), "},{"));
}

static void test_a_state_reads_back(void **state)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	static const char text[] = "{\"ociVersion\":\"1.2.0\",\"id\":\"x\",\"status\":\"paused\","
				   "\"bundle\":\"/b\",\"owner\":\"root\"}";
	static const char bad[] = "{\"ociVersion\":\"1.2.0\",\"id\":\"x\",\"status\":\"gone\","
				  "\"bundle\":\"/b\"}";
	struct oci_state s;
	struct error err = { 0 };

	assert_int_equal(oci_state_parse(text, strlen(text), arena, &s, &err), 0);
	assert_int_equal(s.status, OCI_STATUS_PAUSED);
	assert_string_equal(s.owner, "root");
	assert_int_equal(s.pid, 0);
	assert_int_equal(oci_state_parse(bad, strlen(bad), arena, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "state: status: unknown status 'gone'");
}

static void test_features_show_what_is_supported(void **state)
{
	static const char *const hooks[] = { "prestart", "poststop" };
	static const struct oci_features features = {
		.version_min = "1.0.0",
		.version_max = OCI_VERSION,
		.hooks = { hooks, 2 },
		.cgroup_v2 = true,
		.seccomp = true,
	};
	cleanup_buf struct buf out = { 0 };

	oci_features_format(&features, NULL, &out);
	assert_string_equal(
		buf_str(&out),
		"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"" OCI_VERSION "\","
		"\"hooks\":[\"prestart\",\"poststop\"],\"linux\":{\"cgroup\":{\"v1\":false,"
		"\"v2\":true,\"systemd\":false,\"systemdUser\":false,\"rdma\":false},"
		"\"seccomp\":{\"enabled\":true},\"apparmor\":{\"enabled\":false},"
		"\"selinux\":{\"enabled\":false},\"intelRdt\":{\"enabled\":false,\"schemata\":false,\"monitoring\":false},"
		"\"mountExtensions\":{\"idmap\":{\"enabled\":false}},"
		"\"netDevices\":{\"enabled\":false}}}");
}

static void test_word_lists_are_sorted(void **state)
{
	static const struct oci_words *const all[] = {
		&oci_capability_words,	   &oci_rlimit_words,	  &oci_namespace_words,
		&oci_seccomp_action_words, &oci_seccomp_op_words, &oci_seccomp_arch_words,
		&oci_seccomp_flag_words,   &oci_hook_words,	  &oci_device_words,
		&oci_device_rule_words,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t j = 0; j < all[i]->n; j++)
			assert_ptr_equal(oci_words_find(all[i], all[i]->list[j].name),
					 &all[i]->list[j]);
}

static void test_every_capability_of_the_kernel_has_a_name(void **state)
{
	for (int cap = 0; cap <= 40; cap++)
		assert_non_null(oci_words_name(&oci_capability_words, cap));
	assert_int_equal(oci_capability_words.n, 41);
}

static void test_names_of_words_make_a_list(void **state)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const char *const *names = oci_words_names(&oci_hook_words, arena);

	assert_string_equal(names[0], "createContainer");
	assert_null(names[oci_hook_words.n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_state_is_written_for_people_and_for_hooks),
		cmocka_unit_test(test_states_make_an_array),
		cmocka_unit_test(test_a_state_reads_back),
		cmocka_unit_test(test_features_show_what_is_supported),
		cmocka_unit_test(test_word_lists_are_sorted),
		cmocka_unit_test(test_every_capability_of_the_kernel_has_a_name),
		cmocka_unit_test(test_names_of_words_make_a_list),
	};

	return cmocka_run_group_tests_name("state and features", tests, NULL, NULL);
}
