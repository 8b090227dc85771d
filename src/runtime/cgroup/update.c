/* SPDX-License-Identifier: Apache-2.0 */

/*
 * New limits for a container that runs. What is not named stays; a limit that the kernel takes only
 * together with another one is completed by what stands there now. After a failure the old limits
 * are back.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"
#include "kernel/cgroupfs.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/limits.h"
#include "runtime/cgroup/resources.h"

/* A limit below what is in use would have the kernel kill to reach it. v1's memory.limit_in_bytes
 * refuses that by itself. */
static int check_usage(const struct cgroup *cg, const struct oci_resources *r, struct error *err)
{
	if (!r->memory_check_before_update)
		return 0;
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		const char *file = n->driver->v2 ? "memory.current" : "memory.usage_in_bytes";
		uint64_t usage;

		if (!cgroupfs_list_has(n->controllers, "memory") ||
		    cgroupfs_read_u64(n->dir_fd, file, &usage) < 0)
			continue;
		if (r->memory_swap.value > 0 && usage >= (uint64_t)r->memory_swap.value)
			return error_kind(err, ERROR_CONFLICT,
					  "rejecting memory+swap limit %" PRId64 ", %" PRIu64
					  " bytes are in use",
					  r->memory_swap.value, usage);
		if (r->memory_limit.value > 0 && usage >= (uint64_t)r->memory_limit.value)
			return error_kind(err, ERROR_CONFLICT,
					  "rejecting memory limit %" PRId64 ", %" PRIu64
					  " bytes are in use",
					  r->memory_limit.value, usage);
	}
	return 0;
}

/* v2 limits swap alone: a new sum of both needs the memory limit that stands. */
static void complete_swap(const struct cgroup_node *n, struct oci_resources *r)
{
	uint64_t limit;

	if (r->memory_swap.value > 0 && r->memory_limit.value == 0 &&
	    cgroupfs_read_u64(n->dir_fd, "memory.max", &limit) == 0 && limit <= INT64_MAX)
		r->memory_limit = (struct opt_i64){ true, (int64_t)limit };
}

/* v2 has quota and period in one file, the quota first: a new period needs the quota that stands. */
static void complete_quota(const struct cgroup_node *n, struct oci_resources *r)
{
	char text[64];
	long long quota;

	if (r->cpu_period.value && r->cpu_quota.value == 0 &&
	    cgroupfs_read(n->dir_fd, "cpu.max", text, sizeof(text)) > 0 &&
	    sscanf(text, "%lld", &quota) == 1)
		r->cpu_quota = (struct opt_i64){ true, quota };
}

static void complete(struct cgroup *cg, struct oci_resources *r)
{
	for (size_t i = 0; i < cg->n; i++) {
		struct cgroup_node *n = &cg->nodes[i];

		if (!n->driver->v2)
			continue;
		if (!*n->controllers) { /* the state file does not tell */
			free(n->controllers);
			n->controllers = cgroup_read_controllers(n->dir);
		}
		complete_swap(n, r);
		complete_quota(n, r);
	}
}

/* v1 sets rules one by one, and nobody shall meet half of them; v2 replaces the program at once. */
static int update_devices(const struct cgroup *cg, const struct oci_resources *r, struct error *err)
{
	bool frozen = false, froze = false, one_by_one = false;
	struct error ignored;
	int result;

	if (r->n_devices == 0)
		return 0;
	for (size_t i = 0; i < cg->n; i++)
		one_by_one |= cgroupfs_list_has(cg->nodes[i].controllers, "devices");
	if (one_by_one && cgroup_frozen(cg, &frozen, &ignored) == 0 && !frozen)
		froze = cgroup_freeze(cg, &ignored) == 0;
	result = cgroup_apply_devices(cg, r, false, err);
	if (froze)
		(void)cgroup_thaw(cg, result < 0 ? &ignored : err);
	return result;
}

int cgroup_update(struct cgroup *cg, const struct oci_resources *changes, struct error *err)
{
	cleanup_cgroup_plan struct cgroup_plan plan = { 0 };
	cleanup_cgroup_undo struct cgroup_undo undo = { 0 };
	struct oci_resources all = *changes;
	int r;

	complete(cg, &all);
	r = cgroup_plan_limits(cg, &all, &plan, err);
	if (r == 0)
		r = check_usage(cg, changes, err);
	if (r < 0)
		return r;
	r = cgroup_write_plan(cg, &plan, &undo, err);
	if (r == 0)
		r = update_devices(cg, &all, err);
	if (r < 0)
		cgroup_undo_restore(&undo, cg);
	return r;
}
