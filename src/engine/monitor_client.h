/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The engine's end of a monitor's sync socket: starting one and following it through the life of its
 * container (docs/formats/monitor.md).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"
#include "monitor/protocol.h"

/* Starting */

struct monitor_spec {
	const char *monitor_path; /* the berth-monitor program */
	const char *id;
	const char *bundle;		 /* directory with config.json */
	const char *run_dir;		 /* /run/berth/<id>: made and removed by the monitor */
	const char *exit_file;		 /* containers/<id>/exit.json */
	const char *runtime_path;	 /* a foreign OCI runtime, or NULL: the built-in one */
	const char *const *runtime_args; /* its global arguments, or NULL */
	const char *runtime_root;	 /* or NULL: the runtime's default */
	const char *oom_file;	     /* the cgroup's memory.events or memory.oom_control, or NULL */
	const char *log_driver;	     /* json-file, k8s-file, none; NULL: json-file */
	const char *log_path;	     /* may be NULL with none */
	const char *const *log_opts; /* NAME=VALUE, up to a NULL; or NULL */
	const char *const *exit_command; /* argv run if no engine records the exit, or NULL */
	bool tty;
	bool stdin_open;
	bool stdin_once;
	bool start_at_once;   /* nothing to do between CREATED and START: saves a round trip */
	bool systemd_cgroup;  /* systemd makes the cgroup */
	bool sealed;	      /* others are in the container's pid namespace: seal its program */
	bool attach;	      /* connect an attach client before anything runs: ret->attach_fd */
	unsigned attach_want; /* enum attach_want of that client */
};

/* A monitor that was started by us. */
struct monitor_client {
	int sync_fd;
	int pidfd;
	pid_t pid;
	int attach_fd;	    /* of monitor_spec.attach; hand it to attach_open_fd(), or -EBADF */
	pid_t init_pid;	    /* after monitor_wait_created() */
	int64_t started_ns; /* after monitor_start() */
};

/*
 * Start a monitor; it begins to create the container. A monitor of the same container that is
 * still cleaning up is waited for (bounded).
 * Errors   ERROR_CONFLICT the container is running; otherwise as proc_spawn()
 */
int monitor_spawn(const struct monitor_spec *spec, struct monitor_client *ret, struct error *err);

/* Close our ends. Before monitor_start() this removes the container, after it detaches. Reaps the
 * monitor if it is gone already; it is not waited for. */
void monitor_client_done(struct monitor_client *c);
/* For initialising the attributed variable. */
#define MONITOR_CLIENT_INIT                                             \
	{                                                               \
		.sync_fd = -EBADF, .pidfd = -EBADF, .attach_fd = -EBADF \
	}

/* Wait until init exists: c->init_pid. On failure the error is the runtime's own. */
int monitor_wait_created(struct monitor_client *c, struct error *err);
/* Let it start and wait until execve worked: c->started_ns. With start_at_once it only waits.
 * ERROR_CMD_NOT_FOUND, ERROR_CMD_NOT_RUNNABLE: nothing of the container is left. */
int monitor_start(struct monitor_client *c, struct error *err);
/* Wait for the end of the container; timeout_ms -1: for ever. 1: time is up. */
int monitor_wait_exited(struct monitor_client *c, int timeout_ms, struct monitor_exit *ret,
			struct error *err);
/* Tell that the database has it. */
void monitor_recorded(struct monitor_client *c);
/* Without having started it */

/* The monitor's pid if one lives for this run directory, 0 if not. Cheap: a lock query. */
int monitor_find(const char *run_dir, pid_t *ret_pid, struct error *err);

/*
 * Wait for the end of a container that somebody else started. Asks its monitor, else reads the exit
 * file. on_exit, if not NULL, is called with the status before the monitor is told that it has been
 * recorded: write the database there. 1: it has not been, and the monitor is told nothing.
 * Returns   0; 1: time is up; -ESRCH: no monitor and no exit file (the monitor was killed: look at
 *           init's pid)
 */
int monitor_wait_exit(const char *run_dir, const char *exit_file, int timeout_ms,
		      int (*on_exit)(void *arg, const struct monitor_exit *status,
				     struct error *err),
		      void *arg, struct monitor_exit *ret, struct error *err);
