/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Starting programs and learning how they ended. A child gets an argument vector, an environment
 * and a table of descriptors, and nothing else: no other descriptor, no ignored or blocked signal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct buf;

/* One descriptor of the child: our number from becomes its number to. */
struct proc_fd {
	int from;
	int to;
};

enum proc_flag {
	PROC_SETSID = 1 << 0,	     /* a session of its own */
	PROC_DIE_WITH_US = 1 << 1,   /* SIGKILL when the thread that spawned it ends */
	PROC_SEARCH_PATH = 1 << 2,   /* argv[0] without a slash is looked for in $PATH */
	PROC_INHERIT_STDIO = 1 << 3, /* 0, 1, 2 without a row are ours; otherwise /dev/null */
};

struct proc_spawn {
	const char *path;	   /* the file to execute; NULL: argv[0] */
	const char *const *argv;   /* NULL-terminated */
	const char *const *envp;   /* NULL-terminated; NULL: our own environment */
	const struct proc_fd *fds; /* n_fds rows; any order, swaps are fine */
	size_t n_fds;		   /* at most PROC_FDS_MAX */
	const char *cwd;	   /* NULL: ours */
	unsigned flags;
};

#define PROC_FDS_MAX 64

/*
 * Start a program, at the cost of a vfork: the caller sleeps until the child executes.
 *
 * ret_pidfd   owned, close-on-exec; proc_wait() it
 * ret_pid     for messages; may be NULL
 * Errors      ERROR_CMD_NOT_FOUND, ERROR_CMD_NOT_RUNNABLE when execve says so; others internal
 * Leaves      no process on failure
 */
int proc_spawn(const struct proc_spawn *spawn, int *ret_pidfd, pid_t *ret_pid, struct error *err);

/*
 * Become a program, for who has nothing left to do: only descriptors 0-2 and those of the table go
 * along, signals stay as they are. spawn->flags is PROC_INHERIT_STDIO, spawn->cwd NULL.
 * Returns     on failure only, with proc_spawn()'s errors; the descriptors of the table are changed then
 */
int proc_become(const struct proc_spawn *spawn, struct error *err);

/* How a process ended. code is what a shell would show: the exit code, or 128 + signal. */
struct proc_status {
	int code;
	int signal; /* 0: it exited */
	bool core_dumped;
};

/* A program that is run to its end for what it says. */
struct proc_run {
	const char *const
		*argv;	   /* NULL-terminated; argv[0] without a slash is looked for in $PATH */
	const void *input; /* its stdin; NULL: nothing */
	size_t input_len;
	size_t output_max;   /* bytes on its stdout; more is a failure */
	unsigned timeout_ms; /* 0: it may take as long as it likes */
	bool keep_stderr;    /* complaints go where ours do; false: nowhere */
};

/*
 * Run a program and wait for its end.
 *
 * output   what it wrote to stdout, instead of what was in there; who wants it in one place for
 *          wiping reserves output_max and a page before
 * Returns  0 however it ended: *ret_status tells
 * Errors   proc_spawn()'s; EFBIG too much output; ETIMEDOUT. It was killed and reaped then, which
 *          is not so of what it started itself
 */
int proc_run(const struct proc_run *run, struct buf *output, struct proc_status *ret_status,
	     struct error *err);

/* From si_code (CLD_...) and si_status of waitid(2) or SIGCHLD. */
struct proc_status proc_status_from(int cld_code, int value);

/* Wait for a child and reap it. -ECHILD: not ours, or reaped by somebody else. */
int proc_wait(int pidfd, struct proc_status *ret, struct error *err);

/* proc_wait() without waiting: 1 and *ret filled if it has ended, 0 if it runs, < 0 as above. */
int proc_poll(int pidfd, struct proc_status *ret, struct error *err);

/* "exit status 3", "killed by signal 9 (SIGKILL)", for messages. buf holds PROC_STATUS_TEXT_MAX. */
#define PROC_STATUS_TEXT_MAX 64
const char *proc_status_text(const struct proc_status *status, char *buf);

/* pidfd_open(2): -ESRCH if the process is gone. No error text. */
int proc_open(pid_t pid);

/* Send a signal through a pidfd: 0 or -errno, -ESRCH if it has ended. No error text. */
int proc_kill(int pidfd, int signal);
