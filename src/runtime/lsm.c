/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "kernel/selinux.h"
#include "runtime/procfs.h"

static bool has_apparmor(void)
{
	cleanup_fd int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char c = 'N';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == 'Y';
}

int lsm_check(const char *apparmor_profile, const char *selinux_label, struct error *err)
{
	if (!str_empty(apparmor_profile) && !has_apparmor())
		return error_kind(err, ERROR_UNSUPPORTED,
				  "process.apparmorProfile '%s': AppArmor is not enabled on this "
				  "host",
				  apparmor_profile);
	if (!str_empty(selinux_label) && !selinux_is_enabled())
		return error_kind(err, ERROR_UNSUPPORTED,
				  "process.selinuxLabel '%s': SELinux is not enabled on this host",
				  selinux_label);
	return 0;
}

int lsm_check_mount_label(const char *label, struct error *err)
{
	if (str_empty(label) || selinux_is_enabled())
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
	char value[SELINUX_LABEL_MAX];
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

int lsm_label_keys(int proc_fd, const char *selinux_label, struct error *err)
{
	int r = 0;

	if (!str_empty(selinux_label))
		r = write_attr(proc_fd, "self/attr/keycreate", selinux_label,
			       strlen(selinux_label));
	if (r < 0)
		return error_num(err, -r, "cannot give keys the SELinux label '%s'", selinux_label);
	return 0;
}
