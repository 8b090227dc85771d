/* SPDX-License-Identifier: Apache-2.0 */
#include "image/snapshot.h"

#include <stdlib.h>

#include "base/str.h"

void snapshot_mount_done(struct snapshot_mount *mount)
{
	free(mount->type);
	free(mount->source);
	strv_free(mount->options);
	*mount = (struct snapshot_mount){ 0 };
}

const struct snapshot_driver *snapshot_choose(int dir_fd)
{
	return &snapshot_overlay;
}
