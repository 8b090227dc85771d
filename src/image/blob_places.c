/* SPDX-License-Identifier: Apache-2.0 */
#include "image/blob_places.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"

#define PLACES_PATH  "images/places.json"
#define LOCK_WAIT_MS 2000 /* it is held for a moment; hints are not worth more */

static const char *const how_names[] = {
	[COMPRESSION_NONE] = "none",
	[COMPRESSION_GZIP] = "gzip",
	[COMPRESSION_ZSTD] = "zstd",
};

void blob_places_done(struct blob_places *p)
{
	for (size_t i = 0; i < p->n_places; i++)
		free(p->places[i].repository);
	free(p->places);
	free(p->packed);
	*p = (struct blob_places){ 0 };
}

/* Adding */

static void drop_place(struct blob_places *p, size_t at)
{
	free(p->places[at].repository);
	memmove(&p->places[at], &p->places[at + 1], (p->n_places - at - 1) * sizeof(*p->places));
	p->n_places--;
}

static void drop_packed(struct blob_places *p, size_t at)
{
	memmove(&p->packed[at], &p->packed[at + 1], (p->n_packed - at - 1) * sizeof(*p->packed));
	p->n_packed--;
}

void blob_places_add(struct blob_places *p, const struct digest *blob, const char *repository)
{
	for (size_t i = 0; i < p->n_places; i++) {
		if (digest_eq(&p->places[i].blob, blob) &&
		    str_eq(p->places[i].repository, repository)) {
			drop_place(p, i);
			break;
		}
	}
	if (p->n_places >= BLOB_PLACES_MAX)
		drop_place(p, 0);
	p->places = array_grow(p->places, p->n_places, &p->places_capacity, sizeof(*p->places));
	p->places[p->n_places++] = (struct blob_place){ *blob, xstrdup(repository) };
}

void blob_places_add_packed(struct blob_places *p, const struct blob_packed *packed)
{
	for (size_t i = 0; i < p->n_packed; i++) {
		if (digest_eq(&p->packed[i].plain, &packed->plain) &&
		    p->packed[i].how == packed->how) {
			drop_packed(p, i);
			break;
		}
	}
	if (p->n_packed >= BLOB_PLACES_MAX)
		drop_packed(p, 0);
	p->packed = array_grow(p->packed, p->n_packed, &p->packed_capacity, sizeof(*p->packed));
	p->packed[p->n_packed++] = *packed;
}

/* Text */

static int get_digest(const struct json *row, const char *key, struct digest *ret)
{
	const char *text = NULL;
	struct error ignored; /* a row that is not understood is left out */

	if (json_get_string(row, key, &text, &ignored) < 0 || !text)
		return -EINVAL;
	return digest_parse(text, ret);
}

static void parse_place(const struct json *row, struct blob_places *ret)
{
	const char *repository = NULL;
	struct error ignored; /* the same */
	struct digest blob;

	if (get_digest(row, "blob", &blob) == 0 &&
	    json_get_string(row, "repository", &repository, &ignored) == 0 && repository &&
	    strchr(repository, '/'))
		blob_places_add(ret, &blob, repository);
}

static void parse_packed(const struct json *row, struct blob_places *ret)
{
	struct blob_packed packed = { 0 };
	const char *how = NULL;
	struct error ignored; /* the same */
	int kind;

	if (get_digest(row, "plain", &packed.plain) < 0 ||
	    get_digest(row, "packed", &packed.packed) < 0 ||
	    json_get_u64(row, "packedBytes", &packed.packed_bytes, &ignored) < 0 ||
	    json_get_string(row, "compression", &how, &ignored) < 0 || !how)
		return;
	kind = str_index(how_names, ARRAY_SIZE(how_names), how);
	if (kind <= COMPRESSION_NONE)
		return;
	packed.how = (enum compression)kind;
	blob_places_add_packed(ret, &packed);
}

void blob_places_parse(const char *json, size_t len, struct blob_places *ret)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct json *doc, *row;
	struct error ignored; /* what is damaged is as if it were not there */

	*ret = (struct blob_places){ 0 };
	if (json_parse(json, len, arena, &doc, &ignored) < 0)
		return;
	json_foreach(row, json_get(doc, "places"))
		parse_place(row, ret);
	json_foreach(row, json_get(doc, "compressed"))
		parse_packed(row, ret);
}

void blob_places_load(int root_fd, struct blob_places *ret)
{
	cleanup_free char *json = NULL;
	struct error ignored; /* no hints then */
	size_t len;

	*ret = (struct blob_places){ 0 };
	if (file_read(root_fd, PLACES_PATH, BLOB_PLACES_MAX_BYTES, &json, &len, &ignored) == 0)
		blob_places_parse(json, len, ret);
}

static void format(const struct blob_places *p, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_begin_array(&w, "places");
	for (size_t i = 0; i < p->n_places; i++) {
		json_begin_object(&w, NULL);
		json_add_string(&w, "blob", p->places[i].blob.text);
		json_add_string(&w, "repository", p->places[i].repository);
		json_end(&w);
	}
	json_end(&w);
	json_begin_array(&w, "compressed");
	for (size_t i = 0; i < p->n_packed; i++) {
		json_begin_object(&w, NULL);
		json_add_string(&w, "plain", p->packed[i].plain.text);
		json_add_string(&w, "packed", p->packed[i].packed.text);
		json_add_u64(&w, "packedBytes", p->packed[i].packed_bytes);
		json_add_string(&w, "compression", how_names[p->packed[i].how]);
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
}

void blob_places_merge(int root_fd, const struct blob_places *news)
{
	cleanup_blob_places struct blob_places all = { 0 };
	cleanup_buf struct buf json = { 0 };
	cleanup_fd int lock = -EBADF;
	struct error ignored; /* hints */

	if (lock_acquire(root_fd, BLOB_PLACES_LOCK,
			 &(struct lock_wait){ .timeout_ms = LOCK_WAIT_MS }, &lock, &ignored) < 0)
		return;
	blob_places_load(root_fd, &all);
	for (size_t i = 0; i < news->n_places; i++)
		blob_places_add(&all, &news->places[i].blob, news->places[i].repository);
	for (size_t i = 0; i < news->n_packed; i++)
		blob_places_add_packed(&all, &news->packed[i]);
	format(&all, &json);
	(void)file_write_atomic(root_fd, PLACES_PATH, json.data, json.len, 0600, 0, &ignored);
}

/* Questions */

bool blob_places_knows(const struct blob_places *p, const struct digest *blob)
{
	for (size_t i = 0; i < p->n_places; i++) {
		if (digest_eq(&p->places[i].blob, blob))
			return true;
	}
	return false;
}

const char *blob_places_find(const struct blob_places *p, const struct digest *blob,
			     const char *domain, const char *path, size_t nth)
{
	for (size_t i = p->n_places; i-- > 0;) {
		const char *rest;

		if (!digest_eq(&p->places[i].blob, blob))
			continue;
		rest = str_after(p->places[i].repository, domain);
		if (!rest || *rest != '/' || str_eq(rest + 1, path))
			continue;
		if (nth-- == 0)
			return rest + 1;
	}
	return NULL;
}

const struct blob_packed *blob_places_find_packed(const struct blob_places *p,
						  const struct digest *plain, enum compression how)
{
	for (size_t i = p->n_packed; i-- > 0;) {
		if (digest_eq(&p->packed[i].plain, plain) && p->packed[i].how == how)
			return &p->packed[i];
	}
	return NULL;
}
