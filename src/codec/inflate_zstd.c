/* SPDX-License-Identifier: Apache-2.0 */
#include <zstd.h>

#include "codec/inflate_backend.h"

/* The library's own default, named: a frame may ask for a window of 128 MiB, no more. */
#define WINDOW_LOG_MAX 27

static void *open_zstd(void)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (z && ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		ZSTD_freeDCtx(z);
		return NULL;
	}
	return z;
}

static enum inflate_result run_zstd(void *state, struct inflate_io *io)
{
	ZSTD_inBuffer in = { io->in, io->in_left, 0 };
	ZSTD_outBuffer out = { io->out, io->out_left, 0 };
	size_t r = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(r))
		return INFLATE_DAMAGED;
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	return r == 0 ? INFLATE_END : INFLATE_MORE;
}

static void reset_zstd(void *state)
{
	(void)ZSTD_DCtx_reset(state, ZSTD_reset_session_only); /* cannot fail */
}

static void close_zstd(void *state)
{
	ZSTD_freeDCtx(state);
}

const struct inflate_backend inflate_zstd = {
	.name = "zstd",
	.open = open_zstd,
	.run = run_zstd,
	.reset = reset_zstd,
	.close = close_zstd,
};
