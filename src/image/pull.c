/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tag:
 *
 *     the index knows it, with the registry's digest ─▶ HEAD: the same? then it is up to date
 *     GET manifest ─▶ an index? choose, GET again ─▶ config ─▶ layers_take() ─▶ index
 *
 * The name remembers the digest that its registry answered with (index.h, repo_digest), so that the
 * next pull has something to compare.
 */
#include "image/pull.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/blob_places.h"
#include "image/layer.h"
#include "image/platform.h"
#include "image/policy.h"
#include "image/reference.h"
#include "image/stop.h"
#include "image/store_private.h"
#include "image/work.h"
#include "oci/image.h"
#include "registry/registry.h"

#define JOBS_DEFAULT	3
#define INDEX_DEPTH_MAX 4 /* an index in an index in ... */
#define SHORT_ID	12

struct pull {
	struct image_store *store;
	const struct image_pull_options *options;
	const struct reference *ref; /* of the repository */
	struct registry *registry;
	struct platform want;
	struct image_pulled result;
	struct stop stop;
};

/* One image on its way. */
struct pull_image {
	struct pull *p;
	struct arena *arena;
	const struct reference *ref; /* its name: with a digest, without the tag */
	const char *name;	     /* the same, normalised: what the index shall call it */
	const char *reference;	     /* tag or digest */
	struct digest answer;	     /* what the registry has under it */
	const char *manifest_json, *config_json;
	size_t manifest_len, config_len;
	struct oci_manifest manifest;
	struct oci_image_config config;
	struct layer_job *jobs;
	struct index_entry entry;
};

/* What is here */

static bool is_platform(const struct pull *p, const struct image *image)
{
	return platform_match(&p->want, &image->config->platform);
}

/* Is all of the image there that a registry would be asked for? */
static bool is_whole(struct image_store *store, const struct image *image)
{
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct image_layer *l = &image->layers[i];
		const struct store_path layer = layer_path(&l->diff_id);

		if (!blob_exists(store, &l->blob_id, l->blob_bytes) ||
		    faccessat(store->root_fd, layer.s, F_OK, 0) < 0)
			return false;
	}
	return true;
}

/* The digest of the registry that the name stands for; unset: not here, or not as it should be. */
static struct digest known_digest(struct pull_image *im)
{
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_index struct image_index index = { 0 };
	const struct index_entry *e = NULL;
	struct digest none = { "" }, digest = none;
	struct error ignored; /* what cannot be read is pulled again */

	if (index_load(im->p->store->root_fd, &index, &ignored) == 0)
		e = index_find_name(&index, im->name);
	if (!e || image_read(im->p->store, &index, e, &image, &ignored) < 0 ||
	    !is_whole(im->p->store, image))
		return none;
	if (digest_parse(im->reference, &digest) < 0)
		digest = e->repo_digest;
	/* a manifest is for whom it is for; of an index, it may be another one's turn */
	if (!digest_eq(&digest, &e->manifest_id) && !is_platform(im->p, image))
		return none;
	im->entry.manifest_id = e->manifest_id;
	return digest;
}

/* 1: the registry still has under the name what is here. */
static int is_up_to_date(struct pull_image *im, struct error *err)
{
	struct registry_manifest head = { 0 };
	struct digest known = known_digest(im);
	int r;

	if (!digest_is_set(&known))
		return 0;
	if (str_eq(im->reference, known.text)) {
		im->answer = known; /* a digest cannot change */
		return 1;
	}
	r = registry_manifest_head(im->p->registry, im->reference, &head, err);
	if (r < 0)
		return r;
	r = digest_eq(&head.id, &known);
	im->answer = head.id;
	registry_manifest_done(&head);
	return r;
}

/* Documents */

static const struct oci_descriptor *choose(const struct pull *p, const struct oci_index *index)
{
	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct oci_descriptor *m = &index->manifests[i];

		/* attestations are listed as images of an unknown platform */
		if (m->has_platform && platform_match(&p->want, &m->platform))
			return m;
	}
	/* one image that does not say for whom */
	return index->n_manifests == 1 && !index->manifests[0].has_platform ? index->manifests
									    : NULL;
}

/* json is an index: which manifest of it. */
static int choose_manifest(struct pull_image *im, const char *json, size_t len, const char **ret,
			   struct error *err)
{
	const struct platform *want = &im->p->want;
	const struct oci_descriptor *d;
	struct oci_index index;
	int r = oci_index_parse(json, len, im->arena, &index, err);

	if (r < 0)
		return r;
	d = choose(im->p, &index);
	if (!d)
		return error_kind(err, ERROR_NOT_FOUND,
				  "no matching manifest for %s/%s%s%s in the manifest list entries",
				  want->os, want->architecture, *want->variant ? "/" : "",
				  want->variant);
	*ret = d->digest;
	return 0;
}

