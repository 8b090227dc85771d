/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cgroup part reads: mountinfo, /proc/PID/cgroup, and linux.resources turned into writes
 * for three kinds of hosts. Whatever the bytes, a file name to be written never leaves its
 * directory, and the device program of the rules stays inside itself.
 */
#include <assert.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/cgroupfs.h"
#include "oci/spec.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"
#include "runtime/cgroup/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_mounts(const char *text)
{
	cleanup_free char *copy = xstrdup(text);
	struct cgroupfs fs;
	uint64_t value;

	cgroupfs_parse(copy, &fs);
	for (size_t i = 0; i < fs.n; i++) {
		free(cgroupfs_parse_own(text, &fs.h[i]));
		(void)cgroupfs_list_has(fs.h[i].controllers, "memory");
	}
	(void)cgroupfs_key_u64(text, "frozen", &value);
	cgroupfs_done(&fs);
}

static void try_devices(const struct oci_resources *r)
{
	struct device_list list;
	struct bpf_insn *insns;
	size_t n;

	device_list_build(r->devices, r->n_devices, &list);
	devices_bpf_assemble(&list, &insns, &n);
	for (size_t i = 0; i < n; i++) {
		if (BPF_CLASS(insns[i].code) != BPF_JMP32)
			continue;
		assert(insns[i].off >= 0 && i + 1 + (size_t)insns[i].off < n);
	}
	(void)device_list_v1_obstacle(&list);
	free(insns);
	device_list_done(&list);
}

static void try_limits(const struct oci_resources *r)
{
	static const struct cgroup_place v1[] = { { false, "cpu,cpuacct" }, { false, "memory" },
						  { false, "cpuset" },	    { false, "pids" },
						  { false, "blkio" },	    { false, "hugetlb" },
						  { false, "net_cls" },	    { false, "net_prio" },
						  { false, "rdma" },	    { true, "" } };
	static const struct cgroup_place v2[] = {
		{ true, "cpuset,cpu,io,memory,hugetlb,pids,rdma,misc" }
	};
	static const struct {
		const struct cgroup_place *places;
		size_t n;
	} hosts[] = { { v1, ARRAY_SIZE(v1) }, { v2, ARRAY_SIZE(v2) }, { NULL, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		cleanup_cgroup_plan struct cgroup_plan plan = { 0 };
		struct error err = { 0 };

		if (cgroup_plan_resources(r, hosts[i].places, hosts[i].n, &plan, &err) < 0)
			continue;
		for (size_t k = 0; k < plan.n; k++) {
			assert(plan.writes[k].place < hosts[i].n);
			assert(!strchr(plan.writes[k].file, '/'));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct oci_resources r = { 0 };
	struct error err = { 0 };

	try_mounts(text);
	if (oci_resources_parse(text, strlen(text), arena, &r, &err) < 0)
		return 0;
	try_devices(&r);
	try_limits(&r);
	return 0;
}
