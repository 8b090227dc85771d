/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/inflate.h"

#include <string.h>

#include "base/mem.h"
#include "codec/inflate_backend.h"

#define INPUT_BYTES (128 << 10)
#define MAGIC_MAX   6

struct inflate {
	struct stream base;
	struct stream *below;
	const struct inflate_backend *backend; /* NULL: plain bytes */
	void *state;
	const uint8_t *in; /* unused part of input[] */
	size_t in_left;
	bool between; /* a member has ended (or none began): more may follow, need not */
	uint8_t input[INPUT_BYTES];
};

static const struct format {
	const char *name;
	uint8_t magic[MAGIC_MAX];
	size_t magic_len;
	enum compression kind; /* COMPRESSION_NONE: known, cannot be read */
} formats[] = {
	{ "gzip", { 0x1f, 0x8b, 0x08 }, 3, COMPRESSION_GZIP },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, COMPRESSION_ZSTD },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, COMPRESSION_NONE },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, COMPRESSION_NONE },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, COMPRESSION_NONE },
};

static const struct format *recognise(const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (n >= formats[i].magic_len &&
		    memcmp(data, formats[i].magic, formats[i].magic_len) == 0)
			return &formats[i];
	}
	return NULL;
}

/* More input if there is none. 0, or -errno; in_left stays 0 at the end. */
static int refill(struct inflate *z, struct error *err)
{
	ssize_t n;

	if (z->in_left > 0)
		return 0;
	n = stream_read(z->below, z->input, sizeof(z->input), err);
	if (n < 0)
		return (int)n;
	z->in = z->input;
	z->in_left = (size_t)n;
	return 0;
}

/* gzip allows zero bytes behind the last member (tapes, block devices); nothing else. */
static int skip_padding(struct inflate *z, struct error *err)
{
	for (;;) {
		int r = refill(z, err);

		if (r < 0 || z->in_left == 0)
			return r;
		if (*z->in != 0)
			return 0;
		z->in++;
		z->in_left--;
	}
}

static int run_backend(struct inflate *z, void *buf, size_t n, size_t *ret_got, struct error *err)
{
	struct inflate_io io = { z->in, z->in_left, buf, n };
	enum inflate_result result = z->backend->run(z->state, &io);
	bool stuck = io.in_left == z->in_left && io.out_left == n;

	if (result == INFLATE_DAMAGED)
		return error_kind(err, ERROR_INVALID, "damaged %s data%s", z->backend->name,
				  z->between ? " (or something else behind its end)" : "");
	if (result == INFLATE_MORE && stuck && z->in_left == 0)
		return error_kind(err, ERROR_INVALID, "%s data ends too early", z->backend->name);
	z->in = io.in;
	z->in_left = io.in_left;
	z->between = result == INFLATE_END;
	if (z->between)
		z->backend->reset(z->state);
	*ret_got = n - io.out_left;
	return 0;
}

static ssize_t inflate_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct inflate *z = container_of(s, struct inflate, base);
	size_t got = 0;

	while (got == 0 && n > 0) {
		int r = z->between ? skip_padding(z, err) : refill(z, err);

		if (r < 0)
			return r;
		if (z->in_left == 0 && z->between)
			return 0;
		r = run_backend(z, buf, n, &got, err);
		if (r < 0)
			return r;
	}
	return (ssize_t)got;
}

static ssize_t plain_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct inflate *z = container_of(s, struct inflate, base);

	if (z->in_left == 0)
		return stream_read(z->below, buf, n, err);
	n = MIN(n, z->in_left);
	memcpy(buf, z->in, n);
	z->in += n;
	z->in_left -= n;
	return (ssize_t)n;
}

static void inflate_close(struct stream *s)
{
	struct inflate *z = container_of(s, struct inflate, base);

	if (z->state)
		z->backend->close(z->state);
	stream_close(z->below);
	free(z);
}

static const struct stream_ops inflate_ops = { .read = inflate_read, .close = inflate_close };
static const struct stream_ops plain_ops = { .read = plain_read, .close = inflate_close };

static int choose_backend(struct inflate *z, const struct format *format, struct error *err)
{
	static const struct inflate_backend *const gzip[] = { &inflate_isal, &inflate_zlib };

	if (format->kind == COMPRESSION_ZSTD) {
		z->backend = &inflate_zstd;
		z->state = z->backend->open();
	}
	for (size_t i = 0; format->kind == COMPRESSION_GZIP && !z->state && i < 2; i++) {
		z->backend = gzip[i];
		z->state = z->backend->open();
	}
	if (format->kind == COMPRESSION_NONE)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "compression with %s is not supported (gzip and zstd are)",
				  format->name);
	return z->state ? 0 : error_oom(err);
}

int inflate_open(struct stream *below, struct stream **ret, enum compression *ret_kind,
		 struct error *err)
{
	cleanup_with(stream_close) struct stream *guard = NULL;
	struct inflate *z = xmalloc(sizeof(*z));
	const struct format *format;
	ssize_t n;
	int r;

	*z = (struct inflate){ .base.ops = &plain_ops, .below = below, .in = z->input };
	guard = &z->base;
	n = stream_read_full(below, z->input, MAGIC_MAX, err);
	if (n < 0)
		return (int)n;
	z->in_left = (size_t)n;

	format = recognise(z->input, z->in_left);
	if (format) {
		r = choose_backend(z, format, err);
		if (r < 0)
			return r;
		z->base.ops = &inflate_ops;
	}
	*ret = take_ptr(&guard);
	if (ret_kind)
		*ret_kind = format ? format->kind : COMPRESSION_NONE;
	return 0;
}
