/* SPDX-License-Identifier: Apache-2.0 */
#include "image/progress_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct progress_stream {
	struct stream base;
	struct stream *below;
	struct progress_sink sink;
	char id[13];
	const char *text;
	uint64_t done, total;
};

static ssize_t progress_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct progress_stream *p = container_of(s, struct progress_stream, base);
	ssize_t got = stream_read(p->below, buf, n, err);

	if (got > 0) {
		p->done += (uint64_t)got;
		progress_show(&p->sink, p->id, p->text, p->done, p->total);
	}
	return got;
}

static void progress_close(struct stream *s)
{
	struct progress_stream *p = container_of(s, struct progress_stream, base);

	stream_close(p->below);
	free(p);
}

struct stream *progress_stream_open(struct stream *below, const struct progress_sink *sink,
				    const char *id, const char *text, uint64_t total)
{
	static const struct stream_ops ops = { .read = progress_read, .close = progress_close };
	struct progress_stream *p = xcalloc(1, sizeof(*p));

	p->base.ops = &ops;
	p->below = below;
	p->sink = *sink;
	(void)snprintf(p->id, sizeof(p->id), "%.12s", id);
	p->text = text;
	p->total = total;
	return &p->base;
}
