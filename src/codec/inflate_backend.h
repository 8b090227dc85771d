/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a decompression library is to inflate.c. One table a file. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inflate_io {
	const uint8_t *in; /* advanced as far as it was used */
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

enum inflate_result {
	INFLATE_MORE, /* wants more of what is empty: input or room */
	INFLATE_END,  /* a member or frame is complete */
	INFLATE_DAMAGED,
};

struct inflate_backend {
	const char *name;
	void *(*open)(void); /* NULL: this machine cannot */
	enum inflate_result (*run)(void *state, struct inflate_io *io);
	void (*reset)(void *state); /* for the next member */
	void (*close)(void *state);
};

extern const struct inflate_backend inflate_isal;
extern const struct inflate_backend inflate_zlib;
extern const struct inflate_backend inflate_zstd;
