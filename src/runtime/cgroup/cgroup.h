/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The cgroup of one container in every hierarchy of the host: made, limited, entered, frozen,
 * killed, measured, removed. What differs between v1 and v2 is behind const driver tables (v1.c,
 * v2.c); a hybrid host has nodes of both kinds. Start and exec never write a pid into
 * cgroup.procs: that waits 8-24 ms for an RCU grace period on an idle machine. The child enters by
 * itself (v1) or is born inside (v2).
 *
 *	parent                                        child
 *	cgroup_locate(), cgroup_make(): mkdir, limits
 *	clone3(CLONE_INTO_CGROUP, cgroup_clone_fd())  born in the v2 tree
 *	                                              cgroup_enter(): "0" into every v1 `tasks`
 *	                                              unshare(CLONE_NEWCGROUP), if wanted, only now
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"
#include "runtime/runtime.h"

struct cgroup_driver;
struct cgroup_stats;
struct oci_resources;

/* One directory of one hierarchy. */
struct cgroup_node {
	const struct cgroup_driver *driver;
	char *controllers; /* v1: "cpu,cpuacct", "name=systemd"; v2: those that are switched on */
	char *dir;	   /* "/sys/fs/cgroup/memory/berth/x" */
	char *mount_point; /* "/sys/fs/cgroup/memory"; NULL after cgroup_open() */
	char *path;	   /* "/berth/x" as in /proc/PID/cgroup; NULL after cgroup_open() */
	int dir_fd;	   /* O_PATH; -EBADF if the directory is gone */
	int enter_fd;	   /* v1: `tasks` open for writing, after make and cgroup_open_enter() */
	bool created;	   /* by us, just now: a failed create removes it */
};

struct cgroup {
	struct cgroup_node *nodes;
	size_t n;
	enum runtime_rootless rootless; /* of cgroup_make(); the caller sets it */
	bool adopted; /* made by systemd: cgroup_make() finds directories that are there and in use */
};

/* Life */

/*
 * Where the container's cgroup shall be, in all hierarchies. Makes nothing: so that the caller can
 * note the place on disk first, and a crash at any time leaves nothing that nobody knows of.
 *
 * path      linux.cgroupsPath: absolute = below the hierarchy's root, else below the caller's own
 *           cgroup; NULL: the id
 * Returns   0; -EBUSY: the cgroup exists and has processes
 */
int cgroup_locate(const char *path, const char *id, struct cgroup **ret_cgroup, struct error *err);

/*
 * After cgroup_locate(): also in the v1 hierarchy of this name ("name=systemd"), which a host with v2 only
 * is not searched for otherwise.
 *
 * Returns   0; ERROR_UNSUPPORTED: it is not mounted
 */
int cgroup_locate_named(struct cgroup *cg, const char *name, const char *path, const char *id,
			struct error *err);

/*
 * Makes the directories of a located cgroup, applies the limits, opens what cgroup_enter() needs.
 *
 * Returns   0; -EBUSY as above; ERROR_UNSUPPORTED: a limit needs a controller the host lacks, the
 *           message names the field; ERROR_DENIED: no rights here and limits were asked (without
 *           limits the hierarchies without rights are dropped from cg: n may become 0)
 * Leaves    nothing on failure
 */
int cgroup_make(struct cgroup *cg, const struct oci_resources *resources, struct error *err);

/*
 * Gives the directory in the v2 tree, and the files in it that may be given away, to a user of the
 * container: he may then make cgroups below. Does nothing on v1, where that is not safe.
 * Source: config-linux.md "Cgroup ownership"; cgroup-v2.rst "Delegation"
 */
int cgroup_delegate(const struct cgroup *cg, uid_t uid, struct error *err);

/*
 * Moves a process from the container's cgroup into a new one below it, switches all controllers on there,
 * and gives it to a user and group (-1: keeps it). Limits stay those of the container's cgroup.
 *
 * name      relative, without ".."
 * Errors    ERROR_UNSUPPORTED: this host has controllers in v1
 */
int cgroup_delegate_below(const struct cgroup *cg, const char *name, pid_t pid, uid_t uid,
			  gid_t gid, struct error *err);

/* For linux.cgroupsPath of containers that must have none, and for tests: n == 0. */
struct cgroup *cgroup_new_empty(void);

