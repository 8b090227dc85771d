/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI image layout: index.json, then blobs by digest, every one of them verified. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/load_private.h"
#include "image/platform.h"
#include "image/reference.h"

#define INDEX_DEPTH_MAX 4 /* an index in an index in ... */

/* "blobs/sha256/<hex>"; digests were checked by the parser. */
static const char *blob_place(struct load *load, const char *digest)
{
	return arena_printf(load->arena, "blobs/sha256/%s", oci_digest_hex(digest));
}

static int check_size(const char *path, uint64_t found, const struct oci_descriptor *d,
		      struct error *err)
{
	if (found == d->size)
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "'%s' has %" PRIu64 " bytes, not %" PRIu64 " as its descriptor says",
			  path, found, d->size);
}

static int read_blob(struct load *load, const struct oci_descriptor *d, const char **ret,
		     size_t *ret_len, struct error *err)
{
	const char *path = blob_place(load, d->digest);
	struct digest found;
	int r = load_document(load, path, ret, ret_len, err);

	if (r == 0)
		r = check_size(path, *ret_len, d, err);
	if (r < 0)
		return r;
	found = sha256_digest(*ret, *ret_len);
	if (!str_eq(found.text, d->digest))
		return error_kind(err, ERROR_INVALID, "'%s' has digest %s", path, found.text);
	return 0;
}

/*
 * A name only if the layout gives a whole one. ref.name is often a bare tag ("latest"), of which
 * repository the layout does not say.
 */
static char **names_of(const struct oci_descriptor *d)
{
	const char *full = oci_descriptor_annotation(d, OCI_ANNOTATION_IMAGE_NAME);
	const char *ref = oci_descriptor_annotation(d, OCI_ANNOTATION_REF_NAME);
	char *name = full ? reference_normalise(full) : NULL;

	if (!name && ref && strpbrk(ref, "/:@"))
		name = reference_normalise(ref);
	return name ? strv_push_owned(NULL, name) : NULL;
}

static int add_layer(struct load *load, const struct oci_descriptor *d, const char *diff_id,
		     struct error *err)
{
	const struct oci_media_type *type = oci_media_type(d->media_type);
	const char *path = blob_place(load, d->digest);
	struct layer_job *job;
	uint64_t bytes;
	int r;

	if (type->kind != OCI_MEDIA_LAYER)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "layer %s is of type '%.100s', which is no file system layer",
				  d->digest, d->media_type);
	if (type->foreign && !input_has(load->input, path))
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"layer %s lies elsewhere (foreign layer) and is not in the archive",
			d->digest);
	r = input_size(load->input, path, &bytes, err);
	if (r == 0)
		r = check_size(path, bytes, d, err);
	if (r < 0)
		return r;
	job = load_add_layer(load, path, err);
	if (!job)
		return -EINVAL;
	job->blob_bytes = d->size;
	if (digest_parse(d->digest, &job->blob_id) < 0 || digest_parse(diff_id, &job->diff_id) < 0)
		return error_kind(err, ERROR_INVALID, "layer %s: bad digest", d->digest);
	return 0;
}

static int add_layers(struct load *load, const struct oci_manifest *manifest,
		      const struct oci_image_config *config, struct error *err)
{
	int r = 0;

	if (manifest->n_layers != config->n_diff_ids)
		return error_kind(err, ERROR_INVALID,
				  "the manifest has %zu layers, the config %zu diff ids",
				  manifest->n_layers, config->n_diff_ids);
	for (size_t i = 0; i < manifest->n_layers && r == 0; i++)
		r = add_layer(load, &manifest->layers[i], config->diff_ids[i], err);
	return r;
}

/* d: of the manifest; named: the descriptor of index.json that led here. */
static int add_image(struct load *load, const struct oci_descriptor *d,
		     const struct oci_descriptor *named, struct error *err)
{
	struct load_image *image = load_add_image(load, err);
	struct oci_manifest manifest;
	const char *json;
	size_t len;
	int r;

	if (!image)
		return -EINVAL;
	image->names = names_of(named);
	image->media_type = d->media_type ? arena_strdup(load->arena, d->media_type) : NULL;
	r = read_blob(load, d, &image->manifest_json, &image->manifest_len, err);
	if (r == 0)
		r = oci_manifest_parse(image->manifest_json, image->manifest_len, load->arena,
				       &manifest, err);
	if (r == 0)
		r = read_blob(load, &manifest.config, &json, &len, err);
	if (r == 0)
		r = load_config(load, image, json, len, err);
	if (r == 0)
		r = add_layers(load, &manifest, image->config, err);
	return r < 0 ? error_prefix(err, r, "manifest %s", d->digest) : 0;
}

