/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

ssize_t stream_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	return s->ops->read(s, buf, n, err);
}

ssize_t stream_read_full(struct stream *s, void *buf, size_t n, struct error *err)
{
	char *p = buf;
	size_t got = 0;

	while (got < n) {
		ssize_t more = stream_read(s, p + got, n - got, err);

		if (more < 0)
			return more;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

struct stream *stream_close(struct stream *s)
{
	if (s)
		s->ops->close(s);
	return NULL;
}

static void close_plain(struct stream *s)
{
	free(s);
}

struct fd_stream {
	struct stream base;
	int fd;
	int64_t offset; /* -1: read() */
	uint64_t left;
	const char *name;
};

static ssize_t fd_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct fd_stream *f = container_of(s, struct fd_stream, base);
	ssize_t got;

	n = MIN(n, f->left);
	do
		got = f->offset >= 0 ? pread(f->fd, buf, n, f->offset) : read(f->fd, buf, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_sys(err, "cannot read '%s'", f->name);
	if (f->offset >= 0) {
		f->offset += got;
		f->left -= (uint64_t)got;
	}
	return got;
}

static const struct stream_ops fd_stream_ops = { .read = fd_read, .close = close_plain };

struct stream *stream_from_fd(int fd, int64_t offset, uint64_t len, const char *name)
{
	struct fd_stream *f = xcalloc(1, sizeof(*f));

	f->base.ops = &fd_stream_ops;
	f->fd = fd;
	f->offset = offset;
	f->left = offset >= 0 ? len : SIZE_MAX;
	f->name = name;
	return &f->base;
}

struct memory_stream {
	struct stream base;
	const char *data;
	size_t left;
};

static ssize_t memory_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct memory_stream *m = container_of(s, struct memory_stream, base);

	n = MIN(n, m->left);
	memcpy(buf, m->data, n);
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static const struct stream_ops memory_stream_ops = { .read = memory_read, .close = close_plain };

struct stream *stream_from_memory(const void *data, size_t n)
{
	struct memory_stream *m = xcalloc(1, sizeof(*m));

	m->base.ops = &memory_stream_ops;
	m->data = data;
	m->left = n;
	return &m->base;
}
