/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What create and run share: everything that is made for a container before its init starts. */

#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"
#include "runtime/hook.h"
#include "runtime/init.h"
#include "runtime/namespaces.h"
#include "runtime/rdt.h"

struct net_devices;
struct runtime_create_options;

struct creation {
	const struct runtime_create_options *options; /* borrowed */
	char *bundle_path;			      /* resolved */
	char *config;				      /* bytes of config.json */
	size_t config_len;
	struct oci_spec *spec;
	struct container *container;
	struct cgroup *cgroup;
	struct systemd_unit *unit; /* systemd makes the cgroup; else NULL */
	bool has_cgroup;	   /* it is made, not only located */
	struct rdt rdt;
	struct namespaces namespaces;
	struct net_devices *net_devices; /* that were moved; or NULL */
	struct mount_plan plan;
	struct process_setup process;
	struct oci_process inside; /* process section without what is done from outside */
	struct init init;
	struct hook_output hook_output;
	bool restored;	   /* not started: no poststart hooks */
	bool own_listener; /* init waits at start.sock instead of the sync socket */
	int sync_fd;	   /* our end */
	int console_fd;	   /* connected by us; -EBADF */
	int pidfd_socket_fd;
	pid_t pid;
	int pidfd;
	bool created; /* keep what was made */
};

/*
 * Read, check, refuse, plan; then claim the id and make the cgroup. Nothing of the container runs.
 * *c is valid (for creation_done) also on failure.
 */
int creation_prepare(const struct runtime_create_options *o, struct creation *c, struct error *err);

/* Unless c->created: kill init, remove cgroup and state. Frees everything. */
void creation_done(struct creation *c);

/*
 * The end of run and restore: poststart hooks if all went well so far (r >= 0), then the process goes
 * to the caller (ret_pid may be NULL), and c is freed. Returns r, or what failed here.
 */
int creation_finish(struct creation *c, int r, pid_t *ret_pid, int *ret_pidfd, struct error *err);

/* Make init, serve it (id maps, hooks) until it says SYNC_READY. */
int creation_spawn(struct creation *c, bool own_listener, struct error *err);

/* May run take the fast path, on shared memory? */
bool creation_can_share_memory(const struct creation *c);
/* The fast path: returns when init executed. 1: this machine cannot; nothing happened. */
int creation_run_shared(struct creation *c, struct error *err);

/* Let init go on from SYNC_READY (not with an own listener). Returns when it executed. */
int creation_start(struct creation *c, struct error *err);

/* prestart and createRuntime hooks: the container's namespaces are there, and pid is in them. */
int creation_run_hooks(const struct creation *c, pid_t pid, struct error *err);

/* The pid goes to disk: to state.json, and to the pid file if one is asked for. */
int creation_record(struct creation *c, struct error *err);

/* creation_cgroup.c: steps of the above, and undoing them */
int creation_locate_cgroup(struct creation *c, struct error *err);
int creation_make_cgroup(struct creation *c, struct error *err);
int creation_place_init(struct creation *c, struct error *err);
int creation_delegate_below(struct creation *c, struct error *err);
void creation_remove_cgroup(struct creation *c);

/* spawn.c: only the clone; fills pid and pidfd. The second: creation_run_shared() says what. */
int spawn_init(struct creation *c, struct error *err);
int spawn_init_shared(struct creation *c, struct error *err);
/*
 * Run fn(arg) in a child that shares our memory (and what flags say, CLONE_*) and wait for its end:
 * for work in other namespaces. Returns its exit status, what fn returned, or -errno.
 */
int spawn_helper(uint64_t flags, int (*fn)(void *), void *arg, struct error *err);
