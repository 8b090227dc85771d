/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest lists go to registries, with what their members have. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/manifest_list.h"
#include "image/progress.h"
#include "image/push.h"
#include "image/reference.h"
#include "image/stop.h"
#include "image/store_private.h"
#include "registry/registry.h"
#include "registry/upload.h"

#define COPY_BYTES ((size_t)128 << 10)

static int open_registry(const struct reference *ref, bool push,
			 const struct registry_access *access, struct registry **ret,
			 struct error *err)
{
	const struct registry_options o = {
		.domain = ref->domain, .path = ref->path, .push = push, .access = *access
	};

	return registry_open(&o, ret, err);
}

struct list_push {
	struct image_store *store;
	const struct reference *target;
	struct registry *registry; /* of the target */
	const struct manifest_push_options *options;
	struct signer signer;
};

/* Where a member's blobs are. */
struct source {
	struct reference ref;
	struct registry *registry;
	struct stop stop;
};

static void source_done(struct source *s)
{
	stop_done(&s->stop);
	registry_close(s->registry);
	reference_done(&s->ref);
}
#define cleanup_source __attribute__((cleanup(source_done)))

/* A blob through a file without a name: uploads need one that they can read twice. */
static int copy_blob(struct list_push *p, struct source *from, const struct digest *id,
		     uint64_t bytes, struct error *err)
{
	cleanup_with(stream_close) struct stream *in = NULL;
	cleanup_free char *buf = xmalloc(COPY_BYTES);
	cleanup_fd int fd =
		openat(p->store->root_fd, TMP_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ssize_t n;
	int r;

	if (fd < 0)
		return error_sys(err, "cannot make a file in '%s/" TMP_DIR "'",
				 p->store->root_path);
	r = registry_blob_open(from->registry, id, bytes, &in, err);
	if (r < 0)
		return r;
	while ((n = stream_read(in, buf, COPY_BYTES, err)) > 0) {
		r = fd_write_all(fd, buf, (size_t)n);
		if (r < 0)
			return error_num(err, -r, "cannot keep blob %s", id->text);
	}
	/* wrong bytes are refused by the registry: the digest is part of the request */
	return n < 0 ? (int)n : registry_blob_upload(p->registry, id, bytes, fd, err);
}

static int bring_blob(struct list_push *p, struct source *from, const struct oci_descriptor *d,
		      struct error *err)
{
	struct digest id;
	int r = 0;

	if (oci_media_type(d->media_type)->foreign)
		return 0; /* nobody may store it */
	if (digest_parse(d->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "'%.80s' is no digest", d->digest);
	r = registry_blob_exists(p->registry, &id, err);
	if (r == 0 && str_eq(from->ref.domain, p->target->domain))
		r = registry_blob_mount(p->registry, &id, from->ref.path, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!from->registry) {
		struct registry_access access = *p->options->access;

		if (!str_eq(from->ref.domain, p->target->domain))
			access.credential =
				NULL; /* it is for the target, and nobody else's to see */
		r = open_registry(&from->ref, false, &access, &from->registry, err);
		if (r == 0)
			r = stop_watch(&from->stop, p->options->stop_fd, from->registry, err);
	}
	return r < 0 ? r : copy_blob(p, from, &id, d->size, err);
}

static int bring_blobs(struct list_push *p, struct source *from, const char *json, size_t len,
		       struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct oci_manifest manifest;
	int r = oci_manifest_parse(json, len, arena, &manifest, err);

	if (r == 0)
		r = bring_blob(p, from, &manifest.config, err);
	for (size_t i = 0; r == 0 && i < manifest.n_layers; i++)
		r = bring_blob(p, from, &manifest.layers[i], err);
	return r;
}

/* Puts a document under its digest or a tag, signed. json NULL: it is there already. */
static int put_signed(struct list_push *p, const struct digest *id, const char *tag,
		      const char *media_type, const struct buf *json, struct error *err)
{
	cleanup_signing struct signing signing = { 0 };
	int r = sign_manifest(&p->signer, p->registry, p->target, id, &signing, err);

	if (r == 0 && json)
		r = registry_manifest_put(p->registry, tag, media_type, json->data, json->len, err);
	return r < 0 ? r : sign_keep(&signing, id, err);
}

/* What another repository has. 1: it is the target's own, and there, or it could not have been put
 * into the list. */
static int copy_member(struct list_push *p, const struct oci_descriptor *d, struct error *err)
{
	cleanup_source struct source from = { .stop = STOP_NONE };
	cleanup_buf struct buf json = { 0 };
	struct digest id;
	int r = reference_parse(manifest_list_reference(d), &from.ref, err);

	if (r == 0 && digest_parse(d->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "'%.80s' is no digest", d->digest);
	if (r == 0 && str_eq(from.ref.domain, p->target->domain) &&
	    str_eq(from.ref.path, p->target->path)) {
		r = put_signed(p, &id, NULL, NULL, NULL, err);
		return r < 0 ? r : 1;
	}
	json.data = manifest_list_document(d, &json.len);
	if (r == 0)
		r = bring_blobs(p, &from, json.data, json.len, err);
	return r < 0 ? r : put_signed(p, &id, id.text, d->media_type, &json, err);
}

/* What is here. Its plain layers are compressed, so its digest may become another. */
static int send_member(struct list_push *p, struct arena *arena, struct oci_descriptor *d,
		       struct error *err)
{
	const struct image_push_options o = { .access = *p->options->access,
					      .compression = p->options->compression,
					      .sign = p->options->sign,
					      .stop_fd = p->options->stop_fd };
	cleanup_buf struct buf json = { 0 };
	struct digest id;
	int r;

	if (digest_parse(d->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "'%.80s' is no digest", d->digest);
	r = image_push_member(p->store, p->target, &id, &o, &json, err);
	if (r < 0)
		return error_prefix(err, r, "%s", manifest_list_reference(d));
	id = sha256_digest(json.data, json.len);
	d->digest = arena_strdup(arena, id.text);
	d->size = json.len;
	return 0;
}

static int push_member(struct list_push *p, struct arena *arena, struct oci_descriptor *d,
		       struct error *err)
{
	cleanup_free char *text = NULL;
	int r = manifest_list_is_local(d) ? send_member(p, arena, d, err) : copy_member(p, d, err);

	if (r != 0)
		return r < 0 ? r : 0;
	text = xasprintf("Pushed ref %s/%s@%s with digest: %s", p->target->domain, p->target->path,
			 d->digest, d->digest);
	progress_show(p->options->said, NULL, text, 0, 0);
	return 0;
}

static int check_members(const struct manifest_list *list, const char *name, struct error *err)
{
	if (list->n == 0)
		return error_kind(err, ERROR_INVALID, "manifest list %s has no members", name);
	for (size_t i = 0; i < list->n; i++) {
		const struct oci_platform *have = &list->members[i].platform;

		if (str_empty(have->os) || str_empty(have->architecture))
			return error_kind(err, ERROR_INVALID,
					  "manifest %s must have an OS and Architecture to be "
					  "pushed to a registry",
					  manifest_list_reference(&list->members[i]));
	}
	return 0;
}

static int push_all(struct list_push *p, struct manifest_list *list, struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct digest id;
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = push_member(p, list->arena, &list->members[i], err);
	if (r < 0)
		return r;
	manifest_list_format(list, &json);
	id = sha256_digest(json.data, json.len);
	r = put_signed(p, &id, p->target->tag, manifest_list_media_type(list), &json, err);
	if (r < 0)
		return r;
	progress_show(p->options->said, NULL, id.text, 0, 0);
	return 0;
}

int manifest_list_push(struct image_store *store, const char *name, const struct reference *target,
		       const struct manifest_push_options *options, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_with(registry_close) struct registry *registry = NULL;
	struct list_push p = { .store = store, .target = target, .options = options };
	struct stop stop = STOP_NONE;
	struct manifest_list list;
	int r = manifest_list_load(store, name, arena, &list, err);

	if (r == 0)
		r = check_members(&list, name, err);
	if (r == 0)
		r = signer_open(&options->sign, &p.signer, err);
	if (r == 0)
		r = open_registry(target, true, options->access, &registry, err);
	if (r == 0)
		r = stop_watch(&stop, options->stop_fd, registry, err);
	p.registry = registry;
	if (r == 0)
		r = push_all(&p, &list, err);
	stop_done(&stop);
	signer_close(&p.signer);
	return r;
}
