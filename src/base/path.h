/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Paths: joining and cleaning text, and opening beneath a directory that somebody else filled. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

/* "a" + "b" -> "a/b" (one slash, heap). An absolute b is taken as relative to a. */
char *path_join(const char *a, const char *b);

/* Lexically: no "//", ".", "..", no trailing slash; "/" stays. Heap. An absolute path cannot climb
 * above "/". */
char *path_clean(const char *path);

/* The part behind the last slash, in path itself. */
const char *path_base(const char *path);

/*
 * Open path as it is seen by a process whose root directory is root_fd: symlinks, ".." and absolute
 * names stay inside. No magic links. flags, mode as open(2); O_CLOEXEC is added. Returns the fd or
 * -errno (no error text). Source: openat2(2), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS.
 */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/* The same, and a path that leaves root_fd by any way, or meets a symlink, is refused (-EXDEV,
 * -ELOOP). */
int path_open_beneath(int root_fd, const char *path, int flags, mode_t mode);

/*
 * Open what lies beneath dir_fd on the same mount: nothing that was mounted over a part of it is met
 * (-EXDEV), nor a magic link; symlinks that stay beneath are followed ("self" of procfs).
 */
int path_open_same_mount(int dir_fd, const char *path, int flags);

/* mkdir -p below root_fd, each step resolved inside it; ret_fd: O_PATH fd of the last directory, or
 * NULL. */
int path_mkdir_in_root(int root_fd, const char *path, mode_t mode, int *ret_fd, struct error *err);

/* mkdir -p on the host. */
int path_mkdir_all(const char *path, mode_t mode, struct error *err);
