/* SPDX-License-Identifier: Apache-2.0 */
/* struct image and lists of images: the index's entries, read and parsed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/reference.h"
#include "image/erofs.h"
#include "image/gc.h"
#include "image/store_private.h"
#include "oci/image.h"

struct image *image_free(struct image *image)
{
	if (!image)
		return NULL;
	strv_free(image->names);
	strv_free(image->repo_digests);
	arena_free(image->arena);
	free(image);
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted as whole names, as docker's inspect has them; its list has them in no order. */
static char **names_of(const struct image_index *index, const struct digest *id)
{
	char **names = NULL;

	for (size_t i = 0; i < index->n; i++) {
		if (index->entries[i].name && digest_eq(&index->entries[i].id, id))
			names = strv_push(names, index->entries[i].name);
	}
	if (names)
		qsort(names, strv_len(names), sizeof(*names), compare_names);
	return names;
}

/* "docker.io/library/x@sha256:…": what the registry said, or the manifest's own digest. */
static char *repo_digest_of(const struct index_entry *e)
{
	cleanup_reference struct reference ref = { 0 };
	struct error ignored; /* a name that is none has no repository */

	if (!e->name || reference_parse(e->name, &ref, &ignored) < 0)
		return NULL;
	if (ref.digest)
		return xasprintf("%s/%s@%s", ref.domain, ref.path, ref.digest);
	return xasprintf("%s/%s@%s", ref.domain, ref.path,
			 digest_is_set(&e->repo_digest) ? e->repo_digest.text
							: e->manifest_id.text);
}

static char **repo_digests_of(const struct image_index *index, const struct digest *id)
{
	char **digests = NULL;

	for (size_t i = 0; i < index->n; i++) {
		cleanup_free char *text = NULL;

		if (!digest_eq(&index->entries[i].id, id))
			continue;
		text = repo_digest_of(&index->entries[i]);
		if (text && !strv_has(digests, text))
			digests = strv_push_owned(digests, take_ptr(&text));
	}
	return digests;
}

static int64_t last_tagged(const struct image_index *index, const struct digest *id)
{
	int64_t last = 0;

	for (size_t i = 0; i < index->n; i++) {
		if (digest_eq(&index->entries[i].id, id))
			last = MAX(last, index->entries[i].tagged_ns);
	}
	return last;
}

/* A document's text in the arena. */
static int read_document(struct image_store *store, struct arena *arena, const struct digest *id,
			 const char **ret, size_t *ret_len, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = blob_read(store, id, &text, ret_len, err);

	if (r < 0)
		return r;
	*ret = arena_strndup(arena, text, *ret_len);
	return 0;
}

static int fill_layers(struct image *image, const struct oci_manifest *manifest, struct error *err)
{
	struct image_layer *layers;

	if (manifest->n_layers != image->config->n_diff_ids)
		return error_kind(err, ERROR_INVALID,
				  "its manifest has %zu layers and its config %zu diff ids",
				  manifest->n_layers, image->config->n_diff_ids);
	image->n_layers = manifest->n_layers;
	layers = arena_alloc(image->arena, MAX(image->n_layers, 1u) * sizeof(*layers));
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct oci_descriptor *d = &manifest->layers[i];

		if (digest_parse(image->config->diff_ids[i], &layers[i].diff_id) < 0 ||
		    digest_parse(d->digest, &layers[i].blob_id) < 0)
			return error_kind(err, ERROR_INVALID, "layer %zu has a bad digest", i);
		layers[i].media_type = d->media_type;
		layers[i].blob_bytes = d->size;
	}
	image->layers = layers;
	return 0;
}

static int fill(struct image_store *store, struct image *image, struct error *err)
{
	struct oci_image_config *config = arena_alloc(image->arena, sizeof(*config));
	struct oci_manifest manifest;
	size_t len;
	int r = read_document(store, image->arena, &image->manifest_id, &image->manifest_json, &len,
			      err);

	if (r == 0)
		r = oci_manifest_parse(image->manifest_json, len, image->arena, &manifest, err);
	if (r == 0)
		r = read_document(store, image->arena, &image->id, &image->config_json, &len, err);
	if (r == 0)
		r = oci_image_config_parse(image->config_json, len, image->arena, config, err);
	if (r < 0)
		return r;
	image->config = config;
	return fill_layers(image, &manifest, err);
}

int image_read(struct image_store *store, const struct image_index *index,
	       const struct index_entry *entry, struct image **ret, struct error *err)
{
	cleanup_with(image_free) struct image *image = xcalloc(1, sizeof(*image));
	int r;

	image->arena = arena_new();
	image->id = entry->id;
	image->manifest_id = entry->manifest_id;
	image->size_bytes = entry->size_bytes;
	image->manifest_type = arena_strdup(image->arena, entry->media_type);
	image->manifest_bytes = entry->manifest_bytes;
	image->created_ns = entry->created_ns;
	image->names = names_of(index, &entry->id);
	image->repo_digests = repo_digests_of(index, &entry->id);
	image->tagged_ns = last_tagged(index, &entry->id);
	r = fill(store, image, err);
	if (r < 0)
		return error_prefix(err, r, "image %s is damaged ('berth system check' tells more)",
				    entry->name ? entry->name : entry->id.text);
	*ret = take_ptr(&image);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct image_row *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(x->id.text, y->id.text);
}

