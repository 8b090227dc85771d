/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The forked process in which the runtime's verbs run: what they allocate, open and break ends with
 * it. The container's init is its child and becomes the monitor's (the subreaper's) when it exits.
 *
 *     monitor                      runner
 *       fork ─────────────────────▶  create
 *       ◀──────── MONITOR_CREATED    init exists, pid
 *       MONITOR_START ────────────▶  start
 *       ◀──────── MONITOR_STARTED    pid
 *       ◀──────── MONITOR_FAILED     instead of either
 *       ◀──────── end of file
 */

#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"
#include "monitor/monitor.h"
#include "monitor/protocol.h"

struct runner {
	pid_t pid;
	int fd; /* packets; owned */
};

/* stdio_fd: the container's 0, 1, 2; < 0: /dev/null. at_once: do not wait for MONITOR_START. */
int runner_fork(const struct monitor_runtime *runtime, const struct monitor_container *c,
		const int stdio_fd[3], bool at_once, struct runner *ret, struct error *err);
/* The next packet. 1: there is one; 0: none yet; -EPIPE: the runner has ended. */
int runner_read(const struct runner *r, struct monitor_packet *ret);
int runner_start(const struct runner *r);

/* A process that calls the runtime's delete and exits with 0 if it worked. */
int runner_fork_delete(const struct monitor_runtime *runtime, const struct monitor_container *c,
		       pid_t *ret_pid, struct error *err);
