/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compression of a whole stream into a file, hashed on both sides. The same bytes give the same
 * output with the same library: gzip as zlib writes it at its default level, without a name or a
 * time in the header; zstd at its default level.
 */

#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/inflate.h"
#include "codec/stream.h"

struct deflated {
	struct digest in_id, out_id;
	uint64_t in_bytes, out_bytes;
};

/* Bytes read so far, after every buffer. Not 0: give up, deflate_copy() returns -ECANCELED. */
typedef int (*deflate_progress_fn)(void *ctx, uint64_t in_bytes);

/*
 * in        borrowed; read to its end
 * out_fd    borrowed; written from its offset on
 * progress  or NULL
 */
int deflate_copy(struct stream *in, int out_fd, enum compression how, deflate_progress_fn progress,
		 void *ctx, struct deflated *ret, struct error *err);
