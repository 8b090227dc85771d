/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Images as directories of the host, for `image mount`: podman's. A mount is read-only and is counted:
 * it goes with the last of those who asked for it. It lies in STATE/image-mounts/<id>, with the count
 * in <id>.count beside it, and so ends with the boot.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

struct engine;

/*
 * ret_path  heap, absolute
 * Errors    image_lookup()'s; ERROR_UNSUPPORTED for an ordinary user outside `berth unshare`: mounts
 *           end with the namespace that he gets for one command
 */
int engine_image_mount(struct engine *e, const char *ref, char **ret_path, struct error *err);

/*
 * One less who wants it. force: nobody does any more, and what is in use goes as soon as it is not.
 *
 * Returns   1 and *ret_id; 0: it was not mounted
 * Errors    image_lookup()'s; the mount is in use (EBUSY)
 */
int engine_image_unmount(struct engine *e, const char *ref, bool force, struct digest *ret_id,
			 struct error *err);

struct engine_image_mounts {
	struct engine_image_mount_row {
		struct digest id;
		char **names; /* familiar; strv */
		char *path;
	} * rows;
	size_t n;
};
int engine_image_mounts_load(struct engine *e, struct engine_image_mounts *ret, struct error *err);
void engine_image_mounts_done(struct engine_image_mounts *mounts);

/* Is the image mounted? No: also where that cannot be found out. */
bool engine_image_is_mounted(const struct engine *e, const struct digest *id);
