/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sealed_self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/macro.h"
#include "kernel/mountapi.h"

#define SELF "/proc/self/exe"

int sealed_self_ensure(char *const *argv, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	struct statfs fs;
	int r;

	/* the flags are those of the mount that the file was executed from */
	if (statfs(SELF, &fs) == 0 && (fs.f_flags & ST_RDONLY))
		return 0;
	r = mount_clone(AT_FDCWD, SELF, false, &fd, err);
	if (r == -EPERM)
		return 0;
	if (r < 0)
		return r;
	r = mount_set_attributes(fd, false, MOUNT_ATTR_RDONLY, 0, 0, -1);
	if (r < 0)
		return error_num(err, -r, "cannot make '" SELF "' read-only");
	(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return error_sys(err, "cannot execute '" SELF "' again");
}
