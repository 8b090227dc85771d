/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/spec.h"
#include "runtime/cgroup/resources.h"

static const struct cgroup_place v1_places[] = {
	{ false, "cpu,cpuacct" },  { false, "cpuset" },
	{ false, "memory" },	   { false, "pids" },
	{ false, "blkio" },	   { false, "hugetlb" },
	{ false, "net_cls" },	   { false, "net_prio" },
	{ false, "name=systemd" }, { true, "" },
};

static const struct cgroup_place v2_places[] = {
	{ true, "cpuset,cpu,io,memory,hugetlb,pids,rdma,misc" },
};

/* "place file=value\n" per write; "?" optional, "~" retried. */
static int plan_text(const char *document, const struct cgroup_place *places, size_t n_places,
		     struct buf *out, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_cgroup_plan struct cgroup_plan plan = { 0 };
	struct oci_resources r = { 0 };
	int result = oci_resources_parse(document, strlen(document), arena, &r, err);

	if (result == 0)
		result = cgroup_plan_resources(&r, places, n_places, &plan, err);
	for (size_t i = 0; result == 0 && i < plan.n; i++) {
		const struct cgroup_write *w = &plan.writes[i];

		buf_printf(out, "%zu %s=%s%s%s", w->place, w->file, w->value,
			   w->flags & CGROUP_WRITE_OPTIONAL ? "?" : "",
			   w->flags & CGROUP_WRITE_RETRY ? "~" : "");
		if (w->other_file)
			buf_printf(out, " or %s=%s", w->other_file, w->other_value);
		buf_putc(out, '\n');
	}
	return result;
}

static void expect_v1(const char *document, const char *text)
{
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	assert_int_equal(plan_text(document, v1_places, ARRAY_SIZE(v1_places), &out, &err), 0);
	assert_string_equal(buf_str(&out), text);
}

static void expect_v2(const char *document, const char *text)
{
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	assert_int_equal(plan_text(document, v2_places, ARRAY_SIZE(v2_places), &out, &err), 0);
	assert_string_equal(buf_str(&out), text);
}

static void expect_error(const char *document, const struct cgroup_place *places, size_t n,
			 enum error_kind kind, const char *part)
{
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	assert_true(plan_text(document, places, n, &out, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.msg, part));
}

static void test_nothing_asked_writes_nothing(void **state)
{
	expect_v1("{}", "");
	expect_v2("{}", "");
	expect_v1("{\"memory\":{},\"cpu\":{\"shares\":0},\"blockIO\":{\"weight\":0}}", "");
	expect_v2("{\"memory\":{},\"cpu\":{\"shares\":0},\"blockIO\":{\"weight\":0}}", "");
}

static void test_shares_keep_the_defaults_together(void **state)
{
	assert_int_equal(cgroup_shares_to_weight(0), 0);
	assert_int_equal(cgroup_shares_to_weight(1), 1);
	assert_int_equal(cgroup_shares_to_weight(2), 1);
	assert_int_equal(cgroup_shares_to_weight(1024), 100);
	assert_int_equal(cgroup_shares_to_weight(262144), 10000);
	assert_int_equal(cgroup_shares_to_weight(999999999), 10000);
	for (uint64_t shares = 2; shares < 262144; shares *= 2)
		assert_true(cgroup_shares_to_weight(shares) < cgroup_shares_to_weight(shares * 2));
}

static void test_cpu(void **state)
{
	static const char document[] =
		"{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000,\"burst\":1000}}";

	expect_v1(document, "0 cpu.shares=512~\n0 cpu.cfs_period_us=100000~\n"
			    "0 cpu.cfs_quota_us=50000~\n0 cpu.cfs_burst_us=1000~\n");
	expect_v2(document, "0 cpu.weight=59\n0 cpu.max=50000 100000~\n0 cpu.max.burst=1000\n");
}

static void test_cpu_quota_below_zero_is_no_limit(void **state)
{
	expect_v1("{\"cpu\":{\"quota\":-1}}", "0 cpu.cfs_quota_us=-1~\n");
	expect_v2("{\"cpu\":{\"quota\":-1}}", "0 cpu.max=max~\n");
	expect_v2("{\"cpu\":{\"quota\":-1,\"period\":50000}}", "0 cpu.max=max 50000~\n");
	expect_v2("{\"cpu\":{\"quota\":2000}}", "0 cpu.max=2000~\n");
}

static void test_cpu_shares_out_of_range_are_refused_on_v1(void **state)
{
	expect_error("{\"cpu\":{\"shares\":1}}", v1_places, ARRAY_SIZE(v1_places), ERROR_INVALID,
		     "linux.resources.cpu.shares");
	expect_v2("{\"cpu\":{\"shares\":1}}", "0 cpu.weight=1\n");
}

