/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where `save` writes: files in a tar archive, or in a directory. */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "base/macro.h"

struct save_sink;

/* fd is borrowed: a file or a pipe. The same members give the same bytes. */
struct save_sink *save_sink_tar(int fd);
/* dir_fd is borrowed: an empty directory. */
struct save_sink *save_sink_dir(int dir_fd);

/* Paths are relative; their directories are made first. */
int save_sink_make_dir(struct save_sink *s, const char *path, struct error *err);
int save_sink_write(struct save_sink *s, const char *path, const void *data, size_t n,
		    struct error *err);
/*
 * The rest of blob_fd, whose digest is checked on the way: ERROR_INVALID names a damaged blob.
 * -ECANCELED when stop_fd is readable (stop.h).
 */
int save_sink_copy(struct save_sink *s, const char *path, int blob_fd, const struct digest *id,
		   int stop_fd, struct error *err);

/* Ends the archive. Frees the sink in any case. */
int save_sink_finish(struct save_sink *s, struct error *err);
/* What is written is visibly cut, or to be removed by the caller. */
struct save_sink *save_sink_abandon(struct save_sink *s);
DEFINE_CLEANUP(struct save_sink *, save_sink_abandon)
