/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The OCI runtime as a library: one function a verb. Callers are prog/berth-runtime.c, and
 * prog/berth-monitor.c, which forks and calls in without an exec. The verbs print nothing and never
 * exit; they must be called from a single-threaded process, and create, run and exec from one that
 * may leave children behind (they change nothing else of the caller but the pid and time namespace
 * of its children, if a container joins one).
 *
 *	creating ──create──▶ created ──start──▶ running ⇄ paused
 *	                        └──────── kill, exit ──▶ stopped ──delete──▶ (gone)
 *
 * A failed verb leaves the host as it was.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

struct cgroup_stats;
struct oci_resources;

/* Where the state of containers lies when nobody says otherwise. */
#define RUNTIME_ROOT_DEFAULT "/run/berth-runtime"

/* What becomes of cgroup hierarchies in which the caller may make nothing. */
enum runtime_rootless {
	RUNTIME_ROOTLESS_AUTO,	/* left out if the caller is not the host's root */
	RUNTIME_ROOTLESS_TRUE,	/* left out */
	RUNTIME_ROOTLESS_FALSE, /* an error */
};

/* Who makes the cgroups of a container. */
enum runtime_cgroup_manager {
	RUNTIME_CGROUP_FS,	 /* we do, in the file system */
	RUNTIME_CGROUP_SYSTEMD,	 /* systemd does: linux.cgroupsPath is "slice:prefix:name" */
	RUNTIME_CGROUP_DISABLED, /* nobody: the container stays in the caller's */
};

struct runtime_create_options {
	const char *root_path;		 /* state directory, NULL: RUNTIME_ROOT_DEFAULT */
	const char *id;			 /* letters, digits, "_+-." */
	const char *bundle_path;	 /* NULL: the current directory */
	const char *config_path;	 /* relative to the bundle; NULL: config.json */
	const char *pid_file_path;	 /* or NULL */
	const char *console_socket_path; /* process.terminal: gets the pty master; or NULL */
	const char *pidfd_socket_path;	 /* gets a pidfd of init; or NULL */
	enum runtime_rootless rootless;
	int console_fd;	       /* a connected socket instead of the path, else -1; borrowed */
	unsigned preserve_fds; /* so many fds from 3 on go to the container */
	unsigned listen_fds;   /* the first of them are sockets of sd_listen_fds(3): it is told */
	bool plain_newlines; /* of the terminal: no returns before them, the caller's has its own */
	bool no_pivot;	     /* MS_MOVE instead of pivot_root: the root is a ramfs */
	bool no_new_keyring; /* stay in the caller's session keyring */
	bool notify_socket;  /* a $NOTIFY_SOCKET for the container, see notify_socket.h */
	enum runtime_cgroup_manager cgroup_manager;
	/* our command line, to execute ourselves once more, sealed, before there is anything to undo;
	 * only where this container could get at our file otherwise (runtime/sealed_self.h); or NULL */
	char *const *self_argv;
};

/*
 * Build the container and leave its init waiting. The init inherits 0, 1 and 2 unless
 * process.terminal; it is a child of the caller, and of the caller's (sub)reaper afterwards.
 *
 * ret_pid  host pid of init; may be NULL
 * Errors   ERROR_CONFLICT the id is taken; ERROR_INVALID config.json; ERROR_CMD_NOT_FOUND and
 *          ERROR_CMD_NOT_RUNNABLE argv[0]; else what the step says that failed (err->step)
 */
int runtime_create(const struct runtime_create_options *o, pid_t *ret_pid, struct error *err);

/*
 * Let the waiting init execve. Returns when it did.
 * Errors   ERROR_NOT_FOUND, ERROR_CONFLICT (not in state created), or why the execve failed
 */
int runtime_start(const char *root_path, const char *id, struct error *err);

/*
 * create and start in one, the fast path: a child that shares memory and never waits where the
 * configuration allows it. The caller waits for *ret_pidfd, then calls runtime_delete().
 *
 * ret_pidfd  owned by the caller
 */
int runtime_run(const struct runtime_create_options *o, pid_t *ret_pid, int *ret_pidfd,
		struct error *err);

/*
 * Signal init, or with all every process of the container.
 * Errors   ERROR_NOT_FOUND no container; ERROR_CONFLICT it does not run
 */
int runtime_kill(const char *root_path, const char *id, int signo, bool all, struct error *err);

/*
 * Remove what create made: processes left over, cgroups, state; runs the poststop hooks.
 * force: kills a running container first, and a container that is not there is no error.
 * Errors   ERROR_CONFLICT it still runs
 */
int runtime_delete(const char *root_path, const char *id, bool force, struct error *err);

/* Errors   ERROR_CONFLICT "container not running", "container not paused" */
int runtime_pause(const char *root_path, const char *id, struct error *err);
int runtime_resume(const char *root_path, const char *id, struct error *err);

