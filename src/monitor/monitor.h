/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The life of one container beside its init: stdio, log, attach clients, exit status. The monitor
 * knows the runtime only as a table of functions that its main hands over; they run in a forked
 * child, the runner, so that what they touch and allocate is gone when the container runs.
 */

#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"

/* What a runtime is told about the container. Everything is borrowed. */
struct monitor_container {
	const char *id;
	const char *bundle;	  /* directory with config.json */
	const char *run_dir;	  /* for sockets and files of the moment */
	const char *runtime_root; /* state directory of the runtime, or NULL for its default */
	bool systemd_cgroup;	  /* linux.cgroupsPath names a scope that systemd makes */
	bool tty;
	int console_fd; /* tty: send the pty master here (SCM_RIGHTS, as an OCI console socket);
			   otherwise -EBADF */
	const char *runtime_path;	 /* a foreign runtime: its program */
	const char *const *runtime_args; /* and its global arguments, NULL-terminated, or NULL */
};

/*
 * The verbs. They run in a process forked for them, whose 0, 1 and 2 are the container's (without
 * terminal), and which has no other descriptors of the monitor but console_fd. create and start run
 * in the same process, one after the other, so what create leaves in *ret_handle is there for
 * start. delete runs in a process of its own.
 */
struct monitor_runtime {
	/* Make the container; its init waits. On failure nothing is left. */
	int (*create)(const struct monitor_container *c, void **ret_handle, pid_t *ret_pid,
		      struct error *err);
	/* Let init execute the user's program; fails with the reason if execve did. */
	int (*start)(const struct monitor_container *c, void *handle, struct error *err);
	/* Both in one, for a container that need not wait; NULL: create and start. */
	int (*run)(const struct monitor_container *c, pid_t *ret_pid, struct error *err);
	/* Kill what is left of it, remove cgroup and state, run the poststop hooks. */
	int (*delete)(const struct monitor_container *c, struct error *err);
};

/* Drives any OCI runtime by its command line: create, start, delete --force. */
extern const struct monitor_runtime monitor_runtime_foreign;

struct monitor_options {
	struct monitor_container container; /* run_dir is made if missing; console_fd is filled */
	const char *exit_file;
	const char *oom_file; /* memory.events or memory.oom_control, or NULL */
	const char *log_driver;
	const char *log_path;
	char **log_opts;     /* "max-size=10m" */
	char **exit_command; /* run when nobody recorded the exit, or NULL */
	bool stdin_open;     /* -i */
	bool stdin_once;     /* the end of an attached client's stdin ends the container's */
	bool start_at_once;  /* do not wait for MONITOR_START */
	int sync_fd;	     /* to the engine, or -1: nobody */
	int attach_fd;	     /* an attach client connected from the beginning, or -1 */
};

/*
 * Run a container from create to removal. Errors of the container go to the engine over sync_fd;
 * returns 0, or -errno if not even that was possible.
 */
int monitor_run(const struct monitor_options *options, const struct monitor_runtime *runtime,
		struct error *err);
