/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The engine's end of a monitor's two sockets: starting one and following it through the life of
 * its container (docs/formats/monitor.md), and attaching to the stdio of a running container
 * (docs/formats/attach.md).
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

/* Attaching */

struct attach_client {
	int fd;
	struct attach_welcome welcome;
};

/* Connect and exchange HELLO and WELCOME. -ENOENT, -ECONNREFUSED: not running. */
int attach_open(const char *run_dir, unsigned want, struct attach_client *ret, struct error *err);
/* The same on a socket connected already (monitor_client.attach_fd, taken over), whose HELLO is
 * sent: only waits for WELCOME. */
int attach_open_fd(int fd, struct attach_client *ret, struct error *err);
void attach_close(struct attach_client *c);
/* After ATTACH_WANT_EXIT: the database has the exit status. */
void attach_recorded(struct attach_client *c);
/* Tell the size of the user's terminal; ignored without one in the container. */
int attach_resize(struct attach_client *c, unsigned rows, unsigned cols, struct error *err);

#define ATTACH_INPUT_MAX (ATTACH_DATA_MAX / 2)

enum attach_outcome {
	ATTACH_ENDED = 0,    /* the container ended: *ret_exit */
	ATTACH_DETACHED = 1, /* a hook asked for it */
	ATTACH_LOST = 2,     /* the monitor went away without a word */
};

/* Where the bytes come from and go to. A hook may be NULL. Return values < 0 end the pump with that
 * error, except -ECANCELED, which means ATTACH_DETACHED. */
struct attach_io {
	int stdin_fd;  /* -1: none. Not changed to non-blocking. */
	int stdout_fd; /* -1: thrown away */
	int stderr_fd;
	void *arg;
	/* Bytes read from stdin_fd, at most ATTACH_INPUT_MAX, before they are sent: may take some
	 * out or put some in (detach keys), up to ATTACH_DATA_MAX. Returns how many there are. */
	ssize_t (*input)(void *arg, char *data, size_t n);
	/* More to wait for, a signalfd for SIGWINCH say: called when extra_fd is readable. */
	int extra_fd; /* -1: none */
	int (*extra)(void *arg, struct attach_client *c);
};

/*
 * Copy between the user's descriptors and the container's until it ends. The end of stdin_fd is
 * passed on as ATTACH_STDIN_EOF. A closed stdout_fd does not end it; the output is dropped.
 * Returns enum attach_outcome or -errno.
 */
int attach_pump(struct attach_client *c, const struct attach_io *io, struct monitor_exit *ret_exit,
		struct error *err);
