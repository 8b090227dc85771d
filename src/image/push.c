/* SPDX-License-Identifier: Apache-2.0 */
#include "image/push.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/index.h"
#include "image/manifest.h"
#include "image/platform.h"
#include "image/push_private.h"
#include "oci/image.h"
#include "registry/registry.h"
#include "registry/upload.h"

#define SHORT_ID 12

/* Media types of a layer once it is compressed, by family. */
static const char *packed_type(enum compression how, bool docker)
{
	if (how == COMPRESSION_ZSTD)
		return OCI_MEDIA_TYPE_LAYER_ZSTD;
	return docker ? DOCKER_MEDIA_TYPE_LAYER_GZIP : OCI_MEDIA_TYPE_LAYER_GZIP;
}

/* Plan */

/* Media types lie: a layer that begins like a compressed one is sent as it is. */
static bool is_packed(struct push *p, const struct digest *blob)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	unsigned char head[sizeof(zstd)] = { 0 };
	cleanup_fd int fd =
		openat(p->store->root_fd, blob_path(blob).s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || pread(fd, head, sizeof(head), 0) < 0)
		return false; /* opening it for the push will say why */
	return memcmp(head, gzip, sizeof(gzip)) == 0 || memcmp(head, zstd, sizeof(zstd)) == 0;
}

static int choose_packing(struct push *p, const struct image_layer *layer, enum compression *ret,
			  struct error *err)
{
	const struct oci_media_type *type = oci_media_type(layer->media_type);
	enum compression wanted = p->options->compression;

	bool docker = p->options->format == PUSH_FORMAT_KEEP
			      ? type->docker
			      : p->options->format == PUSH_FORMAT_DOCKER;

	*ret = COMPRESSION_NONE;
	if (type->kind != OCI_MEDIA_LAYER || type->compression != OCI_COMPRESSION_NONE ||
	    is_packed(p, &layer->blob_id))
		return 0;
	if (wanted == COMPRESSION_NONE && blob_places_knows(&p->places, &layer->blob_id))
		return 0; /* it came from a registry so, and keeps its digest */
	if (docker && wanted == COMPRESSION_ZSTD)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "docker's manifest format has no zstd layers; the image has that "
				  "format");
	*ret = wanted == COMPRESSION_NONE ? COMPRESSION_GZIP : wanted;
	return 0;
}

/* The blob in the list, or a new one: an image may have a layer several times. */
static struct push_blob *add_blob(struct push_blob *blobs, size_t *n, const struct digest *id)
{
	for (size_t i = 0; i < *n; i++) {
		if (digest_eq(&blobs[i].local, id))
			return &blobs[i];
	}
	blobs[*n] = (struct push_blob){ .local = *id };
	return &blobs[(*n)++];
}

/* The layers from the top, as docker lists them, and the config. blobs has room for all. */
static int plan_blobs(struct push *p, const struct image *image, struct push_blob *blobs,
		      size_t *ret_n, struct error *err)
{
	struct push_blob *config;
	size_t n = 0;

	for (size_t i = image->n_layers; i-- > 0;) {
		const struct image_layer *layer = &image->layers[i];
		struct push_blob *b;
		int r;

		if (oci_media_type(layer->media_type)->foreign &&
		    !blob_exists(p->store, &layer->blob_id, BLOB_ANY_SIZE))
			continue; /* nobody may store it; its URL is in the manifest */
		b = add_blob(blobs, &n, &layer->blob_id);
		b->local_bytes = layer->blob_bytes;
		(void)snprintf(b->label, sizeof(b->label), "%.*s", SHORT_ID,
			       digest_hex(&layer->diff_id));
		r = choose_packing(p, layer, &b->pack, err);
		if (r < 0)
			return r;
		progress_show(&p->options->progress, b->label, "Preparing", 0, 0);
	}
	config = add_blob(blobs, &n, &image->id);
	config->local_bytes = strlen(image->config_json);
	*ret_n = n;
	return 0;
}

/* Manifest */

/* A manifest as it will be at the registry: json in the image's arena, or its own. */
struct sent_manifest {
	const char *json;
	size_t len;
	const char *media_type;
};

static const struct push_blob *find_blob(const struct push_blob *blobs, size_t n,
					 const char *digest)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(blobs[i].local.text, digest))
			return &blobs[i];
	}
	return NULL;
}

/* In the format that is wanted. 1: it changed, 0: it is of that format, or any will do. */
static int change_format(const struct push *p, const struct image *image,
			 struct oci_manifest *manifest, struct sent_manifest *m, struct error *err)
{
	bool docker = p->options->format == PUSH_FORMAT_DOCKER;
	int r;

	if (p->options->format == PUSH_FORMAT_KEEP ||
	    oci_media_type(m->media_type)->docker == docker)
		return 0;
	r = manifest_convert(manifest, docker, image->arena, err);
	if (r < 0)
		return r;
	m->media_type = manifest->media_type;
	return 1;
}

