/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Layers into the store: the blob into the layout, its content into layers/<diff id>/diff. Read
 * once: hashed, copied, decompressed, hashed again and unpacked on the way, each layer by two
 * threads with a ring of buffers between them, several layers at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/inflate.h"
#include "image/transfer.h"

struct image_store;

struct layer_job {
	/* Where its bytes come from: a fresh stream each time. */
	int (*open)(const struct layer_job *job, struct stream **ret, struct error *err);
	void *source; /* for open() */

	/* What it must be, as far as is known; filled in otherwise. */
	struct digest blob_id;
	struct digest diff_id;

	/* What it is. */
	uint64_t blob_bytes;
	uint64_t unpacked_bytes;
	enum compression compression;
};

/*
 * Bring every layer into the store; what is there already is not read again. Needs the writer's
 * lock. Jobs of the same content are done once.
 *
 * threads     layers at a time, 1..LAYER_THREADS_MAX
 * Errors      ERROR_INVALID for a digest that does not match, a refused entry, an exceeded limit;
 *             the first failure ends the others
 * Leaves      all of them, flushed to disk; on failure none, and what was begun lies in tmp/
 */
#define LAYER_THREADS_MAX 16
int layers_take(struct image_store *store, struct layer_job *jobs, size_t n, unsigned threads,
		const struct image_limits *limits, struct error *err);
