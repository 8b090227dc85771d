/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is behind struct engine, for the engine's own files. */

#include <sys/types.h>
#include "engine/db.h"
#include "engine/engine.h"

struct arena;
struct digest;
struct document;

struct engine {
	char *root_path, *state_path;
	char *runtime_root;   /* state of the built-in runtime: STATE-runtime */
	char *runtime_path;   /* berth-runtime, or NULL until looked for */
	char *storage_driver; /* or NULL: the default */
	int root_fd;	      /* O_PATH */
	bool rootless;	      /* an ordinary user, in the namespace of rootless_enter() */
	struct db *db;	      /* NULL until needed */
	struct image_store *images;
	void (*notice)(const char *sentence);
	int stop_fd;   /* engine_set_stop() */
	bool sweeps;   /* it has put something into the trash */
	bool was_full; /* and the disk was full: the room is wanted at once */
};

/* Opened when first asked for; borrowed. */
int engine_db(struct engine *e, struct db **ret_db, struct error *err);

/*
 * One of our programs, which lie beside the running one or in libexec. Heap.
 * Errors   ERROR_NOT_FOUND with the places that were searched
 */
int engine_program(const char *name, char **ret_path, struct error *err);

/* image_in_use_fn; ctx is the engine. */
int engine_image_user(void *ctx, const struct digest *id, char *who, size_t who_size);

/* Before layers are used without engine_images(), which does the same: image_store_settle(). */
int engine_settle(struct engine *e, struct error *err);

/* After a removal: deletes at once what is in the trash if the disk was full. */
void engine_sweep_if_full(struct engine *e);

/* Directories */

/* ROOT/containers/<id> (made by engine_create), heap. */
char *container_dir_path(const struct engine *e, const char *id);
/* Open it for the *at calls. -ENOENT: not there. */
int container_dir_open(const struct engine *e, const char *id, int *ret_fd, struct error *err);
/* What document_load() reads there, on arena. */
int container_document(const struct engine *e, const char *id, struct arena *arena,
		       struct document *ret, struct error *err);
/* STATE/<id>, the monitor's, heap. */
char *container_run_dir(const struct engine *e, const char *id);
/* Open ROOT/name, making it (0700) if it is not there. */
int engine_subdir(const struct engine *e, const char *name, int *ret_fd, struct error *err);

/*
 * Hold the right to change the container's state: one process at a time starts, restarts or removes
 * it. The fd is the directory; closing it lets go.
 * Returns   0; without wait 1: somebody else holds it
 */
int container_lock(int dir_fd, bool wait, struct error *err);

/* Rows */

/* db_find() and container_refresh(). */
int container_find(struct engine *e, const char *ref, struct arena *arena, struct record *ret,
		   struct error *err);

/*
 * Make the row true: a container whose end nobody recorded is recorded now, one that was started by
 * a process that died meanwhile is found running. Writes the row only if it changed.
 */
int container_refresh(struct engine *e, struct record *r, struct error *err);

/* Does the process live, and is it the one of the row? */
bool container_process_alive(const struct record *r);

static inline bool record_is_live(const struct record *r)
{
	return r->state == CONTAINER_STATE_RUNNING || r->state == CONTAINER_STATE_PAUSED;
}

struct monitor_exit;

/*
 * What follows from the end: with --rm the container is removed, else its row says how it ended.
 * Returns   0; 1: nothing done, as somebody holds it with container_lock() (rm -f, restart): it is his
 */
int container_settle(struct engine *e, struct record *r, const struct monitor_exit *end,
		     struct error *err);

/*
 * Remove directory and row of a container that does not run. Idempotent: two at once are fine.
 */
int container_discard(struct engine *e, const char *id, struct error *err);
/* The same, unless somebody holds it with container_lock() (rm -f, restart). Returns 0; 1: nothing done */
int container_discard_free(struct engine *e, const char *id, struct error *err);

/* Of a container that does not run: cgroup and state that its runtime and its monitor, both killed
 * while they made it, have left. Usually there is nothing, which costs one access(2). */
void container_clean_runtime(struct engine *e, const char *id);

/* Files in a container's directory */
#define FILE_CONFIG   "config.json"
#define FILE_DOCUMENT "container.json"
#define FILE_EXIT     "exit.json"
#define FILE_LOG      "container.log"
