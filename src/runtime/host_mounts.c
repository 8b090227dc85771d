/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/host_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "kernel/mountapi.h"

int host_mounts_below(const char *rootfs_path, uint64_t *ret_id, struct error *err)
{
	struct statx st;

	if (statx(AT_FDCWD, rootfs_path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) < 0)
		return error_sys(err, "cannot look at '%s'", rootfs_path);
	*ret_id = st.stx_mnt_id;
	return 0;
}

int host_mounts_attach(int mount_fd, const char *rootfs_path, struct error *err)
{
	cleanup_fd int dir_fd = open(rootfs_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir_fd < 0)
		return error_sys(err, "cannot open '%s'", rootfs_path);
	r = mount_attach(mount_fd, dir_fd);
	if (r >= 0) /* it became shared if what it lies on is */
		r = mount_set_attributes(mount_fd, true, 0, 0, MS_PRIVATE, -1);
	return r < 0 ? error_num(err, -r, "cannot attach the rootfs") : 0;
}

int host_mounts_remove(const char *rootfs_path, uint64_t below, struct error *err)
{
	uint64_t now;
	int r = host_mounts_below(rootfs_path, &now, err);

	if (r == -ENOENT || (r == 0 && now == below))
		return 0;
	if (r == 0 && umount2(rootfs_path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return error_sys(err, "cannot unmount '%s'", rootfs_path);
	return r;
}
