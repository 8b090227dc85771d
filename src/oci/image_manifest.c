/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image.h"

#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/image_field.h"

/* Descriptors, manifests and indexes: image-spec descriptor.md, manifest.md, image-index.md. */

int oci_digest_read(const struct json *v, const char **ret_digest, struct error *err)
{
	const char *text;
	int r = json_to_string(v, &text, err);

	if (r < 0)
		return r;
	if (oci_digest_hex(text)) {
		*ret_digest = text;
		return 0;
	}
	/* LIMIT: sha256 only; base/digest and the store would have to learn another */
	if (str_after(text, "sha512:"))
		return json_fail_kind(v, ERROR_UNSUPPORTED, err,
				      "sha512 is not supported yet, only sha256");
	return json_fail(v, err, "'%.80s' is not a sha256 digest", text);
}

int oci_image_document_parse(const struct oci_table *table, const char *what, const char *json,
			     size_t len, struct arena *arena, void *target, struct error *err)
{
	int r = oci_document_parse(table, json, len, arena, target, err);

	return r < 0 ? error_prefix(err, r, "%s", what) : 0;
}

void oci_image_document_format(const struct oci_table *table, const void *source, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	oci_table_format(table, source, &w);
	json_end(&w);
}

/* Descriptors */

static const struct oci_field platform_fields[] = {
	{ FIELD_STRING("architecture", oci_platform, architecture) },
	{ FIELD_STRING("os", oci_platform, os) },
	{ FIELD_STRING("os.version", oci_platform, os_version) },
	{ FIELD_STRINGS("os.features", oci_platform, os_features, n_os_features) },
	{ FIELD_STRING("variant", oci_platform, variant) },
	{ FIELD_STRINGS("features", oci_platform, features, n_features) },
};
const struct oci_table oci_platform_table = OCI_TABLE(platform_fields, sizeof(struct oci_platform));

static int parse_digest(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	return oci_digest_read(v, &((struct oci_descriptor *)target)->digest, err);
}

static void format_digest(const struct oci_field *f, const void *target, struct json_writer *w)
{
	json_add_string(w, f->key, ((const struct oci_descriptor *)target)->digest);
}

static int parse_size(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	struct oci_descriptor *d = target;
	int r = json_to_u64(v, &d->size, err);

	if (r == 0 && d->size > INT64_MAX)
		return json_fail(v, err, "%llu is out of range", (unsigned long long)d->size);
	return r;
}

static void format_size(const struct oci_field *f, const void *target, struct json_writer *w)
{
	json_add_u64(w, f->key, ((const struct oci_descriptor *)target)->size);
}

static const struct oci_field descriptor_fields[] = {
	{ FIELD_STRING("mediaType", oci_descriptor, media_type) },
	{ FIELD_CUSTOM("digest", parse_digest, format_digest), .required = true },
	{ FIELD_CUSTOM("size", parse_size, format_size), .required = true },
	{ FIELD_STRINGS("urls", oci_descriptor, urls, n_urls) },
	{ FIELD_PAIRS("annotations", oci_descriptor, annotations, n_annotations) },
	{ FIELD_STRING("data", oci_descriptor, data) },
	{ FIELD_EMBEDDED("platform", oci_descriptor, platform, oci_platform, oci_platform_table),
	  FIELD_SET(oci_descriptor, has_platform) },
	{ FIELD_STRING("artifactType", oci_descriptor, artifact_type) },
};
const struct oci_table oci_descriptor_table =
	OCI_TABLE(descriptor_fields, sizeof(struct oci_descriptor));

const char *oci_descriptor_annotation(const struct oci_descriptor *d, const char *key)
{
	return oci_pairs_get(d->annotations, d->n_annotations, key);
}

/* What both documents have */

static int parse_schema_version(const struct json *v, struct arena *arena, void *target,
				struct error *err)
{
	int32_t version = 0;
	int r = json_to_i32(v, &version, err);

	if (r < 0 || version == 2)
		return r;
	return json_fail_kind(v, ERROR_UNSUPPORTED, err, "schema %d is not supported, only 2",
			      version);
}

static void format_schema_version(const struct oci_field *f, const void *target,
				  struct json_writer *w)
{
	json_add_i64(w, f->key, 2);
}

/* A member of the other kind of document: CVE-2021-41190. */
static int refuse_mixed(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	return json_fail(v, err, "does not belong into this kind of document");
}

static void format_nothing(const struct oci_field *f, const void *target, struct json_writer *w)
{
}

static int check_media_type(const char *name, enum oci_media_kind wanted, struct error *err)
{
	enum oci_media_kind kind = oci_media_type(name)->kind;

	if (!name || kind == wanted || kind == OCI_MEDIA_OTHER)
		return 0;
	return error_kind(err, ERROR_INVALID, "mediaType: '%s' is another kind of document", name);
}

