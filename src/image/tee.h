/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A stream that hashes and counts what passes, and writes a copy of it to a file. */

#include "base/digest.h"
#include "codec/stream.h"

/* below: taken. fd: borrowed, -1 for no copy. Readable while the stream lives. */
struct stream *tee_open(struct stream *below, int fd);
uint64_t tee_bytes(const struct stream *tee);
/* Of all that passed; once. */
struct digest tee_digest(struct stream *tee);
