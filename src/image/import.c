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
#include "image/store_private.h"
#include "image/transfer.h"
#include "oci/image.h"
#include "registry/download.h"

struct import_source {
	int fd;		/* -1: name is a URL */
	int64_t offset; /* -1: a pipe */
	const char *name;
};

static int open_source(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const struct import_source *source = job->source;

	if (source->fd < 0)
		return download_open(source->name, ret, err);
	*ret = stream_from_fd(source->fd, source->offset, INT64_MAX, source->name);
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

static int add_to_index(struct image_store *store, const struct index_entry *entry,
			const char *name, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	int r = index_load(store->root_fd, &index, err);

	if (r < 0)
		return r;
	index_put(&index, entry, name);
	return index_save(store->root_fd, &index, err);
}

static int import_layer(struct image_store *store, struct layer_job *job,
			const struct image_import_options *options, const char *name,
			struct digest *ret_id, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_buf struct buf config = { 0 };
	int64_t created_ns = clock_real_ns();
	struct index_entry entry = { .created_ns = created_ns };
	struct digest id;
	int r;

	/* first the words, so that a wrong one does not cost an unpacked layer */
	r = build_config(options, &(struct digest){ "" }, arena, created_ns, &config, err);
	if (r == 0)
		r = layers_take(store, job, 1, 1, &options->limits, err);
	buf_clear(&config);
	if (r == 0)
		r = build_config(options, &job->diff_id, arena, created_ns, &config, err);
	if (r == 0)
		r = blob_write(store, config.data, config.len, &id, err);
	if (r == 0)
		r = manifest_store(store, NULL, 0, &id, config.len, job, 1, &entry, err);
	if (r < 0)
		return r;
	entry.id = id;
	entry.size_bytes = job->unpacked_bytes;
	entry.media_type = xstrdup(OCI_MEDIA_TYPE_MANIFEST);
	r = add_to_index(store, &entry, name, err);
	free(entry.media_type);
	if (r == 0)
		*ret_id = id;
	return r;
}

int image_import(struct image_store *store, int fd, const char *name,
		 const struct image_import_options *options, struct digest *ret_id,
		 struct error *err)
{
	struct import_source source = { fd, fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR), name };
	struct layer_job job = { .open = open_source, .source = &source };
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *target = NULL;
	cleanup_fd int lock = -EBADF;
	int r = options->target ? reference_parse(options->target, &ref, err) : 0;

	if (r < 0)
		return r;
	if (ref.digest)
		return error_kind(err, ERROR_INVALID, "cannot import digest reference");
	if (options->target)
		target = reference_format(&ref);
	r = store_lock(store, &lock, err);
	if (r == 0)
		r = import_layer(store, &job, options, target, ret_id, err);
	return r < 0 ? error_prefix(err, r, "cannot import '%s'", name) : 0;
}
