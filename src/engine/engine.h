/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The life of containers: what `berth` and the API do, as functions. The engine opens the stores
 * (images, database, state directory), holds no process and no thread; several engines on the same
 * stores may work at once. It prints nothing.
 *
 * A container is named by `ref`: its full id, its name, or a unique beginning of its id.
 * Errors of every verb that takes one: ERROR_NOT_FOUND "No such container: REF", ERROR_INVALID for
 * a beginning that several share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/macro.h"
#include "engine/options.h"

struct arena;
struct attach_client;
struct attach_io;
struct buf;
struct image_removal;
struct image_store;

#define ENGINE_ID_MAX 65 /* 64 hex digits and NUL */

/* Engine */

struct engine;

struct engine_config {
	const char *root_path;	    /* NULL: $BERTH_ROOT or /var/lib/berth */
	const char *state_path;	    /* NULL: $BERTH_STATE or /run/berth */
	const char *runtime_path;   /* NULL: berth-runtime beside us or in libexec */
	const char *storage_driver; /* NULL: $BERTH_STORAGE_DRIVER or overlay2 */
	/* What had to be done to the stores before they could be used, and who is waited for if that
	 * takes long: a sentence. May be NULL. */
	void (*notice)(const char *sentence);
};

/*
 * Opens the stores and makes what is missing. Cheap: the image store is opened when first needed.
 * Errors   ERROR_DENIED without the right to the directories
 */
int engine_open(const struct engine_config *config, struct engine **ret_engine, struct error *err);
/* Starts a process that deletes what was removed if that takes longer: engine_sweep_later(). */
struct engine *engine_close(struct engine *e);
DEFINE_CLEANUP(struct engine *, engine_close)

const char *engine_root_path(const struct engine *e);
const char *engine_state_path(const struct engine *e);
/*
 * Borrowed; opened by the first call, which also sees to images that were not on the disk yet when
 * the machine stopped: image_store_settle().
 */
int engine_images(struct engine *e, struct image_store **ret_store, struct error *err);

/* From now on a wait for other writers of the images ends with -ECANCELED when fd is readable; <= 0:
 * it does not. Borrowed. */
void engine_set_stop(struct engine *e, int fd);

/* Make */

struct engine_created {
	char id[ENGINE_ID_MAX];
	char **warnings; /* vector of sentences for stderr, caller frees */
};

/*
 * A container in state "created": its directory, config.json and row.
 * Errors   ERROR_NOT_FOUND no such image; ERROR_CONFLICT the name is taken; ERROR_INVALID options
 * Leaves   nothing on failure
 */
int engine_create(struct engine *e, const struct container_options *o,
		  struct engine_created *ret_created, struct error *err);

/* Start */

/*
 * The link to a container that this process started: its streams and its end.
 * Closing it leaves the container running.
 */
struct engine_session;

enum engine_start_flag {
	ENGINE_START_STDIN = 1 << 0,  /* connect to its stdin, if it keeps one open, */
	ENGINE_START_STDOUT = 1 << 1, /* and output, before it runs: nothing is lost */
	ENGINE_START_STDERR = 1 << 2,
	ENGINE_START_ATTACH = ENGINE_START_STDIN | ENGINE_START_STDOUT | ENGINE_START_STDERR,
};

/*
 * Start a created or exited container.
 *
 * ret_session   NULL: let go of it at once
 * Returns       0; ERROR_NOT_MODIFIED when it runs already
 * Leaves        on failure the container as "created" with the error in State.Error, or nothing
 *               at all if it was made with --rm
 */
int engine_start(struct engine *e, const char *ref, unsigned flags,
		 struct engine_session **ret_session, struct error *err);

const char *engine_session_id(const struct engine_session *s);
/* Its streams, for attach_resize(); NULL when not attached. welcome says whether it has a
 * terminal. Borrowed. */
struct attach_client *engine_session_streams(struct engine_session *s);
/* attach_pump() on those streams: enum attach_outcome or -errno. */
int engine_session_pump(struct engine_session *s, const struct attach_io *io, struct error *err);
/*
 * Waits for the container's end, records it (or removes the container: --rm), lets the monitor go.
 * *ret_exit_code as docker shows it: 0-255, 128+n for signal n.
 */
