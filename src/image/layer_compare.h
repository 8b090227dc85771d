/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is an unpacked layer still what its archive says? The archive is read as unpack.h reads it, and
 * every entry is looked up instead of made: type, size, mode, owner, times, attributes, contents.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct archive_reader;

/* What is different. */
struct layer_difference {
	size_t n;	 /* entries; 0: the layer is whole */
	char first[256]; /* one of them in words: "'etc/passwd' has another size" */
};

/*
 * root_fd       borrowed; the layer's diff directory
 * unpack_flags  as it was unpacked: enum unpack_flag
 * Errors        of the archive; ERROR_INVALID for one that unpack_archive() refuses
 */
int layer_compare(struct archive_reader *a, int root_fd, unsigned unpack_flags,
		  struct layer_difference *ret, struct error *err);