static int kind_of(const struct registry_manifest *m, enum oci_media_kind *ret, struct error *err)
{
	*ret = oci_media_type(m->media_type)->kind;
	return *ret == OCI_MEDIA_OTHER ? oci_document_kind(m->json, m->len, ret, err) : 0;
}

static int refuse_kind(const struct pull_image *im, enum oci_media_kind kind, const char *type,
		       struct error *err)
{
	if (kind == OCI_MEDIA_MANIFEST_V1)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "'%s' is an image of docker's old manifest schema 1, which is "
				  "not supported: push it again with a client of this decade",
				  im->name);
	return error_kind(err, ERROR_UNSUPPORTED,
			  "'%s' is no image: the registry has '%.100s' under this name", im->name,
			  type);
}

/* > 0: it was an index, *reference is the next to ask for. */
static int take_document(struct pull_image *im, const struct registry_manifest *m,
			 const char **reference, struct error *err)
{
	enum oci_media_kind kind;
	int r = kind_of(m, &kind, err);

	if (r < 0)
		return r;
	if (kind == OCI_MEDIA_INDEX) {
		r = choose_manifest(im, m->json, m->len, reference, err);
		return r < 0 ? r : 1;
	}
	if (kind != OCI_MEDIA_MANIFEST)
		return refuse_kind(im, kind, m->media_type, err);
	im->manifest_json = arena_strndup(im->arena, m->json, m->len);
	im->manifest_len = m->len;
	im->entry.manifest_id = m->id;
	im->entry.manifest_bytes = m->len;
	im->entry.media_type = arena_strdup(im->arena, m->media_type);
	r = oci_manifest_parse(im->manifest_json, m->len, im->arena, &im->manifest, err);
	return r < 0 ? error_prefix(err, r, "manifest %s", m->id.text) : 0;
}

static int fetch_manifest(struct pull_image *im, struct error *err)
{
	const char *reference = im->reference;

	for (unsigned depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
		struct registry_manifest m = { 0 };
		int r = registry_manifest_get(im->p->registry, reference, &m, err);

		if (r < 0)
			return r;
		if (depth == 0)
			im->answer = m.id;
		r = take_document(im, &m, &reference, err);
		registry_manifest_done(&m);
		if (r <= 0)
			return r;
	}
	return error_kind(err, ERROR_INVALID, "indexes are nested deeper than %d", INDEX_DEPTH_MAX);
}

/* A small blob into the arena, verified. */
static int fetch_blob(struct pull_image *im, const struct oci_descriptor *d, const char **ret,
		      size_t *ret_len, struct error *err)
{
	cleanup_with(stream_close) struct stream *s = NULL;
	cleanup_free char *data = NULL;
	struct digest id, found;
	ssize_t n;
	int r;

	if (d->size > DOCUMENT_MAX_BYTES || digest_parse(d->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "config %s: %llu bytes are too much",
				  d->digest, (unsigned long long)d->size);
	if (blob_exists(im->p->store, &id, d->size) &&
	    blob_read(im->p->store, &id, &data, ret_len, err) == 0) {
		*ret = arena_strndup(im->arena, data, *ret_len);
		return 0;
	}
	r = registry_blob_open(im->p->registry, &id, d->size, &s, err);
	if (r < 0)
		return r;
	data = xmalloc((size_t)d->size + 1);
	n = stream_read_full(s, data, (size_t)d->size + 1, err); /* it ends at d->size */
	if (n < 0)
		return (int)n;
	found = sha256_digest(data, (size_t)n);
	if (!digest_eq(&found, &id))
		return error_kind(err, ERROR_INVALID, "config: its digest is %s, not %s",
				  found.text, id.text);
	*ret = arena_strndup(im->arena, data, (size_t)n);
	*ret_len = (size_t)n;
	return 0;
}

static int fetch_config(struct pull_image *im, struct error *err)
{
	const struct oci_descriptor *d = &im->manifest.config;
	const char *os;
	int r;

	if (oci_media_type(d->media_type)->kind != OCI_MEDIA_CONFIG)
		return refuse_kind(im, OCI_MEDIA_OTHER,
				   im->manifest.artifact_type ? im->manifest.artifact_type
							      : d->media_type,
				   err);
	r = fetch_blob(im, d, &im->config_json, &im->config_len, err);
	if (r == 0)
		r = oci_image_config_parse(im->config_json, im->config_len, im->arena, &im->config,
					   err);
	if (r < 0)
		return error_prefix(err, r, "image config");
	os = im->config.platform.os;
	if (os && !str_eq(os, "linux"))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "image is for operating system '%s', this is linux", os);
	if (im->p->options->platform && !platform_match(&im->p->want, &im->config.platform))
		return error_kind(err, ERROR_NOT_FOUND,
				  "the image is for %s/%s, not for %s as asked for",
				  os ? os : "linux", im->config.platform.architecture,
				  im->p->options->platform);
	r = image_check_layers(im->config.diff_ids, im->config.n_diff_ids, err);
	if (r < 0)
		return r;
	im->entry.id = sha256_digest(im->config_json, im->config_len);
	if (im->config.created)
		(void)clock_parse(im->config.created, &im->entry.created_ns); /* for tables */
	return 0;
}

