/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who a container runs as: names are looked up in the passwd and group files of its rootfs. */

#include "base/error.h"
#include "base/user.h"

/*
 * lowerdirs   layers of an image, top first (or the one directory of --rootfs)
 * scratch_fd  a directory of ours for a moment's copy
 * Errors      as user_resolve()
 */
int rootfs_user_resolve(char *const *lowerdirs, int scratch_fd, const char *user,
			char *const *groups, struct user_identity *ret, struct error *err);
