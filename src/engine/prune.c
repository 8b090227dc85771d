/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/handle.h"
#include "engine/reserve.h"
#include "image/filter.h"

void engine_pruned_done(struct engine_pruned *p)
{
	p->containers = strv_free(p->containers);
	image_removal_done(&p->images);
}

/* Containers */

static bool has_label(const struct container_info *c, const char *word)
{
	for (const char *const *l = c->labels; l && *l; l++) {
		cleanup_free char *key = xstrndup(*l, strcspn(*l, "="));
		const char *value = strchr(*l, '=');

		if (image_filter_label(word, key, value ? value + 1 : ""))
			return true;
	}
	return false;
}

static bool passes(const struct image_filter *f, const struct container_info *c)
{
	if (f->before_ns != INT64_MAX && c->created_ns >= f->before_ns)
		return false;
	for (size_t i = 0; f->labels && f->labels[i]; i++) {
		if (!has_label(c, f->labels[i]))
			return false;
	}
	for (size_t i = 0; f->not_labels && f->not_labels[i]; i++) {
		if (has_label(c, f->not_labels[i]))
			return false;
	}
	return true;
}

static int prune_container(struct engine *e, const struct container_info *c,
			   struct engine_pruned *pruned, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s", c->id);
	uint64_t bytes = 0;
	struct error ignored; /* a container without a directory frees nothing */
	int r;

	(void)dir_usage(e->root_fd, path, &bytes, &ignored);
	r = engine_remove(e, c->id, 0, err);
	if (r == -ENOENT || (r < 0 && err->kind == ERROR_CONFLICT))
		return 0; /* removed or started meanwhile */
	if (r < 0)
		return r;
	pruned->containers = strv_push(pruned->containers, c->id);
	pruned->freed_bytes += bytes;
	return 0;
}

static int prune_listed(struct engine *e, const struct image_filter *filter,
			struct engine_pruned *pruned, struct error *err)
{
	struct container_list list;
	int r = engine_list(e, true, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n && r == 0; i++) {
		enum container_state state = list.items[i].state;

		if (state == CONTAINER_STATE_RUNNING || state == CONTAINER_STATE_PAUSED)
			continue;
		if (passes(filter, &list.items[i]))
			r = prune_container(e, &list.items[i], pruned, err);
	}
	container_list_done(&list);
	return r;
}

int engine_prune_containers(struct engine *e, char *const *words, struct engine_pruned *pruned,
			    struct error *err)
{
	cleanup_image_filter struct image_filter filter = { 0 };
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_filter_parse(store, words, IMAGE_FILTER_PRUNE, &filter, err);
	if (r == 0 && filter.dangling >= 0)
		r = error_kind(err, ERROR_INVALID, "Invalid filter 'dangling'");
	return r < 0 ? r : prune_listed(e, &filter, pruned, err);
}

/* Images */

/* image_in_use_fn: a container of any state keeps its image. */
static int any_user(void *ctx, const struct digest *id, char *who, size_t who_size)
{
	int use = engine_image_user(ctx, id, who, who_size);

	return use == 0 ? 0 : 2;
}

static void add_removal(struct image_removal *all, struct image_removal *one)
{
	if (one->n > 0) {
		all->rows = xrealloc(all->rows, (all->n + one->n) * sizeof(*all->rows));
		memcpy(all->rows + all->n, one->rows, one->n * sizeof(*one->rows));
		all->n += one->n;
	}
	free(one->rows); /* the strings are in all now */
}

static int prune_image(struct engine *e, struct image_store *store, const struct image_row *row,
		       bool all, struct engine_pruned *pruned, struct error *err)
{
	struct image_removal removal = { 0 };
	/* a dangling one that somebody names meanwhile stays */
	int r = image_remove(store, row->id.text, all ? IMAGE_REMOVE_FORCE : IMAGE_REMOVE_UNNAMED,
			     any_user, e, &removal, err);

	if (r < 0 && (err->kind == ERROR_CONFLICT || err->kind == ERROR_NOT_FOUND))
		return 0; /* used, named again, or gone */
	if (r < 0)
		return r;
	add_removal(&pruned->images, &removal);
	return 0;
}

static int prune_rows(struct engine *e, struct image_store *store,
		      const struct image_filter *filter, bool all, struct engine_pruned *pruned,
		      struct error *err)
{
	struct image_list list;
	int r = image_list(store, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n && r == 0; i++) {
		int match = image_filter_match(filter, store, &list.rows[i], err);

		if (match < 0)
			r = match;
		else if (match > 0)
			r = prune_image(e, store, &list.rows[i], all, pruned, err);
	}
	image_list_done(&list);
	return r;
}

int engine_prune_images(struct engine *e, bool all, char *const *words,
			struct engine_pruned *pruned, struct error *err)
{
	cleanup_image_filter struct image_filter filter = { 0 };
	cleanup_image_usage struct image_usage before = { 0 };
	struct image_store *store;
	struct error ignored;
	uint64_t collected;
	int r;

	reserve_release_if_full(e);
	r = engine_images(e, &store, err);
	if (r == 0)
		r = image_filter_parse(store, words, IMAGE_FILTER_PRUNE, &filter, err);
	if (r == 0)
		r = image_usage_load(store, &before, err);
	if (r < 0)
		return r;
	all |= filter.dangling == 0;
	filter.dangling = all ? -1 : 1;
	r = prune_rows(e, store, &filter, all, pruned, err);
	/* what a crash left; an image that is damaged keeps this from working, and is no news here */
	(void)image_gc(store, NULL, &collected, &ignored);
	pruned->freed_bytes += image_usage_gone(&before, store);
	return r;
}
