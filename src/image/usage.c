/* SPDX-License-Identifier: Apache-2.0 */
#include "image/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "image/store_private.h"

/* A blob, a part of one, or an unpacked layer. */
struct image_usage_object {
	char path[96]; /* below the root: the key */
	bool blob;
	uint64_t bytes;
	size_t images; /* that have it */
};

static int by_path(const void *a, const void *b)
{
	const struct image_usage_object *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The tree at path; nothing if it is not there. */
static int measure(struct image_store *store, const char *path, uint64_t *bytes, struct error *err)
{
	uint64_t more = 0;
	int r = dir_usage(store->root_fd, path, &more, err);

	if (r < 0 && r != -ENOENT)
		return r;
	*bytes += more;
	return 0;
}

/* Objects */

static int add_objects(struct image_store *store, struct image_usage *u, size_t *capacity,
		       const char *dir_path, bool blob, struct error *err)
{
	cleanup_fd int fd =
		openat(store->root_fd, dir_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read '%s'", dir_path);
	(void)take_fd(&fd); /* the stream closes it */
	while ((d = readdir(dir))) {
		struct image_usage_object object = { .blob = blob };
		int r;

		/* "<hex>", of parts also "<hex>.whole" */
		if (strlen(d->d_name) < DIGEST_HEX_LEN || !hex_is_lower(d->d_name, DIGEST_HEX_LEN))
			continue;
		(void)snprintf(object.path, sizeof(object.path), "%s/%.70s", dir_path, d->d_name);
		r = measure(store, object.path, &object.bytes, err);
		if (r < 0)
			return r;
		u->objects = array_grow(u->objects, u->n_objects, capacity, sizeof(*u->objects));
		u->objects[u->n_objects++] = object;
	}
	return 0;
}

/* A directory's own blocks. */
static uint64_t dir_bytes(struct image_store *store, const char *path)
{
	struct stat st;

	return fstatat(store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? (uint64_t)st.st_blocks * 512
		       : 0;
}

static int scan(struct image_store *store, struct image_usage *u, struct error *err)
{
	size_t capacity = 0;
	int r = add_objects(store, u, &capacity, BLOBS_DIR, true, err);

	if (r == 0)
		r = add_objects(store, u, &capacity, LAYERS_DIR, false, err);
	if (r == 0)
		r = add_objects(store, u, &capacity, PARTS_DIR, true, err);
	if (r == 0 && u->n_objects > 0)
		qsort(u->objects, u->n_objects, sizeof(*u->objects), by_path);
	if (r == 0)
		r = measure(store, TRASH_DIR, &u->trash_bytes, err);
	u->trash_bytes -= MIN(u->trash_bytes, dir_bytes(store, TRASH_DIR));
	return r;
}

/* All of it: objects were measured, what is beside them is small. */
static int add_total(struct image_store *store, struct image_usage *u, struct error *err)
{
	static const char *const places[] = {
		"images/index.json", "images/oci-layout",   "images/lock",
		"images/reserve",    "images/places.json",  "images/places.lock",
		"images/lists",	     "images/pending.json", TMP_DIR
	};
	static const char *const dirs[] = { "images",  "images/blobs", BLOBS_DIR,
					    PARTS_DIR, LAYERS_DIR,     TRASH_DIR };
	int r = 0;

	u->total_bytes = u->trash_bytes;
	for (size_t i = 0; i < u->n_objects; i++)
		u->total_bytes += u->objects[i].bytes;
	for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++)
		r = measure(store, places[i], &u->total_bytes, err);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		u->total_bytes += dir_bytes(store, dirs[i]);
	return r;
}

/* Images */

static void use_object(struct image_usage *u, struct image_usage_row *row,
		       const struct store_path *path)
{
	struct image_usage_object key = { 0 }, *object = NULL;

	(void)snprintf(key.path, sizeof(key.path), "%.95s", path->s);
	if (u->n_objects > 0)
		object = bsearch(&key, u->objects, u->n_objects, sizeof(key), by_path);
	if (!object)
		return;
	for (size_t i = 0; i < row->n_objects; i++) {
		if (&u->objects[row->objects[i]] == object)
			return; /* an image may have a layer twice, and two manifests */
	}
	row->objects[row->n_objects++] = (size_t)(object - u->objects);
	object->images++;
}

static struct image_usage_row *row_of(struct image_usage *u, const struct digest *id)
{
	for (size_t i = 0; i < u->n; i++) {
		if (digest_eq(&u->rows[i].id, id))
			return &u->rows[i];
	}
	u->rows[u->n].id = *id;
	return &u->rows[u->n++];
}

/* Did an entry before have the same manifest, under another name? */
static bool is_known(const struct image_index *index, size_t entry)
{
	for (size_t i = 0; i < entry; i++) {
		if (digest_eq(&index->entries[i].manifest_id, &index->entries[entry].manifest_id))
			return true;
	}
	return false;
}

static void add_image(struct image_store *store, const struct image_index *index,
		      const struct index_entry *entry, struct image_usage *u)
{
	struct image_usage_row *row = row_of(u, &entry->id);
	cleanup_with(image_free) struct image *image = NULL;
	struct store_path path;
	struct error ignored; /* a damaged image is another command's business */

	if (image_read(store, index, entry, &image, &ignored) < 0)
		return;
	row->objects = xrealloc(row->objects,
				(row->n_objects + 2 + 2 * image->n_layers) * sizeof(*row->objects));
	path = blob_path(&image->manifest_id);
	use_object(u, row, &path);
	path = blob_path(&image->id);
	use_object(u, row, &path);
	for (size_t i = 0; i < image->n_layers; i++) {
		path = blob_path(&image->layers[i].blob_id);
		use_object(u, row, &path);
		path = layer_path(&image->layers[i].diff_id);
		use_object(u, row, &path);
	}
}

static void sum_up(const struct image_usage *u, struct image_usage_row *row)
{
	/* without objects no row has any */
	for (size_t i = 0; u->objects && i < row->n_objects; i++) {
		const struct image_usage_object *object = &u->objects[row->objects[i]];

		row->bytes += object->bytes;
		row->shared_bytes += object->images > 1 ? object->bytes : 0;
		row->blob_bytes += object->blob ? object->bytes : 0;
	}
}

static void add_images(struct image_store *store, const struct image_index *index,
		       struct image_usage *u)
{
	u->rows = xcalloc(MAX(index->n, (size_t)1), sizeof(*u->rows));
	for (size_t i = 0; i < index->n; i++) {
		if (!is_known(index, i))
			add_image(store, index, &index->entries[i], u);
	}
	for (size_t i = 0; i < u->n; i++)
		sum_up(u, &u->rows[i]);
}

const struct image_usage_row *image_usage_find(const struct image_usage *u, const struct digest *id)
{
	for (size_t i = 0; i < u->n; i++) {
		if (digest_eq(&u->rows[i].id, id))
			return &u->rows[i];
	}
	return NULL;
}

uint64_t image_usage_reclaimable(const struct image_usage *u,
				 bool (*used)(void *ctx, const struct digest *id), void *ctx)
{
	cleanup_free bool *needed = xcalloc(u->n_objects + 1, sizeof(*needed));
	uint64_t bytes = u->trash_bytes;

	for (size_t i = 0; i < u->n; i++) {
		bool is_used = used(ctx, &u->rows[i].id);

		for (size_t k = 0; is_used && k < u->rows[i].n_objects; k++)
			needed[u->rows[i].objects[k]] = true;
	}
	for (size_t i = 0; i < u->n_objects; i++)
		bytes += needed[i] ? 0 : u->objects[i].bytes;
	return bytes;
}

uint64_t image_usage_gone(const struct image_usage *before, struct image_store *store)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < before->n_objects; i++) {
		if (faccessat(store->root_fd, before->objects[i].path, F_OK, 0) < 0 &&
		    errno == ENOENT)
			bytes += before->objects[i].bytes;
	}
	return bytes;
}

int image_usage_load(struct image_store *store, struct image_usage *ret, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	struct image_usage u = { 0 };
	int r = index_load(store->root_fd, &index, err);

	if (r == 0)
		r = scan(store, &u, err);
	if (r == 0)
		r = add_total(store, &u, err);
	if (r < 0) {
		image_usage_done(&u);
		return r;
	}
	add_images(store, &index, &u);
	*ret = u;
	return 0;
}

void image_usage_done(struct image_usage *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->rows[i].objects);
	free(u->rows);
	free(u->objects);
	*u = (struct image_usage){ 0 };
}