/* Layers */

static int open_layer(const struct layer_job *job, uint64_t offset, struct stream **ret,
		      struct error *err)
{
	const struct pull_image *im = job->source;

	return registry_blob_open_at(im->p->registry, &job->blob_id, job->blob_bytes, offset, ret,
				     err);
}

static int plan_layer(struct pull_image *im, size_t i, struct error *err)
{
	const struct oci_descriptor *d = &im->manifest.layers[i];
	const struct oci_media_type *type = oci_media_type(d->media_type);
	struct layer_job *job = &im->jobs[i];

	if (type->kind != OCI_MEDIA_LAYER)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "layer %s is of type '%.100s', which is no file system layer",
				  d->digest, d->media_type);
	if (type->foreign || d->n_urls > 0)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "layer %s is not in the registry but elsewhere (foreign or "
				  "non-distributable layer), from where berth does not fetch",
				  d->digest);
	*job = (struct layer_job){ .open_at = open_layer, .source = im, .blob_bytes = d->size };
	if (digest_parse(d->digest, &job->blob_id) < 0 ||
	    digest_parse(im->config.diff_ids[i], &job->diff_id) < 0)
		return error_kind(err, ERROR_INVALID, "layer %s: bad digest", d->digest);
	return 0;
}

static int plan_layers(struct pull_image *im, struct error *err)
{
	size_t n = im->manifest.n_layers;
	int r = 0;

	if (n != im->config.n_diff_ids)
		return error_kind(err, ERROR_INVALID,
				  "the manifest has %zu layers, the config %zu diff ids", n,
				  im->config.n_diff_ids);
	im->jobs = arena_alloc(im->arena, MAX(n, 1u) * sizeof(*im->jobs));
	for (size_t i = 0; i < n && r == 0; i++)
		r = plan_layer(im, i, err);
	return r;
}

static void show_layer(const struct pull_image *im, const struct layer_job *job, const char *text,
		       uint64_t done, uint64_t total)
{
	char id[SHORT_ID + 1];

	(void)snprintf(id, sizeof(id), "%s", digest_hex(&job->blob_id));
	progress_show(&im->p->options->progress, id, text, done, total);
}

static void tell(void *ctx, const struct layer_job *job, enum layer_event event, uint64_t bytes)
{
	static const char *const texts[] = {
		[LAYER_EXISTS] = "Already exists",
		[LAYER_BEGINS] = "Pulling fs layer",
		[LAYER_READ] = "Downloading",
		[LAYER_DONE] = "Pull complete",
	};
	bool reads = event == LAYER_READ;

	show_layer(ctx, job, texts[event], reads ? bytes : 0, reads ? job->blob_bytes : 0);
}

/* All of them at first, in their order, as docker does. */
static void show_layers(const struct pull_image *im)
{
	for (size_t i = 0; i < im->manifest.n_layers; i++) {
		const struct layer_job *job = &im->jobs[i];
		const struct store_path layer = layer_path(&job->diff_id);
		bool here = blob_exists(im->p->store, &job->blob_id, job->blob_bytes) &&
			    faccessat(im->p->store->root_fd, layer.s, F_OK, 0) == 0;

		show_layer(im, job, here ? "Already exists" : "Pulling fs layer", 0, 0);
	}
}

static int prepare(void *ctx, struct store_work *work, struct error *err)
{
	struct pull_image *im = ctx;
	struct digest id;
	int r = work_put_blob(work, im->config_json, im->config_len, &id, err);

	if (r == 0)
		r = work_put_blob(work, im->manifest_json, im->manifest_len, &id, err);
	im->entry.size_bytes = 0;
	for (size_t i = 0; i < im->manifest.n_layers; i++)
		im->entry.size_bytes += im->jobs[i].unpacked_bytes;
	return r;
}

static int commit(void *ctx, struct image_index *index, struct error *err)
{
	struct pull_image *im = ctx;

	(void)err; /* cannot fail */
	im->entry.repo_digest = im->answer;
	index_put(index, &im->entry, im->name);
	return 0;
}

/* A push to another repository of this registry need not send them. */
static void remember_places(const struct pull_image *im)
{
	cleanup_free char *repository = xasprintf("%s/%s", im->p->ref->domain, im->p->ref->path);
	cleanup_blob_places struct blob_places places = { 0 };

	for (size_t i = 0; i < im->manifest.n_layers; i++)
		blob_places_add(&places, &im->jobs[i].blob_id, repository);
	blob_places_merge(im->p->store->root_fd, &places);
}

