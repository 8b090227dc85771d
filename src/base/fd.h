/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* File descriptors: whole reads and writes, close-on-exec, pairs. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"

/* Write everything, over EINTR and short writes. 0 or -errno (no error text: the caller knows what
 * it is). */
int fd_write_all(int fd, const void *data, size_t n);

/* Read until n bytes or end of file. Bytes read or -errno. */
ssize_t fd_read_full(int fd, void *data, size_t n);

/* Close all from first on but the n in keep, which is sorted; negative ones stand for none. 0 or -errno. */
int fd_close_others(unsigned first, int *keep, size_t n);

int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);

/* Does dir_fd/path, itself and not what a link leads to, still name the file that fd has open? */
bool fd_is_named(int fd, int dir_fd, const char *path);

/* Wait until fd is readable or timeout_ms passed (-1: for ever). 1 ready, 0 time is up, -errno. */
int fd_wait_readable(int fd, int timeout_ms);

/* Copy src to dst until end of file, in the kernel where it can. Bytes copied or -errno. */
ssize_t fd_copy(int src_fd, int dst_fd);

/* Opens /dev/null for 0, 1 and 2 where the caller left them closed, so that no later open lands
 * there. */
int fd_sanitize_std(struct error *err);

/* "/proc/self/fd/N" */
struct fd_path {
	char s[32];
};
struct fd_path fd_proc_path(int fd);
