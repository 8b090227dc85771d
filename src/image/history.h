/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How an image was made, step by step, and how large each step's layer is. */

#include <stdint.h>
#include "base/error.h"
#include "image/store.h"

struct image_history_row {
	const char *created_by, *comment; /* borrowed from the image; "" if not said */
	int64_t created_ns;		  /* 0: not said */
	uint64_t size_bytes;		  /* of the files of its layer; 0 without one */
	const struct image_layer *layer;  /* or NULL: an empty step */
};

struct image_history {
	struct image_history_row *rows; /* the last step first */
	size_t n;
};

/*
 * The steps of the config; layers that it has no step for come first among them, without words.
 * ret lives as long as image. Errors: -ENOENT for a layer that is not in the store.
 */
int image_history(struct image_store *store, const struct image *image, struct image_history *ret,
		  struct error *err);
void image_history_done(struct image_history *h);
#define cleanup_image_history __attribute__((cleanup(image_history_done)))
