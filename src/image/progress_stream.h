/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A stream that tells how far it has been read. */

#include "codec/stream.h"
#include "image/progress.h"

/*
 * below   becomes the stream's own
 * sink    copied, its ctx borrowed
 * id      of the line: the first characters of a digest's digits; copied
 * text    "Loading layer"; borrowed
 */
struct stream *progress_stream_open(struct stream *below, const struct progress_sink *sink,
				    const char *id, const char *text, uint64_t total);
