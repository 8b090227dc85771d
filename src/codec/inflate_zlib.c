/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "base/mem.h"
#include "codec/inflate_backend.h"

#define GZIP_ONLY (16 + MAX_WBITS) /* zlib.h, inflateInit2: 16 expects a gzip header */

static void *open_zlib(void)
{
	z_stream *z = xcalloc(1, sizeof(*z));

	if (inflateInit2(z, GZIP_ONLY) == Z_OK)
		return z;
	free(z);
	return NULL;
}

static enum inflate_result run_zlib(void *state, struct inflate_io *io)
{
	z_stream *z = state;
	size_t in = MIN(io->in_left, (size_t)UINT32_MAX);
	size_t out = MIN(io->out_left, (size_t)UINT32_MAX);
	int r;

	z->next_in = (Bytef *)io->in;
	z->avail_in = (uInt)in;
	z->next_out = io->out;
	z->avail_out = (uInt)out;
	r = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_left -= in - z->avail_in;
	io->out = z->next_out;
	io->out_left -= out - z->avail_out;
	if (r == Z_STREAM_END)
		return INFLATE_END;
	return r == Z_OK || r == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_DAMAGED;
}

static void reset_zlib(void *state)
{
	(void)inflateReset(state); /* fails only for a state that was never set up */
}

static void close_zlib(void *state)
{
	(void)inflateEnd(state); /* the same */
	free(state);
}

const struct inflate_backend inflate_zlib = {
	.name = "gzip",
	.open = open_zlib,
	.run = run_zlib,
	.reset = reset_zlib,
	.close = close_zlib,
};
