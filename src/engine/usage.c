/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/dir.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/handle.h"
#include "engine/prune.h"

static int add_path(struct engine *e, const char *path, uint64_t *bytes, struct error *err)
{
	uint64_t more = 0;
	int r = dir_usage(e->root_fd, path, &more, err);

	if (r < 0 && r != -ENOENT)
		return r;
	*bytes += more;
	return 0;
}

static int load_containers(struct engine *e, struct engine_usage *u, struct error *err)
{
	static const char *const beside[] = { "berth.db", "berth.db-wal", "berth.db-shm" };
	int r = engine_list(e, true, &u->containers, err);

	if (r < 0)
		return r;
	u->container_bytes = xcalloc(u->containers.n + 1, sizeof(*u->container_bytes));
	for (size_t i = 0; i < u->containers.n && r == 0; i++) {
		cleanup_free char *path = xasprintf("containers/%s", u->containers.items[i].id);

		r = add_path(e, path, &u->container_bytes[i], err);
	}
	/* once more as a whole: with what is half made or half removed */
	if (r == 0)
		r = add_path(e, "containers", &u->containers_bytes, err);
	for (size_t i = 0; i < ARRAY_SIZE(beside) && r == 0; i++)
		r = add_path(e, beside[i], &u->containers_bytes, err);
	return r;
}

int engine_usage_load(struct engine *e, struct engine_usage *ret, struct error *err)
{
	struct engine_usage u = { 0 };
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_usage_load(store, &u.images, err);
	if (r == 0)
		r = load_containers(e, &u, err);
	if (r < 0)
		engine_usage_done(&u);
	else
		*ret = u;
	return r;
}

void engine_usage_done(struct engine_usage *u)
{
	image_usage_done(&u->images);
	container_list_done(&u->containers);
	free(u->container_bytes);
	*u = (struct engine_usage){ 0 };
}

size_t engine_usage_image_users(const struct engine_usage *u, const struct digest *id)
{
	size_t n = 0;

	for (size_t i = 0; i < u->containers.n; i++)
		n += str_eq(u->containers.items[i].image_id, id->text);
	return n;
}

static bool is_used(void *ctx, const struct digest *id)
{
	return engine_usage_image_users(ctx, id) > 0;
}

uint64_t engine_usage_reclaimable_images(const struct engine_usage *u)
{
	/* the callback only reads */
	return image_usage_reclaimable(&u->images, is_used, (void *)(uintptr_t)u);
}

uint64_t engine_usage_reclaimable_containers(const struct engine_usage *u)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < u->containers.n; i++) {
		enum container_state state = u->containers.items[i].state;

		if (state != CONTAINER_STATE_RUNNING && state != CONTAINER_STATE_PAUSED)
			bytes += u->container_bytes[i];
	}
	return bytes;
}
