/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where a container's cgroup lies. linux.cgroupsPath is absolute (below what is mounted) or
 * relative; in both ".." cannot climb out of its start. Relative is below the cgroup of the caller,
 * or on v2 beside it, as runc has it: where the caller's processes are, no controller can be enabled
 * for children (cgroup-v2.rst "No Internal Process Constraint"). The mount
 * may show only a part of the hierarchy (h->root), as in a container without its own cgroup
 * namespace: then /proc/PID/cgroup has names that begin with that part.
 */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/driver.h"

/* The rest of path below root, with its slash; NULL if it is elsewhere. */
static const char *below(const char *path, const char *root)
{
	size_t n = strlen(root);

	if (str_eq(root, "/"))
		return path;
	if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path[n] ? path + n : "/";
}

int cgroup_path_resolve(const struct cgroupfs_hierarchy *h, const char *own, const char *wanted,
			const char *id, char **ret_path, char **ret_dir, struct error *err)
{
	cleanup_free char *rooted = path_join("/", str_empty(wanted) ? id : wanted);
	cleanup_free char *clean = path_clean(rooted);
	cleanup_free char *local = NULL;		       /* below the mount point */
	bool foreign_root = str_after(h->root, "/..") != NULL; /* mounted from outside our cgroup
								  namespace: names do not match */
	const char *root = foreign_root ? "/" : h->root;

	if (str_eq(clean, "/"))
		return error_kind(err, ERROR_INVALID,
				  "linux.cgroupsPath: '%s' is the root of all cgroups", wanted);
	if (!str_empty(wanted) && wanted[0] == '/') {
		local = take_ptr(&clean);
	} else {
		cleanup_free char *beside =
			own && h->v2 ? xstrndup(own, (size_t)(path_base(own) - own)) : NULL;
		const char *start = own ? below(beside ? beside : own, root) : NULL;

		local = path_join(start ? start : "/", clean);
	}
	*ret_path = path_join(root, local);
	*ret_dir = path_join(h->mount_point, local);
	return 0;
}
