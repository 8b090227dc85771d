/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/limits.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/resources.h"

static int write_one(const struct cgroup *cg, const struct cgroup_write *w)
{
	int dir_fd = cg->nodes[w->place].dir_fd;
	int r = file_poke(dir_fd, w->file, w->value);

	if (r == -ENOENT && w->other_file)
		r = file_poke(dir_fd, w->other_file, w->other_value);
	if (r == -ENOENT && (w->flags & CGROUP_WRITE_OPTIONAL))
		r = 0;
	return r;
}

static int write_error(const struct cgroup_write *w, int r, struct error *err)
{
	if (r == -ENOENT) {
		(void)error_kind(err, ERROR_UNSUPPORTED,
				 "cannot set %s: this kernel has no '%s' in cgroups", w->field,
				 w->file);
		return -EOPNOTSUPP;
	}
	return error_num(err, -r, "cannot set %s: writing '%s' to '%s'", w->field, w->value,
			 w->file);
}

int cgroup_write_plan(const struct cgroup *cg, const struct cgroup_plan *plan,
		      struct cgroup_undo *undo, struct error *err)
{
	cleanup_free bool *again = xcalloc(plan->n + 1, sizeof(*again));

	for (size_t i = 0; i < plan->n; i++) {
		const struct cgroup_write *w = &plan->writes[i];
		int r;

		if (undo)
			cgroup_undo_note(undo, cg, w);
		r = write_one(cg, w);
		if (r < 0 && (w->flags & CGROUP_WRITE_RETRY) && (r == -EINVAL || r == -EBUSY))
			again[i] = true;
		else if (r < 0)
			return write_error(w, r, err);
	}
	for (size_t i = 0; i < plan->n; i++) {
		int r = again[i] ? write_one(cg, &plan->writes[i]) : 0;

		if (r < 0)
			return write_error(&plan->writes[i], r, err);
	}
	return 0;
}

int cgroup_plan_limits(const struct cgroup *cg, const struct oci_resources *resources,
		       struct cgroup_plan *ret_plan, struct error *err)
{
	struct cgroup_place places[cg->n + 1];

	for (size_t i = 0; i < cg->n; i++)
		places[i] = (struct cgroup_place){
			.v2 = cg->nodes[i].driver->v2,
			.controllers = cg->nodes[i].controllers,
		};
	return cgroup_plan_resources(resources, places, cg->n, ret_plan, err);
}
