/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SCMP_ACT_NOTIFY: an agent outside of the container answers system calls. The process that loads
 * the filter gets a listener descriptor, which goes with the container process state to the unix
 * socket linux.seccomp.listenerPath, before anything of the container runs.
 * Source: config-linux.md "Seccomp", "The Container Process State"; seccomp_unotify(2).
 */

#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct seccomp_filter;

struct seccomp_notify;

/*
 * Parent side.
 *
 * path           listenerPath; borrowed
 * state          the container process state up to its pids, container_format_process_state();
 *                taken over, heap
 * container_pid  of a container that runs (exec); 0: the process is the container's init
 */
struct seccomp_notify *seccomp_notify_new(const char *path, char *state, pid_t container_pid);
struct seccomp_notify *seccomp_notify_free(struct seccomp_notify *n);
DEFINE_CLEANUP(struct seccomp_notify *, seccomp_notify_free)

/* Is there a socket? For who connects later and wants to say early that it will be in vain. */
int seccomp_notify_check(const char *path, struct error *err);

/* In the runtime's mount namespace, as late as can be: an agent may serve one after the other. */
int seccomp_notify_connect(struct seccomp_notify *n, struct error *err);
/* The same with a connection that somebody else made; taken over. */
void seccomp_notify_set_agent(struct seccomp_notify *n, int fd);

/* Child side, in this order. No allocation. */

/* The connection, borrowed; or -EBADF. */
int seccomp_notify_agent(const struct seccomp_notify *n);

/* Learn the own pid as the runtime sees it. proc_fd: root of the runtime's procfs. */
int seccomp_notify_find_pid(struct seccomp_notify *n, int proc_fd, struct error *err);
/*
 * Load the filter, and return when the agent has its listener.
 * Errors   that of seccomp_load(); "cannot send the listener ..."
 */
int seccomp_notify_load(struct seccomp_notify *n, const struct seccomp_filter *f,
			struct error *err);