/* Asked with the manifest at hand, before anything that it names is fetched. */
static int check_policy(const struct pull_image *im, struct error *err)
{
	const struct digest ids[] = { im->entry.manifest_id, im->answer };
	const struct policy_image image = {
		.transport = "docker",
		.ref = im->ref,
		.ids = ids,
		.n_ids = digest_eq(&ids[0], &ids[1]) ? 1 : 2,
		.registry = im->p->registry,
	};

	return policy_check(im->p->options->signature_policy, &image, err);
}

/* text: taken */
static void say(const struct pull *p, char *text)
{
	progress_show(&p->options->progress, NULL, text, 0, 0);
	free(text);
}

/* When the registry has answered, as docker does. */
static void say_begin(const struct pull_image *im)
{
	const struct reference *ref = im->ref;

	say(im->p,
	    xasprintf("%s: Pulling from %s", ref->digest ? im->name : im->reference, ref->path));
}

static int take_image(struct pull_image *im, struct error *err)
{
	const struct image_pull_options *o = im->p->options;
	const struct layer_watch watch = { tell, im };
	const struct layers_options options = {
		.threads = o->jobs ? o->jobs : JOBS_DEFAULT,
		.limits = &o->limits,
		.watch = o->progress.show ? &watch : NULL,
		.stopped = &im->p->stop.stopped,
	};
	const struct layers_end end = { prepare, commit, im };
	cleanup_work struct store_work work = STORE_WORK_NONE;
	int r = fetch_manifest(im, err);

	if (r == 0) {
		say_begin(im);
		r = check_policy(im, err);
	}
	if (r == 0)
		r = fetch_config(im, err);
	if (r == 0)
		r = plan_layers(im, err);
	if (r == 0)
		r = store_work_begin(im->p->store, &work, err);
	if (r < 0)
		return r;
	show_layers(im);
	r = layers_take(&work, im->jobs, im->manifest.n_layers, &options, &end, err);
	work.hurry = r == -ECANCELED;
	if (r == 0)
		remember_places(im);
	return r;
}

/* Tags */

/* ref: with the tag or digest. */
static int pull_one(struct pull *p, const struct reference *ref, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	/* docker's rule: beside a digest a tag says nothing */
	const struct reference named = { .domain = ref->domain,
					 .path = ref->path,
					 .tag = ref->digest ? NULL : ref->tag,
					 .digest = ref->digest };
	cleanup_free char *name = reference_format(&named);
	struct pull_image im = {
		.p = p,
		.arena = arena,
		.ref = &named,
		.name = name,
		.reference = ref->digest ? ref->digest : ref->tag,
	};
	int r;

	r = is_up_to_date(&im, err);
	if (r == 1) {
		say_begin(&im);
		r = check_policy(&im, err); /* it may say something else since then */
	} else if (r == 0) {
		r = take_image(&im, err);
		p->result.newer = p->result.newer || r == 0;
	}
	if (r < 0)
		return r;
	p->result.digest = im.answer;
	say(p, xasprintf("Digest: %s", im.answer.text));
	return 0;
}

static int pull_tags(struct pull *p, struct error *err)
{
	cleanup_with(strv_free) char **tags = NULL;
	int r = registry_tags(p->registry, &tags, err);

	if (r == 0 && (!tags || !tags[0]))
		return error_kind(err, ERROR_NOT_FOUND, "repository '%s/%s' has no tags",
				  p->ref->domain, p->ref->path);
	for (size_t i = 0; r == 0 && tags[i]; i++) {
		const struct reference ref = { .domain = p->ref->domain,
					       .path = p->ref->path,
					       .tag = tags[i] };

		r = pull_one(p, &ref, err);
	}
	return r;
}

int image_pull(struct image_store *store, const struct reference *ref,
	       const struct image_pull_options *options, struct image_pulled *ret,
	       struct error *err)
{
	const struct registry_options registry = { .domain = ref->domain,
						   .path = ref->path,
						   .access = options->access };
	cleanup_with(registry_close) struct registry *opened = NULL;
	struct pull p = { .store = store, .options = options, .ref = ref, .stop = STOP_NONE };
	int r = 0;

	if (options->platform)
		r = platform_parse(options->platform, &p.want, err);
	else
		platform_host(&p.want);
	if (r == 0)
		r = registry_open(&registry, &opened, err);
	p.registry = opened;
	if (r == 0)
		r = stop_watch(&p.stop, options->stop_fd, opened, err);
	if (r == 0)
		r = options->all_tags ? pull_tags(&p, err) : pull_one(&p, ref, err);
	stop_done(&p.stop);
	if (r == 0)
		*ret = p.result;
	return r;
}
