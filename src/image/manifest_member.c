/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes a member of a manifest list: what a registry has, or the store. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/manifest_list.h"
#include "image/platform.h"
#include "image/reference.h"
#include "image/store.h"
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

/* listed: what a list says of it, which counts; or NULL */
static int fill_member(struct registry *r, const struct registry_manifest *m, const char *name,
		       const struct oci_descriptor *listed, struct arena *arena,
		       struct oci_descriptor *ret, struct error *err)
{
	enum oci_media_kind kind = oci_media_type(m->media_type)->kind;
	struct oci_descriptor d = listed ? *listed : (struct oci_descriptor){ 0 };
	struct oci_manifest manifest;
	int rc;

	d.media_type = m->media_type;
	d.digest = m->id.text;
	if (kind == OCI_MEDIA_INDEX)
		return error_kind(err, ERROR_INVALID, "%s is a manifest list", name);
	if (kind != OCI_MEDIA_MANIFEST)
		return error_kind(err, ERROR_UNSUPPORTED, "%s is of the unknown type %.80s", name,
				  m->media_type);
	rc = oci_manifest_parse(m->json, m->len, arena, &manifest, err);
	/* what is no image has no platform; annotate can give it one */
	if (rc == 0 && !d.has_platform &&
	    oci_media_type(manifest.config.media_type)->kind == OCI_MEDIA_CONFIG)
		rc = fetch_platform(r, &manifest.config, arena, &d.platform, err);
	if (rc == 0)
		*ret = manifest_list_member(arena, name, false, &d, m->json, m->len);
	return rc;
}

/* A registry's answer to a name. */
static int ask(const struct reference *ref, const struct registry_access *access,
	       struct registry **ret, struct registry_manifest *ret_m, struct error *err)
{
	const struct registry_options o = { .domain = ref->domain,
					    .path = ref->path,
					    .access = *access };
	cleanup_with(registry_close) struct registry *r = NULL;
	cleanup_free char *name = reference_format(ref);
	int rc = registry_open(&o, &r, err);

	if (rc == 0)
		rc = registry_manifest_get(r, ref->digest ? ref->digest : ref->tag, ret_m, err);
	if (rc < 0)
		return err->kind == ERROR_NOT_FOUND
			       ? error_kind(err, ERROR_NOT_FOUND, "no such manifest: %s", name)
			       : rc;
	*ret = take_ptr(&r);
	return 0;
}

int manifest_fetch(const struct reference *ref, const struct registry_access *access,
		   struct arena *arena, struct oci_descriptor *ret, struct error *err)
{
	cleanup_with(registry_close) struct registry *r = NULL;
	cleanup_free char *name = reference_format(ref);
	struct registry_manifest m = { 0 };
	int rc = ask(ref, access, &r, &m, err);

	if (rc == 0)
		rc = fill_member(r, &m, name, NULL, arena, ret, err);
	registry_manifest_done(&m);
	return rc;
}

/* Lists of lists */

/* The member of a list that is called name. A list within it is refused. */
static int add_listed(struct registry *r, const char *name, const struct oci_descriptor *d,
		      struct manifest_list *to, struct error *err)
{
	cleanup_free char *full = xasprintf("%s@%s", name, d->digest);
	struct registry_manifest m = { 0 };
	struct oci_descriptor member;
	int rc = registry_manifest_get(r, d->digest, &m, err);

	if (rc == 0)
		rc = fill_member(r, &m, full, d, to->arena, &member, err);
	if (rc == 0)
		manifest_list_put(to, &member);
	registry_manifest_done(&m);
	return rc;
}

static int add_nested(struct registry *r, const char *name, const struct registry_manifest *m,
		      enum manifest_nested nested, struct manifest_list *to, struct error *err)
{
	struct oci_index index;
	struct platform host;
	int rc = oci_index_parse(m->json, m->len, to->arena, &index, err);

	if (rc == 0 && index.n_manifests > MANIFEST_LIST_MAX_MEMBERS)
		return error_kind(err, ERROR_INVALID, "%s: more than %d members", name,
				  MANIFEST_LIST_MAX_MEMBERS);
	platform_host(&host);
	for (size_t i = 0; i < index.n_manifests && rc == 0; i++) {
		const struct oci_descriptor *d = &index.manifests[i];

		if (nested == MANIFEST_NESTED_HOST && !platform_match(&host, &d->platform))
			continue;
		rc = add_listed(r, name, d, to, err);
		if (nested == MANIFEST_NESTED_HOST)
			return rc;
	}
	if (rc == 0 && nested == MANIFEST_NESTED_HOST)
		return error_kind(err, ERROR_NOT_FOUND,
				  "no matching manifest for %s/%s in the manifest list entries",
				  host.os, host.architecture);
	return rc;
}

/* One name */

static int add_answer(struct registry *r, const char *name, const struct registry_manifest *m,
		      enum manifest_nested nested, struct manifest_list *to, struct error *err)
{
	struct oci_descriptor member;
	int rc;

	if (nested != MANIFEST_NESTED_REFUSED &&
	    oci_media_type(m->media_type)->kind == OCI_MEDIA_INDEX)
		return add_nested(r, name, m, nested, to, err);
	rc = fill_member(r, m, name, NULL, to->arena, &member, err);
	if (rc == 0)
		manifest_list_put(to, &member);
	return rc;
}

static int add_local(struct image_store *store, const char *text, const char *name,
		     struct manifest_list *to, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct oci_descriptor member;
	int r = image_lookup(store, text, &image, err);

	if (r < 0)
		return r;
	member = manifest_list_member(to->arena, name, true,
				      &(struct oci_descriptor){
					      .media_type = image->manifest_type,
					      .digest = image->manifest_id.text,
					      .platform = image->config->platform,
				      },
				      image->manifest_json, strlen(image->manifest_json));
	manifest_list_put(to, &member);
	return 0;
}

/* What text means, into an empty list. */
static int find_members(const struct manifest_source *from, const char *text,
			struct manifest_list *to, struct error *err)
{
	cleanup_with(registry_close) struct registry *r = NULL;
	cleanup_reference struct reference ref = { 0 };
	struct registry_manifest m = { 0 };
	cleanup_free char *name = NULL;
	struct error not_here; /* what the registry said is told */
	int rc = reference_parse(text, &ref, err);

	if (rc < 0)
		return rc;
	name = reference_format(&ref);
	rc = ask(&ref, from->access, &r, &m, err);
	if (rc < 0)
		return add_local(from->store, text, name, to, &not_here) == 0 ? 0 : rc;
	rc = add_answer(r, name, &m, from->nested, to, err);
	registry_manifest_done(&m);
	return rc;
}

int manifest_list_add(struct manifest_list *list, const struct manifest_source *from,
		      const char *text, const struct manifest_change *change, struct error *err)
{
	struct manifest_list added = { .arena = list->arena };
	int r = find_members(from, text, &added, err);

	for (size_t i = 0; i < added.n && r == 0; i++) {
		const char *member = manifest_list_reference(&added.members[i]);

		if (change)
			r = manifest_list_annotate(&added, text, member, change, err);
		if (r == 0)
			manifest_list_put(list, &added.members[i]);
	}
	return r;
}
