/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The process section of config.json, for the init of a container and for exec alike. The parent
 * prepares (allocates, refuses); the child, which may share the parent's memory, applies, and
 * allocates nothing. The order is a security property:
 *
 *	parent	process_prepare()	refuses what cannot be; compiles the filter
 *	child	process_apply_limits()	oom score, scheduler, rlimits, LSM attributes
 *		process_set_user()	bounding set, groups, gid, uid, umask
 *		process_set_cwd()	HOME and cwd: the user, still with capabilities
 *		process_find_executable()	the user, before a filter may forbid it
 *		... wait for "start" ...
 *		process_confine()	number of open files, capability sets, no_new_privs, seccomp
 *		process_exec()		returns only with an error
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "runtime/seccomp.h"

struct oci_process;
struct oci_seccomp;
struct seccomp_notify;

#define PROCESS_HOME_MAX 1024
#define PROCESS_MORE_ENV 3 /* NOTIFY_SOCKET, LISTEN_FDS, LISTEN_PID */

struct process_setup {
	const struct oci_process *process; /* borrowed */
	struct seccomp_filter filter;
	struct seccomp_notify *notify; /* owned; the caller sets it if the filter has a listener */
	bool confined;		       /* process_confine() was here */
	bool rlimits_are_set;	       /* by the parent, idmap_apply_limits() */
	bool keep_groups;	       /* those we have, not process.user.additionalGids */
	const char **env;	       /* NULL-terminated, heap; strings borrowed */
	size_t n_env;		       /* room for HOME and PROCESS_MORE_ENV of process_add_env() */
	bool has_home;
	char home[PROCESS_HOME_MAX]; /* "HOME=..." found in the container */
	char exec_path[PATH_MAX];    /* found by process_find_executable() */
};

/*
 * Check the section and make what the child needs. seccomp may be NULL.
 * Errors   ERROR_UNSUPPORTED, ERROR_INVALID naming the field by its path
 */
int process_prepare(const struct oci_process *process, const struct oci_seccomp *seccomp,
		    struct process_setup *ret_setup, struct error *err);
void process_setup_done(struct process_setup *s);

/* One more variable ("NOTIFY_SOCKET=..."), or another value of it; borrowed. Parent side. */
void process_add_env(struct process_setup *s, const char *variable);

/* Are n descriptors from 3 on there to be given to the process, and none of them our own? */
int process_check_preserved(unsigned n, struct error *err);

/* Child side, in this order. proc_fd: borrowed root of a verified procfs that shows the caller. */
int process_apply_limits(struct process_setup *s, int proc_fd, struct error *err);
int process_set_user(struct process_setup *s, struct error *err);
/* root_fd: borrowed, for HOME out of its /etc/passwd. Refuses a cwd outside the root (-EXDEV). */
int process_set_cwd(struct process_setup *s, int root_fd, struct error *err);
int process_find_executable(struct process_setup *s, struct error *err);
/* Once; the second call does nothing (startContainer hooks may need the filter before). */
int process_confine(struct process_setup *s, struct error *err);
int process_exec(struct process_setup *s, struct error *err);
