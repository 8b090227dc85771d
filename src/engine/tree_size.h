/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How much a container wrote. */

#include <stdint.h>
#include "engine/db.h"
#include "engine/engine.h"

/*
 * Sum of the sizes of the files in its upper directory, and of its image. dir_fd: the container's.
 * -ENOENT: it has no layer of its own (--rootfs), or its image is gone.
 */
int container_tree_sizes(struct engine *e, const struct record *r, int dir_fd,
			 int64_t *ret_writable, int64_t *ret_image);
