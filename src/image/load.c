/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/load_private.h"
#include "image/manifest.h"
#include "image/policy.h"
#include "image/progress_stream.h"
#include "image/reference.h"
#include "image/work.h"

#define THREADS_DEFAULT 2

int load_document(struct load *load, const char *path, const char **ret, size_t *ret_len,
		  struct error *err)
{
	cleanup_free char *text = NULL;
	int r = input_read(load->input, path, DOCUMENT_MAX_BYTES, &text, ret_len, err);

	if (r == 0)
		*ret = arena_strndup(load->arena, text, *ret_len);
	return r;
}

int load_config(struct load *load, struct load_image *image, const char *json, size_t len,
		struct error *err)
{
	struct oci_image_config *config = arena_alloc(load->arena, sizeof(*config));
	int r = oci_image_config_parse(json, len, load->arena, config, err);

	if (r < 0)
		return error_prefix(err, r, "image config");
	if (config->platform.os && !str_eq(config->platform.os, "linux"))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "image is for operating system '%s', this is linux",
				  config->platform.os);
	r = image_check_layers(config->diff_ids, config->n_diff_ids, err);
	if (r < 0)
		return r;
	image->config = config;
	image->config_json = json;
	image->config_len = len;
	image->id = sha256_digest(json, len);
	return 0;
}

struct load_image *load_add_image(struct load *load, struct error *err)
{
	struct load_image *image;

	if (load->n_images >= LOAD_IMAGES_MAX) {
		error_kind(err, ERROR_INVALID, "more than %d images", LOAD_IMAGES_MAX);
		return NULL;
	}
	load->images = array_grow(load->images, load->n_images, &load->images_capacity,
				  sizeof(*load->images));
	image = &load->images[load->n_images++];
	*image = (struct load_image){ .first_job = load->n_jobs };
	return image;
}

static int open_layer(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const struct load_layer *layer = job->source;

	struct stream *s;
	int r = input_stream(layer->input, layer->path, &s, err);

	if (r < 0)
		return r;
	*ret = layer->progress->show
		       ? progress_stream_open(s, layer->progress, digest_hex(&job->diff_id),
					      "Loading layer", job->blob_bytes)
		       : s;
	return 0;
}

struct layer_job *load_add_layer(struct load *load, const char *path, struct error *err)
{
	struct load_layer *layer = arena_alloc(load->arena, sizeof(*layer));
	struct layer_job *job;

	if (load->n_jobs >= LOAD_LAYERS_MAX) {
		error_kind(err, ERROR_INVALID, "more than %d layers", LOAD_LAYERS_MAX);
		return NULL;
	}
	layer->input = load->input;
	layer->path = arena_strdup(load->arena, path);
	layer->progress = &load->options->progress;
	load->jobs =
		array_grow(load->jobs, load->n_jobs, &load->jobs_capacity, sizeof(*load->jobs));
	job = &load->jobs[load->n_jobs++];
	*job = (struct layer_job){ .open = open_layer, .source = layer };
	load->images[load->n_images - 1].n_jobs++;
	return job;
}

/* Which format the input has. An archive of a modern docker has both; the OCI layout keeps the
 * manifests, and with them their digests. */
static int plan(struct load *load, struct error *err)
{
	if (input_has(load->input, "index.json") && input_has(load->input, OCI_LAYOUT_FILE)) {
		load->transport = load->is_directory ? "oci" : "oci-archive";
		return load_oci_plan(load, err);
	}
	if (input_has(load->input, "manifest.json")) {
		load->transport = "docker-archive";
		return load_docker_plan(load, err);
	}
	return error_kind(
		err, ERROR_INVALID,
		"neither an OCI layout (index.json) nor a docker archive (manifest.json); "
		"a root file system is taken by 'berth import'");
}

/* The image's documents, and what the index shall say of it. */
static int prepare_image(struct load *load, struct load_image *image, struct store_work *work,
			 struct error *err)
{
	const struct layer_job *jobs = load->jobs + image->first_job;
	struct index_entry *entry = &image->entry;
	const char *type = image->media_type ? image->media_type : OCI_MEDIA_TYPE_MANIFEST;
	struct digest config_id;
	int r = work_put_blob(work, image->config_json, image->config_len, &config_id, err);

