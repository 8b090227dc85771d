/* SPDX-License-Identifier: Apache-2.0 */

/* Pause and resume: the freezer of the container's cgroup. */
#include "runtime/cgroup/cgroup.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

static int open_with_cgroup(const char *root_path, const char *id, struct container **ret_c,
			    struct cgroup **ret_cg, enum container_status *ret_status,
			    struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	int r = container_open(root_path, id, &c, err);

	if (r == 0)
		r = container_get_status(c, ret_status, err);
	if (r == 0)
		r = cgroup_open(c->cgroups, ret_cg, err);
	if (r < 0)
		return r;
	*ret_c = take_ptr(&c);
	return 0;
}

int runtime_pause(const char *root_path, const char *id, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	enum container_status status;
	int r = open_with_cgroup(root_path, id, &c, &cg, &status, err);

	if (r < 0)
		return r;
	if (status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		return error_kind(err, ERROR_CONFLICT, "container not running or created: %s",
				  container_status_name(status));
	return cgroup_freeze(cg, err);
}

int runtime_resume(const char *root_path, const char *id, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	enum container_status status;
	int r = open_with_cgroup(root_path, id, &c, &cg, &status, err);

	if (r < 0)
		return r;
	if (status != CONTAINER_PAUSED)
		return error_kind(err, ERROR_CONFLICT, "container not paused");
	return cgroup_thaw(cg, err);
}
