/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A layer's archive as a tree, under the same rules as unpack.h: what one refuses, so does the other. */

#include <stdbool.h>
#include "image/tree.h"
#include "image/unpack.h"

struct archive_reader;

struct tree_fill_source {
	struct archive_reader *archive;
	/* Are these bytes of the archive zero? 1, 0, -1: they are not here. */
	int (*are_zero)(void *ctx, uint64_t at, size_t n);
	void *ctx;
};

/*
 * t           new
 * Returns     0; TREE_UNFIT: unpack it instead, a tree has no room or no place for something
 * Errors      as unpack_archive()
 */
#define TREE_UNFIT 1
int tree_fill(struct tree *t, const struct tree_fill_source *source,
	      const struct unpack_limits *limits, struct unpack_result *ret, struct error *err);