/* The manifest with what the compressed layers became. */
static int rewrite_manifest(const struct push *p, const struct image *image,
			    const struct push_blob *blobs, size_t n, struct sent_manifest *m,
			    struct buf *out, struct error *err)
{
	struct oci_descriptor *layers;
	struct oci_manifest manifest;
	bool changed;
	int r = oci_manifest_parse(m->json, m->len, image->arena, &manifest, err);

	if (r == 0)
		r = change_format(p, image, &manifest, m, err);
	if (r < 0)
		return r;
	changed = r > 0;
	layers = arena_alloc(image->arena, MAX(manifest.n_layers, 1u) * sizeof(*layers));
	for (size_t i = 0; i < manifest.n_layers; i++) {
		const struct push_blob *b = find_blob(blobs, n, manifest.layers[i].digest);

		layers[i] = manifest.layers[i];
		if (!b || b->pack == COMPRESSION_NONE)
			continue;
		layers[i].media_type =
			packed_type(b->pack, oci_media_type(layers[i].media_type)->docker);
		layers[i].digest = b->sent.text;
		layers[i].size = b->sent_bytes;
		changed = true;
	}
	if (!changed)
		return 0;
	manifest.layers = layers;
	oci_manifest_format(&manifest, out);
	m->json = buf_str(out);
	m->len = out->len;
	return 0;
}

/* tag NULL: under its digest alone */
static int put_manifest(struct push *p, const char *tag, const struct sent_manifest *m,
			struct error *err)
{
	struct digest id = sha256_digest(m->json, m->len);
	cleanup_free char *text = NULL;
	int r;

	if (!tag)
		tag = id.text;
	r = registry_manifest_put(p->registry, tag, m->media_type, m->json, m->len, err);
	if (r < 0)
		return r;
	if (p->options->pushed)
		*p->options->pushed = id;
	text = xasprintf("%s: digest: %s size: %zu", tag, id.text, m->len);
	progress_show(&p->options->progress, NULL, text, 0, 0);
	return 0;
}

/* The name's entry says what the registry has for it now, if it is still the image that was pushed. */
static int record_digest(struct push *p, const char *name, const struct digest *manifest_id,
			 const struct sent_manifest *m, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_fd int lock = -EBADF;
	struct index_entry *e;
	int r = store_lock(p->store, &lock, err);

	if (r == 0)
		r = index_load(p->store->root_fd, &index, err);
	if (r < 0)
		return r;
	e = index_find_name(&index, name);
	if (!e || !digest_eq(&e->manifest_id, manifest_id))
		return 0;
	e->repo_digest = sha256_digest(m->json, m->len);
	return index_save(p->store->root_fd, &index, err);
}

/* One tag */

static int check_platform(struct push *p, const struct image *image, const char *name,
			  struct error *err)
{
	cleanup_free char *familiar = reference_familiar_text(name);
	struct platform want;
	int r;

	if (!p->options->platform)
		return 0;
	r = platform_parse(p->options->platform, &want, err);
	if (r < 0)
		return r;
	if (platform_match(&want, &image->config->platform))
		return 0;
	return error_kind(err, ERROR_NOT_FOUND,
			  "image with reference %s was found but does not provide the specified "
			  "platform (%s)",
			  familiar, p->options->platform);
}

/* Who cannot sign it, or has no place for signatures, does not push it. */
static int put_signed(struct push *p, const struct reference *ref, const char *tag,
		      const struct sent_manifest *m, struct error *err)
{
	struct digest id = sha256_digest(m->json, m->len);
	cleanup_signing struct signing signing = { 0 };
	int r = sign_manifest(&p->signer, p->registry, ref, &id, &signing, err);

	if (r == 0)
		r = put_manifest(p, tag, m, err);
	return r < 0 ? r : sign_keep(&signing, &id, err);
}

/*
 * ref         under which name it is signed
 * tag         where it goes; NULL: under its digest alone
 * rewritten   holds what the manifest became, if it is not the image's own any more
 */
static int push_image(struct push *p, const struct image *image, const struct reference *ref,
		      const char *tag, struct sent_manifest *ret, struct buf *rewritten,
		      struct error *err)
{
	cleanup_free struct push_blob *blobs = xcalloc(image->n_layers + 1, sizeof(*blobs));
	size_t n;
	int r = plan_blobs(p, image, blobs, &n, err);

	*ret = (struct sent_manifest){ image->manifest_json, strlen(image->manifest_json),
				       image->manifest_type };
	if (r == 0)
		r = push_blobs(p, blobs, n, err);
	if (r == 0)
		r = rewrite_manifest(p, image, blobs, n, ret, rewritten, err);
	return r < 0 ? r : put_signed(p, ref, tag, ret, err);
}

/* name: under which it goes */
static int push_named(struct push *p, const struct image *image, const char *name,
		      struct error *err)
{
	cleanup_reference struct reference ref = { 0 };
	cleanup_buf struct buf rewritten = { 0 };
	struct sent_manifest m;
	int r = reference_parse(name, &ref, err);

