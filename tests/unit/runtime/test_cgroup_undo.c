/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "runtime/cgroup/limits.h"

static void test_the_value_that_brings_the_content_back(void **state)
{
	static const struct {
		const char *file, *before, *value, *expected;
	} cases[] = {
		{ "memory.max", "max\n", "4096", "max" },
		{ "memory.limit_in_bytes", "9223372036854771712\n", "4096", "9223372036854771712" },
		{ "cpu.max", "max 100000\n", "2000 50000", "max 100000" },
		{ "cpuset.cpus", "\n", "0", "" },
		{ "cpuset.cpus", "0-1\n", "0", "0-1" },
		{ "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", "0", "1" },
		{ "io.weight", "default 100\n8:0 50\n", "200", "default 100" },
		{ "io.weight", "default 100\n8:0 50\n", "8:0 200", "8:0 50" },
		{ "io.weight", "default 100\n8:0 50\n", "8:16 200", "8:16 default" },
		{ "io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n", "8:0 rbps=9",
		  "8:0 rbps=1 wbps=max riops=max wiops=max" },
		{ "io.max", "", "8:0 rbps=9", "8:0 rbps=max wbps=max riops=max wiops=max" },
		{ "blkio.throttle.read_bps_device", "8:16 5\n", "8:1 7", "8:1 0" },
		{ "blkio.throttle.read_bps_device", "8:16 5\n8:1 6\n", "8:1 7", "8:1 6" },
		{ "net_prio.ifpriomap", "lo 0\neth0 3\n", "eth0 500", "eth0 3" },
		{ "rdma.max", "mlx5_0 hca_handle=2 hca_object=max\n", "mlx5_0 hca_handle=5",
		  "mlx5_0 hca_handle=2 hca_object=max" },
		{ "dmem.max", "", "drm/0 5", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *value =
			cgroup_undo_value(cases[i].file, cases[i].before, cases[i].value);

		if (!str_eq(value, cases[i].expected))
			fail_msg("%s: '%s', expected '%s'", cases[i].file, value ? value : "(none)",
				 cases[i].expected ? cases[i].expected : "(none)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_value_that_brings_the_content_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