static void test_idle_is_written_before_a_weight(void **state)
{
	expect_v2("{\"cpu\":{\"idle\":1,\"shares\":512}}", "0 cpu.idle=1\n");
	expect_v2("{\"cpu\":{\"idle\":0,\"shares\":1024}}", "0 cpu.idle=0\n0 cpu.weight=100\n");
}

static void test_cpuset(void **state)
{
	expect_v1("{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}}",
		  "1 cpuset.cpus=0-1\n1 cpuset.mems=0\n");
	expect_v2("{\"cpu\":{\"cpus\":\"0-1\"}}", "0 cpuset.cpus=0-1\n");
}

static void test_memory_and_swap(void **state)
{
	static const char document[] =
		"{\"memory\":{\"limit\":1048576,\"swap\":3145728,\"reservation\":524288}}";

	expect_v1(document, "2 memory.limit_in_bytes=1048576~\n"
			    "2 memory.memsw.limit_in_bytes=3145728~\n"
			    "2 memory.soft_limit_in_bytes=524288\n");
	expect_v2(document, "0 memory.swap.max=2097152\n0 memory.max=1048576\n"
			    "0 memory.low=524288\n");
}

static void test_swap_equal_to_memory_is_none(void **state)
{
	expect_v2("{\"memory\":{\"limit\":4096,\"swap\":4096}}",
		  "0 memory.swap.max=0?\n0 memory.max=4096\n");
}

static void test_unlimited_memory_frees_swap_too(void **state)
{
	expect_v1("{\"memory\":{\"limit\":-1}}", "2 memory.limit_in_bytes=-1?~\n"
						 "2 memory.memsw.limit_in_bytes=-1?~\n");
	expect_v2("{\"memory\":{\"limit\":-1}}", "0 memory.swap.max=max?\n0 memory.max=max?\n");
}

static void test_swap_needs_a_larger_memory_limit(void **state)
{
	expect_error("{\"memory\":{\"swap\":4096}}", v2_places, 1, ERROR_INVALID, "memory limit");
	expect_error("{\"memory\":{\"limit\":8192,\"swap\":4096}}", v2_places, 1, ERROR_INVALID,
		     "less than");
}

static void test_swappiness_is_checked_and_v1_only(void **state)
{
	expect_v1("{\"memory\":{\"swappiness\":60}}", "2 memory.swappiness=60\n");
	expect_v2("{\"memory\":{\"swappiness\":60}}", "");
	expect_error("{\"memory\":{\"swappiness\":101}}", v2_places, 1, ERROR_INVALID,
		     "swappiness");
}

static void test_pids_below_zero_mean_no_limit(void **state)
{
	expect_v1("{\"pids\":{\"limit\":100}}", "3 pids.max=100\n");
	expect_v2("{\"pids\":{\"limit\":-1}}", "0 pids.max=max?\n");
	expect_v1("{\"pids\":{\"limit\":-7}}", "3 pids.max=max?\n");
	expect_v1("{\"pids\":{}}", "");
}

static void test_pids_zero_leaves_room_for_the_first_process(void **state)
{
	expect_v1("{\"pids\":{\"limit\":0}}", "3 pids.max=0\n");
	expect_v2("{\"pids\":{\"limit\":0}}", "0 pids.max=1\n");
}

static void test_block_weight(void **state)
{
	assert_int_equal(cgroup_blkio_to_io_weight(10), 1);
	assert_int_equal(cgroup_blkio_to_io_weight(1000), 10000);
	assert_int_equal(cgroup_blkio_to_io_weight(100000), 10000);
	expect_v1("{\"blockIO\":{\"weight\":500}}", "4 blkio.weight=500 or blkio.bfq.weight=500\n");
	expect_v2("{\"blockIO\":{\"weight\":500}}", "0 io.bfq.weight=500 or io.weight=4950\n");
}

static void test_leaf_weights_are_of_v1(void **state)
{
	expect_v1("{\"blockIO\":{\"leafWeight\":300}}", "4 blkio.leaf_weight=300\n");
	expect_error("{\"blockIO\":{\"leafWeight\":300}}", v2_places, 1, ERROR_UNSUPPORTED,
		     "linux.resources.blockIO.leafWeight");
}

static void test_block_throttles(void **state)
{
	static const char document[] =
		"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
		"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":0}]}}";

	expect_v1(document, "4 blkio.throttle.read_bps_device=8:0 600\n"
			    "4 blkio.throttle.write_iops_device=8:16 0\n");
	expect_v2(document, "0 io.max=8:0 rbps=600\n0 io.max=8:16 wiops=max\n");
}

