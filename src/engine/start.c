/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting: a monitor is spawned, makes the container, starts it; then the row says so. Until the
 * row is written a death of ours leaves a running container with a row "created", which
 * container_refresh() sets right.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/join.h"
#include "engine/monitor_client.h"
#include "engine/session.h"
#include "engine/stop.h"
#include "runtime/statedir.h"

struct start {
	struct engine *e;
	struct engine_session *session; /* its record and arena are used from the beginning */
	struct record *record;
	struct document document;
	char *dir_path, *run_dir, *exit_file, *oom_file;
	char *monitor_path, *berth_path;
	int dir_fd;
	unsigned flags;
	bool is_taken; /* it runs already: somebody was faster */
};

static void start_done(struct start *s)
{
	free(s->dir_path);
	free(s->run_dir);
	free(s->exit_file);
	free(s->oom_file);
	free(s->monitor_path);
	free(s->berth_path);
	cleanup_close_fd(&s->dir_fd);
	engine_session_close(s->session);
}

static int check_startable(const struct record *r, struct error *err)
{
	if (r->state == CONTAINER_STATE_PAUSED)
		return error_kind(err, ERROR_CONFLICT,
				  "cannot start a paused container, try unpause instead");
	if (r->state == CONTAINER_STATE_RUNNING)
		return error_kind(err, ERROR_NOT_MODIFIED, "container %s is already running",
				  r->name);
	return 0;
}

static int prepare(struct start *s, struct error *err)
{
	const char *id = s->record->id;
	int r = 0;

	if (s->dir_fd < 0) {
		r = container_dir_open(s->e, id, &s->dir_fd, err);
		if (r >= 0)
			r = container_lock(s->dir_fd, true, err);
	}
	if (r < 0)
		return r;
	container_clean_runtime(s->e, id);
	r = document_load(s->dir_fd, s->session->arena, &s->document, err);
	if (r < 0)
		return r;
	if (s->record->started_ns != 0 && (s->record->flags & RECORD_AUTO_REMOVE)) {
		/* overlayfs refuses an upper directory that was mounted as volatile before, because
		 * the host may have crashed meanwhile; then the container would be gone. */
		r = dir_remove_tree(s->dir_fd, "work/work", err);
		if (r < 0)
			return r;
	}
	r = join_containers(s->e, &s->document, s->dir_fd, s->session->arena, err);
	if (r < 0)
		return r;
	if (mkdir(s->e->state_path, 0700) < 0 && errno != EEXIST) {
		r = path_mkdir_all(s->e->state_path, 0700, err);
		if (r < 0)
			return r;
	}
	s->dir_path = container_dir_path(s->e, id);
	s->run_dir = container_run_dir(s->e, id);
	s->exit_file = path_join(s->dir_path, FILE_EXIT);
	s->oom_file = join_oom_file(s->document.cgroup_parent, id, s->e->rootless);
	return engine_program("berth-monitor", &s->monitor_path, err);
}

/* --pid host, --pid container:X: others see the container's init before it executes. */
static bool shares_pids(const struct document *d)
{
	const char *word = NULL;
	struct error ignored;

	return json_get_string(json_get(d->root, "HostConfig"), "PidMode", &word, &ignored) < 0 ||
	       !str_empty(word);
}

static int spawn(struct start *s, struct error *err)
{
	const struct document *d = &s->document;
	struct error ignored;
	/* Without a berth beside us (another program that uses this library) nobody reaps: the next
	 * look at the row does. */
	bool reaps = engine_program("berth", &s->berth_path, &ignored) >= 0;
	const char *const exit_command[] = { s->berth_path, "--root",	      s->e->root_path,
					     "--state",	    s->e->state_path, "system",
					     "reap",	    s->record->id,    NULL };
	struct monitor_spec spec = {
		.monitor_path = s->monitor_path,
		.id = s->record->id,
		.bundle = s->dir_path,
		.run_dir = s->run_dir,
		.exit_file = s->exit_file,
		.runtime_path = d->runtime,
		.runtime_root = s->e->runtime_root,
		.oom_file = s->oom_file,
		.log_driver = d->log_driver,
		.log_path = str_empty(d->log_path) ? NULL : d->log_path,
		.log_opts = d->log_opts,
		.exit_command = reaps ? exit_command : NULL,
		.systemd_cgroup = str_ends(d->cgroup_parent, ".slice"),
		.tty = d->tty,
		.stdin_open = d->open_stdin,
		.stdin_once = d->stdin_once,
		.start_at_once = true,
		.sealed = shares_pids(d),
		.attach = (s->flags & ENGINE_START_ATTACH) != 0,
		.attach_want = session_wants(s->flags),
	};
	int r;

	r = monitor_spawn(&spec, &s->session->monitor, err);
	s->is_taken = r < 0 && err->kind == ERROR_CONFLICT;
	return r;
}

