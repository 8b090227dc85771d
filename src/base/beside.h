/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A large file or a directory that takes its name when it is whole: what had the name before stays
 * until then, and stays if it never comes to that. A file that is not whole has no name at all, where
 * the file system can do that; else, and a directory always, it lies beside the target as ".NAME.part",
 * locked by its owner: one that was killed left it, and the next with this target removes it.
 */

#include <stdbool.h>
#include "base/error.h"

struct beside {
	char *path, *tmp_path;
	int fd; /* what is written to: a file, or a directory */
	bool is_named;
};
#define BESIDE_NONE ((struct beside){ .fd = -EBADF })

/* Errors   ERROR_CONFLICT: another process makes the same directory at the moment */
int beside_open(const char *path, bool dir, struct beside *ret, struct error *err);
/* It is whole. -ENOTEMPTY, -EEXIST: the target is a directory that holds something. */
int beside_commit(struct beside *b, struct error *err);
/* Removes what was not committed. */
void beside_close(struct beside *b);
#define cleanup_beside __attribute__((cleanup(beside_close)))
