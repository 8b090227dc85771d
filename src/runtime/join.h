/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The child of exec: a process that shares its parent's memory until its execve, walks into the
 * container step by step, and leaves its error in the context when one fails. Private to runtime.
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "runtime/process.h"
#include "runtime/rdt.h"

struct cgroup;
struct oci_linux;

struct join_context {
	const char *id;
	const struct cgroup *cgroup; /* open to enter */
	struct rdt rdt;		     /* open to enter */
	const struct oci_linux *config;
	int init_pidfd;	     /* of the container's init */
	unsigned namespaces; /* CLONE_NEW* bits the child joins */
	int root_fd;	     /* the container's root where no mount namespace leads to it, or -1 */
	int proc_fd;	     /* root of the host's /proc */
	int console_fd;	     /* where the pty master goes; -1: no terminal */
	bool plain_newlines; /* of the terminal */
	unsigned preserve_fds;
	struct process_setup setup;
	int child_root_fd; /* the child's own: descriptors are not shared, a number means nothing
			      to the parent */
	const char *step;  /* the one the child is at, or died at */
	struct error err;  /* the child's, when it failed */
};

/*
 * For clone3_on_stack(): arg is the context. Returns only when a step failed (1).
 */
int join_main(void *arg);

/* Did the child come as far as its execve? Without an error in the context: it died on the way. */
bool join_reached_exec(const struct join_context *ctx);
