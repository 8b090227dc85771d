/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "runtime/procfs.h"

#define SELINUX_FS_MAGIC 0xf97cff8c /* linux/magic.h */
#define LABEL_MAX	 4096	    /* the kernel takes one page */

static bool has_apparmor(void)
{
	cleanup_fd int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char c = 'N';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == 'Y';
}

static bool has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && (uint32_t)fs.f_type == SELINUX_FS_MAGIC;
}

int lsm_check(const char *apparmor_profile, const char *selinux_label, struct error *err)
{
	if (!str_empty(apparmor_profile) && !has_apparmor())
		return error_kind(err, ERROR_UNSUPPORTED,
				  "process.apparmorProfile '%s': AppArmor is not enabled on this "
				  "host",
				  apparmor_profile);
	if (!str_empty(selinux_label) && !has_selinux())
		return error_kind(err, ERROR_UNSUPPORTED,
				  "process.selinuxLabel '%s': SELinux is not enabled on this host",
				  selinux_label);
	return 0;
}

int lsm_check_mount_label(const char *label, struct error *err)
{
	if (str_empty(label) || has_selinux())
		return 0;
	return error_kind(err, ERROR_UNSUPPORTED,
			  "linux.mountLabel '%s': SELinux is not enabled on this host", label);
}

/* An attribute takes its whole value in one write(2). */
static int write_attr(int proc_fd, const char *name, const char *value, size_t len)
{
	cleanup_fd int fd = procfs_open(proc_fd, name, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, value, len) < 0 ? -errno : 0;
}

static int apply_apparmor(int proc_fd, const char *profile, struct error *err)
{
	char value[LABEL_MAX];
	int n = snprintf(value, sizeof(value), "exec %s", profile);
	int r;

	if (n >= (int)sizeof(value))
		return error_kind(err, ERROR_INVALID, "process.apparmorProfile is too long");
	/* the shared attr/exec belongs to whichever LSM comes first; its own since 5.8 */
	r = write_attr(proc_fd, "self/attr/apparmor/exec", value, (size_t)n);
	if (r == -ENOENT)
		r = write_attr(proc_fd, "self/attr/exec", value, (size_t)n);
	if (r == -ENOENT)
		return error_kind(err, ERROR_NOT_FOUND,
				  "apparmor profile '%s' is not loaded in the kernel", profile);
	if (r < 0)
		return error_num(err, -r, "cannot take the apparmor profile '%s'", profile);
	return 0;
}

int lsm_apply(int proc_fd, const char *apparmor_profile, const char *selinux_label,
	      struct error *err)
{
	int r;

	if (!str_empty(apparmor_profile)) {
		r = apply_apparmor(proc_fd, apparmor_profile, err);
		if (r < 0)
			return r;
	}
	if (!str_empty(selinux_label)) {
		r = write_attr(proc_fd, "self/attr/exec", selinux_label, strlen(selinux_label));
		if (r < 0)
			return error_num(err, -r, "cannot take the SELinux label '%s'",
					 selinux_label);
	}
	return 0;
}
