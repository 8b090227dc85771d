/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Layers into the store: the blob into the layout, its content into layers/<diff id>/diff. Read
 * once: hashed, copied, decompressed, hashed again and unpacked on the way, each layer by two
 * threads with a ring of buffers between them, several layers at a time.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/inflate.h"
#include "image/transfer.h"

struct archive_source;
struct image_index;
struct store_work;
struct unpack_limits;
struct unpack_result;

struct layer_job {
	/* Where its bytes come from: a fresh stream each time. */
	int (*open)(const struct layer_job *job, struct stream **ret, struct error *err);
	/* Instead of open(): from a byte on. Its bytes are dear: they are fetched by one process at a
	 * time and kept if it dies (part.h). blob_id and blob_bytes are known. */
	int (*open_at)(const struct layer_job *job, uint64_t offset, struct stream **ret,
		       struct error *err);
	void *source; /* for these */

	/* What it must be, as far as is known; filled in otherwise. */
	struct digest blob_id;
	struct digest diff_id;

	/* What it is. */
	uint64_t blob_bytes;
	uint64_t unpacked_bytes;
	enum compression compression;
};

/*
 * What becomes of a layer's files: a directory, an image file. A constant table.
 *
 * take   reads the archive, perhaps not what is behind its last entry, and makes the layer in
 *        layer_fd, its own new directory
 */
struct layer_sink {
	const char *name;
	int (*take)(const struct archive_source *source, int layer_fd,
		    const struct unpack_limits *limits, struct unpack_result *ret,
		    struct error *err);
};
extern const struct layer_sink layer_sink_directory; /* layers/<diff id>/diff */
/* layers/<diff id>/layer.erofs; a directory for a layer that does not fit */
extern const struct layer_sink layer_sink_erofs;

/*
 * The one that the store is set to; work_fd: a directory to try in.
 * Errors   ERROR_UNSUPPORTED: the kernel cannot mount what it makes
 */
int layer_sink_choose(const struct image_store *store, int work_fd, const struct layer_sink **ret,
		      struct error *err);

enum layer_event {
	LAYER_EXISTS, /* it is in the store, or another job brings it */
	LAYER_BEGINS,
	LAYER_READ, /* so many bytes of the blob came; often */
	LAYER_DONE,
};

/* Called by several threads at once. */
struct layer_watch {
	void (*tell)(void *ctx, const struct layer_job *job, enum layer_event event,
		     uint64_t bytes);
	void *ctx;
};

/* How a batch of layers ends, and with it a load or a pull. */
struct layers_end {
	/* Every job's fields are known: puts the documents into work (work_put_blob). */
	int (*prepare)(void *ctx, struct store_work *work, struct error *err);
	/* All is in the store: changes the index, which is then saved. Under the store's lock. */
	int (*commit)(void *ctx, struct image_index *index, struct error *err);
	void *ctx;
};

/*
 * What is large need not wait for the disk: it is published with a mark that says so (pending.h),
 * which the caller's process, or another, makes true later: image_store_flush().
 */
enum layers_flush {
	LAYERS_FLUSH_LATER, /* unless it is little */
	LAYERS_FLUSH_FIRST,
};

struct layers_options {
	enum layers_flush flush;
	unsigned threads; /* layers at a time, 1..LAYER_THREADS_MAX */
	const struct image_limits *limits;
	const struct layer_watch *watch; /* may be NULL */
	const atomic_bool *stopped;	 /* the user wants it to end: -ECANCELED; may be NULL */
};

/*
 * Bring every layer into the store; what is there already is not read again, and is read after all
 * if somebody removes it meanwhile. Without the store's lock, which is taken at the end. Jobs of the
 * same content are done once.
 *
 * end         NULL: only the layers
 * Errors      ERROR_INVALID for a digest that does not match, a refused entry, an exceeded limit;
 *             the first failure ends the others
 * Leaves      all of it, flushed to disk or marked; on failure nothing but what lies in work
 */
#define LAYER_THREADS_MAX 16
int layers_take(struct store_work *work, struct layer_job *jobs, size_t n,
		const struct layers_options *options, const struct layers_end *end,
		struct error *err);
