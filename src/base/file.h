/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small files as a whole: read, write, replace. Paths are relative to dir_fd (AT_FDCWD is fine). */

#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"

/*
 * The file's bytes as a heap string, NUL behind them; ret_len may be NULL. More than max_bytes:
 * -EFBIG. Works on /proc.
 */
int file_read(int dir_fd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_len,
	      struct error *err);
int file_read_fd(int fd, const char *name, size_t max_bytes, char **ret_data, size_t *ret_len,
		 struct error *err);

/* Write into an existing file in one write(2), as cgroup and proc files want it. No error text: 0
 * or -errno. */
int file_poke(int dir_fd, const char *path, const char *value);

enum file_write_flag {
	FILE_WRITE_SYNC = 1 << 0, /* flush data before the rename: for what a user must not lose */
	FILE_WRITE_EXCL = 1 << 1, /* fail with -EEXIST instead of replacing */
};

/* Replaces path by data: temporary name beside it, rename. Readers see the old or the new bytes,
 * never a part. */
int file_write_atomic(int dir_fd, const char *path, const void *data, size_t len, mode_t mode,
		      unsigned flags, struct error *err);

/* A file without a name, read and written at its start, that holds data: for a program's stdin, which
 * then needs nobody to write while it reads. *ret_fd is owned, close-on-exec. */
int file_in_memory(const void *data, size_t len, int *ret_fd, struct error *err);
