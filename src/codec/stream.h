/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A source of bytes that is read once from front to back. Streams are stacked: a file, what is
 * decompressed from it. A stream owns the one below it.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct stream;

struct stream_ops {
	/* 1..n bytes, 0 at the end, -errno with *err filled. */
	ssize_t (*read)(struct stream *s, void *buf, size_t n, struct error *err);
	void (*close)(struct stream *s); /* frees s; keeps errno */
};

/* The head of every kind of stream. */
struct stream {
	const struct stream_ops *ops;
};

ssize_t stream_read(struct stream *s, void *buf, size_t n, struct error *err);
/* Reads until n bytes or the end. */
ssize_t stream_read_full(struct stream *s, void *buf, size_t n, struct error *err);
struct stream *stream_close(struct stream *s);
DEFINE_CLEANUP(struct stream *, stream_close)

/*
 * The bytes of fd (borrowed). With offset >= 0: at most len bytes from there by pread, so that
 * several streams share one fd; else what read() gives until the end. name is for messages and is
 * borrowed.
 */
struct stream *stream_from_fd(int fd, int64_t offset, uint64_t len, const char *name);

/* The bytes at data (borrowed). */
struct stream *stream_from_memory(const void *data, size_t n);
