/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/id.h"
#include "base/mem.h"
#include "engine/handle.h"
#include "engine/reserve.h"
#include "image/check.h"
#include "image/store.h"

int engine_image_user(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct engine *e = ctx;
	struct record record;
	struct error ignored;
	bool found = false;
	struct db *db;

	/* Without an answer the image counts as used: better kept than lost. */
	(void)snprintf(who, who_size, "unknown");
	if (engine_db(e, &db, &ignored) < 0 ||
	    db_image_user(db, id->text, arena, &record, &found, &ignored) < 0)
		return 2;
	if (!found)
		return 0;
	(void)snprintf(who, who_size, "%.*s", ID_SHORT_LEN, record.id);
	(void)container_refresh(e, &record, &ignored); /* the row as it was will do */
	return record_is_live(&record) ? 2 : 1;
}

int engine_remove_image(struct engine *e, const char *ref, bool force,
			struct image_removal *ret_removal, struct error *err)
{
	struct image_store *store;
	int r;

	reserve_release_if_full(e);
	r = engine_images(e, &store, err);
	if (r == 0)
		r = image_remove(store, ref, force ? IMAGE_REMOVE_FORCE : 0, engine_image_user, e,
				 ret_removal, err);
	if (r == 0)
		engine_sweep_if_full(e);
	return r;
}

int engine_check_images(struct engine *e, bool quick, bool repair, char ***report, size_t *ret_left,
			struct error *err)
{
	const struct image_check_options options = {
		.flags = (quick ? IMAGE_CHECK_QUICK : 0) | (repair ? IMAGE_CHECK_REPAIR : 0),
		.in_use = engine_image_user,
		.ctx = e,
	};
	struct image_store *store;
	int r = engine_images(e, &store, err);

	return r < 0 ? r : image_check(store, &options, report, ret_left, err);
}