	if (r == 0)
		r = check_platform(p, image, name, err);
	if (r == 0)
		r = push_image(p, image, &ref, ref.tag, &m, &rewritten, err);
	return r < 0 ? r : record_digest(p, name, &image->manifest_id, &m, err);
}

static int push_entry(struct push *p, const struct image_index *index, const struct index_entry *e,
		      struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	int r = image_read(p->store, index, e, &image, err);

	return r < 0 ? r : push_named(p, image, e->name, err);
}

/* Which tags */

static bool is_wanted(const struct push *p, const struct index_entry *e)
{
	cleanup_reference struct reference have = { 0 };
	struct error ignored; /* a name in the index that is none matches nothing */

	if (!e->name || reference_parse_bare(e->name, &have, &ignored) < 0)
		return false;
	return str_eq(have.domain, p->ref->domain) && str_eq(have.path, p->ref->path) && have.tag &&
	       !have.digest && (p->options->all_tags || str_eq(have.tag, p->ref->tag));
}

static int push_wanted(struct push *p, const struct image_index *index, struct error *err)
{
	cleanup_free char *familiar = reference_familiar_name(p->ref);
	bool found = false;
	int r = 0;

	for (size_t i = 0; i < index->n && r == 0; i++) {
		if (!is_wanted(p, &index->entries[i]))
			continue;
		found = true;
		r = push_entry(p, index, &index->entries[i], err);
	}
	if (r == 0 && !found)
		return error_kind(err, ERROR_NOT_FOUND,
				  "An image does not exist locally with the tag: %s", familiar);
	return r;
}

/* Any image, under the name that it is to have there. */
static int push_source(struct push *p, const struct image_index *index, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_free char *name = reference_format(p->ref);
	struct index_entry *e;
	int r = store_find(index, p->options->source, &e, NULL, err);

	if (r < 0)
		return r;
	r = image_read(p->store, index, e, &image, err);
	return r < 0 ? r : push_named(p, image, name, err);
}

/* Begin and end */

static int push_open(struct push *p, struct error *err)
{
	const struct registry_options o = { .domain = p->ref->domain,
					    .path = p->ref->path,
					    .push = true,
					    .access = p->options->access };
	int r = signer_open(&p->options->sign, &p->signer, err);

	p->stop = STOP_NONE;
	if (r == 0)
		r = registry_open(&o, &p->registry, err);
	if (r == 0)
		r = stop_watch(&p->stop, p->options->stop_fd, p->registry, err);
	if (r < 0) {
		registry_close(p->registry);
		signer_close(&p->signer);
		return r;
	}
	p->repository = xasprintf("%s/%s", p->ref->domain, p->ref->path);
	blob_places_load(p->store->root_fd, &p->places);
	(void)pthread_mutex_init(&p->lock, NULL); /* cannot fail without attributes */
	return 0;
}

static void push_close(struct push *p)
{
	stop_done(&p->stop);
	/* what is there is there, also after a failure */
	blob_places_merge(p->store->root_fd, &p->news);
	(void)pthread_mutex_destroy(&p->lock);
	blob_places_done(&p->places);
	blob_places_done(&p->news);
	free(p->repository);
	registry_close(p->registry);
	signer_close(&p->signer);
}

int image_push(struct image_store *store, const struct reference *ref,
	       const struct image_push_options *options, struct error *err)
{
	struct push p = { .store = store, .ref = ref, .options = options };
	cleanup_index struct image_index index = { 0 };
	cleanup_free char *text = NULL;
	int r = index_load(store->root_fd, &index, err);

	if (r == 0)
		r = push_open(&p, err);
	if (r < 0)
		return r;
	text = xasprintf("The push refers to repository [%s]", p.repository);
	progress_show(&options->progress, NULL, text, 0, 0);
	r = options->source ? push_source(&p, &index, err) : push_wanted(&p, &index, err);
	push_close(&p);
	return r;
}

static const struct index_entry *find_manifest(const struct image_index *index,
					       const struct digest *id)
{
	for (size_t i = 0; i < index->n; i++) {
		if (digest_eq(&index->entries[i].manifest_id, id))
			return &index->entries[i];
	}
	return NULL;
}

int image_push_member(struct image_store *store, const struct reference *ref,
		      const struct digest *manifest_id, const struct image_push_options *options,
		      struct buf *ret_json, struct error *err)
{
	struct push p = { .store = store, .ref = ref, .options = options };
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_index struct image_index index = { 0 };
	cleanup_buf struct buf rewritten = { 0 };
	const struct index_entry *e;
	struct sent_manifest m;
	int r = index_load(store->root_fd, &index, err);

	if (r < 0)
		return r;
	e = find_manifest(&index, manifest_id);
	if (!e)
		return error_kind(err, ERROR_NOT_FOUND, "the image is not here any more");
	r = image_read(store, &index, e, &image, err);
	if (r == 0)
		r = push_open(&p, err);
	if (r < 0)
		return r;
	r = push_image(&p, image, ref, NULL, &m, &rewritten, err);
	push_close(&p);
	if (r == 0)
		buf_add(ret_json, m.json, m.len);
	return r;
}
