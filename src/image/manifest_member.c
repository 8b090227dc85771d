/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes a member of a manifest list. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/manifest_list.h"
#include "image/reference.h"
#include "registry/registry.h"

/* The platform that a config says; its strings are in the arena. */
static int fetch_platform(struct registry *r, const struct oci_descriptor *config,
			  struct arena *arena, struct oci_platform *ret, struct error *err)
{
	cleanup_with(stream_close) struct stream *in = NULL;
	cleanup_free char *json = NULL;
	struct oci_image_config parsed;
	struct digest id, got;
	ssize_t n;
	int rc;

	if (config->size > OCI_IMAGE_CONFIG_MAX_BYTES || digest_parse(config->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "config %s is too large", config->digest);
	rc = registry_blob_open(r, &id, config->size, &in, err);
	if (rc < 0)
		return rc;
	json = mem_try_alloc(config->size + 1, 1);
	if (!json)
		return error_oom(err);
	n = stream_read_full(in, json, config->size, err);
	if (n < 0)
		return (int)n;
	got = sha256_digest(json, (size_t)n);
	if (!digest_eq(&got, &id))
		return error_kind(err, ERROR_INVALID, "config %s is damaged", id.text);
	rc = oci_image_config_parse(json, (size_t)n, arena, &parsed, err);
	if (rc == 0)
		*ret = parsed.platform;
	return rc;
}

static int fill_member(struct registry *r, const struct registry_manifest *m, const char *name,
		       struct arena *arena, struct oci_descriptor *ret, struct error *err)
{
	enum oci_media_kind kind = oci_media_type(m->media_type)->kind;
	struct oci_descriptor d = { .media_type = m->media_type, .digest = m->id.text };
	struct oci_manifest manifest;
	int rc;

	if (kind == OCI_MEDIA_INDEX)
		return error_kind(err, ERROR_INVALID, "%s is a manifest list", name);
	if (kind != OCI_MEDIA_MANIFEST)
		return error_kind(err, ERROR_UNSUPPORTED, "%s is of the unknown type %.80s", name,
				  m->media_type);
	rc = oci_manifest_parse(m->json, m->len, arena, &manifest, err);
	/* what is no image has no platform; annotate can give it one */
	if (rc == 0 && oci_media_type(manifest.config.media_type)->kind == OCI_MEDIA_CONFIG)
		rc = fetch_platform(r, &manifest.config, arena, &d.platform, err);
	if (rc == 0)
		*ret = manifest_list_member(arena, name, &d, m->json, m->len);
	return rc;
}

int manifest_fetch(const struct reference *ref, const struct registry_access *access,
		   struct arena *arena, struct oci_descriptor *ret, struct error *err)
{
	const struct registry_options o = { .domain = ref->domain,
					    .path = ref->path,
					    .access = *access };
	cleanup_with(registry_close) struct registry *r = NULL;
	cleanup_free char *name = reference_format(ref);
	struct registry_manifest m = { 0 };
	int rc = registry_open(&o, &r, err);

	if (rc == 0)
		rc = registry_manifest_get(r, ref->digest ? ref->digest : ref->tag, &m, err);
	if (rc < 0)
		return err->kind == ERROR_NOT_FOUND
			       ? error_kind(err, ERROR_NOT_FOUND, "no such manifest: %s", name)
			       : rc;
	rc = fill_member(r, &m, name, arena, ret, err);
	registry_manifest_done(&m);
	return rc;
}
