/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sealed_self.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/macro.h"
#include "kernel/mountapi.h"

#define SELF "/proc/self/exe"

/* The flags are those of the mount that the file was executed from. */
static bool is_sealed(void)
{
	struct statfs fs;

	return statfs(SELF, &fs) == 0 && (fs.f_flags & ST_RDONLY);
}

int sealed_self_open(const char *path, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r = mount_clone(AT_FDCWD, path, false, &fd, err);

	if (r < 0)
		return r;
	r = mount_set_attributes(fd, false, MOUNT_ATTR_RDONLY, 0, 0, -1);
	if (r < 0)
		return error_num(err, -r, "cannot make '%s' read-only", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int sealed_self_ensure(char *const *argv, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	if (is_sealed())
		return 0;
	r = sealed_self_open(SELF, &fd, err);
	if (r == -EPERM)
		return 0;
	if (r < 0)
		return r;
	(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return error_sys(err, "cannot execute '" SELF "' again");
}

bool sealed_self_is_static(void)
{
	return getauxval(AT_BASE) == 0; /* where the kernel mapped the interpreter */
}

/*
 * Is the file that we were executed from the one that our own root directory has under its name, on
 * the same mount? A link of /proc leads into another mount namespace. No magic link on the way to
 * the name, or the container could show us the same file again.
 */
static bool is_at_its_name(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	cleanup_fd int fd = -EBADF;
	struct statx here, there;
	char name[PATH_MAX];
	ssize_t n = readlink(SELF, name, sizeof(name) - 1);

	if (n <= 0)
		return false;
	name[n] = '\0';
	fd = (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how));
	return fd >= 0 && statx(AT_FDCWD, SELF, 0, STATX_INO | STATX_MNT_ID, &here) == 0 &&
	       statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &there) == 0 &&
	       here.stx_ino == there.stx_ino && here.stx_mnt_id == there.stx_mnt_id;
}

int sealed_self_refuse_inside(struct error *err)
{
	struct statfs fs;

	/* a root that brings a /proc of its own may say anything there */
	if (getpid() != 1 || (statfs("/proc/self/", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
			      (is_sealed() || is_at_its_name())))
		return 0;
	return error_num(err, EACCES, "executed in a container by a link to the runtime's file");
}