	*entry = (struct index_entry){ .id = image->id };
	if (r == 0)
		r = manifest_put(work, image->manifest_json, image->manifest_len, &image->id,
				 image->config_len, jobs, image->n_jobs, entry, err);
	if (r < 0)
		return r;
	entry->media_type = arena_strdup(load->arena, type);
	for (size_t i = 0; i < image->n_jobs; i++)
		entry->size_bytes += jobs[i].unpacked_bytes;
	if (image->config->created)
		(void)clock_parse(image->config->created, &entry->created_ns); /* for tables */
	return 0;
}

static int prepare(void *ctx, struct store_work *work, struct error *err)
{
	struct load *load = ctx;
	int r = 0;

	for (size_t i = 0; i < load->n_images && r == 0; i++)
		r = prepare_image(load, &load->images[i], work, err);
	return r;
}

static int commit(void *ctx, struct image_index *index, struct error *err)
{
	const struct load *load = ctx;

	(void)err; /* cannot fail */
	for (size_t i = 0; i < load->n_images; i++) {
		const struct load_image *image = &load->images[i];

		if (!image->names)
			index_put(index, &image->entry, NULL);
		for (size_t k = 0; image->names && image->names[k]; k++)
			index_put(index, &image->entry, image->names[k]);
	}
	return 0;
}

static int take_all(struct load *load, struct store_work *work, struct error *err)
{
	const struct layers_options options = {
		.threads = load->options->jobs ? load->options->jobs : THREADS_DEFAULT,
		.limits = &load->options->limits,
		.stopped = &load->stop.stopped,
	};
	const struct layers_end end = { prepare, commit, load };

	return layers_take(work, load->jobs, load->n_jobs, &options, &end, err);
}

static void report(const struct load *load, struct image_loaded *ret)
{
	ret->rows = xcalloc(load->n_images, sizeof(*ret->rows));
	ret->n = load->n_images;
	for (size_t i = 0; i < load->n_images; i++) {
		const struct load_image *image = &load->images[i];

		ret->rows[i].id = image->id;
		for (size_t k = 0; image->names && image->names[k]; k++)
			ret->rows[i].names = strv_push_owned(
				ret->rows[i].names, reference_familiar_text(image->names[k]));
	}
}

/* Before any layer is read. docker's archives are not told apart by their places: containers-policy.json(5). */
static int check_policy(const struct load *load, const char *name, struct error *err)
{
	bool has_place = !str_eq(load->transport, "docker-archive");
	cleanup_free char *path = has_place ? realpath(name, NULL) : NULL; /* none of "stdin" */
	const struct policy_image image = { .transport = load->transport, .path = path };

	return policy_check(load->options->signature_policy, &image, err);
}

static int load_input(struct load *load, const char *name, struct store_work *work,
		      struct image_loaded *ret, struct error *err)
{
	int r = plan(load, err);

	if (r == 0)
		r = check_policy(load, name, err);

	if (r == 0 && load->n_images == 0)
		r = error_kind(err, ERROR_INVALID, "there is no image in it%s%s",
			       load->options->platform ? " for platform " : "",
			       load->options->platform ? load->options->platform : "");
	if (r == 0)
		r = take_all(load, work, err);
	if (r == 0)
		report(load, ret);
	for (size_t i = 0; i < load->n_images; i++)
		strv_free(load->images[i].names);
	free(load->images);
	free(load->jobs);
	return r;
}

int image_load(struct image_store *store, int fd, const char *name,
	       const struct image_load_options *options, struct image_loaded *ret,
	       struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_with(input_close) struct input *input = NULL;
	cleanup_work struct store_work work = STORE_WORK_NONE;
	struct stat st;
	struct load load = { .options = options, .arena = arena, .stop = STOP_NONE };
	int r = store_work_begin(store, &work, err);

	if (r == 0)
		r = input_open(fd, name, work.fd, options->stop_fd, &input, err);
	if (r == 0)
		r = stop_watch(&load.stop, options->stop_fd, NULL, err);
	if (r < 0)
		return r;
	load.input = input;
	load.is_directory = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	r = load_input(&load, name, &work, ret, err);
	stop_done(&load.stop);
	work.hurry = r == -ECANCELED;
	return r < 0 ? error_prefix(err, r, "cannot load '%s'", name) : 0;
}

void image_loaded_done(struct image_loaded *loaded)
{
	for (size_t i = 0; i < loaded->n; i++)
		strv_free(loaded->rows[i].names);
	free(loaded->rows);
	*loaded = (struct image_loaded){ 0 };
}
