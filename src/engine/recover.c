/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crashes leave behind: each finder below looks for one kind, says so, and with repair removes
 * it. None of them touches what a living process works on: rows are refreshed first, directories
 * without a row are taken only if nobody holds their lock.
 */
#include "engine/recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/trash.h"
#include "engine/handle.h"
#include "engine/monitor_client.h"
#include "runtime/runtime.h"

#define CHECKED_MARK "checked" /* in STATE, so it is gone after a reboot */
#define LOOK_AGAIN_S 600       /* so often somebody looks for what killed makers left */
#define YOUNG_S	     2	       /* a directory this new may not be locked yet by its maker */

struct check {
	struct engine *e;
	struct arena *arena;
	struct db *db;
	struct record *rows;
	size_t n;
	bool repair;
	char **report; /* strv */
};

static void report(struct check *c, char *sentence)
{
	c->report = strv_push_owned(c->report, sentence);
}

static bool has_row(const struct check *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->rows[i].id, id))
			return true;
	return false;
}

static bool is_live(const struct check *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->rows[i].id, id))
			return record_is_live(&c->rows[i]);
	return false;
}

/* Has the container a monitor that will see to it? */
static bool has_monitor(const struct check *c, const char *id)
{
	cleanup_free char *run_dir = container_run_dir(c->e, id);
	pid_t monitor = 0;

	return monitor_find(run_dir, &monitor, NULL) >= 0 && monitor > 0;
}

/* Ends that nobody recorded, and --rm containers that nobody removed. */
static int check_row(struct check *c, struct record *r, struct error *err)
{
	enum container_state was = r->state;
	cleanup_free char *dir = container_dir_path(c->e, r->id);
	int status;

	if (access(dir, F_OK) < 0) {
		report(c, xasprintf("container %s (%s) has lost its directory", r->id, r->name));
		return c->repair ? db_delete(c->db, r->id, err) : 0;
	}
	if (!c->repair)
		return 0;
	status = container_refresh(c->e, r, err);
	if (status < 0)
		return status == -ENOENT ? 0 : status;
	if (r->state != was)
		report(c, xasprintf("container %s (%s) is %s, not %s as the database said", r->id,
				    r->name, container_state_name(r->state),
				    container_state_name(was)));
	if (r->state != CONTAINER_STATE_EXITED || !(r->flags & RECORD_AUTO_REMOVE) ||
	    has_monitor(c, r->id))
		return 0;
	report(c, xasprintf("container %s (%s) has ended and was to be removed", r->id, r->name));
	return container_discard(c->e, r->id, err);
}

/* Is a directory without a row really nobody's? A new look at the database after its lock. */
static bool is_abandoned(struct check *c, int containers_fd, const char *id)
{
	cleanup_fd int fd = openat(containers_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record row;
	struct error ignored;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    clock_real_ns() / 1000000000 - st.st_mtim.tv_sec < YOUNG_S ||
	    container_lock(fd, false, &ignored) != 0)
		return false;
	return db_find(c->db, id, arena, &row, &ignored) < 0 && ignored.kind == ERROR_NOT_FOUND;
}

/* Names of containers in a directory. */
static int list_ids(int dir_fd, char ***ret_names, struct error *err)
{
	cleanup_with(strv_free) char **names = NULL;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return error_sys(err, "cannot read a directory of containers");
	while ((entry = readdir(dir)))
		if (id_is_full(entry->d_name))
			names = strv_push(names, entry->d_name);
	*ret_names = take_ptr(&names);
	return 0;
}

/* Directories whose maker died before it wrote the row. */
static int check_containers(struct check *c, struct error *err)
{
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_fd int containers_fd = -EBADF, trash_fd = -EBADF;
	int r = engine_subdir(c->e, "containers", &containers_fd, err);

	if (r >= 0)
		r = engine_subdir(c->e, "trash", &trash_fd, err);
	if (r >= 0)
		r = list_ids(containers_fd, &ids, err);
	for (size_t i = 0; r >= 0 && i < strv_len(ids); i++) {
		if (has_row(c, ids[i]) || !is_abandoned(c, containers_fd, ids[i]))
			continue;
		report(c, xasprintf("directory of container %s was left half made", ids[i]));
		if (c->repair)
			r = dir_move_to_trash(containers_fd, ids[i], trash_fd, err);
		if (r == -ENOENT)
			r = 0; /* another one who looks was faster */
	}
	return r;
}

static int check_trash(struct check *c, struct error *err)
{
	cleanup_fd int trash_fd = -EBADF;
	char text[ERROR_TEXT_MAX];
	struct error why;
	int r = engine_subdir(c->e, "trash", &trash_fd, err);

	if (r < 0)
		return r;
	/* What was removed is gone, though its room is not: somebody deletes it, or we do. */
	c->e->sweeps = true;
	if (trash_sweep_small(trash_fd, &why) < 0)
		report(c, xasprintf("what was removed cannot be deleted: %s",
				    error_text(&why, text, sizeof(text))));
	return 0;
}