/* Index */

static const struct oci_field index_fields[] = {
	{ FIELD_CUSTOM("schemaVersion", parse_schema_version, format_schema_version),
	  .required = true },
	{ FIELD_STRING("mediaType", oci_index, media_type) },
	{ FIELD_STRING("artifactType", oci_index, artifact_type) },
	{ FIELD_OBJECTS("manifests", oci_index, manifests, n_manifests, oci_descriptor,
			oci_descriptor_table),
	  .always = true },
	{ FIELD_POINTER("subject", oci_index, subject, oci_descriptor, oci_descriptor_table) },
	{ FIELD_PAIRS("annotations", oci_index, annotations, n_annotations) },
	{ FIELD_CUSTOM("config", refuse_mixed, format_nothing) },
	{ FIELD_CUSTOM("layers", refuse_mixed, format_nothing) },
};
static const struct oci_table index_table = OCI_TABLE(index_fields, sizeof(struct oci_index));

int oci_index_parse(const char *json, size_t len, struct arena *arena, struct oci_index *ret_index,
		    struct error *err)
{
	struct oci_index index = { 0 };
	int r;

	if (len > OCI_MANIFEST_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "image index: %zu bytes are too much", len);
	r = oci_image_document_parse(&index_table, "image index", json, len, arena, &index, err);
	if (r < 0)
		return r;
	r = check_media_type(index.media_type, OCI_MEDIA_INDEX, err);
	if (r < 0)
		return error_prefix(err, r, "image index");
	*ret_index = index;
	return 0;
}

void oci_index_format(const struct oci_index *index, struct buf *out)
{
	oci_image_document_format(&index_table, index, out);
}

/* Manifest */

static const struct oci_field manifest_fields[] = {
	{ FIELD_CUSTOM("schemaVersion", parse_schema_version, format_schema_version),
	  .required = true },
	{ FIELD_STRING("mediaType", oci_manifest, media_type) },
	{ FIELD_STRING("artifactType", oci_manifest, artifact_type) },
	{ FIELD_CUSTOM("manifests", refuse_mixed, format_nothing) },
	{ FIELD_EMBEDDED("config", oci_manifest, config, oci_descriptor, oci_descriptor_table),
	  .required = true },
	{ FIELD_OBJECTS("layers", oci_manifest, layers, n_layers, oci_descriptor,
			oci_descriptor_table),
	  .always = true },
	{ FIELD_POINTER("subject", oci_manifest, subject, oci_descriptor, oci_descriptor_table) },
	{ FIELD_PAIRS("annotations", oci_manifest, annotations, n_annotations) },
};
static const struct oci_table manifest_table =
	OCI_TABLE(manifest_fields, sizeof(struct oci_manifest));

int oci_manifest_parse(const char *json, size_t len, struct arena *arena,
		       struct oci_manifest *ret_manifest, struct error *err)
{
	struct oci_manifest manifest = { 0 };
	int r;

	if (len > OCI_MANIFEST_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "image manifest: %zu bytes are too much",
				  len);
	r = oci_image_document_parse(&manifest_table, "image manifest", json, len, arena, &manifest,
				     err);
	if (r < 0)
		return r;
	r = check_media_type(manifest.media_type, OCI_MEDIA_MANIFEST, err);
	if (r < 0)
		return error_prefix(err, r, "image manifest");
	*ret_manifest = manifest;
	return 0;
}

void oci_manifest_format(const struct oci_manifest *manifest, struct buf *out)
{
	oci_image_document_format(&manifest_table, manifest, out);
}

int oci_document_kind(const char *json, size_t len, enum oci_media_kind *ret_kind,
		      struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	enum oci_media_kind kind;
	const struct json *root;
	const char *media_type = NULL;
	int r;

	if (len > OCI_MANIFEST_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "image document: %zu bytes are too much",
				  len);
	if ((r = json_parse(json, len, arena, &root, err)) < 0 ||
	    (r = json_get_string(root, "mediaType", &media_type, err)) < 0)
		return error_prefix(err, r, "image document");
	kind = oci_media_type(media_type)->kind;
	if (kind == OCI_MEDIA_CONFIG || kind == OCI_MEDIA_LAYER)
		kind = OCI_MEDIA_OTHER;
	if (kind == OCI_MEDIA_OTHER && json_get(root, "manifests"))
		kind = OCI_MEDIA_INDEX;
	else if (kind == OCI_MEDIA_OTHER && json_get(root, "layers"))
		kind = OCI_MEDIA_MANIFEST;
	else if (kind == OCI_MEDIA_OTHER && json_get(root, "fsLayers"))
		kind = OCI_MEDIA_MANIFEST_V1;
	*ret_kind = kind;
	return 0;
}
