/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decompression: a stream over a stream. What it is, the first bytes say; file names and media
 * types lie. gzip (ISA-L where the machine has it, else zlib; several members in a row as pigz and
 * eStargz write them), zstd (several frames), and plain bytes as they are.
 */

#include "codec/stream.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
};

/*
 * below       taken, also on failure
 * ret_kind    may be NULL
 * Errors      ERROR_UNSUPPORTED for bzip2, xz and lz4, which are recognised; later, when reading:
 *             ERROR_INVALID for damaged data, data that ends early, or bytes behind the end
 */
int inflate_open(struct stream *below, struct stream **ret, enum compression *ret_kind,
		 struct error *err);
