/* SPDX-License-Identifier: Apache-2.0 */
#include "image/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/hex.h"
#include "base/inject.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/trash.h"
#include "image/blob_places.h"
#include "image/layer_info.h"
#include "image/part.h"
#include "image/store_private.h"

static int compare_digests(const void *a, const void *b)
{
	const struct digest *x = a, *y = b;

	return strcmp(x->text, y->text);
}

void digest_set_add(struct digest_set *set, const char *text)
{
	struct digest d;

	if (digest_parse(text, &d) < 0)
		return; /* what is no digest is the name of nothing */
	set->items = array_grow(set->items, set->n, &set->capacity, sizeof(*set->items));
	set->items[set->n++] = d;
}

void digest_set_sort(struct digest_set *set)
{
	if (set->n > 0)
		qsort(set->items, set->n, sizeof(*set->items), compare_digests);
}

bool digest_set_has(const struct digest_set *set, const char *hex)
{
	cleanup_free char *text = xasprintf("sha256:%s", hex);
	struct digest key;

	return set->n > 0 && digest_parse(text, &key) == 0 &&
	       bsearch(&key, set->items, set->n, sizeof(*set->items), compare_digests);
}

static int add_image(struct image_store *store, const struct image_index *index,
		     const struct index_entry *entry, struct live_set *live, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	int r = image_read(store, index, entry, &image, err);

	if (r < 0)
		return r;
	digest_set_add(&live->blobs, image->id.text);
	digest_set_add(&live->blobs, image->manifest_id.text);
	for (size_t i = 0; i < image->n_layers; i++) {
		digest_set_add(&live->blobs, image->layers[i].blob_id.text);
		digest_set_add(&live->layers, image->layers[i].diff_id.text);
	}
	return 0;
}

int live_set_load(struct image_store *store, const struct image_index *index, struct live_set *ret,
		  struct error *err)
{
	int r = 0;

	*ret = (struct live_set){ 0 };
	for (size_t i = 0; i < index->n && r == 0; i++)
		r = add_image(store, index, &index->entries[i], ret, err);
	if (r < 0) {
		live_set_done(ret);
		return r;
	}
	digest_set_sort(&ret->blobs);
	digest_set_sort(&ret->layers);
	return 0;
}

void live_set_done(struct live_set *live)
{
	free(live->blobs.items);
	free(live->layers.items);
	*live = (struct live_set){ 0 };
}

static int open_dir(struct image_store *store, const char *path, struct error *err)
{
	int fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? error_sys(err, "cannot open '%s/%s'", store->root_path, path) : fd;
}

/*
 * A rename takes microseconds, the deletion of a large layer seconds. Where the trash's directory
 * has no room for one name more, there is no way but to wait.
 */
int store_trash(struct image_store *store, const char *path, struct error *err)
{
	cleanup_fd int trash_fd = open_dir(store, TRASH_DIR, err);
	int r = trash_fd < 0 ? trash_fd : inject_failure("image", "trash", err);

	if (r == 0)
		r = dir_move_to_trash(store->root_fd, path, trash_fd, err);
	if (r == -ENOSPC || r == -EDQUOT)
		r = dir_remove_tree(store->root_fd, path, err);
	return r;
}

void store_sweep_small(struct image_store *store)
{
	struct error ignored; /* what cannot be deleted stays for `system check` to tell */
	cleanup_fd int fd = open_dir(store, TRASH_DIR, &ignored);

	if (fd >= 0)
		(void)trash_sweep_small(fd, &ignored);
}

/* All names in a directory that look like the digits of a digest: a strv. */
static int list_digests(struct image_store *store, const char *path, char ***ret, struct error *err)
{
	cleanup_fd int fd = open_dir(store, path, err);
	cleanup_dir DIR *dir = NULL;
	struct dirent *d;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return error_sys(err, "cannot read '%s'", path);
	(void)take_fd(&fd); /* the stream closes it */
	while ((d = readdir(dir))) {
		if (strlen(d->d_name) == DIGEST_HEX_LEN && hex_is_lower(d->d_name, DIGEST_HEX_LEN))
			*ret = strv_push(*ret, d->d_name);
	}
	return 0;
}

/* What lies in one of the store's directories without being needed. */
struct unneeded {
	struct image_store *store;
	const struct digest_set *live;
	char *const *keep;
	struct store_garbage *found;
	bool removes;
};

