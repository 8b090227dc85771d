/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/change.h"
#include "image/layer.h"
#include "image/manifest.h"
#include "image/platform.h"
#include "image/reference.h"
#include "image/stop.h"
#include "image/store_private.h"
#include "image/transfer.h"
#include "image/work.h"
#include "oci/image.h"
#include "registry/download.h"

struct import_source {
	int fd;		/* -1: name is a URL */
	int64_t offset; /* -1: a pipe */
	const char *name;
	struct stop stop;
};

static int open_source(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const struct import_source *source = job->source;

	if (source->fd < 0)
		return download_open(source->name, &source->stop.stopped, ret, err);
	*ret = stop_stream_open(stream_from_fd(source->fd, source->offset, INT64_MAX, source->name),
				source->fd, source->stop.asked_fd);
	return 0;
}

/* The config of an image that is one layer and nothing else. */
static int build_config(const struct image_import_options *options, const struct digest *diff_id,
			struct arena *arena, int64_t created_ns, struct buf *out, struct error *err)
{
	const char *const diff_ids[] = { diff_id->text, NULL };
	struct oci_history history = { .comment = options->message };
	struct oci_image_config config = {
		.diff_ids = diff_ids,
		.n_diff_ids = 1,
		.history = &history,
		.n_history = 1,
	};
	char created[CLOCK_TEXT_MAX];
	struct platform platform;
	int r = 0;

	platform_host(&platform);
	if (options->platform)
		r = platform_parse(options->platform, &platform, err);
	if (r == 0)
		r = change_apply(options->changes, arena, &config.config, err);
	if (r < 0)
		return r;
	config.created = history.created = clock_format(created_ns, created);
	config.platform.os = platform.os;
	config.platform.architecture = platform.architecture;
	/* what every amd64 and arm64 image of docker says, or rather does not */
	if (options->platform && *platform.variant)
		config.platform.variant = platform.variant;
	oci_image_config_format(&config, out);
	return 0;
}

struct import {
	const struct image_import_options *options;
	const char *name; /* or NULL */
	struct layer_job job;
	struct arena *arena;
	struct index_entry entry;
};

static int prepare(void *ctx, struct store_work *work, struct error *err)
{
	struct import *im = ctx;
	cleanup_buf struct buf config = { 0 };
	int r = build_config(im->options, &im->job.diff_id, im->arena, im->entry.created_ns,
			     &config, err);

	if (r == 0)
		r = work_put_blob(work, config.data, config.len, &im->entry.id, err);
	if (r == 0)
		r = manifest_put(work, NULL, 0, &im->entry.id, config.len, &im->job, 1, &im->entry,
				 err);
	im->entry.size_bytes = im->job.unpacked_bytes;
	return r;
}

static int commit(void *ctx, struct image_index *index, struct error *err)
{
	struct import *im = ctx;

	(void)err; /* cannot fail */
	index_put(index, &im->entry, im->name);
	return 0;
}

static int import_layer(struct image_store *store, struct import *im, struct error *err)
{
	const struct import_source *source = im->job.source;
	const struct layers_options options = { .threads = 1,
						.limits = &im->options->limits,
						.stopped = &source->stop.stopped };
	const struct layers_end end = { prepare, commit, im };
	cleanup_work struct store_work work = STORE_WORK_NONE;
	cleanup_buf struct buf config = { 0 };
	/* first the words, so that a wrong one does not cost an unpacked layer */
	int r = build_config(im->options, &(struct digest){ "" }, im->arena, im->entry.created_ns,
			     &config, err);

	if (r == 0)
		r = store_work_begin(store, &work, err);
	if (r == 0)
		r = layers_take(&work, &im->job, 1, &options, &end, err);
	work.hurry = r == -ECANCELED;
	return r;
}

int image_import(struct image_store *store, int fd, const char *name,
		 const struct image_import_options *options, struct digest *ret_id,
		 struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct import_source source = { .fd = fd,
					.offset = fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR),
					.name = name,
					.stop = STOP_NONE };
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *target = NULL;
	cleanup_free char *media_type = xstrdup(OCI_MEDIA_TYPE_MANIFEST);
	struct import im = {
		.options = options,
		.job = { .open = open_source, .source = &source },
		.arena = arena,
		.entry = { .created_ns = clock_real_ns(), .media_type = media_type },
	};
	int r = options->target ? reference_parse(options->target, &ref, err) : 0;

	if (r < 0)
		return r;
	if (ref.digest)
		return error_kind(err, ERROR_INVALID, "cannot import digest reference");
	if (options->target)
		target = reference_format(&ref);
	im.name = target;
	r = stop_watch(&source.stop, options->stop_fd, NULL, err);
	if (r == 0)
		r = import_layer(store, &im, err);
	stop_done(&source.stop);
	if (r < 0)
		return error_prefix(err, r, "cannot import '%s'", name);
	*ret_id = im.entry.id;
	return 0;
}