int engine_session_wait(struct engine_session *s, int *ret_exit_code, struct error *err);
struct engine_session *engine_session_close(struct engine_session *s);
DEFINE_CLEANUP(struct engine_session *, engine_session_close)

/*
 * Connect to a running container's streams; flags are those of engine_start().
 * Errors   ERROR_CONFLICT when it does not run, is paused, or its monitor was killed
 */
int engine_attach(struct engine *e, const char *ref, unsigned flags,
		  struct engine_session **ret_session, struct error *err);

/* Stop and remove */

#define ENGINE_TIMEOUT_DEFAULT (-2) /* the container's own, or 10 s; -1: wait for ever */

/* signal: name or number, NULL: the container's own. Not running: 0, nothing done. */
int engine_stop(struct engine *e, const char *ref, const char *signal, int timeout_s,
		struct error *err);
int engine_restart(struct engine *e, const char *ref, const char *signal, int timeout_s,
		   struct error *err);
/* signal: NULL is KILL. ERROR_CONFLICT when it does not run. */
int engine_kill(struct engine *e, const char *ref, const char *signal, struct error *err);
/* Blocks until it does not run. */
int engine_wait(struct engine *e, const char *ref, int *ret_exit_code, struct error *err);
int engine_pause(struct engine *e, const char *ref, struct error *err);
int engine_unpause(struct engine *e, const char *ref, struct error *err);
int engine_rename(struct engine *e, const char *ref, const char *new_name, struct error *err);

enum engine_remove_flag {
	ENGINE_REMOVE_FORCE = 1 << 0,	/* kill it first; one that is gone is no error */
	ENGINE_REMOVE_VOLUMES = 1 << 1, /* and its anonymous volumes */
};
/* 1, with *err filled, for one that is gone: only with ENGINE_REMOVE_FORCE. */
int engine_remove(struct engine *e, const char *ref, unsigned flags, struct error *err);

/* Look */

enum container_state {
	CONTAINER_STATE_CREATED,
	CONTAINER_STATE_RUNNING,
	CONTAINER_STATE_PAUSED,
	CONTAINER_STATE_EXITED,
	CONTAINER_STATE_DEAD, /* removal failed half way */
	CONTAINER_STATE_COUNT,
};
const char *container_state_name(enum container_state state); /* "running" */

struct container_info {
	const char *id, *name;
	const char *image;			     /* as the user wrote it */
	const char *image_id;			     /* "sha256:..." or "" */
	const char *command;			     /* "sh -c 'x y'" */
	int64_t created_ns, started_ns, finished_ns; /* real time; 0: never */
	enum container_state state;
	int pid; /* of its init on the host; 0: does not run */
	int exit_code;
	bool oom_killed, tty, auto_remove;
	const char *error;	   /* of the last start, or "" */
	const char *const *labels; /* "k=v", NULL-terminated, sorted */
	const char *const *mounts; /* sources or destinations as docker's Mounts column */
	const char *network;	   /* "none", "host", ... */
	const char *platform;	   /* "linux/amd64" */
};

struct container_list {
	struct arena *arena;
	struct container_info *items; /* newest first */
	size_t n;
};
void container_list_done(struct container_list *list);

/* all: those that do not run, too. States are true, not remembered: dead monitors are noticed. */
int engine_list(struct engine *e, bool all, struct container_list *ret_list, struct error *err);
/* One container as a list of one. */
int engine_lookup(struct engine *e, const char *ref, struct container_list *ret_list,
		  struct error *err);

/* docker's STATUS: "Up 2 days (Paused)", "Exited (0) 3 weeks ago", "Created". buf of
 * CONTAINER_STATUS_MAX, returned. */
#define CONTAINER_STATUS_MAX 96
char *container_status(const struct container_info *c, int64_t now_ns, char *buf);

/* Bytes of its writable layer, for `ps -s`. */
int engine_size(struct engine *e, const char *ref, int64_t *ret_bytes, struct error *err);