int image_list(struct image_store *store, struct image_list *ret, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	size_t capacity = 0;
	int r = index_load(store->root_fd, &index, err);

	if (r < 0)
		return r;
	*ret = (struct image_list){ 0 };
	for (size_t i = 0; i < index.n; i++) {
		const struct index_entry *e = &index.entries[i];
		bool seen = false;

		for (size_t k = 0; k < ret->n && !seen; k++)
			seen = digest_eq(&ret->rows[k].id, &e->id);
		if (seen)
			continue;
		ret->rows = array_grow(ret->rows, ret->n, &capacity, sizeof(*ret->rows));
		ret->rows[ret->n++] = (struct image_row){
			.id = e->id,
			.manifest_id = e->manifest_id,
			.names = names_of(&index, &e->id),
			.repo_digests = repo_digests_of(&index, &e->id),
			.created_ns = e->created_ns,
			.size_bytes = e->size_bytes,
		};
	}
	if (ret->n > 0)
		qsort(ret->rows, ret->n, sizeof(*ret->rows), newest_first);
	return 0;
}

void image_list_done(struct image_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		strv_free(list->rows[i].names);
		strv_free(list->rows[i].repo_digests);
	}
	free(list->rows);
	*list = (struct image_list){ 0 };
}

static int layer_missing(struct image_store *store, const struct image *image,
			 const struct image_layer *layer, struct error *err)
{
	cleanup_free char *name = image->names ? reference_familiar_text(image->names[0]) : NULL;

	if (blob_exists(store, &layer->blob_id, layer->blob_bytes))
		return error_kind(err, ERROR_INTERNAL,
				  "layer %s of image %s is missing: 'berth system check --repair' "
				  "unpacks it again",
				  layer->diff_id.text, name ? name : image->id.text);
	return error_kind(
		err, ERROR_INTERNAL,
		"layer %s of image %s is missing: 'berth pull %s' or a load brings it again",
		layer->diff_id.text, name ? name : image->id.text, name ? name : "NAME");
}

/* Its directory if there is one: it serves every runtime. If there is neither, *ret_is_there tells. */
static char *layer_lowerdir(const struct image_store *store, const struct store_path *layer,
			    bool *ret_is_there)
{
	char *path = xasprintf("%s/%s/diff", store->root_path, layer->s);
	cleanup_free char *image = NULL;

	*ret_is_there = true;
	if (faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		return path;
	image = xasprintf("%s/%s/" EROFS_FILE, store->root_path, layer->s);
	*ret_is_there = faccessat(AT_FDCWD, image, F_OK, 0) == 0;
	if (!*ret_is_there)
		return path;
	free(path);
	return take_ptr(&image);
}

/*
 * Is the same layer once more above it? Then that one hides all of it, and overlayfs takes no directory
 * twice. Layers without contents are often the same.
 */
static bool is_repeated_above(const struct image *image, size_t layer)
{
	for (size_t i = layer + 1; i < image->n_layers; i++) {
		if (digest_eq(&image->layers[i].diff_id, &image->layers[layer].diff_id))
			return true;
	}
	return false;
}

int image_check_layers(const char *const *diff_ids, size_t n, struct error *err)
{
	struct digest_set set = { 0 };
	size_t distinct = 0;

	if (n <= IMAGE_LAYERS_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		digest_set_add(&set, diff_ids[i]);
	digest_set_sort(&set);
	for (size_t i = 0; i < set.n; i++)
		distinct += i == 0 || !digest_eq(&set.items[i - 1], &set.items[i]);
	free(set.items);
	if (distinct <= IMAGE_LAYERS_MAX)
		return 0;
	return error_kind(err, ERROR_UNSUPPORTED,
			  "it has %zu different layers, but no container can have more than %d: "
			  "that is all overlayfs takes",
			  distinct, IMAGE_LAYERS_MAX);
}

void image_layer_paths(const struct image_store *store, const struct image *image, char ***ret)
{
	char **paths = NULL;
	bool is_there;

	for (size_t i = image->n_layers; i-- > 0;) {
		const struct store_path layer = layer_path(&image->layers[i].diff_id);

		if (is_repeated_above(image, i))
			continue;
		paths = strv_push_owned(paths, layer_lowerdir(store, &layer, &is_there));
	}
	*ret = paths;
}

int image_lowerdirs(struct image_store *store, const struct image *image, char ***ret,
		    struct error *err)
{
	cleanup_with(strv_free) char **dirs = NULL;
	bool is_there;
	int r = image_check_layers(image->config->diff_ids, image->config->n_diff_ids, err);

	if (r < 0)
		return error_prefix(err, r, "image %s", image->id.text);
	for (size_t i = image->n_layers; i-- > 0;) {
		const struct store_path layer = layer_path(&image->layers[i].diff_id);

		if (is_repeated_above(image, i))
			continue;
		dirs = strv_push_owned(dirs, layer_lowerdir(store, &layer, &is_there));
		if (!is_there)
			return layer_missing(store, image, &image->layers[i], err);
	}
	*ret = take_ptr(&dirs);
	return 0;
}
