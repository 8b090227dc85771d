/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to a container's init: stop, kill, restart; and the freezer: pause, unpause. */
#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/runtime_client.h"
#include "engine/signal_name.h"
#include "engine/stop.h"
#include "engine/wait.h"

#define STOP_TIMEOUT_S	10
#define KILL_TIMEOUT_MS 10000

/* A pidfd of init that is surely the row's. -ESRCH: it is gone. */
static int open_init(const struct record *r)
{
	int pidfd = proc_open(r->pid);

	/* Asked after the open: what is alive now is what we opened. */
	if (pidfd >= 0 && !container_process_alive(r)) {
		close(pidfd);
		return -ESRCH;
	}
	return pidfd;
}

static int runtime_verb(struct engine *e, const struct record *r, const char *verb,
			struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const char *runtime;
	int status = container_runtime(e, r, arena, &runtime, err);

	if (status < 0)
		return status;
	return runtime_call(e, runtime, (const char *const[]){ verb, NULL }, r->id, err);
}

static int write_state(struct engine *e, struct record *r, enum container_state state,
		       struct error *err)
{
	const struct record was = *r;
	struct db *db;
	int status = engine_db(e, &db, err);

	if (status < 0)
		return status;
	r->state = state;
	/* It may end or be removed at any moment; then that is what the row says. */
	status = db_update_life(db, &was, r, err);
	return status < 0 ? status : 0;
}

/* A frozen process does not see its signal until it thaws. */
static int signal_init(struct engine *e, struct record *r, int signo, struct error *err)
{
	cleanup_fd int pidfd = open_init(r);
	int status = pidfd < 0 ? pidfd : proc_kill(pidfd, signo);

	if (status == -ESRCH)
		return 0;
	if (status < 0)
		return error_num(err, -status, "cannot signal container %s", r->id);
	if (r->state != CONTAINER_STATE_PAUSED)
		return 0;
	status = runtime_verb(e, r, "resume", err);
	return status < 0 ? status : write_state(e, r, CONTAINER_STATE_RUNNING, err);
}

int container_kill(struct engine *e, struct record *r, struct error *err)
{
	int code, status = signal_init(e, r, SIGKILL, err);

	if (status < 0)
		return status;
	status = wait_for_end(e, r, KILL_TIMEOUT_MS, &code, err);
	if (status == 1)
		return error_kind(err, ERROR_INTERNAL,
				  "container %s did not end within 10 seconds of SIGKILL", r->id);
	return status;
}

/* What the container itself says about its stopping. */
static int own_manners(struct engine *e, const struct record *r, int *signo, int *timeout_s,
		       struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct document document;
	int status = container_document(e, r->id, arena, &document, err);

	if (status < 0)
		return status;
	*signo = document.stop_signal ? signal_parse(document.stop_signal) : SIGTERM;
	if (*signo < 0)
		*signo = SIGTERM; /* the image's word, which nobody checked: as docker */
	*timeout_s = document.stop_timeout_s >= 0 ? document.stop_timeout_s : STOP_TIMEOUT_S;
	return 0;
}

static int stop_found(struct engine *e, struct record *r, const char *signal, int timeout_s,
		      struct error *err)
{
	int signo = SIGTERM, own_timeout_s = STOP_TIMEOUT_S, code, status;

	status = own_manners(e, r, &signo, &own_timeout_s, err);
	if (status < 0)
		return status;
	if (signal)
		signo = signal_parse(signal);
	if (signo < 0)
		return error_kind(err, ERROR_INVALID, "invalid signal: %s", signal);
	if (timeout_s == ENGINE_TIMEOUT_DEFAULT)
		timeout_s = own_timeout_s;
	status = signal_init(e, r, signo, err);
	if (status < 0)
		return status;
	status = wait_for_end(e, r, timeout_s < 0 ? -1 : MIN(timeout_s, INT_MAX / 1000) * 1000,
			      &code, err);
	return status == 1 ? container_kill(e, r, err) : status;
}

int engine_stop(struct engine *e, const char *ref, const char *signal, int timeout_s,
		struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0 || !record_is_live(&record))
		return r;
	return stop_found(e, &record, signal, timeout_s, err);
}

int engine_restart(struct engine *e, const char *ref, const char *signal, int timeout_s,
		   struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	cleanup_fd int dir_fd = -EBADF;
	int r = container_find(e, ref, arena, &record, err);

	if (r >= 0)
		r = container_dir_open(e, record.id, &dir_fd, err);
	/* Held from here on: who sees it end must not remove what is to start again. */
	if (r >= 0)
		r = container_lock(dir_fd, true, err);
	if (r >= 0)
		r = container_find(e, record.id, arena, &record, err);
	if (r < 0)
		return r;
	if (record_is_live(&record)) {
		unsigned flags = record.flags;

		record.flags &= ~(unsigned)RECORD_AUTO_REMOVE; /* nor must we */
		r = stop_found(e, &record, signal, timeout_s, err);
		if (r < 0)
			return r;
		record.flags = flags;
		r = write_state(e, &record, record.state, err);
		if (r < 0)
			return r;
	}
	return container_start_held(e, record.id, &dir_fd, err);
}

int engine_kill(struct engine *e, const char *ref, const char *signal, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	int r, signo = signal ? signal_parse(signal) : SIGKILL;
	struct record record;

	if (signo < 0)
		return error_kind(err, ERROR_INVALID, "invalid signal: %s", signal);
	r = container_find(e, ref, arena, &record, err);
	if (r < 0)
		return r;
	if (!record_is_live(&record))
		return error_kind(err, ERROR_CONFLICT,
				  "cannot kill container: %s: container %s is not running", ref,
				  record.id);
	return signo == SIGKILL ? container_kill(e, &record, err)
				: signal_init(e, &record, signo, err);
}

int engine_pause(struct engine *e, const char *ref, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return r;
	if (record.state == CONTAINER_STATE_PAUSED)
		return error_kind(err, ERROR_CONFLICT, "container %s is already paused", record.id);
	if (record.state != CONTAINER_STATE_RUNNING)
		return error_kind(err, ERROR_CONFLICT, "container %s is not running", record.id);
	r = runtime_verb(e, &record, "pause", err);
	return r < 0 ? r : write_state(e, &record, CONTAINER_STATE_PAUSED, err);
}

int engine_unpause(struct engine *e, const char *ref, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return r;
	if (record.state != CONTAINER_STATE_PAUSED)
		return error_kind(err, ERROR_CONFLICT, "container %s is not paused", record.id);
	r = runtime_verb(e, &record, "resume", err);
	return r < 0 ? r : write_state(e, &record, CONTAINER_STATE_RUNNING, err);
}
