/* SPDX-License-Identifier: Apache-2.0 */
/* docker's text of a manifest: the bytes indented anew, or with all that is known of it. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "image/manifest_list.h"
#include "image/reference.h"
#include "image/store_private.h"
#include "registry/registry.h"

/* docker's: three spaces for a list, a tab for the rest */
#define LIST_INDENT "   "
#define INDENT	    "\t"

static int add_document(const char *json, size_t len, const char *indent, struct buf *out,
			struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct json *doc;
	struct json_writer w;
	int r = json_parse(json, len, arena, &doc, err);

	if (r < 0)
		return error_prefix(err, r, "manifest");
	json_writer_init(&w, out, indent);
	json_add_value(&w, NULL, doc);
	return 0;
}

/* One manifest with its name, its descriptor and its bytes, as a value of w. */
static int add_verbose(struct json_writer *w, const struct oci_descriptor *d, struct arena *arena,
		       struct error *err)
{
	bool docker = oci_media_type(d->media_type)->docker;
	cleanup_free char *json = NULL;
	const struct json *doc;
	size_t len;
	int r;

	json = manifest_list_document(d, &len);
	r = json_parse(json, len, arena, &doc, err);
	if (r < 0)
		return error_prefix(err, r, "manifest");
	json_begin_object(w, NULL);
	json_add_string(w, "Ref", manifest_list_reference(d));
	json_begin_object(w, "Descriptor");
	json_add_string(w, "mediaType", d->media_type);
	json_add_string(w, "digest", d->digest);
	json_add_u64(w, "size", d->size);
	manifest_list_add_platform(w, &d->platform);
	json_end(w);
	json_add_string(w, "Raw", d->data);
	json_add_value(w, docker ? "SchemaV2Manifest" : "OCIManifest", doc);
	json_end(w);
	return 0;
}

static int add_all_verbose(const struct manifest_list *list, struct buf *out, struct error *err)
{
	struct json_writer w;
	int r = 0;

	json_writer_init(&w, out, INDENT);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < list->n && r == 0; i++)
		r = add_verbose(&w, &list->members[i], list->arena, err);
	json_end(&w);
	return r;
}

static int add_one(const struct oci_descriptor *d, bool verbose, struct arena *arena,
		   struct buf *out, struct error *err)
{
	cleanup_free char *json = NULL;
	struct json_writer w;
	size_t len;

	if (verbose) {
		json_writer_init(&w, out, INDENT);
		return add_verbose(&w, d, arena, err);
	}
	json = manifest_list_document(d, &len);
	return add_document(json, len, INDENT, out, err);
}

/* A member of a local list. */
static int inspect_member(struct image_store *store, const struct manifest_inspect_options *o,
			  const char *name, struct arena *arena, struct buf *out, struct error *err)
{
	cleanup_free char *list_name = reference_normalise(o->list_text);
	struct manifest_list list;
	int r;

	if (!list_name)
		return error_kind(err, ERROR_INVALID, "invalid reference format");
	if (!manifest_list_exists(store, list_name))
		return error_kind(err, ERROR_NOT_FOUND, "No such manifest: %s", name);
	r = manifest_list_load(store, list_name, arena, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (str_eq(manifest_list_reference(&list.members[i]), name))
			return add_one(&list.members[i], o->verbose, arena, out, err);
	}
	return r < 0 ? r : error_kind(err, ERROR_NOT_FOUND, "No such manifest: %s", name);
}

static int inspect_list(struct image_store *store, const char *name, bool verbose,
			struct arena *arena, struct buf *out, struct error *err)
{
	struct manifest_list list;
	int r = manifest_list_load(store, name, arena, &list, err);

	if (r == 0 && verbose)
		return add_all_verbose(&list, out, err);
	if (r == 0)
		manifest_list_format(&list, out);
	return r;
}

/* The members of a registry's list, fetched one by one. */
static int fetch_members(struct registry *r, const char *name, const struct registry_manifest *m,
			 struct arena *arena, struct manifest_list *ret, struct error *err)
{
	struct oci_index index;
	int rc = oci_index_parse(m->json, m->len, arena, &index, err);

	*ret = (struct manifest_list){ .arena = arena };
	if (rc == 0 && index.n_manifests > MANIFEST_LIST_MAX_MEMBERS)
		return error_kind(err, ERROR_INVALID, "more than %d members",
				  MANIFEST_LIST_MAX_MEMBERS);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		const char *digest = index.manifests[i].digest;
		const char *reference = arena_printf(arena, "%s@%s", name, digest);
		struct registry_manifest one = { 0 };
		struct oci_descriptor member;

		rc = registry_manifest_get(r, digest, &one, err);
		if (rc < 0)
			break;
		member = manifest_list_member(arena, reference, false, &index.manifests[i],
					      one.json, one.len);
		manifest_list_put(ret, &member);
		registry_manifest_done(&one);
	}
	return rc;
}

static int inspect_answer(struct registry *r, const struct reference *ref, const char *name,
			  const struct registry_manifest *m,
			  const struct manifest_inspect_options *o, struct arena *arena,
			  struct buf *out, struct error *err)
{
	bool is_list = oci_media_type(m->media_type)->kind == OCI_MEDIA_INDEX;
	struct oci_descriptor member;
	struct manifest_list list;
	int rc;

	if (!o->verbose)
		return add_document(m->json, m->len, is_list ? LIST_INDENT : INDENT, out, err);
	if (is_list) {
		rc = fetch_members(r, name, m, arena, &list, err);
		return rc < 0 ? rc : add_all_verbose(&list, out, err);
	}
	rc = manifest_fetch(ref, o->access, arena, &member, err);
	return rc < 0 ? rc : add_one(&member, true, arena, out, err);
}

static int inspect_remote(const struct reference *ref, const char *name,
			  const struct manifest_inspect_options *o, struct arena *arena,
			  struct buf *out, struct error *err)
{
	const struct registry_options options = { .domain = ref->domain,
						  .path = ref->path,
						  .access = *o->access };
	cleanup_with(registry_close) struct registry *r = NULL;
	struct registry_manifest m = { 0 };
	int rc = registry_open(&options, &r, err);

	if (rc == 0)
		rc = registry_manifest_get(r, ref->digest ? ref->digest : ref->tag, &m, err);
	if (rc < 0 && err->kind == ERROR_NOT_FOUND)
		return error_kind(err, ERROR_NOT_FOUND, "no such manifest: %s", name);
	if (rc == 0)
		rc = inspect_answer(r, ref, name, &m, o, arena, out, err);
	registry_manifest_done(&m);
	return rc;
}

int manifest_inspect(struct image_store *store, const struct manifest_inspect_options *o,
		     struct buf *out, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *name = NULL;
	int r = reference_parse(o->text, &ref, err);

	if (r < 0)
		return r;
	name = reference_format(&ref);
	if (o->list_text)
		return inspect_member(store, o, name, arena, out, err);
	if (manifest_list_exists(store, name))
		return inspect_list(store, name, o->verbose, arena, out, err);
	return inspect_remote(&ref, name, o, arena, out, err);
}
