/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "base/mem.h"
#include "engine/handle.h"
#include "engine/stop.h"

int engine_remove(struct engine *e, const char *ref, unsigned flags, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	bool force = flags & ENGINE_REMOVE_FORCE;
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return force && err->kind == ERROR_NOT_FOUND ? 0 : r;
	if (record_is_live(&record)) {
		if (!force)
			return error_kind(err, ERROR_CONFLICT,
					  "You cannot remove a %s container %s. Stop the container "
					  "before attempting removal or force remove",
					  container_state_name(record.state), record.id);
		r = container_kill(e, &record, err);
		if (r < 0)
			return r;
	}
	return container_discard(e, record.id, err);
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