/* docker's inspect object as compact JSON, appended. with_size adds SizeRw and SizeRootFs. */
int engine_inspect(struct engine *e, const char *ref, bool with_size, struct buf *out,
		   struct error *err);

/* Logs */

struct engine_logs_options {
	bool follow, timestamps, details;
	int64_t since_ns, until_ns; /* real time; 0: no bound */
	int64_t tail;		    /* last lines; -1: all */
};
/* stream 1 stdout, 2 stderr. Not 0: stop, engine_logs returns 0. */
typedef int (*engine_logs_line)(void *data, int stream, const char *text, size_t len);
int engine_logs(struct engine *e, const char *ref, const struct engine_logs_options *o,
		engine_logs_line line, void *data, struct error *err);

/* Inside */

/*
 * Run a command in a running container with this process's stdin, stdout and stderr.
 * Returns   0 and its exit code; ERROR_CMD_NOT_FOUND, ERROR_CMD_NOT_RUNNABLE
 */
int engine_exec(struct engine *e, const char *ref, const struct exec_options *o, int *ret_exit_code,
		struct error *err);

/* `ps` of the container's processes on the host. ps_args: NULL-terminated, empty: -ef. */
struct engine_top {
	struct arena *arena;
	const char **titles;
	size_t n_titles;
	const char ***rows; /* n_titles cells each */
	size_t n_rows;
};
int engine_top(struct engine *e, const char *ref, char *const *ps_args, struct engine_top *ret_top,
	       struct error *err);
void engine_top_done(struct engine_top *top);

/* Counters of one moment. Rates are the difference of two. */
struct engine_stats {
	char id[ENGINE_ID_MAX];
	const char *name; /* in the list that was asked, or owned by the caller's ref */
	int64_t read_ns;  /* monotonic */
	uint64_t cpu_ns;
	uint64_t memory_usage,
		memory_limit; /* usage without inactive file pages; limit: or the host's RAM */
	uint64_t net_rx, net_tx;
	uint64_t io_read, io_write;
	uint64_t pids, pids_limit; /* limit 0: none */
};
/* A container that does not run gives zeros. */
int engine_stats(struct engine *e, const struct container_info *c, struct engine_stats *ret_stats,
		 struct error *err);

/* Images: load, import, save, list, tag and look-up are image/store.h and image/transfer.h on
 * engine_images(). */

/*
 * image_remove(), which knows from us which images containers use. force: docker's -f.
 * Errors   ERROR_CONFLICT in docker's words
 */
int engine_remove_image(struct engine *e, const char *ref, bool force,
			struct image_removal *ret_removal, struct error *err);

/* System */

struct engine_info {
	size_t containers, running, paused, stopped, images;
	const char *cgroup_version; /* "1" or "2" */
	const char *cgroup_driver;  /* "cgroupfs" */
	const char *storage_driver; /* "overlay" */
	char kernel[128], os[128], arch[32], hostname[65];
	bool rootless; /* an ordinary user's */
	int cpus;
	uint64_t memory_bytes;
	char runtime_path[4096];
};
int engine_info(struct engine *e, struct engine_info *ret_info, struct error *err);

/* Record the end of one container whose monitor could not tell anybody; --rm removes it. The
 * monitor's exit command. */
int engine_reap(struct engine *e, const char *ref, struct error *err);

/* Brings to the disk what was loaded or pulled, deletes what was removed, and what clients that were
 * killed had half made. This process makes way for all others; it may take minutes. */
int engine_sweep(struct engine *e, struct error *err);
/* Starts `berth system sweep` if there is something for it to do that nobody does: after a large load
 * or removal, or after a sweep that was killed. The process outlives us and has none of our files. */
void engine_sweep_later(struct engine *e);

/*
 * Find and remove what a crash left half made: directories without a row, rows without a directory,
 * trash, the ends of containers nobody recorded. Sentences on what was done are pushed to *report.
 */
int engine_check(struct engine *e, bool repair, char ***report, struct error *err);

/* image_check() of image/check.h. *ret_left: faults that are still there. */
int engine_check_images(struct engine *e, bool quick, bool repair, char ***report, size_t *ret_left,
			struct error *err);
