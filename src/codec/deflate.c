/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/deflate.h"

#include <zlib.h>
#include <zstd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "codec/sha256.h"

#define IO_BYTES   ((size_t)128 << 10)
#define GZIP_ONLY  (16 + MAX_WBITS) /* zlib.h, deflateInit2: 16 writes a gzip header */
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 3
#define MEM_LEVEL  8 /* zlib's default */

/* A piece of work: what is in, what room there is. */
struct piece {
	const char *in;
	size_t in_left;
	char *out;
	size_t out_left;
	bool last; /* no input follows */
};

struct packer {
	void *(*open)(void);
	/* Works on a piece; 1: the end is written, 0: more to do, -1: failed. */
	int (*run)(void *state, struct piece *p);
	void (*close)(void *state);
};

/* gzip */

static void *open_gzip(void)
{
	z_stream *z = xcalloc(1, sizeof(*z));

	if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, GZIP_ONLY, MEM_LEVEL, Z_DEFAULT_STRATEGY) ==
	    Z_OK)
		return z;
	free(z);
	return NULL;
}

static int run_gzip(void *state, struct piece *p)
{
	z_stream *z = state;
	int r;

	z->next_in = (Bytef *)p->in;
	z->avail_in = (uInt)p->in_left; /* IO_BYTES at most */
	z->next_out = (Bytef *)p->out;
	z->avail_out = (uInt)p->out_left;
	r = deflate(z, p->last ? Z_FINISH : Z_NO_FLUSH);
	p->in = (const char *)z->next_in;
	p->in_left = z->avail_in;
	p->out = (char *)z->next_out;
	p->out_left = z->avail_out;
	if (r == Z_STREAM_END)
		return 1;
	return r == Z_OK || r == Z_BUF_ERROR ? 0 : -1;
}

static void close_gzip(void *state)
{
	(void)deflateEnd(state); /* its answer is about output we no longer want */
	free(state);
}

/* zstd */

static void *open_zstd(void)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (!z)
		return NULL;
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, ZSTD_LEVEL); /* a valid one */
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);	      /* the same */
	return z;
}

static int run_zstd(void *state, struct piece *p)
{
	ZSTD_inBuffer in = { p->in, p->in_left, 0 };
	ZSTD_outBuffer out = { p->out, p->out_left, 0 };
	size_t r = ZSTD_compressStream2(state, &out, &in, p->last ? ZSTD_e_end : ZSTD_e_continue);

	if (ZSTD_isError(r))
		return -1;
	p->in += in.pos;
	p->in_left -= in.pos;
	p->out += out.pos;
	p->out_left -= out.pos;
	return p->last && r == 0;
}

static void close_zstd(void *state)
{
	(void)ZSTD_freeCCtx(state); /* never fails */
}

static const struct packer packers[] = {
	[COMPRESSION_GZIP] = { open_gzip, run_gzip, close_gzip },
	[COMPRESSION_ZSTD] = { open_zstd, run_zstd, close_zstd },
};

/* Work */

struct work {
	const struct packer *packer;
	void *state;
	char *in, *out; /* of IO_BYTES */
	int fd;
	struct sha256 in_hash, out_hash;
	struct deflated *result;
};

/* One buffer of input, or the end of it, and all output that it gives. */
static int pack(struct work *w, size_t n, bool last, struct error *err)
{
	struct piece p = { .in = w->in, .in_left = n, .last = last };
	int end, r;

	do {
		size_t got;

		p.out = w->out;
		p.out_left = IO_BYTES;
		end = w->packer->run(w->state, &p);
		if (end < 0)
			return error_kind(err, ERROR_INTERNAL, "the compressor failed");
		got = IO_BYTES - p.out_left;
		sha256_add(&w->out_hash, w->out, got);
		w->result->out_bytes += got;
		r = fd_write_all(w->fd, w->out, got);
		if (r < 0)
			return error_num(err, -r, "cannot write compressed data");
	} while (last ? end == 0 : p.in_left > 0 || p.out_left == 0);
	return 0;
}

static int pack_all(struct work *w, struct stream *in, deflate_progress_fn progress, void *ctx,
		    struct error *err)
{
	for (;;) {
		ssize_t n = stream_read(in, w->in, IO_BYTES, err);
		int r;

		if (n < 0)
			return (int)n;
		sha256_add(&w->in_hash, w->in, (size_t)n);
		w->result->in_bytes += (uint64_t)n;
		r = pack(w, (size_t)n, n == 0, err);
		if (r < 0 || n == 0)
			return r;
		if (progress && progress(ctx, w->result->in_bytes) != 0)
			return error_num(err, ECANCELED, "compression was given up");
	}
}

int deflate_copy(struct stream *in, int out_fd, enum compression how, deflate_progress_fn progress,
		 void *ctx, struct deflated *ret, struct error *err)
{
	cleanup_free char *in_buf = xmalloc(IO_BYTES), *out_buf = xmalloc(IO_BYTES);
	struct work w = {
		.packer = &packers[how], .in = in_buf, .out = out_buf, .fd = out_fd, .result = ret
	};
	int r;

	*ret = (struct deflated){ 0 };
	w.state = w.packer->open();
	if (!w.state)
		return error_oom(err);
	sha256_init(&w.in_hash);
	sha256_init(&w.out_hash);
	r = pack_all(&w, in, progress, ctx, err);
	w.packer->close(w.state);
	ret->in_id = sha256_finish(&w.in_hash);
	ret->out_id = sha256_finish(&w.out_hash);
	return r;
}
