/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The child of create and run: from a fresh process to the container's own program, in a table of
 * steps. It runs in a copy of the creator's memory, or in the creator's memory itself (run's fast
 * path), while the creator sleeps.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"
#include "runtime/process.h"
#include "runtime/rootfs.h"

struct cgroup;
struct container;
struct hook_output;
struct namespaces;
struct oci_spec;
struct rdt;

struct init {
	/* What the creator prepared; borrowed. */
	const struct oci_spec *spec;
	const struct container *container;
	const struct namespaces *namespaces;
	const struct cgroup *cgroup;
	const struct rdt *rdt;
	const struct mount_plan *plan;
	struct process_setup *process; /* NULL: no process section */
	int sync_fd;		       /* -EBADF: shared memory, nobody to talk to */
	int creator_fd;		       /* the creator's end, to be closed; or -EBADF */
	int listen_fd;	/* start.sock: wait here for the start; -EBADF: on sync_fd, or not at all */
	int console_fd; /* -EBADF: none */
	bool plain_newlines; /* of its terminal */
	unsigned preserve_fds;
	bool no_new_keyring;
	bool no_pivot;
	bool chrooted;	   /* we were started in a chroot */
	bool placed_later; /* systemd moves it into its cgroup: wait for SYNC_MAPPED */
	bool has_hooks;	   /* some that run before the start */
	const struct hook_output *hook_output;

	/* What init makes. */
	struct mounter mounter;
	int proc_fd;	/* root of the host's procfs, verified */
	int slave_fd;	/* of the terminal */
	pid_t host_pid; /* own pid as the creator sees it, once told */
	int start_fd;	/* connection that says "start" */

	/* How far it came, readable by a creator that shares our memory. */
	const char *step; /* name of the current step */
	bool failed;	  /* error is filled */
	struct error error;
};

/* What init_main() changes, set to its beginning; the rest is filled in by the creator. */
void init_prepare(struct init *init);

/* Runs all steps; only returns (with an exit status) if one failed. arg: struct init. */
int init_main(void *arg);

/* init reached its last step, the execve. For creators that share its memory. */
bool init_reached_exec(const struct init *init);

/* Steps of their own files. */
int init_wait_start(struct init *init, struct error *err);