/*
 * From what cgroup_format() gave: directories that are gone have dir_fd < 0. Cheap: one open per
 * hierarchy.
 */
int cgroup_open(const char *const *lines, struct cgroup **ret_cgroup, struct error *err);

/* After cgroup_open(): is a directory of it still there? */
bool cgroup_exists(const struct cgroup *cg);

/* "controllers:directory" per node, for the state file. A strv on the heap. */
char **cgroup_format(const struct cgroup *cg);

/*
 * Removes the directories with everything below. Processes that are still inside are thawed and
 * killed, and waited for until they are reaped, for a bounded time (CGROUP_DESTROY_MS). Idempotent.
 */
int cgroup_destroy(struct cgroup *cg, struct error *err);
#define CGROUP_DESTROY_MS 10000

struct cgroup *cgroup_close(struct cgroup *cg);
DEFINE_CLEANUP(struct cgroup *, cgroup_close)

/* Processes */

/* Is the node the one in the v2 tree? */
bool cgroup_node_is_v2(const struct cgroup_node *n);
/* That node; NULL: there is none. */
struct cgroup_node *cgroup_v2_node(const struct cgroup *cg);
/* Are all controllers in the v2 tree? There may be v1 hierarchies that only have a name. */
bool cgroup_is_unified(const struct cgroup *cg);

/* For clone3(): the directory in the v2 tree, or -1 if the host has none. Borrowed. */
int cgroup_clone_fd(const struct cgroup *cg);

/*
 * The calling single-threaded process moves itself into every v1 node. No allocation: may run in a
 * vfork-like child. The v2 tree was entered at clone.
 */
int cgroup_enter(const struct cgroup *cg, struct error *err);

/* Moves a process of somebody else into every v1 node; systemd did so in the v2 tree, and in those it
 * manages. Slow: waits for the kernel's other processors. */
int cgroup_move(const struct cgroup *cg, pid_t pid, struct error *err);

/*
 * Before cgroup_make(), of a cgroup below a scope of systemd's: makes the directory in the v2 tree and moves
 * the process there, as controllers can only be switched on in a scope without processes.
 */
int cgroup_place(const struct cgroup *cg, pid_t pid, struct error *err);

/* Removes the empty directories from above the container's up to the scope's, in every hierarchy. */
void cgroup_remove_scope(const struct cgroup *cg, const char *unit);

/*
 * After cgroup_open_enter(): a clone into the v2 tree was refused with EBUSY, as the container uses
 * controllers for cgroups that it made; then another process goes where this one of it is. -errno.
 */
int cgroup_open_beside(struct cgroup *cg, pid_t pid);

/*
 * After cgroup_open(): opens what cgroup_enter() needs, optionally of sub-cgroups (exec --cgroup):
 * one word "PATH" for all hierarchies, or words "CONTROLLER[,CONTROLLER]:PATH", an empty controller
 * being the v2 tree. They must exist, beneath the container's cgroup and never above.
 *
 * subs      NULL-terminated, or NULL
 */
int cgroup_open_enter(struct cgroup *cg, char *const *subs, struct error *err);

/* All processes, host pids, sub-cgroups included. Heap. */
int cgroup_pids(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_n, struct error *err);

/* Signals every process; SIGKILL through cgroup.kill where it exists, else frozen so that none
 * escapes by forking. */
int cgroup_kill(const struct cgroup *cg, int signo, struct error *err);

/* Freezing waits until all have stopped (CGROUP_FREEZE_MS); a failed freeze is undone. */
int cgroup_freeze(const struct cgroup *cg, struct error *err);
int cgroup_thaw(const struct cgroup *cg, struct error *err);
int cgroup_frozen(const struct cgroup *cg, bool *ret_frozen, struct error *err);
#define CGROUP_FREEZE_MS 10000

/* Limits and numbers */

/* Writes the limits that are set; the others stay. */
int cgroup_update(struct cgroup *cg, const struct oci_resources *resources, struct error *err);

/*
 * What the container uses now. A controller that is not there leaves zeros, a limit that is not set is
 * CGROUP_UNLIMITED.
 * Errors   ERROR_NOT_FOUND: no cgroup of it is left
 */
int cgroup_stats(const struct cgroup *cg, struct cgroup_stats *ret_stats, struct error *err);
