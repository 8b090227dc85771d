/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* layers/<diff id>/layer.json: which blob a layer was unpacked from, and how large it is. */

#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/inflate.h"

struct layer_info {
	struct digest blob_id;
	uint64_t blob_bytes;
	uint64_t unpacked_bytes;
	uint64_t entries;
	enum compression compression;
};

/* dir_fd: the layer's directory. -ENOENT: no such layer. */
int layer_info_load(int root_fd, const struct digest *diff_id, struct layer_info *ret,
		    struct error *err);
/* The same of the layer in the directory fd/dir. */
int layer_info_load_from(int fd, const char *dir, struct layer_info *ret, struct error *err);
int layer_info_save(int dir_fd, const struct layer_info *info, struct error *err);
