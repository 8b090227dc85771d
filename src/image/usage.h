/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much disk the store takes, and for whom: blocks on the disk, as du counts them. An image
 * takes its manifest, its config, the blobs of its layers as they came, and its layers unpacked; what
 * several images have is there once and is shared.
 */

#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"

struct image_store;
struct image_usage_object;

struct image_usage_row {
	struct digest id;
	uint64_t bytes;	       /* all that the image takes */
	uint64_t shared_bytes; /* of these, what other images have, too */
	uint64_t blob_bytes;   /* of these, the blobs */
	size_t *objects;       /* private */
	size_t n_objects;
};

struct image_usage {
	struct image_usage_row *rows; /* one an image, in the order of the index */
	size_t n;
	uint64_t total_bytes;		    /* images/, layers/, tmp/, trash/ */
	uint64_t trash_bytes;		    /* of these, what is being deleted */
	struct image_usage_object *objects; /* private */
	size_t n_objects;
};

/* Reads every directory of the store: 10 ms for 10,000 files. An image that is damaged takes 0. */
int image_usage_load(struct image_store *store, struct image_usage *ret, struct error *err);
void image_usage_done(struct image_usage *u);
#define cleanup_image_usage __attribute__((cleanup(image_usage_done)))

/* What an image takes, or NULL. */
const struct image_usage_row *image_usage_find(const struct image_usage *u,
					       const struct digest *id);

/* The bytes of blobs and layers that were there and are not any more. */
uint64_t image_usage_gone(const struct image_usage *before, struct image_store *store);

/* What would be free without the images for which used() says false, and without leftovers. */
uint64_t image_usage_reclaimable(const struct image_usage *u,
				 bool (*used)(void *ctx, const struct digest *id), void *ctx);
