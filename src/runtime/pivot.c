/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the host's root to the container's. The new rootfs is attached on top of "/" instead of on
 * its own directory: in a user namespace that path may be out of our reach, and nothing is left to
 * tidy. Path look-ups keep starting at the old root, below it, until pivot_into().
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kernel/mountapi.h"
#include "kernel/syscall.h"
#include "runtime/rootfs.h"

int pivot_prepare(uint64_t propagation, struct error *err)
{
	/* slave: mounts that the host makes later may still arrive in rslave binds, none goes back
	 */
	if (!propagation)
		propagation = MS_SLAVE;
	if (mount(NULL, "/", NULL, propagation | MS_REC, NULL) < 0)
		return error_sys(err, "cannot change the propagation of '/'");
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

int pivot_into(int root_fd, bool no_pivot, struct error *err)
{
	if (fchdir(root_fd) < 0)
		return error_sys(err, "cannot enter the rootfs");
	if (no_pivot) {
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
