/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * `run` and `exec` without --detach: signals go to the container's process, its terminal is ours,
 * its exit status becomes ours.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include "base/error.h"

struct foreground {
	sigset_t old_mask;
	int notify_fd;		 /* socket of the container, notify_socket.h; -EBADF: none */
	const char *notify_host; /* the service manager's */
	bool plain_newlines; /* the maker's: the container's terminal adds no returns, ours does */
	int console_fds[2];  /* [0] ours, [1] to be handed to the runtime; -1: no terminal wanted */
};

/* Of our own terminal: of the one that shows the output, or else of the one that is typed into.
 * 0 by 0 if neither is a terminal. */
void foreground_size(struct winsize *ret_size);

/* Before the process is made: signals wait from now on. terminal: a pair for its console. */
int foreground_begin(struct foreground *f, bool terminal, struct error *err);

/* Back to normal, when there is nothing to wait for. */
void foreground_end(struct foreground *f);

/*
 * Until the process ends. *ret_code: its exit code, 128 + n if signal n killed it. Reaps all other
 * children on the way (`run` is a subreaper).
 */
int foreground_wait(struct foreground *f, pid_t pid, int pidfd, int *ret_code, struct error *err);

/* A container in the foreground: from before it is made until it is deleted. */
struct foreground_run {
	const char *root, *id;
	bool terminal;	   /* a pair for its console */
	bool no_subreaper; /* do not adopt what it leaves behind */
	bool keep; /* do not delete it at its end; one that could not be served is deleted */
	/* makes and starts it */
	int (*make)(void *arg, struct foreground *f, pid_t *ret_pid, int *ret_pidfd,
		    struct error *err);
	void *arg;
};

/* Returns its exit code, or < 0. */
int foreground_run(const struct foreground_run *x, struct error *err);
