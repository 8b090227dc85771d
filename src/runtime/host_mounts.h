/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A container without a mount namespace has its mounts in the runtime's: all of them lie on one
 * mount on its rootfs directory, which is all that has to be found and removed later.
 */

#include <stdint.h>
#include "base/error.h"

/* The mount that a directory lies on, before there is one of ours; > 0. */
int host_mounts_below(const char *rootfs_path, uint64_t *ret_id, struct error *err);

/* Attach a detached mount to the rootfs directory; what is mounted on it later stays here. */
int host_mounts_attach(int mount_fd, const char *rootfs_path, struct error *err);

/* Removes the mount and all on it, if it is there: the directory does not lie on below any more. */
int host_mounts_remove(const char *rootfs_path, uint64_t below, struct error *err);
