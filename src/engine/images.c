/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/id.h"
#include "base/mem.h"
#include "engine/handle.h"
#include "engine/image_mount.h"
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
		return engine_image_is_mounted(e, id) ? 3 : 0;
	(void)snprintf(who, who_size, "%.*s", ID_SHORT_LEN, record.id);
	(void)container_refresh(e, &record, &ignored); /* the row as it was will do */
	return record_is_live(&record) ? 2 : 1;
}

/* Force ends mounts, too. */
static int user_by_force(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	int use = engine_image_user(ctx, id, who, who_size);
	struct digest unmounted;
	struct error ignored; /* then it stays mounted, which is told */

	if (use == 3 && engine_image_unmount(ctx, id->text, true, &unmounted, &ignored) > 0)
		use = 0;
	return use;
}

/* A check knows of containers only: a mount is like one that runs. */
static int user_of_check(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	int use = engine_image_user(ctx, id, who, who_size);

	if (use == 3)
		(void)snprintf(who, who_size, "(its mount)");
	return use == 3 ? 2 : use;
}

int engine_remove_image(struct engine *e, const char *ref, bool force,
			struct image_removal *ret_removal, struct error *err)
{
	struct image_store *store;
	int r;

	reserve_release_if_full(e);
	r = engine_images(e, &store, err);
	if (r == 0)
		r = image_remove(store, ref, force ? IMAGE_REMOVE_FORCE : 0,
				 force ? user_by_force : engine_image_user, e, ret_removal, err);
	if (r == 0)
		engine_sweep_if_full(e);
	return r;
}

int engine_check_images(struct engine *e, bool quick, bool repair, char ***report, size_t *ret_left,
			struct error *err)
{
	const struct image_check_options options = {
		.flags = (quick ? IMAGE_CHECK_QUICK : 0) | (repair ? IMAGE_CHECK_REPAIR : 0),
		.in_use = user_of_check,
		.ctx = e,
	};
	struct image_store *store;
	int r = engine_images(e, &store, err);

	return r < 0 ? r : image_check(store, &options, report, ret_left, err);
}
