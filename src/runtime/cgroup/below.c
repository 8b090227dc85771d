/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Cgroups between systemd's scope and the container's own, and below its own. In the v2 tree no process
 * may sit where controllers are switched on for children (cgroup-v2.rst "No Internal Process
 * Constraint"), so each step moves the process down before it switches anything on:
 *
 *	pre-x.scope/		systemd's
 *	    sub/		run.oci.systemd.subgroup: has the limits, is the container's cgroup
 *	        below/		run.oci.delegate-cgroup: the container's root owns it
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"

int cgroup_put(int dir_fd, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	return file_poke(dir_fd, "cgroup.procs", text);
}

int cgroup_place(const struct cgroup *cg, pid_t pid, struct error *err)
{
	const struct cgroup_node *n = cgroup_v2_node(cg);
	cleanup_fd int fd = -EBADF;
	int r;

	if (!n)
		return 0;
	r = path_mkdir_all(n->dir, 0755, err);
	if (r < 0)
		return r;
	fd = open(n->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : cgroup_put(fd, pid);
	return r < 0 ? error_num(err, -r, "cannot move process %d into cgroup '%s'", (int)pid,
				 n->dir)
		     : 0;
}

void cgroup_remove_scope(const struct cgroup *cg, const char *unit)
{
	cleanup_free char *middle = xasprintf("/%s/", unit);

	for (size_t i = 0; i < cg->n; i++) {
		cleanup_free char *path = xstrdup(cg->nodes[i].dir);
		char *scope = strstr(path, middle);
		char *last;

		while (scope && (last = strrchr(scope + 1, '/'))) {
			*last = '\0';
			(void)rmdir(path); /* systemd was there first, or removes it soon */
		}
	}
}

/* Delegation */

int cgroup_delegate_below(const struct cgroup *cg, const char *name, pid_t pid, uid_t uid,
			  gid_t gid, struct error *err)
{
	const struct cgroup_node *n = cgroup_v2_node(cg);
	struct cgroup_node below = { .driver = &cgroup_v2, .dir_fd = -EBADF, .enter_fd = -EBADF };
	cleanup_free char *dir = NULL;
	cleanup_fd int fd = -EBADF;
	int r;

	if (!n || !cgroup_is_unified(cg))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "annotation run.oci.delegate-cgroup: needs a host with cgroup v2 "
				  "only, as nothing can be given away safely on v1");
	dir = path_join(n->dir, name + strspn(name, "/"));
	r = path_mkdir_all(dir, 0755, err);
	if (r < 0)
		return r;
	fd = path_open_beneath(n->dir_fd, name + strspn(name, "/"), O_PATH | O_DIRECTORY, 0);
	r = fd < 0 ? fd : cgroup_put(fd, pid);
	if (r < 0)
		return error_num(err, -r, "cannot move process %d into cgroup '%s'", (int)pid, dir);
	below.dir = dir;
	below.dir_fd = fd;
	cgroup_enable_below(n, dir);
	return uid == (uid_t)-1 ? 0 : cgroup_give(&below, uid, gid, err);
}

/* exec */

/*
 * Where init is, from the container's cgroup on: "init.scope". path begins with what ends the directory of the
 * container's cgroup in our view of the hierarchy. NULL: it is not below.
 */
const char *cgroup_rest_below(const char *dir, const char *path)
{
	for (const char *p = dir; (p = strchr(p, '/')); p++) {
		const char *rest = str_after(path, p);

		if (rest && *rest == '/')
			return rest + 1;
	}
	return NULL;
}

static int open_place_of(const struct cgroup_node *n, pid_t pid)
{
	char none[] = "";
	const struct cgroupfs_hierarchy v2 = { .v2 = true, .controllers = none };
	cleanup_free char *file = xasprintf("/proc/%d/cgroup", (int)pid);
	cleanup_free char *text = NULL, *path = NULL;
	struct error ignored;
	const char *rest;
	int r = file_read(AT_FDCWD, file, 1u << 20, &text, NULL, &ignored);

	if (r < 0)
		return r;
	path = cgroupfs_parse_own(text, &v2);
	rest = path ? cgroup_rest_below(n->dir, path) : NULL;
	return rest ? path_open_beneath(n->dir_fd, rest, O_RDONLY | O_DIRECTORY, 0) : -ENOENT;
}

int cgroup_open_beside(struct cgroup *cg, pid_t pid)
{
	struct cgroup_node *n = cgroup_v2_node(cg);
	int fd = n ? open_place_of(n, pid) : -ENOENT;

	if (fd < 0)
		return fd;
	cleanup_close_fd(&n->enter_fd);
	n->enter_fd = fd;
	return 0;
}