/* Write the limits that are set; the others stay. After a failure all are as before. */
struct runtime_update_options {
	const struct oci_resources *resources;
	const char *l3_schema, *mem_schema; /* of linux.intelRdt, or NULL */
};
int runtime_update(const char *root_path, const char *id, const struct runtime_update_options *o,
		   struct error *err);

/*
 * Mounts of a container that is there already. json: {"mounts": [...]} as in config.json, or the
 * array; of what is to be removed only the destinations count. Nothing is added if one mount fails,
 * nothing removed if one destination is no mount point. Like runtime_exec() it may change the pid
 * namespace of the caller's later children.
 * Errors   ERROR_CONFLICT it does not run; ERROR_INVALID with the path of the field
 */
int runtime_mounts_add(const char *root_path, const char *id, const char *json, size_t len,
		       struct error *err);
int runtime_mounts_remove(const char *root_path, const char *id, const char *json, size_t len,
			  struct error *err);

/* Host pids of all processes in the container's cgroups; heap. */
int runtime_pids(const char *root_path, const char *id, pid_t **ret_pids, size_t *ret_n,
		 struct error *err);

/* cgroup_stats() of a container. ERROR_UNSUPPORTED: it never had a cgroup, as the host delegates none. */
int runtime_stats(const char *root_path, const char *id, struct cgroup_stats *ret_stats,
		  struct error *err);

/* For the program criu; NULL and false: its own defaults. criu(8) says what they mean. */
struct runtime_criu_options {
	const char *program;	 /* criu itself; NULL: "criu", found in PATH */
	const char *image_path;	 /* of the images, made if missing; NULL: "checkpoint" */
	const char *work_path;	 /* of the log; NULL: with the images */
	const char *parent_path; /* checkpoint: images of a pre-dump, relative to image_path */
	const char *page_server; /* checkpoint: "ADDRESS:PORT" */
	const char *manage_cgroups_mode;	     /* "soft", "full", "strict", "ignore" */
	const char *empty_ns;			     /* "network" */
	const char *network_lock;		     /* "iptables", "nftables", "skip" */
	const char *lsm_profile, *lsm_mount_context; /* restore */
	int status_fd;				     /* checkpoint; 0: none */
	bool leave_running, pre_dump;		     /* checkpoint */
	bool link_remap, tcp_skip_in_flight;	     /* checkpoint */
	bool tcp_close;				     /* restore */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, lazy_pages, auto_dedup;
};

/*
 * Write a running container to files; then it is deleted, unless leave_running or pre_dump.
 * Errors   ERROR_CONFLICT it does not run; ERROR_UNSUPPORTED criu is not installed, or the container
 *          has what cannot be written; else what criu said last, and where its log is
 */
int runtime_checkpoint(const char *root_path, const char *id,
		       const struct runtime_criu_options *criu, struct error *err);

/*
 * Make a container out of such files: as runtime_run(), with the errors of both. 0, 1 and 2 take
 * the place of what the container had there.
 */
int runtime_restore(const struct runtime_create_options *o, const struct runtime_criu_options *criu,
		    pid_t *ret_pid, int *ret_pidfd, struct error *err);

/* Another process in a running container. */
struct runtime_exec_options {
	const char *root_path; /* NULL: RUNTIME_ROOT_DEFAULT */
	const char *id;
	/* What to run: a process document, or words onto the container's own process section. */
	const char *process_path; /* JSON file, or NULL */
	char *const *args;	  /* NULL-terminated; NULL with process_path */
	char *const *env;	  /* strv, added to (and over) the container's */
	const char *cwd, *user;	  /* "uid[:gid]"; NULL: the container's */
	char *const *additional_gids, *const *caps;
	const char *apparmor_profile, *process_label;
	bool no_new_privileges;
	bool tty; /* a new pseudo terminal; its master goes to console_* */
	uint16_t console_rows, console_columns; /* its size; 0: not known */
	const char *console_socket_path;
	int console_fd;	     /* a connected socket instead of the path, else -1; borrowed */
	bool plain_newlines; /* as in runtime_create_options */
	char *const
		*cgroups; /* sub-cgroups that exist, as cgroup_open_enter() takes them; or NULL */
	const char *pid_file_path;
	const char *pidfd_socket_path; /* gets a pidfd of the process; or NULL */
	unsigned preserve_fds;	       /* so many fds from 3 on go to the process */
	bool ignore_paused;	       /* else a paused container is refused */
};

/*
 * Start it; returns when its execve succeeded. It is a child of the caller, who changes the pid and
 * time namespace of his later children, and his own namespaces altogether when he is not root: call
 * this last, and from a process that only waits afterwards.
 *
 * ret_pidfd  owned by the caller
 * Errors     ERROR_NOT_FOUND, ERROR_CONFLICT (stopped, paused); ERROR_CMD_NOT_FOUND and
 *            ERROR_CMD_NOT_RUNNABLE args[0]; else the step that failed
 */
int runtime_exec(const struct runtime_exec_options *o, pid_t *ret_pid, int *ret_pidfd,
		 struct error *err);
