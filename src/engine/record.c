/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows against reality. A row says what the engine last knew; the monitor and the container's init
 * may have died since, or the process that should have written the row. Whoever reads a row through
 * container_find() sets it right:
 *
 *	row says   init    monitor  exit file   so it
 *	live       alive   alive    -           lives
 *	live       alive   dead     -           lives (the start time tells that it is the same pid)
 *	live       dead    alive    not yet     lives: its end is being written
 *	live       dead    any      there       ended as the file says
 *	live       dead    dead     none        ended with 255, as docker says when it cannot know
 *	created    -       alive    -           runs: its starter died before it wrote the row
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/trash.h"
#include "engine/handle.h"
#include "engine/monitor_client.h"
#include "engine/runtime_client.h"
#include "monitor/exit_file.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

#define EXIT_CODE_UNKNOWN 255

static bool pid_exists(int pid)
{
	uint64_t start;

	/* one that nobody reaps does not count: not every host's pid 1 does it at once */
	return pid > 0 && process_start_time(pid, &start) == 0;
}

bool container_process_alive(const struct record *r)
{
	uint64_t start = 0;

	if (!pid_exists(r->pid))
		return false;
	return process_start_time(r->pid, &start) == 0 && start == r->pid_start;
}

/* The end of a container into its row. */
static int container_record_exit(struct engine *e, struct record *r, const struct monitor_exit *end,
				 struct error *err)
{
	const struct record was = *r;
	struct db *db;
	int status = engine_db(e, &db, err);

	if (status < 0)
		return status;
	r->state = CONTAINER_STATE_EXITED;
	r->pid = 0;
	r->pid_start = 0;
	r->monitor_pid = 0;
	r->exit_code = end->code;
	r->oom_killed = end->oom_killed != 0;
	if (end->started_ns != 0)
		r->started_ns = end->started_ns;
	r->finished_ns = end->finished_ns;
	/* Changed meanwhile: another one recorded it, or removed it, or started it again. */
	status = db_update_life(db, &was, r, err);
	if (status < 0 && err->sys == ENOSPC) {
		/* it has ended all the same: who looks when there is room finds the exit file */
		log_debug("recording the end of '%s': %s", r->id, err->msg);
		return 0;
	}
	return status < 0 ? status : 0;
}

/* The end of a container that the monitor did not survive: cgroup and state are ours to remove. */
static int bury(struct engine *e, struct record *r, struct error *err)
{
	const struct monitor_exit end = { .code = EXIT_CODE_UNKNOWN,
					  .started_ns = r->started_ns,
					  .finished_ns = clock_real_ns() };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *run_dir = container_run_dir(e, r->id);
	const char *const verb[] = { "delete", "--force", NULL };
	const char *runtime = NULL; /* without its files: ours */
	struct error ignored;

	(void)container_runtime(e, r, arena, &runtime, &ignored);
	if (runtime_call(e, runtime, verb, r->id, &ignored) < 0)
		log_debug("removing what is left of '%s': %s", r->id, ignored.msg);
	if (dir_remove_tree(AT_FDCWD, run_dir, &ignored) < 0)
		log_debug("removing '%s': %s", run_dir, ignored.msg);
	return container_record_exit(e, r, &end, err);
}

static int refresh_dead(struct engine *e, struct record *r, struct error *err)
{
	cleanup_free char *dir = container_dir_path(e, r->id);
	cleanup_free char *exit_file = path_join(dir, FILE_EXIT);
	struct monitor_exit end;
	int status = exit_file_read(exit_file, &end, err);

	if (status >= 0)
		return container_record_exit(e, r, &end, err);
	if (status != -ENOENT)
		return status;
	return pid_exists(r->monitor_pid) ? 0 : bury(e, r, err);
}

/* A row in state "created" whose monitor lives all the same. */
static int refresh_created(struct engine *e, struct record *r, struct error *err)
{
	cleanup_free char *run_dir = container_run_dir(e, r->id);
	cleanup_with(container_free) struct container *state = NULL;
	struct record was;
	struct db *db;
	pid_t monitor = 0;
	int status;

	if (access(run_dir, F_OK) < 0)
		return 0;
	status = monitor_find(run_dir, &monitor, err);
	if (status < 0)
		return status;
	if (monitor == 0 || container_open(e->runtime_root, r->id, &state, err) < 0 ||
	    !pid_exists(state->pid))
		return 0; /* just being made, or just gone */
	was = *r;
	r->state = CONTAINER_STATE_RUNNING;
	r->pid = state->pid;
	r->pid_start = state->pid_start;
	r->monitor_pid = monitor;
	r->started_ns = state->created_ns;
	status = engine_db(e, &db, err);
	if (status < 0)
		return status;
	status = db_update_life(db, &was, r, err);
	return status < 0 ? status : 0; /* its starter has written it */
}

int container_refresh(struct engine *e, struct record *r, struct error *err)
{
	if (r->state == CONTAINER_STATE_CREATED)
		return refresh_created(e, r, err);
	if (!record_is_live(r) || container_process_alive(r))
		return 0;
	return refresh_dead(e, r, err);
}

int container_find(struct engine *e, const char *ref, struct arena *arena, struct record *ret,
		   struct error *err)
{
	struct db *db;
	int r = engine_db(e, &db, err);

	if (r < 0)
		return r;
	r = db_find(db, ref, arena, ret, err);
	return r < 0 ? r : container_refresh(e, ret, err);
}

void container_clean_runtime(struct engine *e, const char *id)
{
	cleanup_free char *state_dir = path_join(e->runtime_root, id);
	cleanup_free char *run_dir = NULL;
	struct error ignored;
	pid_t monitor = 0;

	if (access(state_dir, F_OK) < 0)
		return;
	run_dir = container_run_dir(e, id);
	if (monitor_find(run_dir, &monitor, &ignored) < 0 || monitor > 0)
		return;
	if (runtime_delete(e->runtime_root, id, true, &ignored) < 0)
		log_debug("removing the runtime's state of '%s': %s", id, ignored.msg);
}

int container_discard(struct engine *e, const char *id, struct error *err)
{
	cleanup_fd int containers_fd = -EBADF, trash_fd = -EBADF;
	struct error ignored;
	struct db *db;
	int r = engine_subdir(e, "containers", &containers_fd, err);

	if (r < 0)
		return r;
	r = engine_subdir(e, "trash", &trash_fd, err);
	if (r < 0)
		return r;
	r = engine_db(e, &db, err);
	if (r < 0)
		return r;
	r = dir_move_to_trash(containers_fd, id, trash_fd, err);
	if (r < 0)
		return r;
	r = db_delete(db, id, err);
	if (r < 0)
		return r;
	/* The container is gone. A large one is deleted in the background: engine_close(). */
	e->sweeps = true;
	if (trash_sweep_small(trash_fd, &ignored) < 0)
		log_debug("emptying the trash: %s", ignored.msg);
	engine_sweep_if_full(e);
	return 0;
}

int container_discard_free(struct engine *e, const char *id, struct error *err)
{
	cleanup_fd int dir_fd = -EBADF;

	if (container_dir_open(e, id, &dir_fd, err) == 0 && container_lock(dir_fd, false, err) == 1)
		return 1;
	return container_discard(e, id, err);
}

int container_settle(struct engine *e, struct record *r, const struct monitor_exit *end,
		     struct error *err)
{
	return r->flags & RECORD_AUTO_REMOVE ? container_discard_free(e, r->id, err)
					     : container_record_exit(e, r, end, err);
}
