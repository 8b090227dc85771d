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
#include "oci/words.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features_show_what_is_supported),
		cmocka_unit_test(test_word_lists_are_sorted),
		cmocka_unit_test(test_every_capability_of_the_kernel_has_a_name),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