static int take_blob(struct unneeded *u, const struct digest *id, struct error *err)
{
	const struct store_path path = blob_path(id);
	struct stat st;

	if (fstatat(u->store->root_fd, path.s, &st, AT_SYMLINK_NOFOLLOW) == 0)
		u->found->bytes += (uint64_t)st.st_size;
	u->found->blobs++;
	return u->removes ? store_trash(u->store, path.s, err) : 0;
}

static int take_layer(struct unneeded *u, const struct digest *diff_id, struct error *err)
{
	struct error ignored; /* a layer without a note is removed all the same */
	struct layer_info info;

	if (layer_info_load(u->store->root_fd, diff_id, &info, &ignored) == 0)
		u->found->bytes += info.unpacked_bytes;
	u->found->layers++;
	return u->removes ? store_trash(u->store, layer_path(diff_id).s, err) : 0;
}

static int for_unneeded(struct unneeded *u, const char *dir,
			int (*take)(struct unneeded *, const struct digest *, struct error *),
			struct error *err)
{
	cleanup_with(strv_free) char **names = NULL;
	int r = list_digests(u->store, dir, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		char text[DIGEST_TEXT_LEN + 1];
		struct digest id;

		if (digest_set_has(u->live, names[i]) || strv_has(u->keep, names[i]))
			continue;
		(void)snprintf(text, sizeof(text), "sha256:%.64s", names[i]);
		if (digest_parse(text, &id) == 0) /* it is: list_digests() */
			r = take(u, &id, err);
	}
	return r;
}

static int for_all_unneeded(struct image_store *store, const struct live_set *live,
			    char *const *keep, bool removes, struct store_garbage *found,
			    struct error *err)
{
	struct unneeded u = { store, &live->blobs, NULL, found, removes };
	int r = for_unneeded(&u, BLOBS_DIR, take_blob, err);

	if (r < 0)
		return r;
	u.live = &live->layers;
	u.keep = keep;
	return for_unneeded(&u, LAYERS_DIR, take_layer, err);
}

int store_find_garbage(struct image_store *store, const struct live_set *live,
		       struct store_garbage *ret, struct error *err)
{
	return for_all_unneeded(store, live, NULL, false, ret, err);
}

int store_collect(struct image_store *store, const struct live_set *live, char *const *keep,
		  uint64_t *bytes, struct error *err)
{
	struct store_garbage found = { 0 };
	int r = for_all_unneeded(store, live, keep, true, &found, err);

	*bytes += found.bytes;
	return r;
}

static void remove_temporaries(struct image_store *store, const char *path)
{
	cleanup_dir DIR *dir = NULL;
	struct error ignored;
	struct dirent *d;
	int fd = open_dir(store, path, &ignored);

	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (d = readdir(dir))) {
		cleanup_fd int lock = -EBADF;

		if (!str_ends(d->d_name, ".tmp"))
			continue;
		if (str_after(d->d_name, "places.") &&
		    lock_acquire(store->root_fd, BLOB_PLACES_LOCK, NULL, &lock, &ignored) < 0)
			continue; /* the one that has a lock of its own, and somebody is at it */
		(void)unlinkat(dirfd(dir), d->d_name, 0); /* the next one tries again */
	}
}

/* Who writes a document of images/ holds the lock, so a temporary one is a dead writer's. */
void store_remove_temporaries(struct image_store *store)
{
	remove_temporaries(store, "images");
	remove_temporaries(store, "images/lists");
}

void store_collect_after_crash(struct image_store *store)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_live_set struct live_set live = { 0 };
	uint64_t bytes = 0;
	struct error err;
	int r;

	r = index_load(store->root_fd, &index, &err);
	if (r == 0)
		r = live_set_load(store, &index, &live, &err);
	if (r == 0)
		r = store_collect(store, &live, NULL, &bytes, &err);
	if (r < 0)
		log_debug("collecting what a crash left: %s", err.msg);
}

static int collect_all(struct image_store *store, char *const *keep, uint64_t *bytes,
		       struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_live_set struct live_set live = { 0 };
	cleanup_fd int lock = -EBADF;
	int r = store_lock(store, &lock, err);

	if (r == 0)
		r = index_load(store->root_fd, &index, err);
	if (r == 0)
		r = live_set_load(store, &index, &live, err);
	return r < 0 ? r : store_collect(store, &live, keep, bytes, err);
}

int image_gc(struct image_store *store, char *const *keep, uint64_t *ret_bytes, struct error *err)
{
	uint64_t bytes = 0;
	struct part_survey parts;
	int r = collect_all(store, keep, &bytes, err);

	if (r < 0)
		return r;
	part_look(store, 0, true, &parts);
	store_sweep_small(store);
	*ret_bytes = bytes + parts.bytes;
	return 0;
}
