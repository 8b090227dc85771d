/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rmi`: names go first; with the last name goes the image, and with it the blobs and layers that
 * no other image has. An image that a container uses stays, nameless, even by force: the container
 * stands on its layers.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/gc.h"
#include "image/reference.h"
#include "image/store_private.h"
#include "image/work.h"

#define SHORT_ID 12

/* image_in_use_fn's outcomes */
enum use {
	USE_NONE,
	USE_STOPPED,
	USE_RUNNING,
	USE_MOUNTED,
};

struct remover {
	struct image_store *store;
	struct image_index index;
	unsigned flags;
	image_in_use_fn in_use;
	void *ctx;
	struct image_removal removal;
	size_t capacity;
};

static void add_row(struct remover *rm, bool deleted, char *what)
{
	struct image_removal *list = &rm->removal;

	list->rows = array_grow(list->rows, list->n, &rm->capacity, sizeof(*list->rows));
	list->rows[list->n++] = (struct image_removal_row){ deleted, what };
}

void image_removal_done(struct image_removal *removal)
{
	for (size_t i = 0; i < removal->n; i++)
		free(removal->rows[i].what);
	free(removal->rows);
	*removal = (struct image_removal){ 0 };
}

static void untag(struct remover *rm, struct index_entry *e)
{
	if (e->name)
		add_row(rm, false, reference_familiar_text(e->name));
	index_remove(&rm->index, e);
}

static void untag_all(struct remover *rm, const struct digest *id)
{
	for (size_t i = 0; i < rm->index.n;) {
		if (digest_eq(&rm->index.entries[i].id, id))
			untag(rm, &rm->index.entries[i]);
		else
			i++;
	}
}

/* The image as it is in the index, to be put back without a name. */
static struct index_entry keep_entry(const struct index_entry *e)
{
	struct index_entry copy = *e;

	copy.name = NULL;
	copy.media_type = xstrdup(e->media_type);
	return copy;
}

/* Deletion */

/* docker lists a layer by its chain ID: the digest of the chain below and its own diff ID
 * (image-spec config.md, "Layer ChainID"). */
static char **chain_ids(const struct image *image)
{
	char **chain = NULL;

	for (size_t i = 0; i < image->n_layers; i++) {
		cleanup_free char *text = NULL;

		if (i == 0) {
			chain = strv_push(chain, image->layers[0].diff_id.text);
			continue;
		}
		text = xasprintf("%s %s", chain[i - 1], image->layers[i].diff_id.text);
		chain = strv_push(chain, sha256_digest(text, strlen(text)).text);
	}
	return chain;
}

/* docker's rows for an image that goes: itself and, from the top, the layers that go with it. */
static void add_deleted(struct remover *rm, const struct live_set *live, const struct image *image)
{
	cleanup_with(strv_free) char **chain = chain_ids(image);

	add_row(rm, true, xstrdup(image->id.text));
	for (size_t i = image->n_layers; i-- > 0;) {
		if (!digest_set_has(&live->layers, digest_hex(&image->layers[i].diff_id)))
			add_row(rm, true, xstrdup(chain[i]));
	}
}

/*
 * The index has changed: it is saved first, then goes what it no longer names. image: the one that
 * is gone, or NULL. An image that cannot be read stops this before anything is saved.
 */
static int commit(struct remover *rm, const struct image *image, struct error *err)
{
	cleanup_live_set struct live_set live = { 0 };
	int r = live_set_load(rm->store, &rm->index, &live, err);

	if (r == 0)
		r = index_save(rm->store->root_fd, &rm->index, err);
	if (r < 0)
		return r;
	if (image)
		add_deleted(rm, &live, image);
	return store_collect(rm->store, &live, NULL, &rm->removal.freed_bytes, err);
}

/* Decision */

static int refuse(const char *text, const struct index_entry *e, bool by_name, int use,
		  const char *who, struct error *err)
{
	const char *id = digest_hex(&e->id);

	if (use == USE_MOUNTED)
		return error_kind(err, ERROR_CONFLICT,
				  "conflict: unable to delete %.*s (must be forced) - image is "
				  "mounted: 'berth image unmount'",
				  SHORT_ID, id);
	if (by_name)
		return error_kind(err, ERROR_CONFLICT,
				  "conflict: unable to remove repository reference \"%s\" (must "
				  "force) - container %s is using its referenced image %.*s",
				  text, who, SHORT_ID, id);
	if (use == USE_RUNNING)
		return error_kind(err, ERROR_CONFLICT,
				  "conflict: unable to delete %.*s (cannot be forced) - image is "
				  "being used by running container %s",
				  SHORT_ID, id, who);
	return error_kind(err, ERROR_CONFLICT,
			  "conflict: unable to delete %.*s (must be forced) - image is being used "
			  "by stopped container %s",
			  SHORT_ID, id, who);
}

static int remove_last(struct remover *rm, const char *text, struct index_entry *e, bool by_name,
		       struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	bool force = rm->flags & IMAGE_REMOVE_FORCE;
	struct index_entry kept;
	char who[64] = "";
	int use = rm->in_use ? rm->in_use(rm->ctx, &e->id, who, sizeof(who)) : USE_NONE;
	int r;

	if (use < 0)
		return error_num(err, -use, "cannot find out who uses image %s", e->id.text);
	if (use == USE_MOUNTED || (use != USE_NONE && (!force || (use == USE_RUNNING && !by_name))))
		return refuse(text, e, by_name, use, who, err);
	/* a damaged image can be forced out of the index; gc finds its blobs */
	r = use == USE_NONE ? image_read(rm->store, &rm->index, e, &image, err) : 0;
	if (r < 0 && !force)
		return r;
	kept = keep_entry(e);
	untag_all(rm, &kept.id);
	if (use != USE_NONE)
		index_put(&rm->index, &kept, NULL);
	r = image || use != USE_NONE ? commit(rm, image, err)
				     : index_save(rm->store->root_fd, &rm->index, err);
	free(kept.media_type);
	return r;
}

static int remove_found(struct remover *rm, const char *text, struct error *err)
{
	struct index_entry *e;
	bool by_name;
	int r = store_find(&rm->index, text, &e, &by_name, err);
	size_t names;

	if (r < 0)
		return r;
	if (rm->flags & IMAGE_REMOVE_UNNAMED && e->name)
		return error_kind(err, ERROR_CONFLICT, "image %.*s has a name", SHORT_ID,
				  digest_hex(&e->id));
	names = index_count(&rm->index, &e->id);
	if (names > 1 && by_name) {
		untag(rm, e);
		return commit(rm, NULL, err);
	}
	if (names > 1 && !(rm->flags & IMAGE_REMOVE_FORCE))
		return error_kind(err, ERROR_CONFLICT,
				  "conflict: unable to delete %.*s (must be forced) - image is "
				  "referenced in multiple repositories",
				  SHORT_ID, digest_hex(&e->id));
	return remove_last(rm, text, e, by_name, err);
}

int image_remove(struct image_store *store, const char *text, unsigned flags,
		 image_in_use_fn in_use, void *ctx, struct image_removal *ret, struct error *err)
{
	struct remover rm = { .store = store, .flags = flags, .in_use = in_use, .ctx = ctx };
	cleanup_work struct store_work work = STORE_WORK_NONE;
	cleanup_fd int lock = -EBADF;
	struct error ignored;
	int r;

	/* If we are killed below, the next writer knows by this that something lacks a name. On a
	 * full disk there may be no room for it. */
	(void)store_work_begin(store, &work, &ignored);
	r = store_lock(store, &lock, err);
	if (r == 0)
		r = index_load(store->root_fd, &rm.index, err);
	if (r == 0)
		r = remove_found(&rm, text, err);
	index_done(&rm.index);
	cleanup_close_fd(&lock); /* others need not wait for the deletion */
	lock = -EBADF;
	if (r < 0) {
		image_removal_done(&rm.removal);
		return r;
	}
	store_sweep_small(store);
	*ret = rm.removal;
	return 0;
}
