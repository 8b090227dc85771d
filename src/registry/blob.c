/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob as a stream. What breaks is resumed at the byte where it broke:
 *
 *     read ─▶ exchange ─▶ bytes                        offset grows
 *       │        └ broken, stalled, too short
 *       └─ pause ─▶ a new exchange with "Range: bytes=OFFSET-"
 *                      206 the rest      200 all of it: what we have is skipped
 *
 * Each time the registry itself is asked, also if it had sent us elsewhere: such addresses are
 * signed for a short time. A mirror that fails twice is left for the next place, at this byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/stream.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

/* So much between two faults is progress: the tries are counted anew. */
#define PROGRESS_BYTES ((uint64_t)256 << 10)
#define MIRROR_TRIES   2

struct blob {
	struct stream base;
	struct registry *r;
	size_t site;
	char *target;
	uint64_t bytes;	 /* UINT64_MAX: not known */
	uint64_t offset; /* what the reader has */
	uint64_t skip;	 /* what comes again first */
	uint64_t before; /* offset at the last fault */
	unsigned tries;
	struct http_exchange *x;
};

static int fail_length(const struct blob *b, uint64_t found, struct error *err)
{
	return error_kind(err, ERROR_INVALID,
			  "blob %s: it has %" PRIu64 " bytes, not %" PRIu64
			  " as its descriptor says",
			  b->target + strlen("blobs/"), found, b->bytes);
}

/* All of it comes, whatever was asked for. */
static int take_whole(struct blob *b, const struct http_headers *headers, struct error *err)
{
	const char *length = http_headers_get(headers, "Content-Length");
	uint64_t told;

	if (length && b->bytes != UINT64_MAX && str_to_u64(length, &told) == 0 && told != b->bytes)
		return fail_length(b, told, err);
	b->skip = b->offset;
	return 0;
}

static int take_rest(struct blob *b, const struct http_headers *headers, struct error *err)
{
	const char *range = http_headers_get(headers, "Content-Range");
	uint64_t first, last, total;

	if (!range || http_content_range(range, &first, &last, &total) < 0 || first > b->offset)
		return error_kind(err, ERROR_INVALID, "blob %s: the registry sends another part",
				  b->target + strlen("blobs/"));
	if (b->bytes != UINT64_MAX && total != UINT64_MAX && total != b->bytes)
		return fail_length(b, total, err);
	b->skip = b->offset - first;
	return 0;
}

static int open_at(struct blob *b, struct site *s, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	cleanup_free char *range = xasprintf("Range: bytes=%" PRIu64 "-", b->offset);
	char *headers[] = { range, NULL };
	const struct registry_call call = { .method = "GET",
					    .target = b->target,
					    .headers = b->offset > 0 ? headers : NULL };
	int r = site_call(b->r, s, &call, &x, err);

	if (r < 0)
		return r;
	if (http_status(x) == 200)
		r = take_whole(b, http_headers(x), err);
	else if (http_status(x) == 206)
		r = take_rest(b, http_headers(x), err);
	else
		r = registry_fail(b->r, x, NULL, err);
	if (r == 0)
		b->x = take_ptr(&x);
	return r;
}

/* From the place in use on. Any failure of a mirror leads to the next. */
static int connect_blob(struct blob *b, struct error *err)
{
	for (;; b->site++) {
		struct site *s = &b->r->sites[b->site];
		int r;

		if (!site_serves(b->r, s, "sha256:"))
			continue;
		r = open_at(b, s, err);
		if (r == 0 || r == -ECANCELED || !s->has_fallback)
			return r;
		log_debug("mirror %s: %s", s->place.domain, err->msg);
	}
}

/* failed, with *err, happened on the way: 0 if the stream is open again. */
static int resume(struct blob *b, int failed, struct error *err)
{
	bool has_fallback = b->r->sites[b->site].has_fallback;
	struct error pause;
	int r;

	b->x = http_close(b->x);
	if (b->offset - b->before >= PROGRESS_BYTES)
		b->tries = 0;
	b->before = b->offset;
	b->tries++;
	if (b->tries >= (has_fallback ? MIRROR_TRIES : REGISTRY_TRIES)) {
		if (!has_fallback)
			return failed;
		b->site++;
		b->tries = 0;
	}
	log_debug("%s at byte %" PRIu64 ": %s; going on", b->target, b->offset, err->msg);
	r = registry_wait(b->r, b->tries ? b->tries - 1 : 0, -1, &pause);
	if (r < 0) {
		*err = pause;
		return r;
	}
	return connect_blob(b, err);
}

/* Bytes that are new, or 0 at the end of the exchange. */
static ssize_t read_new(struct blob *b, char *buf, size_t n, struct error *err)
{
	ssize_t got;

	do {
		size_t again;

		got = http_read(b->x, buf, n, err);
		if (got <= 0)
			return got;
		again = (size_t)MIN((uint64_t)got, b->skip);
		b->skip -= again;
		got -= (ssize_t)again;
		if (again > 0 && got > 0)
			memmove(buf, buf + again, (size_t)got);
	} while (got == 0);
	return got;
}

static ssize_t blob_read(struct stream *stream, void *buf, size_t n, struct error *err)
{
	struct blob *b = container_of(stream, struct blob, base);

	for (;;) {
		ssize_t got = read_new(b, buf, n, err);
		int r;

		if (got > 0) {
			b->offset += (uint64_t)got;
			if (b->offset > b->bytes)
				return error_kind(err, ERROR_INVALID,
						  "blob %s: it is longer than the %" PRIu64
						  " bytes of its descriptor",
						  b->target + strlen("blobs/"), b->bytes);
			return got;
		}
		if (got == 0 && (b->bytes == UINT64_MAX || b->offset == b->bytes))
			return 0;
		r = (int)got;
		if (got == 0)
			r = fail_length(b, b->offset, err);
		else if (got == -ECANCELED || http_fault(b->x) == HTTP_FAULT_OTHER)
			return got;
		r = resume(b, r, err);
		if (r < 0)
			return r;
	}
}

static void blob_close(struct stream *stream)
{
	struct blob *b = container_of(stream, struct blob, base);

	(void)http_close(b->x);
	free(b->target);
	free(b);
}

static const struct stream_ops blob_ops = { .read = blob_read, .close = blob_close };

int registry_blob_open_at(struct registry *r, const struct digest *id, uint64_t bytes,
			  uint64_t offset, struct stream **ret, struct error *err)
{
	struct blob *b = xcalloc(1, sizeof(*b));
	int failed;

	b->base.ops = &blob_ops;
	b->r = r;
	b->bytes = bytes;
	b->offset = b->before = offset;
	b->target = xasprintf("blobs/%s", id->text);
	failed = connect_blob(b, err);
	if (failed < 0) {
		blob_close(&b->base);
		return failed;
	}
	*ret = &b->base;
	return 0;
}

int registry_blob_open(struct registry *r, const struct digest *id, uint64_t bytes,
		       struct stream **ret, struct error *err)
{
	return registry_blob_open_at(r, id, bytes, 0, ret, err);
}