/* Run directories of monitors that were killed. */
static int check_state(struct check *c, struct error *err)
{
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_fd int state_fd = open(c->e->state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (state_fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open '%s'", c->e->state_path);
	r = list_ids(state_fd, &ids, err);
	for (size_t i = 0; r >= 0 && i < strv_len(ids); i++) {
		if (is_live(c, ids[i]) || has_monitor(c, ids[i]))
			continue;
		report(c, xasprintf("sockets of container %s were left behind", ids[i]));
		if (c->repair)
			r = dir_remove_tree(state_fd, ids[i], err);
	}
	return r;
}

/* Containers whose runtime and monitor were killed while they made them. */
static int check_runtime(struct check *c, struct error *err)
{
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_fd int root_fd = open(c->e->runtime_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root_fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open '%s'", c->e->runtime_root);
	r = list_ids(root_fd, &ids, err);
	for (size_t i = 0; r >= 0 && i < strv_len(ids); i++) {
		if (is_live(c, ids[i]) || has_monitor(c, ids[i]))
			continue;
		report(c, xasprintf("runtime state of container %s was left behind", ids[i]));
		if (c->repair)
			r = runtime_delete(c->e->runtime_root, ids[i], true, err);
	}
	return r;
}

static int check_all(struct check *c, struct error *err)
{
	int r = engine_db(c->e, &c->db, err);

	if (r >= 0)
		r = db_list(c->db, c->arena, &c->rows, &c->n, err);
	for (size_t i = 0; r >= 0 && i < c->n; i++)
		r = check_row(c, &c->rows[i], err);
	if (r >= 0)
		r = check_containers(c, err);
	if (r >= 0)
		r = check_trash(c, err);
	if (r >= 0) /* before the run directories, which tell of monitors */
		r = check_runtime(c, err);
	return r < 0 ? r : check_state(c, err);
}

int engine_check(struct engine *e, bool repair, char ***ret_report, struct error *err)
{
	struct check c = { .e = e, .arena = arena_new(), .repair = repair };
	int r = check_all(&c, err);

	arena_free(c.arena);
	if (r < 0) {
		strv_free(c.report);
		return r;
	}
	for (size_t i = 0; i < strv_len(c.report); i++)
		*ret_report = strv_push(*ret_report, c.report[i]);
	strv_free(c.report);
	return 0;
}

int recover_once_per_boot(struct engine *e, struct error *err)
{
	cleanup_with(strv_free) char **sentences = NULL;
	cleanup_free char *mark = path_join(e->state_path, CHECKED_MARK);
	int fd, r;

	if (access(mark, F_OK) == 0)
		return 0;
	r = path_mkdir_all(e->state_path, 0700, err);
	if (r < 0)
		return r;
	r = engine_check(e, true, &sentences, err);
	if (r < 0)
		return error_prefix(err, r, "looking for what a crash left");
	for (size_t i = 0; i < strv_len(sentences); i++)
		log_debug("%s", sentences[i]);
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(err, "cannot create '%s'", mark);
	close(fd);
	return 0;
}

bool recover_is_due(const struct engine *e)
{
	cleanup_free char *mark = path_join(e->state_path, CHECKED_MARK);
	struct stat st;

	return stat(mark, &st) == 0 &&
	       clock_real_ns() / 1000000000 - st.st_mtim.tv_sec >= LOOK_AGAIN_S;
}

int recover_half_made(struct engine *e, struct error *err)
{
	cleanup_free char *mark = path_join(e->state_path, CHECKED_MARK);
	struct check c = { .e = e, .repair = true };
	int r;

	/* whoever removes the whole store shall not find it made again */
	if (!recover_is_due(e) || faccessat(e->root_fd, "containers", F_OK, 0) < 0 ||
	    faccessat(e->root_fd, "berth.db", F_OK, 0) < 0)
		return 0;
	(void)utimensat(AT_FDCWD, mark, NULL, 0); /* else the next one looks as well */
	c.arena = arena_new();
	r = engine_db(e, &c.db, err);
	if (r >= 0)
		r = db_list(c.db, c.arena, &c.rows, &c.n, err);
	if (r >= 0)
		r = check_containers(&c, err);
	arena_free(c.arena);
	for (size_t i = 0; i < strv_len(c.report); i++)
		log_debug("%s", c.report[i]);
	strv_free(c.report);
	return r;
}

int engine_reap(struct engine *e, const char *ref, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : r; /* removed meanwhile: nothing to do */
	if (record.state == CONTAINER_STATE_EXITED && (record.flags & RECORD_AUTO_REMOVE))
		r = container_discard_free(e, record.id, err);
	return MIN(r, 0); /* held: by a restart, which wants it back */
}
