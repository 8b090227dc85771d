/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Directory trees: remove without following links, copy, measure. Everything goes by directory fds;
 * a tree that somebody renames or fills with links meanwhile cannot lead us out of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include "base/error.h"

/*
 * Remove dir_fd/name and everything below it. Not there is success. name may be a path; below its
 * last component this does not cross into another mounted file system (-EXDEV: something is still mounted there), never follows a symlink.
 * Entries that vanish meanwhile are fine. Immutable flags are not removed.
 */
int dir_remove_tree(int dir_fd, const char *name, struct error *err);

/*
 * The same in two steps, for what must be gone at once: rename dir_fd/name to trash_fd/UNIQUE, so
 * that the name is free when this returns, and leave the deletion to dir_empty(). Both on one file
 * system. Not there is success.
 */
int dir_move_to_trash(int dir_fd, const char *name, int trash_fd, struct error *err);

/* Remove everything in the directory dir_fd, not itself. Goes on after a failure and reports the
 * first. */
int dir_empty(int dir_fd, struct error *err);

/* Are there at most so many entries below the directory, and no file larger than file_bytes? */
struct dir_budget {
	unsigned entries;
	uint64_t file_bytes;
};
bool dir_is_small(int dir_fd, const struct dir_budget *budget);

/* Does the directory fd, opened for reading and not read yet, hold nothing? 1, 0, or < 0. */
int dir_is_empty(int fd, struct error *err);

/*
 * Copy the tree src_fd (a directory) into the existing directory dst_fd: modes, owners, times,
 * xattrs, hard links within the tree, device nodes, fifos, sparse files, reflinks where the file
 * system has them. Owners that we may not set are an error.
 */
int dir_copy_tree(int src_fd, int dst_fd, struct error *err);

/*
 * Bytes on the disk of dir_fd/name and what is below it, as `du -x` counts them: blocks, those of
 * directories too, a file with several links once. What vanishes meanwhile does not count. -ENOENT.
 */
int dir_usage(int dir_fd, const char *name, uint64_t *ret_bytes, struct error *err);
