/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A container's writable file system over an image's layers. A driver is a const table; it makes
 * directories and says how to mount them, and never mounts: the runtime does, inside the container.
 */

#include <stdbool.h>
#include "base/buf.h"
#include "base/error.h"

enum snapshot_flag {
	SNAPSHOT_VOLATILE = 1 << 0, /* never synced: for containers that die with the host anyway */
	SNAPSHOT_USERXATTR = 1 << 1, /* user.overlay.* attributes instead of trusted.* */
};

/* How to mount: the fields of an OCI mount with destination "/". Heap; snapshot_mount_done(). */
struct snapshot_mount {
	char *type;	/* "overlay" */
	char *source;	/* "overlay" */
	char **options; /* strv: "lowerdir=…", "upperdir=…", "workdir=…", "volatile", … */
};
void snapshot_mount_done(struct snapshot_mount *mount);

struct snapshot_driver {
	const char *name; /* as in `inspect`, GraphDriver.Name: "overlay2" is docker's word */

	/*
	 * Prepare dir (the container's own directory: dir_fd and its absolute path) for a rootfs
	 * over lowerdirs (absolute, top first), directories or EROFS images.
	 */
	int (*create)(int dir_fd, const char *dir_path, char *const *lowerdirs, unsigned flags,
		      struct snapshot_mount *ret, struct error *err);

	/* The mount data of a snapshot made earlier (a container that starts again). */
	int (*describe)(int dir_fd, const char *dir_path, char *const *lowerdirs, unsigned flags,
			struct snapshot_mount *ret, struct error *err);

	/* Remove what create() made. Idempotent. */
	int (*destroy)(int dir_fd, struct error *err);
};

extern const struct snapshot_driver snapshot_overlay; /* dirs rootfs/ upper/ work/ */

/* Appends a layer to overlayfs' lowerdir list, which splits at colons; a backslash takes their meaning away. */
void snapshot_add_lowerdir(struct buf *out, const char *path, bool first);

/*
 * The driver for directories below dir_fd.
 *
 * LIMIT: always overlay, which has no place for its upper directory on network file systems and on
 * overlay itself (create() says so). A driver that copies the layers would lift that.
 */
const struct snapshot_driver *snapshot_choose(int dir_fd);
