/* SPDX-License-Identifier: Apache-2.0 */

/* What the container's cgroups tell and take: processes, statistics, limits. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/stats.h"
#include "runtime/cgroup/systemd.h"
#include "runtime/rdt.h"
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

/* Which class the container is in is told by the document that it was made of. */
static int update_rdt(const struct container *c, const struct runtime_update_options *o,
		      struct rdt *rdt, char **ret_before, struct error *err)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_free char *root = NULL;
	int r;

	if (!o->l3_schema && !o->mem_schema)
		return 0;
	r = rdt_find_root(&root, err);
	if (r == 0 && !root)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "cannot set %s: no resctrl file system is mounted (it takes a "
				  "processor and a kernel with Intel RDT)",
				  o->l3_schema ? "l3-cache-schema" : "mem-bw-schema");
	if (r == 0)
		r = container_config(c, &spec, err);
	if (r == 0)
		r = rdt_plan(&spec->linux_, c->id, root, rdt, err);
	return r < 0 ? r : rdt_update(rdt, o->l3_schema, o->mem_schema, ret_before, err);
}

/* Behind the files: what the kernel refuses, systemd need not know. */
static int update_unit(const struct container *c, const struct cgroup *cg,
		       const struct oci_resources *resources, struct error *err)
{
	cleanup_with(systemd_unit_free) struct systemd_unit *unit =
		systemd_unit_new(c->systemd_unit, c->systemd_user);

	return systemd_update(unit, cg, resources, err);
}

int runtime_update(const char *root_path, const char *id, const struct runtime_update_options *o,
		   struct error *err)
{
	__attribute__((cleanup(rdt_done))) struct rdt rdt = RDT_INIT;
	cleanup_free char *before = NULL;
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
	r = update_rdt(c, o, &rdt, &before, err);
	if (r < 0)
		return r;
	r = cgroup_update(cg, o->resources, err);
	if (r == 0 && c->systemd_unit)
		r = update_unit(c, cg, o->resources, err);
	if (r < 0 && before)
		rdt_restore(&rdt, before);
	return r;
}

/* Of a container without cgroups (an ordinary user's, if the host delegates none to him): what is in
 * the pid namespace of its init. */
static int namespace_pids(const struct container *c, pid_t **ret_pids, size_t *ret_n,
			  struct error *err)
{
	cleanup_dir DIR *dir = opendir("/proc");
	cleanup_fd int pidfd = -EBADF;
	cleanup_free pid_t *pids = NULL;
	const struct dirent *entry;
	struct stat own, st;
	char path[64];
	size_t n = 0, capacity = 0;
	int r = container_open_init(c, &pidfd, err);

	if (r != 0)
		return r < 0 ? r : error_kind(err, ERROR_CONFLICT, "container not running");
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)c->pid);
	if (!dir || stat(path, &own) < 0)
		return error_sys(err, "cannot read '%s'", dir ? path : "/proc");
	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == own.st_ino)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "the container's processes cannot be told from the host's: it "
				  "has no cgroup, as this host delegates none to the user, and no "
				  "pid namespace of its own");
	while ((entry = readdir(dir))) {
		uint32_t pid;

		if (str_to_u32(entry->d_name, &pid) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
		if (stat(path, &st) < 0 || st.st_ino != own.st_ino)
			continue; /* another user's, ended, or not of the container */
		pids = array_grow(pids, n, &capacity, sizeof(*pids));
		pids[n++] = (pid_t)pid;
	}
	*ret_pids = take_ptr(&pids);
	*ret_n = n;
	return 0;
}

int runtime_pids(const char *root_path, const char *id, pid_t **ret_pids, size_t *ret_n,
		 struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r = open_cgroup(root_path, id, &c, &cg, err);

	if (r < 0)
		return r;
	if (!c->cgroups || !c->cgroups[0])
		return namespace_pids(c, ret_pids, ret_n, err);
	return cgroup_pids(cg, ret_pids, ret_n, err);
}

int runtime_stats(const char *root_path, const char *id, struct cgroup_stats *ret_stats,
		  struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r = open_cgroup(root_path, id, &c, &cg, err);

	if (r >= 0 && (!c->cgroups || !c->cgroups[0]))
		r = error_kind(err, ERROR_UNSUPPORTED,
			       "no statistics: the container has no cgroup, as this host delegates "
			       "none to the user");
	return r < 0 ? r : cgroup_stats(cg, ret_stats, err);
}