static void test_huge_pages(void **state)
{
	static const char document[] =
		"{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}";

	expect_v1(document, "5 hugetlb.2MB.limit_in_bytes=4194304\n"
			    "5 hugetlb.2MB.rsvd.limit_in_bytes=4194304?\n");
	expect_v2(document, "0 hugetlb.2MB.max=4194304\n0 hugetlb.2MB.rsvd.max=4194304?\n");
}

static void test_network_is_of_v1(void **state)
{
	static const char document[] = "{\"network\":{\"classID\":1048577,"
				       "\"priorities\":[{\"name\":\"eth0\",\"priority\":500}]}}";

	expect_v1(document, "6 net_cls.classid=1048577\n7 net_prio.ifpriomap=eth0 500\n");
	expect_error(document, v2_places, 1, ERROR_UNSUPPORTED, "net_cls");
}

static void test_rdma(void **state)
{
	expect_v2("{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000}}}",
		  "0 rdma.max=mlx5_1 hca_handle=3 hca_object=10000\n");
}

static void test_unified_lines_are_written_one_by_one(void **state)
{
	expect_v2("{\"unified\":{\"io.max\":\"8:0 rbps=1\\n8:16 rbps=2\"}}",
		  "0 io.max=8:0 rbps=1\n0 io.max=8:16 rbps=2\n");
	expect_v1("{\"unified\":{\"cgroup.max.depth\":\"3\"}}", "9 cgroup.max.depth=3\n");
}

static void test_unified_stays_in_its_directory(void **state)
{
	expect_error("{\"unified\":{\"memory.x/../../y\":\"1\"}}", v2_places, 1, ERROR_INVALID,
		     "memory.x/../../y");
	expect_error("{\"unified\":{\"memory\":\"1\"}}", v2_places, 1, ERROR_INVALID, "memory");
	expect_error("{\"unified\":{\"dmem.max\":\"1\"}}", v2_places, 1, ERROR_UNSUPPORTED, "dmem");
	expect_error("{\"unified\":{\"memory.max\":\"1\"}}", v1_places, 3, ERROR_UNSUPPORTED,
		     "no cgroup v2");
}

static void test_a_limit_without_its_controller_names_the_field(void **state)
{
	expect_error("{\"pids\":{\"limit\":5}}", v1_places, 3, ERROR_UNSUPPORTED,
		     "linux.resources.pids.limit");
	expect_error("{\"memory\":{\"limit\":4096}}", NULL, 0, ERROR_UNSUPPORTED,
		     "linux.resources.memory");
}

static void test_no_limit_needs_no_controller(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	assert_int_equal(plan_text("{\"pids\":{\"limit\":-1},\"memory\":{\"limit\":-1,\"swap\":-1},"
				   "\"cpu\":{\"quota\":-1}}",
				   NULL, 0, &out, &err),
			 0);
	assert_string_equal(buf_str(&out), "");
}

static void test_a_hybrid_host_mixes_versions(void **state)
{
	static const struct cgroup_place places[] = { { false, "memory" },
						      { true, "hugetlb,pids" } };
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	assert_int_equal(plan_text("{\"memory\":{\"limit\":4096},\"pids\":{\"limit\":7}}", places,
				   2, &out, &err),
			 0);
	assert_string_equal(buf_str(&out), "0 memory.limit_in_bytes=4096~\n1 pids.max=7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asked_writes_nothing),
		cmocka_unit_test(test_shares_keep_the_defaults_together),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_cpu_quota_below_zero_is_no_limit),
		cmocka_unit_test(test_cpu_shares_out_of_range_are_refused_on_v1),
		cmocka_unit_test(test_idle_is_written_before_a_weight),
		cmocka_unit_test(test_cpuset),
		cmocka_unit_test(test_memory_and_swap),
		cmocka_unit_test(test_swap_equal_to_memory_is_none),
		cmocka_unit_test(test_unlimited_memory_frees_swap_too),
		cmocka_unit_test(test_swap_needs_a_larger_memory_limit),
		cmocka_unit_test(test_swappiness_is_checked_and_v1_only),
		cmocka_unit_test(test_pids_below_zero_mean_no_limit),
		cmocka_unit_test(test_pids_zero_leaves_room_for_the_first_process),
		cmocka_unit_test(test_block_weight),
		cmocka_unit_test(test_leaf_weights_are_of_v1),
		cmocka_unit_test(test_block_throttles),
		cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_network_is_of_v1),
		cmocka_unit_test(test_rdma),
		cmocka_unit_test(test_unified_lines_are_written_one_by_one),
		cmocka_unit_test(test_unified_stays_in_its_directory),
		cmocka_unit_test(test_a_limit_without_its_controller_names_the_field),
		cmocka_unit_test(test_no_limit_needs_no_controller),
		cmocka_unit_test(test_a_hybrid_host_mixes_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