static int follow(struct start *s, struct error *err)
{
	struct monitor_client *m = &s->session->monitor;
	int r = monitor_wait_created(m, err);

	if (r < 0)
		return r;
	/* Read while the runtime starts it: init waits or has just begun. One that is gone already
	 * has an exit file. */
	if (process_start_time(m->init_pid, &s->record->pid_start) < 0)
		s->record->pid_start = 0;
	return monitor_start(m, err);
}

static int write_running(struct start *s, struct error *err)
{
	struct record *r = s->record;
	struct db *db;
	int status = engine_db(s->e, &db, err);

	if (status < 0)
		return status;
	r->state = CONTAINER_STATE_RUNNING;
	r->pid = s->session->monitor.init_pid;
	r->monitor_pid = s->session->monitor.pid;
	r->started_ns = s->session->monitor.started_ns;
	r->finished_ns = 0;
	r->exit_code = 0;
	r->oom_killed = false;
	r->error = "";
	return db_update_life(db, NULL, r, err);
}

/* The reason stays in the row; of a container with --rm nothing stays. */
static void write_failure(struct start *s, const struct error *reason)
{
	char text[ERROR_TEXT_MAX];
	struct record *r = s->record;
	struct error ignored;
	struct db *db;

	container_clean_runtime(s->e, r->id);
	if (s->record->flags & RECORD_AUTO_REMOVE) {
		if (container_discard(s->e, r->id, &ignored) < 0)
			log_debug("removing '%s': %s", r->id, ignored.msg);
		return;
	}
	r->error = error_text(reason, text, sizeof(text));
	r->exit_code = error_exit_code(reason);
	if (r->exit_code == 125)
		r->exit_code = 128; /* docker's, in the container's own state */
	if (engine_db(s->e, &db, &ignored) < 0 || db_update_life(db, NULL, r, &ignored) < 0)
		log_debug("recording the failure of '%s': %s", r->id, ignored.msg);
}

static int start_found(struct start *s, struct error *err)
{
	struct error ignored;
	int r = prepare(s, err);

	if (r < 0)
		return r;
	r = spawn(s, err);
	if (r < 0)
		return r;
	r = follow(s, err);
	if (r < 0)
		return r;
	/* It runs, whatever the row says: a full disk is no reason to lose it. Who reads the row
	 * next sets it right. */
	if (write_running(s, &ignored) < 0)
		log_debug("recording the start of '%s': %s", s->record->id, ignored.msg);
	if (s->flags & ENGINE_START_ATTACH) {
		r = attach_open_fd(take_fd(&s->session->monitor.attach_fd), &s->session->streams,
				   err);
		s->session->is_attached = r >= 0;
	}
	return r;
}

static int start_ref(struct engine *e, const char *ref, unsigned flags, int held_fd,
		     struct engine_session **ret_session, struct error *err)
{
	__attribute__((cleanup(start_done))) struct start s = {
		.e = e, .flags = flags, .dir_fd = held_fd, .session = session_new(e)
	};
	int r;

	s.record = &s.session->record;
	r = container_find(e, ref, s.session->arena, s.record, err);
	if (r < 0)
		return r;
	r = check_startable(s.record, err);
	if (r == 0)
		r = engine_settle(e, err);
	if (r < 0)
		return r;
	r = start_found(&s, err);
	if (r < 0) {
		if (!record_is_live(s.record) && !s.is_taken)
			write_failure(&s, err);
		return r;
	}
	if (ret_session)
		*ret_session = take_ptr(&s.session);
	return 0;
}

int engine_start(struct engine *e, const char *ref, unsigned flags,
		 struct engine_session **ret_session, struct error *err)
{
	return start_ref(e, ref, flags, -EBADF, ret_session, err);
}

int container_start_held(struct engine *e, const char *id, int *held_fd, struct error *err)
{
	return start_ref(e, id, 0, take_fd(held_fd), NULL, err);
}
