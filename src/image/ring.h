/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A few buffers that go round between two threads: one fills them, the other takes them. The bytes
 * are not copied. Each side can end it; the other learns of it at its next call.
 */

#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct ring;

/* Both sides share it; freed once neither uses it. */
struct ring *ring_new(size_t n_buffers, size_t buffer_bytes);
struct ring *ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free)

/* The filling side */

/* A free buffer of buffer_bytes, waiting for one; NULL: the other side has given up. */
void *ring_reserve(struct ring *r);
/* Passes on n bytes of the reserved buffer. */
void ring_commit(struct ring *r, size_t n);
/* No more comes: result 0 or -errno with *err, which the other side gets. */
void ring_finish(struct ring *r, int result, const struct error *err);

/* The taking side */

/* The next bytes, valid until the next call; 0 at the end, -errno as the filling side said. */
ssize_t ring_take(struct ring *r, const void **ret_data, struct error *err);
/* Give up: the filling side stops. */
void ring_abandon(struct ring *r);
