/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What differs between the two versions of cgroups, as const tables; and the parts shared by both
 * drivers. Private to runtime/cgroup. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "runtime/cgroup/cgroup.h"

struct device_list;

struct cgroup_driver {
	const char *name;
	bool v2;
	/* A directory was just made (parent: one on the way to the container's). */
	int (*prepare)(const char *dir, bool parent, struct error *err);
	/* Opens what enter needs. */
	int (*open_enter)(struct cgroup_node *n, int dir_fd, struct error *err);
	/* In the child; no allocation. NULL: entered at clone. */
	int (*enter)(const struct cgroup_node *n, struct error *err);
	/* Waits until it is so. */
	int (*set_frozen)(const struct cgroup_node *n, bool frozen, struct error *err);
	int (*get_frozen)(const struct cgroup_node *n, bool *ret_frozen, struct error *err);
	/* SIGKILL to all at once. 1: this kernel cannot. */
	int (*kill_all)(const struct cgroup_node *n, struct error *err);
	/* fresh: nothing was set yet. */
	int (*set_devices)(const struct cgroup_node *n, const struct device_list *list, bool fresh,
			   struct error *err);
	/* Adds what this hierarchy knows; a file that is missing leaves its numbers 0. */
	void (*stats)(const struct cgroup_node *n, struct cgroup_stats *stats);
};

extern const struct cgroup_driver cgroup_v1;
extern const struct cgroup_driver cgroup_v2;

/* create.c: nobody expects limits from a user without rights over cgroups */
bool cgroup_is_rootless(const struct cgroup *cg);

/* create.c: all that n has is switched on for its descendants down to dir */
void cgroup_enable_below(const struct cgroup_node *n, const char *dir);

/* delegate.c: the directory, and the files in it that may be given away */
int cgroup_give(const struct cgroup_node *n, uid_t uid, gid_t gid, struct error *err);

/* below.c: moves a process into this directory. -errno */
int cgroup_put(int dir_fd, pid_t pid);

/* below.c: what path, as in /proc/PID/cgroup, has behind the cgroup of dir; NULL: it is not below. Pure. */
const char *cgroup_rest_below(const char *dir, const char *path);

/* path.c: where the container's cgroup lies */

struct cgroupfs_hierarchy;

/*
 * The container's cgroup in one hierarchy: ret_path as /proc/PID/cgroup will show it, ret_dir in
 * the file system; both heap. own: the caller's cgroup there, for relative paths. Pure.
 */
int cgroup_path_resolve(const struct cgroupfs_hierarchy *h, const char *own, const char *wanted,
			const char *id, char **ret_path, char **ret_dir, struct error *err);

/* tree.c: the cgroups below one directory */

/* rmdir with everything below; 0, -ENOENT, -EBUSY (processes) or another -errno. */
int cgroup_tree_remove(const char *dir);

/* Appends the pids of dir_fd and below. */
int cgroup_tree_pids(int dir_fd, pid_t **pids, size_t *n, size_t *capacity);

/* stats.c */
void cgroup_stats_read_psi(const struct cgroup_node *n, struct cgroup_stats *stats);
