/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/inject.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/snapshot.h"
#include "image/store_label.h"
#include "kernel/mountapi.h"

#define UPPER_MODE 0755
/* overlay wants a lower layer; an image without any (FROM scratch) gets an empty one */
#define EMPTY_NAME "lower"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546 /* not in linux/magic.h before 6.7 */
#endif

static const char *const dirs[] = { "rootfs", "upper", "work" };

/* overlayfs splits lowerdir at colons; a backslash takes their meaning away. */
void snapshot_add_lowerdir(struct buf *out, const char *path, bool first)
{
	if (!first)
		buf_putc(out, ':');
	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *path);
	}
}

static int overlay_describe(int dir_fd, const char *dir_path, char *const *lowerdirs,
			    unsigned flags, struct snapshot_mount *ret, struct error *err)
{
	cleanup_free char *empty = xasprintf("%s/" EMPTY_NAME, dir_path);
	cleanup_buf struct buf lower = { 0 };
	char **options;

	buf_puts(&lower, "lowerdir=");
	for (size_t i = 0; lowerdirs && lowerdirs[i]; i++)
		snapshot_add_lowerdir(&lower, lowerdirs[i], i == 0);
	if (strv_len(lowerdirs) == 0)
		snapshot_add_lowerdir(&lower, empty, true);
	options = strv_push_owned(NULL, buf_take(&lower));
	options = strv_push_owned(options, xasprintf("upperdir=%s/upper", dir_path));
	options = strv_push_owned(options, xasprintf("workdir=%s/work", dir_path));
	if (flags & SNAPSHOT_VOLATILE)
		options = strv_push(options, "volatile");
	if (flags & SNAPSHOT_USERXATTR)
		options = strv_push(options, "userxattr");
	*ret = (struct snapshot_mount){
		.type = xstrdup("overlay"),
		.source = xstrdup("overlay"),
		.options = options,
	};
	return 0;
}

/* The upper directory is the root that the container sees: it looks like the image's. */
static int copy_root_attributes(int dir_fd, const char *top, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	struct stat want, have;
	int r = mount_open_layer(top, &fd, NULL, err);

	if (r < 0)
		return r;
	if (fstat(fd, &want) < 0)
		return error_sys(err, "cannot stat layer '%s'", top);
	if (fstatat(dir_fd, "upper", &have, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot stat 'upper'");
	if ((want.st_uid != have.st_uid || want.st_gid != have.st_gid) &&
	    fchownat(dir_fd, "upper", want.st_uid, want.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot set the owner of 'upper'");
	if ((want.st_mode & 07777) != (have.st_mode & 07777) &&
	    fchmodat(dir_fd, "upper", want.st_mode & 07777, 0) < 0)
		return error_sys(err, "cannot set the mode of 'upper'");
	return 0;
}

static int overlay_destroy(int dir_fd, struct error *err)
{
	int r = dir_remove_tree(dir_fd, EMPTY_NAME, err);

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++)
		r = dir_remove_tree(dir_fd, dirs[i], err);
	return r;
}

/* Better said here than by mount(2), which only knows EINVAL. Upper directories need whiteouts by
 * rename and trusted attributes (Documentation/filesystems/overlayfs.rst, "Upper and Lower"). */
static int check_file_system(int dir_fd, struct error *err)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} unfit[] = {
		{ OVERLAYFS_SUPER_MAGIC, "overlay" }, { NFS_SUPER_MAGIC, "nfs" },
		{ FUSE_SUPER_MAGIC, "fuse" },	      { V9FS_MAGIC, "9p" },
		{ MSDOS_SUPER_MAGIC, "vfat" },
	};
	struct statfs fs;

	if (fstatfs(dir_fd, &fs) < 0)
		return error_sys(err, "cannot ask for the type of the file system");
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		if ((unsigned long)fs.f_type == unfit[i].magic)
			return error_kind(err, ERROR_UNSUPPORTED,
					  "containers on a file system of type %s are not "
					  "supported yet (overlay cannot write there): choose "
					  "another --root",
					  unfit[i].name);
	}
	return 0;
}

static int make_dirs(int dir_fd, char *const *lowerdirs, struct error *err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (mkdirat(dir_fd, dirs[i], UPPER_MODE) < 0)
			return error_sys(err, "cannot create '%s'", dirs[i]);
	}
	r = store_label_readable(dir_fd, dirs, ARRAY_SIZE(dirs), err);
	if (r < 0)
		return r;
	if (strv_len(lowerdirs) > 0)
		return copy_root_attributes(dir_fd, lowerdirs[0], err);
	if (mkdirat(dir_fd, EMPTY_NAME, UPPER_MODE) < 0)
		return error_sys(err, "cannot create '" EMPTY_NAME "'");
	return 0;
}

static int overlay_create(int dir_fd, const char *dir_path, char *const *lowerdirs, unsigned flags,
			  struct snapshot_mount *ret, struct error *err)
{
	struct error ignored; /* the first failure is the one to report */
	int r = check_file_system(dir_fd, err);

	if (r < 0)
		return r;
	r = make_dirs(dir_fd, lowerdirs, err);
	if (r == 0)
		r = inject_failure("image", "snapshot", err);
	if (r < 0) {
		(void)overlay_destroy(dir_fd, &ignored);
		return error_prefix(err, r, "snapshot in '%s'", dir_path);
	}
	return overlay_describe(dir_fd, dir_path, lowerdirs, flags, ret, err);
}

const struct snapshot_driver snapshot_overlay = {
	.name = "overlay2", /* docker's word: clients ask for it */
	.create = overlay_create,
	.describe = overlay_describe,
	.destroy = overlay_destroy,
};
