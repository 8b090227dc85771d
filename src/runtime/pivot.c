/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the host's root to the container's. The new rootfs is attached on top of "/" instead of on
 * its own directory: in a user namespace that path may be out of our reach, and nothing is left to
 * tidy. Path look-ups keep starting at the old root, below it, until pivot_into().
 *
 * A runtime in a chroot has another root than its mount namespace. pivot_root(2) exchanges the root
 * of the caller only: the host's tree would stay, and whoever joins the namespace later, exec or a
 * privileged process of the container, would stand in it. So the chroot is left before the pivot,
 * but not earlier: until then paths are those of the caller.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/mountapi.h"
#include "kernel/syscall.h"
#include "runtime/rootfs.h"

/* Joining a mount namespace, even one's own, moves root and current directory to its root. */
static int leave_chroot(int proc_fd, struct error *err)
{
	cleanup_fd int fd = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open the mount namespace");
	if (setns(fd, CLONE_NEWNS) < 0)
		return error_sys(err, "cannot go to the root of the mount namespace");
	return 0;
}

/* Whether the directory is the caller's root: the same one, by the same mount. */
static int is_root(int dir_fd, bool *ret, struct error *err)
{
	struct statx dir, root;

	if (statx(dir_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &dir) < 0 ||
	    statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &root) < 0)
		return error_sys(err, "cannot look at '/'");
	*ret = dir.stx_mnt_id == root.stx_mnt_id && dir.stx_ino == root.stx_ino;
	return 0;
}

int pivot_prepare(uint64_t propagation, int proc_fd, bool *ret_chrooted, struct error *err)
{
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool same;

	if (root_fd < 0)
		return error_sys(err, "cannot open '/'");
	if (leave_chroot(proc_fd, err) < 0 || is_root(root_fd, &same, err) < 0)
		return -err->sys;
	/* slave: mounts that the host makes later may still arrive in rslave binds, none goes back
	 */
	if (!propagation)
		propagation = MS_SLAVE;
	/* what cannot be bound could not become the rootfs; it is set on the container's root */
	if (propagation & MS_UNBINDABLE)
		propagation = MS_PRIVATE;
	if (mount(NULL, "/", NULL, propagation | MS_REC, NULL) < 0)
		return error_sys(err, "cannot change the propagation of '/'");
	*ret_chrooted = !same;
	if (!same && (fchdir(root_fd) < 0 || chroot(".") < 0))
		return error_sys(err, "cannot go back to the root of the caller");
	/* what we attach on a shared "/" would appear on the host, and pivot_root(2) refuses it */
	if ((propagation & MS_SHARED) && mount(NULL, "/", NULL, MS_PRIVATE, NULL) < 0)
		return error_sys(err, "cannot make '/' private");
	return 0;
}

int pivot_attach_root(int root_fd, struct error *err)
{
	cleanup_fd int top_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (top_fd < 0)
		return error_sys(err, "cannot open '/'");
	r = mount_attach(root_fd, top_fd);
	return r < 0 ? error_num(err, -r, "cannot attach the rootfs") : 0;
}

int pivot_show_root(int root_fd, const char *rootfs_path)
{
	cleanup_fd int dir_fd = open(rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir_fd < 0 ? -errno : mount_attach(root_fd, dir_fd);
}

int pivot_into(int root_fd, int proc_fd, enum pivot_way way, struct error *err)
{
	if (way == PIVOT_FROM_CHROOT && leave_chroot(proc_fd, err) < 0)
		return -err->sys;
	if (fchdir(root_fd) < 0)
		return error_sys(err, "cannot enter the rootfs");
	if (way == PIVOT_NOT) {
		/* it covers "/" already; the host's mounts stay below, out of reach but there */
		if (chroot(".") < 0)
			return error_sys(err, "cannot change the root");
	} else {
		/* "." twice: the old root ends up on top of the new one, see pivot_root(2) */
		if (sys_pivot_root(".", ".") < 0)
			return error_sys(err, "cannot pivot into the rootfs");
		if (umount2(".", MNT_DETACH) < 0)
			return error_sys(err, "cannot unmount the old root");
	}
	if (chdir("/") < 0)
		return error_sys(err, "cannot enter '/'");
	return 0;
}
