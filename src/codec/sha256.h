/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SHA-256 of a stream of bytes, at the speed of the processor's own instructions. */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"

struct sha256 {
	uint64_t state[14];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t n);
/* The digest of all that was added. h must be initialised again before its next use. */
struct digest sha256_finish(struct sha256 *h);

/* All at once. */
struct digest sha256_digest(const void *data, size_t n);
