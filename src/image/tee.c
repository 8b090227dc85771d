/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tee.h"

#include "base/fd.h"
#include "base/mem.h"
#include "codec/sha256.h"

struct tee {
	struct stream base;
	struct stream *below;
	int fd;
	uint64_t bytes;
	struct sha256 hash;
};

static ssize_t read_tee(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct tee *t = container_of(s, struct tee, base);
	ssize_t got = stream_read(t->below, buf, n, err);
	int r = 0;

	if (got <= 0)
		return got;
	sha256_add(&t->hash, buf, (size_t)got);
	if (t->fd >= 0)
		r = fd_write_all(t->fd, buf, (size_t)got);
	if (r < 0)
		return error_num(err, -r, "cannot write a blob");
	t->bytes += (uint64_t)got;
	return got;
}

static void close_tee(struct stream *s)
{
	struct tee *t = container_of(s, struct tee, base);

	stream_close(t->below);
	free(t);
}

static const struct stream_ops tee_ops = { .read = read_tee, .close = close_tee };

struct stream *tee_open(struct stream *below, int fd)
{
	struct tee *t = xcalloc(1, sizeof(*t));

	t->base.ops = &tee_ops;
	t->below = below;
	t->fd = fd;
	sha256_init(&t->hash);
	return &t->base;
}

uint64_t tee_bytes(const struct stream *tee)
{
	return container_of(tee, struct tee, base)->bytes;
}

struct digest tee_digest(struct stream *tee)
{
	return sha256_finish(&container_of(tee, struct tee, base)->hash);
}
