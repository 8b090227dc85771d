/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/procfs.h"

#include <errno.h>

#include "base/macro.h"
#include "base/path.h"
#include "kernel/mountapi.h"

int procfs_open(int proc_fd, const char *path, int flags)
{
	int fd = path_open_same_mount(proc_fd, path, flags);
	cleanup_fd int own_fd = -EBADF;
	struct error ignored;

	if (fd != -EXDEV)
		return fd;
	/* systemd-nspawn and others cover parts of /proc with copies of themselves */
	if (mount_fs("proc", "proc", NULL, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &own_fd,
		     &ignored) < 0)
		return fd;
	return path_open_same_mount(own_fd, path, flags);
}
