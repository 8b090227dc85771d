/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is the store whole? Documents and blobs against their digests, unpacked layers against the archives
 * they came from, and what no image needs.
 */

#include <stddef.h>
#include "base/error.h"
#include "image/store.h"

struct live_set;

enum image_check_flag {
	IMAGE_CHECK_QUICK = 1 << 0,  /* no layer is read: presence, sizes, small documents */
	IMAGE_CHECK_REPAIR = 1 << 1, /* mend what can be mended, remove what cannot be used */
	/* a layer that there is nothing to compare with counts as damaged */
	IMAGE_CHECK_PROVE = 1 << 2,
	/* what the page cache has may not be what the disk has: read from the disk, and unpack anew */
	IMAGE_CHECK_DISTRUST = 1 << 3,
};

struct image_check_options {
	unsigned flags;
	/* As for image_remove(): a layer on which a running container stands is not exchanged, an
	 * image that a container uses not dropped. */
	image_in_use_fn in_use;
	void *ctx;
	/* Blobs and layers to look at; of others only whether they are there. NULL: at all. */
	const struct live_set *only;
};

/*
 * With IMAGE_CHECK_REPAIR a layer whose blob is whole is unpacked again; a damaged blob, or a layer
 * that nothing can be made from, is removed, so that the next pull or load brings it; an image whose
 * manifest or config is damaged loses its names. Nothing is ever trusted that does not match its
 * digest.
 *
 * report     a strv that grows by one sentence for each fault; each names the images that have it
 * ret_left   faults that are still there
 * Errors     only of the check itself (the index cannot be read, no memory)
 */
int image_check(struct image_store *store, const struct image_check_options *options,
		char ***report, size_t *ret_left, struct error *err);
