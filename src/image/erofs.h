/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A layer as one EROFS image, which the kernel mounts as it is: nothing is unpacked. The archive lies
 * in it byte for byte; behind it are the inodes and directories that say where in the archive each
 * file is. So it is written once from begin to end, and the archive can be had back: to prove its
 * digest, and to unpack it where the kernel cannot mount it. docs/formats/image-store.md, "layer.erofs".
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/archive.h"
#include "image/unpack.h"

#define EROFS_FILE "layer.erofs"
/* Where the archive begins; before it is the superblock. */
#define EROFS_ARCHIVE_OFFSET 4096

/*
 * Reads source to its end and writes the image to fd, an empty file.
 *
 * Returns  0; EROFS_UNFIT: the layer holds what such an image cannot or should not (very many entries,
 *          ACLs): the archive is in fd at its place, for erofs_layer_unpack()
 * Errors   as unpack_archive(), in the same words
 */
#define EROFS_UNFIT 1
int erofs_layer_write(const struct archive_source *source, int fd,
		      const struct unpack_limits *limits, struct unpack_result *ret,
		      struct error *err);

/* The archive of an image into an empty directory, as unpack_archive() does. */
int erofs_layer_unpack(int fd, int root_fd, const struct unpack_limits *limits, unsigned flags,
		       struct unpack_result *ret, struct error *err);

/*
 * Reads all of an image: the archive must have the digest diff_id, and all else must be what
 * erofs_layer_write() makes of it. ERROR_INVALID: it is damaged, with the reason.
 */
int erofs_layer_check(int fd, const struct digest *diff_id, struct error *err);
