/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/id.h"
#include "base/mem.h"
#include "engine/handle.h"
#include "engine/reserve.h"
#include "engine/stop.h"

/* Not while somebody starts it. Its directory may be gone: then there is nothing to hold. */
static int hold(struct engine *e, const char *id, bool force, int *ret_fd, struct error *err)
{
	struct error ignored;
	int r = container_dir_open(e, id, ret_fd, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* a restart may be waiting for its end, for as long as its user said */
	if (force && container_lock(*ret_fd, false, &ignored) == 1)
		(void)engine_kill(e, id, NULL, &ignored); /* it may not run yet, or no more */
	return container_lock(*ret_fd, true, err);
}

static int remove_found(struct engine *e, const char *id, bool force, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_fd int dir_fd = -EBADF;
	struct record record;
	int r = hold(e, id, force, &dir_fd, err);

	if (r < 0)
		return r;
	/* Looked at again: only now it cannot be started any more. */
	r = container_find(e, id, arena, &record, err);
	if (r < 0)
		return r;
	if (record_is_live(&record)) {
		if (!force)
			return error_kind(err, ERROR_CONFLICT,
					  "You cannot remove a %s container %s. Stop the container "
					  "before attempting removal or force remove",
					  container_state_name(record.state), record.id);
		record.flags &= ~(unsigned)RECORD_AUTO_REMOVE; /* we hold it, so we remove it */
		r = container_kill(e, &record, err);
		if (r < 0)
			return r;
	}
	container_clean_runtime(e, record.id);
	return container_discard(e, record.id, err);
}

int engine_remove(struct engine *e, const char *ref, unsigned flags, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	bool force = flags & ENGINE_REMOVE_FORCE;
	struct record record;
	struct db *db;
	int r;

	reserve_release_if_full(e);
	r = engine_db(e, &db, err);
	if (r >= 0)
		r = db_find(db, ref, arena, &record, err);
	if (r >= 0)
		r = remove_found(e, record.id, force, err);
	return r < 0 && force && err->kind == ERROR_NOT_FOUND ? 1 : r;
}

int engine_rename(struct engine *e, const char *ref, const char *new_name, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	struct db *db;
	int r;

	if (!id_name_is_valid(new_name))
		return error_kind(err, ERROR_INVALID,
				  "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
				  "allowed",
				  new_name);
	r = container_find(e, ref, arena, &record, err);
	if (r < 0)
		return r;
	r = engine_db(e, &db, err);
	return r < 0 ? r : db_rename(db, record.id, new_name, err);
}
