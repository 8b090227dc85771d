/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macro.h"
#include "oci/spec.h"
#include "runtime/mempolicy.h"

static const char *const good_flags[] = { "MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING" };
static const char *const bad_flags[] = { "MPOL_F_STATIC_NODES", "MPOL_F_NEAR" };

static void test_modes_and_nodes_that_go_together(void **state)
{
	static const struct oci_linux cases[] = {
		{ .mempolicy_mode = NULL },
		{ .mempolicy_mode = "MPOL_DEFAULT" },
		{ .mempolicy_mode = "MPOL_LOCAL", .mempolicy_nodes = "" },
		{ .mempolicy_mode = "MPOL_PREFERRED" },
		{ .mempolicy_mode = "MPOL_PREFERRED", .mempolicy_nodes = "1" },
		{ .mempolicy_mode = "MPOL_PREFERRED_MANY", .mempolicy_nodes = "0-1,3" },
		{ .mempolicy_mode = "MPOL_INTERLEAVE", .mempolicy_nodes = "0" },
		{ .mempolicy_mode = "MPOL_WEIGHTED_INTERLEAVE", .mempolicy_nodes = "0" },
		{ .mempolicy_mode = "MPOL_BIND",
		  .mempolicy_nodes = "0",
		  .mempolicy_flags = good_flags,
		  .n_mempolicy_flags = 2 },
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(mempolicy_check(&cases[i], &err), 0);
}

static void test_what_the_kernel_would_refuse_is_named(void **state)
{
	static const struct {
		struct oci_linux config;
		const char *field;
	} cases[] = {
		{ { .mempolicy_mode = "MPOL_NEAR" }, "memoryPolicy.mode" },
		{ { .mempolicy_mode = "MPOL_BIND" }, "memoryPolicy.nodes: MPOL_BIND needs" },
		{ { .mempolicy_mode = "MPOL_LOCAL", .mempolicy_nodes = "0" },
		  "memoryPolicy.nodes: MPOL_LOCAL takes none" },
		{ { .mempolicy_mode = "MPOL_BIND", .mempolicy_nodes = "x" },
		  "memoryPolicy.nodes: 'x'" },
		{ { .mempolicy_mode = "MPOL_BIND", .mempolicy_nodes = "1024" },
		  "memoryPolicy.nodes: '1024'" },
		{ { .mempolicy_mode = "MPOL_BIND",
		    .mempolicy_nodes = "0",
		    .mempolicy_flags = bad_flags,
		    .n_mempolicy_flags = 2 },
		  "memoryPolicy.flags[1]: unknown flag 'MPOL_F_NEAR'" },
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(mempolicy_check(&cases[i].config, &err) < 0);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.msg, cases[i].field));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes_and_nodes_that_go_together),
		cmocka_unit_test(test_what_the_kernel_would_refuse_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