/* An index entry without a media type: some writers leave it out. */
static int kind_of(struct load *load, const struct oci_descriptor *d, enum oci_media_kind *ret,
		   struct error *err)
{
	const char *json;
	size_t len;
	int r;

	if (d->media_type) {
		*ret = oci_media_type(d->media_type)->kind;
		return 0;
	}
	r = read_blob(load, d, &json, &len, err);
	return r < 0 ? r : oci_document_kind(json, len, ret, err);
}

/* Attestations are listed as images of an unknown platform. */
static bool is_runnable(const struct oci_descriptor *d)
{
	return !d->has_platform || !str_eq(d->platform.os, "unknown");
}

static int add_descriptor(struct load *load, const struct oci_descriptor *d,
			  const struct oci_descriptor *named, unsigned depth, struct error *err);

/* One image of a multi-platform index: the one that was asked for or runs here, or the only one. */
static int add_index(struct load *load, const struct oci_descriptor *d,
		     const struct oci_descriptor *named, unsigned depth, struct error *err)
{
	const struct oci_descriptor *match = NULL, *only = NULL;
	struct oci_index index;
	struct platform want;
	const char *json;
	size_t len, candidates = 0;
	int r = 0;

	if (load->options->platform)
		r = platform_parse(load->options->platform, &want, err);
	else
		platform_host(&want);
	if (r == 0)
		r = read_blob(load, d, &json, &len, err);
	if (r == 0)
		r = oci_index_parse(json, len, load->arena, &index, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.n_manifests; i++) {
		const struct oci_descriptor *m = &index.manifests[i];

		if (!is_runnable(m) || !input_has(load->input, blob_place(load, m->digest)))
			continue; /* archives of one platform keep the whole index */
		candidates++;
		only = m;
		if (!match && m->has_platform && platform_match(&want, &m->platform))
			match = m;
	}
	if (!match && candidates == 1 && !load->options->platform)
		match = only;
	if (!match)
		return error_kind(err, ERROR_NOT_FOUND,
				  "index %s has no image for %s/%s in this archive", d->digest,
				  want.os, want.architecture);
	return add_descriptor(load, match, named, depth + 1, err);
}

static int add_descriptor(struct load *load, const struct oci_descriptor *d,
			  const struct oci_descriptor *named, unsigned depth, struct error *err)
{
	enum oci_media_kind kind;
	int r;

	if (depth > INDEX_DEPTH_MAX)
		return error_kind(err, ERROR_INVALID, "indexes are nested deeper than %d",
				  INDEX_DEPTH_MAX);
	r = kind_of(load, d, &kind, err);
	if (r < 0)
		return r;
	switch (kind) {
	case OCI_MEDIA_MANIFEST:
		return add_image(load, d, named, err);
	case OCI_MEDIA_INDEX:
		return add_index(load, d, named, depth, err);
	case OCI_MEDIA_MANIFEST_V1:
		return error_kind(err, ERROR_UNSUPPORTED, "manifest %s is of docker's old schema 1",
				  d->digest);
	default:
		return 0; /* an artifact, no image */
	}
}

/* The same manifest under several names is one image. */
static bool add_name_to_known(struct load *load, const struct oci_descriptor *d)
{
	for (size_t i = 0; i < load->n_images; i++) {
		struct load_image *image = &load->images[i];
		struct digest id = sha256_digest(image->manifest_json, image->manifest_len);
		char **names = NULL;

		if (!str_eq(id.text, d->digest))
			continue;
		names = names_of(d);
		for (size_t k = 0; names && names[k]; k++) {
			if (!strv_has(image->names, names[k]))
				image->names = strv_push(image->names, names[k]);
		}
		strv_free(names);
		return true;
	}
	return false;
}

int load_oci_plan(struct load *load, struct error *err)
{
	struct oci_index index;
	const char *json;
	size_t len;
	int r = load_document(load, OCI_LAYOUT_FILE, &json, &len, err);

	if (r == 0)
		r = oci_layout_parse(json, len, err);
	if (r < 0)
		return error_prefix(err, r, OCI_LAYOUT_FILE);
	r = load_document(load, "index.json", &json, &len, err);
	if (r == 0)
		r = oci_index_parse(json, len, load->arena, &index, err);
	if (r < 0)
		return error_prefix(err, r, "index.json");
	for (size_t i = 0; i < index.n_manifests && r == 0; i++) {
		const struct oci_descriptor *d = &index.manifests[i];

		if (is_runnable(d) && !add_name_to_known(load, d))
			r = add_descriptor(load, d, d, 0, err);
	}
	return r;
}
