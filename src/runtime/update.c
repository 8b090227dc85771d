/* SPDX-License-Identifier: Apache-2.0 */

/* What the container's cgroups tell and take: processes, statistics, limits. */
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/stats.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

static int open_cgroup(const char *root_path, const char *id, struct container **ret_c,
		       struct cgroup **ret_cg, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	int r = container_open(root_path, id, &c, err);

	if (r == 0)
		r = cgroup_open(c->cgroups, ret_cg, err);
	if (r < 0)
		return r;
	*ret_c = take_ptr(&c);
	return 0;
}

int runtime_update(const char *root_path, const char *id, const struct oci_resources *resources,
		   struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	enum container_status status;
	int r = open_cgroup(root_path, id, &c, &cg, err);

	if (r == 0)
		r = container_get_status(c, &status, err);
	if (r < 0)
		return r;
	if (status == CONTAINER_STOPPED)
		return error_kind(err, ERROR_CONFLICT, "container not running");
	return cgroup_update(cg, resources, err);
}

int runtime_pids(const char *root_path, const char *id, pid_t **ret_pids, size_t *ret_n,
		 struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r = open_cgroup(root_path, id, &c, &cg, err);

	return r < 0 ? r : cgroup_pids(cg, ret_pids, ret_n, err);
}

int runtime_stats(const char *root_path, const char *id, struct cgroup_stats *ret_stats,
		  struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r = open_cgroup(root_path, id, &c, &cg, err);

	return r < 0 ? r : cgroup_stats(cg, ret_stats, err);
}
