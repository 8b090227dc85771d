/* SPDX-License-Identifier: Apache-2.0 */
#include "image/index.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/inject.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/image.h"

#define INDEX_PATH     "images/index.json"
#define NOTE_ID	       "io.berth.image.id"
#define NOTE_SIZE      "io.berth.image.size"
#define NOTE_CREATED   "org.opencontainers.image.created"
#define NOTE_TAGGED    "io.berth.image.tagged"
#define NOTE_DIGEST    "io.berth.image.repo-digest"
#define NOTES_PER_NAME 6

static void entry_done(struct index_entry *e)
{
	free(e->name);
	free(e->media_type);
}

void index_done(struct image_index *index)
{
	for (size_t i = 0; i < index->n; i++)
		entry_done(&index->entries[i]);
	free(index->entries);
	*index = (struct image_index){ 0 };
}

static struct index_entry *append(struct image_index *index)
{
	index->entries =
		array_grow(index->entries, index->n, &index->capacity, sizeof(*index->entries));
	index->entries[index->n] = (struct index_entry){ 0 };
	return &index->entries[index->n++];
}

static void add_descriptor(struct image_index *index, const struct oci_descriptor *d)
{
	const char *id = oci_descriptor_annotation(d, NOTE_ID);
	const char *name = oci_descriptor_annotation(d, OCI_ANNOTATION_REF_NAME);
	const char *size = oci_descriptor_annotation(d, NOTE_SIZE);
	const char *created = oci_descriptor_annotation(d, NOTE_CREATED);
	const char *tagged = oci_descriptor_annotation(d, NOTE_TAGGED);
	const char *digest = oci_descriptor_annotation(d, NOTE_DIGEST);
	struct digest config, manifest;
	struct index_entry *e;

	if (!id || digest_parse(id, &config) < 0 || digest_parse(d->digest, &manifest) < 0)
		return;
	e = append(index);
	e->id = config;
	e->manifest_id = manifest;
	e->manifest_bytes = d->size;
	e->media_type = xstrdup(d->media_type ? d->media_type : OCI_MEDIA_TYPE_MANIFEST);
	e->name = name ? xstrdup(name) : NULL;
	if (size)
		(void)str_to_u64(size, &e->size_bytes); /* a number for tables; 0 if not one */
	if (created)
		(void)clock_parse(created, &e->created_ns); /* the same */
	if (tagged)
		(void)clock_parse(tagged, &e->tagged_ns); /* the same */
	if (digest && digest_parse(digest, &e->repo_digest) < 0)
		e->repo_digest = (struct digest){ "" };
}

int index_load(int root_fd, struct image_index *ret, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *json = NULL;
	struct oci_index parsed;
	size_t len;
	int r = file_read(root_fd, INDEX_PATH, INDEX_MAX_BYTES, &json, &len, err);

	*ret = (struct image_index){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = oci_index_parse(json, len, arena, &parsed, err);
	if (r < 0)
		return error_prefix(err, r, "image store");
	for (size_t i = 0; i < parsed.n_manifests; i++)
		add_descriptor(ret, &parsed.manifests[i]);
	return 0;
}

static void describe(const struct index_entry *e, struct arena *arena, struct oci_descriptor *d)
{
	struct oci_pair *notes = arena_alloc(arena, NOTES_PER_NAME * sizeof(*notes));
	char created[CLOCK_TEXT_MAX];
	size_t n = 0;

	notes[n++] = (struct oci_pair){ NOTE_ID, e->id.text };
	notes[n++] =
		(struct oci_pair){ NOTE_SIZE,
				   arena_printf(arena, "%llu", (unsigned long long)e->size_bytes) };
	if (e->created_ns)
		notes[n++] = (struct oci_pair){
			NOTE_CREATED, arena_strdup(arena, clock_format(e->created_ns, created))
		};
	if (e->name)
		notes[n++] = (struct oci_pair){ OCI_ANNOTATION_REF_NAME, e->name };
	if (e->name && e->tagged_ns)
		notes[n++] = (struct oci_pair){
			NOTE_TAGGED, arena_strdup(arena, clock_format(e->tagged_ns, created))
		};
	if (e->name && digest_is_set(&e->repo_digest))
		notes[n++] = (struct oci_pair){ NOTE_DIGEST, e->repo_digest.text };
	*d = (struct oci_descriptor){
		.media_type = e->media_type,
		.digest = e->manifest_id.text,
		.size = e->manifest_bytes,
		.annotations = notes,
		.n_annotations = n,
	};
}

int index_save(int root_fd, const struct image_index *index, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_buf struct buf json = { 0 };
	struct oci_descriptor *list = arena_alloc(arena, MAX(index->n, 1u) * sizeof(*list));
	int r = inject_failure("image", "index", err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < index->n; i++)
		describe(&index->entries[i], arena, &list[i]);
	oci_index_format(
		&(struct oci_index){
			.media_type = OCI_MEDIA_TYPE_INDEX,
			.manifests = list,
			.n_manifests = index->n,
		},
		&json);
	return file_write_atomic(root_fd, INDEX_PATH, json.data, json.len, 0600, FILE_WRITE_SYNC,
				 err);
}

struct index_entry *index_find_name(const struct image_index *index, const char *name)
{
	for (size_t i = 0; i < index->n; i++) {
		if (index->entries[i].name && str_eq(index->entries[i].name, name))
			return &index->entries[i];
	}
	return NULL;
}

size_t index_count(const struct image_index *index, const struct digest *id)
{
	size_t n = 0;

	for (size_t i = 0; i < index->n; i++)
		n += digest_eq(&index->entries[i].id, id);
	return n;
}

void index_remove(struct image_index *index, struct index_entry *entry)
{
	size_t at = (size_t)(entry - index->entries);

	entry_done(entry);
	memmove(entry, entry + 1, (index->n - at - 1) * sizeof(*entry));
	index->n--;
}

static void copy_image(struct index_entry *e, const struct index_entry *like)
{
	char *name = e->name;

	free(e->media_type);
	*e = *like;
	e->name = name;
	e->media_type = xstrdup(like->media_type);
}

/* An image that has names needs no nameless entry. */
static void drop_nameless(struct image_index *index, const struct digest *id)
{
	for (size_t i = 0; i < index->n; i++) {
		if (!index->entries[i].name && digest_eq(&index->entries[i].id, id)) {
			index_remove(index, &index->entries[i]);
			return;
		}
	}
}

void index_put(struct image_index *index, const struct index_entry *like, const char *name)
{
	/* like may live in the array that grows */
	cleanup_free char *media_type = xstrdup(like->media_type);
	struct index_entry image = *like;
	struct index_entry *e;

	image.media_type = media_type;
	if (!name) {
		if (index_count(index, &image.id) == 0)
			copy_image(append(index), &image);
		return;
	}
	e = index_find_name(index, name);
	if (!e) {
		e = append(index);
		e->name = xstrdup(name);
	} else if (!digest_eq(&e->id, &image.id) && index_count(index, &e->id) == 1) {
		free(take_ptr(&e->name)); /* dangling from now on */
		e = append(index);
		e->name = xstrdup(name);
	}
	copy_image(e, &image);
	e->tagged_ns = clock_real_ns();
	drop_nameless(index, &image.id);
}
