/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The mount API of Linux 5.2 (fsopen, fsconfig, fsmount, open_tree, move_mount) and 5.12
 * (mount_setattr): mounts are made detached, finished as fds, then attached onto an fd. No path is
 * resolved twice. The kernel's own line about a refused option goes into the error.
 * No allocation: usable in a child that shares memory. Fds made here are close-on-exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include "base/error.h"

/* One superblock option: value NULL is a flag ("volatile"). */
struct mount_param {
	const char *key;
	const char *value;
	bool common; /* of every file system, as mount(2) has it: one that knows it not ignores it */
};

/*
 * A new, detached mount of a file system.
 *
 * attrs    MOUNT_ATTR_* of the mount itself
 * Returns  0; errors carry the kernel's message: "cannot mount 'tmpfs': tmpfs: Bad value for
 * 'size'"
 */
int mount_fs(const char *type, const char *source, const struct mount_param *params,
	     size_t n_params, uint64_t attrs, int *ret_mount_fd, struct error *err);

/*
 * A directory, or a regular file that holds an EROFS image, as a directory: such an image is mounted,
 * read-only and detached, and is gone with the last descriptor.
 *
 * ret_image  may be NULL; whether it is an image
 * Errors     ERROR_UNSUPPORTED: this kernel does not mount images of files (6.12 does), or not for us, or not
 *            from where the file is (a tmpfs)
 */
int mount_open_layer(const char *path, int *ret_fd, bool *ret_image, struct error *err);

/*
 * A detached copy of the mount at dir_fd/path (path "": dir_fd itself, which may be O_PATH), with
 * everything mounted below it if recursive.
 */
int mount_clone(int dir_fd, const char *path, bool recursive, int *ret_mount_fd, struct error *err);

/*
 * Change attributes. propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0.
 * userns_fd counts only with MOUNT_ATTR_IDMAP in set. Returns 0 or -errno without text.
 */
int mount_set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear,
			 uint64_t propagation, int userns_fd);

/* Is fd (O_PATH) the root of a mount? 5.8. 1, 0, or -errno without text. */
int mount_is_root(int fd);

/* Attach a detached mount on the directory or file dest_fd (O_PATH). 0 or -errno without text. */
int mount_attach(int mount_fd, int dest_fd);
