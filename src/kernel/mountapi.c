/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/inject.h"
#include "base/macro.h"

/*
 * Reading a file system context gives its messages, one a read, as "e <text>" (error), "w ..." or
 * "i ...". fsopen(2). The last error is the one that counts.
 */
static void read_context_log(int context_fd, char *text, size_t size)
{
	char line[256];
	ssize_t n;

	text[0] = '\0';
	while ((n = read(context_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (n > 2 && line[0] == 'e' && line[1] == ' ')
			(void)snprintf(text, size, ": %s", line + 2); /* cut is fine */
	}
}

static int COLD context_error(struct error *err, int context_fd, const char *type,
			      const struct mount_param *param)
{
	int sys = errno;
	char text[256];

	read_context_log(context_fd, text, sizeof(text));
	if (!param)
		return error_num(err, sys, "cannot create file system '%s'%s", type, text);
	return error_num(err, sys, "file system '%s' refuses option '%s%s%s'%s", type, param->key,
			 param->value ? "=" : "", param->value ? param->value : "", text);
}

int mount_fs(const char *type, const char *source, const struct mount_param *params,
	     size_t n_params, uint64_t attrs, int *ret_mount_fd, struct error *err)
{
	cleanup_fd int context_fd = fsopen(type, FSOPEN_CLOEXEC);
	int mount_fd;

	if (context_fd < 0) {
		if (errno == ENODEV)
			return error_kind(err, ERROR_UNSUPPORTED,
					  "the kernel has no file system '%s'", type);
		return error_sys(err, "cannot open file system '%s'", type);
	}
	if (source && fsconfig(context_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return context_error(err, context_fd, type,
				     &(struct mount_param){ "source", source });
	for (size_t i = 0; i < n_params; i++) {
		unsigned cmd = params[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(context_fd, cmd, params[i].key, params[i].value, 0) < 0 &&
		    !(params[i].common && errno == EINVAL))
			return context_error(err, context_fd, type, &params[i]);
	}
	if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(err, context_fd, type, NULL);
	mount_fd = fsmount(context_fd, FSMOUNT_CLOEXEC, (unsigned)attrs);
	if (mount_fd < 0)
		return context_error(err, context_fd, type, NULL);
	*ret_mount_fd = mount_fd;
	return 0;
}

static bool on_tmpfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static int open_image(const char *path, int *ret_fd, struct error *err)
{
	int r = inject_failure("image", "mount", err);

	if (r == 0)
		r = mount_fs("erofs", path, NULL, 0, MOUNT_ATTR_RDONLY, ret_fd, err);

	/* before 6.12 only block devices; in a user namespace nothing */
	if (r == -EPERM || (r == -ENOTBLK && !on_tmpfs(path)))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "%s mount EROFS image '%s', which takes Linux 6.12 and root",
				  r == -EPERM ? "we may not" : "this kernel does not", path);
	if (r == -ENOTBLK)
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"EROFS image '%s' is on a tmpfs, from where Linux does not mount it", path);
	return r;
}

int mount_open_layer(const char *path, int *ret_fd, bool *ret_image, struct error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	bool image;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open layer '%s'", path);
	image = S_ISREG(st.st_mode);
	if (image) {
		int image_fd, r = open_image(path, &image_fd, err);

		if (r < 0)
			return r;
		*ret_fd = image_fd;
	} else if (!S_ISDIR(st.st_mode)) {
		return error_num(err, ENOTDIR, "cannot open layer '%s'", path);
	} else {
		*ret_fd = take_fd(&fd);
	}
	if (ret_image)
		*ret_image = image;
	return 0;
}

int mount_clone(int dir_fd, const char *path, bool recursive, int *ret_mount_fd, struct error *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int mount_fd = open_tree(dir_fd, path, flags | (recursive ? AT_RECURSIVE : 0));

	if (mount_fd < 0)
		return error_sys(err, "cannot bind '%s'", path);
	*ret_mount_fd = mount_fd;
	return 0;
}

int mount_set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear,
			 uint64_t propagation, int userns_fd)
{
	struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
		.userns_fd = set & MOUNT_ATTR_IDMAP ? (uint64_t)userns_fd : 0,
	};
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_is_root(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &st) < 0)
		return -errno;
	if (!(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return -EOPNOTSUPP;
	return !!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int mount_attach(int mount_fd, int dest_fd)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return move_mount(mount_fd, "", dest_fd, "", flags) < 0 ? -errno : 0;
}
