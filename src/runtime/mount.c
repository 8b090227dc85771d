/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One operation of the plan, executed. Each mount is made detached and finished (attributes,
 * content) before it is attached to the fd of its destination, so that nothing half made is ever
 * visible and no path is looked at twice (CVE-2021-30465, CVE-2024-45310).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/host_mounts.h"
#include "runtime/rootfs.h"

void mounter_init(struct mounter *m, const char *rootfs_path)
{
	*m = (struct mounter){ .rootfs_path = rootfs_path,
			       .root_fd = -EBADF,
			       .null_fd = -EBADF,
			       .empty_fd = -EBADF,
			       .parent_fd = -EBADF };
}

void mounter_done(struct mounter *m)
{
	cleanup_close_fd(&m->root_fd);
	cleanup_close_fd(&m->null_fd);
	cleanup_close_fd(&m->empty_fd);
	cleanup_close_fd(&m->parent_fd);
	mounter_init(m, m->rootfs_path);
}

static void forget_parent(struct mounter *m)
{
	cleanup_close_fd(&m->parent_fd);
	m->parent_fd = -EBADF;
}

int mounter_open(const struct mounter *m, const struct mount_op *op)
{
	if (op->flags & MOUNT_OP_F_NO_SYMLINK)
		return path_open_beneath(m->root_fd, op->dest + 1, O_PATH, 0);
	return path_open_in_root(m->root_fd, op->dest,
				 O_PATH | (op->options.dest_nofollow ? O_NOFOLLOW : 0), 0);
}

int mounter_open_parent(struct mounter *m, const struct mount_op *op, const char **ret_name,
			struct error *err)
{
	const char *name = path_base(op->dest);
	size_t len = (size_t)(name - op->dest);
	char path[PATH_MAX];
	int r;

	*ret_name = name;
	if (m->parent_fd >= 0 && m->parent_len == len && memcmp(m->parent_path, op->dest, len) == 0)
		return m->parent_fd;
	if (len >= sizeof(path))
		return error_num(err, ENAMETOOLONG, "cannot open '%s'", op->dest);
	memcpy(path, op->dest, len);
	path[len] = '\0';
	forget_parent(m);
	r = path_open_in_root(m->root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (r >= 0)
		m->parent_fd = r;
	else
		r = path_mkdir_in_root(m->root_fd, path, 0755, &m->parent_fd, err);
	if (r < 0)
		return r;
	m->parent_path = op->dest;
	m->parent_len = len;
	return m->parent_fd;
}

#define LINKS_MAX 8 /* dangling ones, one leading to the next */

/* Where the symlink dir_fd/name leads, as a path of the container. -EINVAL: it is none. */
static int follow_link(int dir_fd, const char *name, const char *dest, char *target, size_t size)
{
	cleanup_free char *joined = NULL;
	cleanup_free char *clean = NULL;
	char link[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	if (link[0] != '/') {
		cleanup_free char *dir = xstrndup(dest, (size_t)(path_base(dest) - dest));

		joined = path_join(dir, link);
	}
	clean = path_clean(joined ? joined : link);
	if (strlen(clean) >= size)
		return -ENAMETOOLONG;
	strcpy(target, clean);
	return 0;
}

/* -EEXIST: something is there; a symlink was not followed. */
static int make_entry(int dir_fd, const char *name, mode_t mode)
{
	int fd = -1;

	if (!S_ISDIR(mode))
		fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	else if (mkdirat(dir_fd, name, mode & 07777) == 0)
		fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * An empty file or directory to mount on. A dangling symlink (images have such /etc/resolv.conf) is
 * read and its target made, which is resolved inside the root like any name.
 */
static int make_target(struct mounter *m, const struct mount_op *op, mode_t mode, int *ret_fd,
		       struct error *err)
{
	struct mount_op next = *op;
	char target[PATH_MAX];

	for (int links = 0; links < LINKS_MAX; links++) {
		const char *name;
		int dir_fd = mounter_open_parent(m, &next, &name, err);
		int fd, r;

		if (dir_fd < 0)
			return dir_fd;
		fd = make_entry(dir_fd, name, mode);
		if (fd == -EEXIST && !(op->flags & MOUNT_OP_F_NO_SYMLINK)) {
			r = follow_link(dir_fd, name, next.dest, target, sizeof(target));
			if (r < 0)
				return error_num(err, -r, "cannot make mount point '%s'", op->dest);
			forget_parent(m); /* it is known by next.dest, which changes */
			next.dest = target;
			continue;
		}
		if (next.dest == target) /* which ends with us */
			forget_parent(m);
		if (fd < 0)
			return error_num(err, -fd, "cannot make mount point '%s'", op->dest);
		*ret_fd = fd;
		return 0;
	}
	return error_num(err, ELOOP, "cannot make mount point '%s'", op->dest);
}

static bool has_mode(const struct mount_op *op)
{
	for (size_t i = 0; i < op->options.n_params; i++)
		if (str_eq(op->options.params[i].key, "mode"))
			return true;
	return false;
}

/* Of a tmpfs that has no mode of its own the mount point gives it: all may write, as in a new one. */
static mode_t target_mode(const struct mount_op *op, mode_t source_mode)
{
	bool tmpfs = op->kind == MOUNT_OP_FS && str_eq(op->fs_type, "tmpfs");

	if (!S_ISDIR(source_mode))
		return S_IFREG;
	return S_IFDIR | (tmpfs && !has_mode(op) ? 01777 : 0755);
}

int mounter_open_target(struct mounter *m, const struct mount_op *op, mode_t source_mode,
			int *ret_fd, struct error *err)
{
	int fd = mounter_open(m, op);

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (fd == -ELOOP && (op->flags & MOUNT_OP_F_NO_SYMLINK))
		return error_kind(err, ERROR_DENIED, "'%s' is a symlink in the rootfs", op->dest);
	if (fd != -ENOENT)
		return error_num(err, -fd, "cannot open mount point '%s'", op->dest);
	return make_target(m, op, target_mode(op, source_mode), ret_fd, err);
}

int mounter_null_fd(struct mounter *m, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	struct stat st;

	if (m->null_fd >= 0)
		return m->null_fd;
	fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open '/dev/null'");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_kind(err, ERROR_DENIED,
				  "the host's '/dev/null' is not the null device");
	m->null_fd = take_fd(&fd);
	return m->null_fd;
}

static int set_propagation(const struct mount_op *op, int mount_fd)
{
	const struct mount_options *o = &op->options;
	int r = 0;

	if (o->propagation)
		r = mount_set_attributes(mount_fd, false, 0, 0, o->propagation, -1);
	if (r >= 0 && o->recursive_propagation)
		r = mount_set_attributes(mount_fd, true, 0, 0, o->recursive_propagation, -1);
	return r;
}

/*
 * Does the new mount hide the directory that parent_fd leads to? What the configuration names may be
 * anywhere, by way of symlinks; the binds of cgroups are where they say.
 */
static bool hides_parent(const struct mounter *m, const struct mount_op *op)
{
	size_t n = strlen(op->dest);

	if ((op->flags & MOUNT_OP_F_USER) || (op->kind != MOUNT_OP_FS && op->kind != MOUNT_OP_BIND))
		return true;
	return n < m->parent_len && memcmp(op->dest, m->parent_path, n) == 0;
}

/* The kernel says "Invalid argument"; docker looks for the words below, and adds a hint. */
static int attach_failed(const struct mount_op *op, int mount_fd, int dest_fd, int r,
			 struct error *err)
{
	struct stat source, dest;

	if (fstat(mount_fd, &source) < 0 || fstat(dest_fd, &dest) < 0 ||
	    S_ISDIR(source.st_mode) == S_ISDIR(dest.st_mode))
		return error_num(err, -r, "cannot attach the mount on '%s'", op->dest);
	return error_kind(err, ERROR_INVALID, "cannot mount '%s' on '%s': not a directory (%s)",
			  op->source ? op->source : "", op->dest,
			  S_ISDIR(source.st_mode) ? "what is mounted is one"
						  : "the destination is one");
}

int mounter_attach(struct mounter *m, const struct mount_op *op, int mount_fd, int dest_fd,
		   struct error *err)
{
	int r = mount_attach(mount_fd, dest_fd);

	if (hides_parent(m, op))
		forget_parent(m);
	if (r < 0)
		return attach_failed(op, mount_fd, dest_fd, r, err);
	if (m->attached)
		m->attached[m->n_attached++] = fcntl(mount_fd, F_DUPFD_CLOEXEC, 0);
	r = set_propagation(op, mount_fd);
	if (r < 0)
		return error_num(err, -r, "cannot set the propagation of '%s'", op->dest);
	return 0;
}

static bool is_proc(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * The plan let only known names into /proc. A symlink of the image that leads another destination
 * there is found here, after it was resolved.
 */
static int check_destination(const struct mount_op *op, int dest_fd, struct error *err)
{
	if (!(op->flags & MOUNT_OP_F_USER) || !is_proc(dest_fd) || str_eq(op->dest, "/proc") ||
	    str_after(op->dest, "/proc/"))
		return 0;
	return error_kind(err, ERROR_DENIED, "'%s' leads into /proc in the rootfs", op->dest);
}

/* The owner is the file system's own: root, or who its options name. */
static int copy_up(const struct mount_op *op, int dest_fd, int to_fd, struct error *err)
{
	cleanup_fd int from_fd = openat(dest_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from_fd < 0 || fstat(to_fd, &st) < 0)
		return error_sys(err, "cannot read '%s'", op->dest);
	r = dir_copy_tree(from_fd, to_fd, err);
	if (r >= 0 && fchown(to_fd, st.st_uid, st.st_gid) < 0)
		return error_sys(err, "cannot set the owner of '%s'", op->dest);
	return r;
}

/*
 * A tmpfs without "mode=" takes the mode of the directory it covers, as with docker; its content
 * too, with tmpcopyup.
 */
static int fill_tmpfs(const struct mount_op *op, int mount_fd, int dest_fd, struct error *err)
{
	cleanup_fd int to_fd = -EBADF;
	struct stat st;
	int r = 0;

	if (has_mode(op) && !op->options.copy_up)
		return 0;
	to_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to_fd < 0 || fstat(has_mode(op) ? to_fd : dest_fd, &st) < 0)
		return error_sys(err, "cannot open the new tmpfs of '%s'", op->dest);
	if (op->options.copy_up)
		r = copy_up(op, dest_fd, to_fd, err);
	if (r >= 0 && fchmod(to_fd, st.st_mode & 07777) < 0)
		return error_sys(err, "cannot set the mode of '%s'", op->dest);
	return r;
}

/* The attributes that words of a bind or a remount ask for. */
static int set_attributes(const struct mount_op *op, int mount_fd, struct error *err)
{
	const struct mount_options *o = &op->options;
	int r = 0;

	if (o->set || o->clear)
		r = mount_set_attributes(mount_fd, false, o->set, o->clear, 0, -1);
	if (r >= 0 && (o->recursive_set || o->recursive_clear))
		r = mount_set_attributes(mount_fd, true, o->recursive_set, o->recursive_clear, 0,
					 -1);
	if (r < 0)
		return error_num(err, -r, "cannot set the options of '%s'", op->dest);
	return 0;
}

int mount_op_open_source(const struct mount_op *op, int *ret_fd, struct error *err)
{
	cleanup_fd int link_fd = -EBADF;

	if (mount_source_is_foreign(op->source))
		return mount_clone_foreign(op, ret_fd, err);
	if (!op->options.src_nofollow)
		return mount_clone(AT_FDCWD, op->source, op->options.recursive_bind, ret_fd, err);
	link_fd = open(op->source, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (link_fd < 0)
		return error_sys(err, "cannot open '%s'", op->source);
	return mount_clone(link_fd, "", op->options.recursive_bind, ret_fd, err);
}

/* The source as a detached mount: opened by the parent, or here. Borrowed or in *own_fd. */
static int open_source(const struct mount_op *op, int *own_fd, int *ret_mount_fd, struct error *err)
{
	int r;

	*ret_mount_fd = op->source_fd;
	if (op->source_fd >= 0)
		return 0;
	r = mount_op_open_source(op, own_fd, err);
	*ret_mount_fd = *own_fd;
	return r;
}

/* A volume of the image: what it has there becomes the volume's, if that holds nothing yet. */
static int fill_bind(const struct mount_op *op, int mount_fd, int dest_fd, struct error *err)
{
	cleanup_fd int from_fd = openat(dest_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int to_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (from_fd < 0 || to_fd < 0)
		return error_sys(err, "cannot open '%s'", op->dest);
	r = dir_is_empty(to_fd, err);
	if (r == 1)
		r = dir_copy_tree(from_fd, to_fd, err); /* the mode of the directory, too */
	return r < 0 ? error_prefix(err, r, "filling '%s'", op->dest) : 0;
}

static int apply_bind(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int own_fd = -EBADF;
	cleanup_fd int dest_fd = -EBADF;
	int mount_fd = -EBADF;
	struct stat st;
	int r;

	r = open_source(op, &own_fd, &mount_fd, err);
	if (r < 0)
		return error_prefix(err, r, "mounting '%s'", op->dest);
	if (fstat(mount_fd, &st) < 0)
		return error_sys(err, "cannot stat '%s'", op->source);
	if ((op->flags & MOUNT_OP_F_PROC) && !is_proc(mount_fd))
		return error_kind(err, ERROR_INVALID,
				  "mounts: '%s' on '/proc' is not a proc file system", op->source);
	r = set_attributes(op, mount_fd, err);
	if (r >= 0)
		r = mounter_open_target(m, op, st.st_mode, &dest_fd, err);
	if (r >= 0)
		r = check_destination(op, dest_fd, err);
	if (r >= 0 && op->options.fill)
		r = fill_bind(op, mount_fd, dest_fd, err);
	if (r < 0)
		return r;
	return mounter_attach(m, op, mount_fd, dest_fd, err);
}

static int set_label(const struct mount_op *op, int mount_fd, struct error *err)
{
	cleanup_fd int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, "security.selinux", op->label, strlen(op->label) + 1, 0) < 0)
		return error_sys(err, "cannot set linux.mountLabel '%s'", op->label);
	return 0;
}

static int apply_fs(struct mounter *m, const struct mount_op *op, struct error *err)
{
	const struct mount_options *o = &op->options;
	bool tmpfs = str_eq(op->fs_type, "tmpfs");
	uint64_t fill_first = tmpfs ? MOUNT_ATTR_RDONLY : 0;
	cleanup_fd int mount_fd = -EBADF;
	cleanup_fd int dest_fd = -EBADF;
	int r;

	r = mounter_open_target(m, op, S_IFDIR, &dest_fd, err);
	if (r >= 0)
		r = check_destination(op, dest_fd, err);
	if (r < 0)
		return r;
	if (str_eq(op->fs_type, "overlay"))
		r = overlay_mount(op, NULL, &mount_fd, err);
	else
		r = mount_fs(op->fs_type, op->source, o->params, o->n_params, o->set & ~fill_first,
			     &mount_fd, err);
	if (r == -EPERM && op->host_path) {
		struct mount_op bind = *op;

		mount_op_bind_host(&bind);
		return apply_bind(m, &bind, err);
	}
	if (r >= 0 && tmpfs)
		r = fill_tmpfs(op, mount_fd, dest_fd, err);
	if (r >= 0 && op->label)
		r = set_label(op, mount_fd, err);
	if (r >= 0 && (o->set & fill_first))
		r = set_attributes(op, mount_fd, err);
	if (r < 0)
		return error_prefix(err, r, "mounting '%s'", op->dest);
	return mounter_attach(m, op, mount_fd, dest_fd, err);
}

static int apply_remount(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int fd = mounter_open(m, op);
	int r;

	if (fd < 0)
		return error_num(err, -fd, "cannot open '%s'", op->dest);
	if (op->kind == MOUNT_OP_REMOUNT && mount_is_root(fd) == 0)
		return error_kind(err, ERROR_INVALID,
				  "mounts: '%s' cannot be remounted, it is not a mount point",
				  op->dest);
	r = set_attributes(op, fd, err);
	if (r >= 0 && set_propagation(op, fd) < 0)
		return error_num(err, EINVAL, "cannot set the propagation of '%s'", op->dest);
	return r;
}

static int apply_dir(struct mounter *m, const struct mount_op *op, struct error *err)
{
	const char *name;
	int dir_fd = mounter_open_parent(m, op, &name, err);

	if (dir_fd < 0)
		return dir_fd;
	if (mkdirat(dir_fd, name, op->mode) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make directory '%s'", op->dest);
	return 0;
}

static int apply_root(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int own_fd = -EBADF;
	struct stat st;
	int fd = -EBADF, r;

	if (op->kind == MOUNT_OP_ROOT_BIND) {
		r = open_source(op, &own_fd, &fd, err);
		if (r >= 0)
			r = set_attributes(op, fd, err);
		if (r < 0)
			return error_prefix(err, r, "mounting the rootfs");
		if (op->source_fd >= 0)
			own_fd = fcntl(op->source_fd, F_DUPFD_CLOEXEC, 0);
	} else if (str_eq(op->fs_type, "overlay")) {
		r = overlay_mount(op, m->rootfs_path, &own_fd, err);
	} else {
		r = mount_fs(op->fs_type, op->source, op->options.params, op->options.n_params,
			     op->options.set, &own_fd, err);
	}
	if (r < 0)
		return error_prefix(err, r, "mounting the rootfs");
	if (own_fd < 0 || fstat(own_fd, &st) < 0)
		return error_sys(err, "cannot stat the rootfs");
	if (!S_ISDIR(st.st_mode))
		return error_kind(err, ERROR_INVALID, "'%s' is not a directory", op->source);
	if (r == 0) {
		r = m->on_host ? host_mounts_attach(own_fd, m->rootfs_path, err)
			       : pivot_attach_root(own_fd, err);
		if (r < 0)
			return r;
	}
	if (set_propagation(op, own_fd) < 0)
		return error_num(err, EINVAL, "cannot set the propagation of the rootfs");
	m->root_fd = take_fd(&own_fd);
	return 0;
}

static int (*const appliers[])(struct mounter *, const struct mount_op *, struct error *) = {
	[MOUNT_OP_ROOT_BIND] = apply_root,
	[MOUNT_OP_ROOT_FS] = apply_root,
	[MOUNT_OP_FS] = apply_fs,
	[MOUNT_OP_BIND] = apply_bind,
	[MOUNT_OP_REMOUNT] = apply_remount,
	[MOUNT_OP_DIR] = apply_dir,
	[MOUNT_OP_DEVICE] = device_apply,
	[MOUNT_OP_SYMLINK] = symlink_apply,
	[MOUNT_OP_READ_ONLY] = read_only_apply,
	[MOUNT_OP_MASK] = mask_apply,
	[MOUNT_OP_SEAL] = apply_remount,
};

int mount_op_error(const struct mount_op *op, int r, struct error *err)
{
	if (op->entry && !str_after(err->msg, "mounts["))
		return error_prefix(err, r, "mounts[%zu]", op->entry - 1);
	if (op->kind == MOUNT_OP_ROOT_BIND && !str_after(err->msg, "mounts["))
		return error_prefix(err, r, "root.path");
	return r;
}

int mount_apply(struct mounter *m, const struct mount_op *op, struct error *err)
{
	int r = appliers[op->kind](m, op, err);

	return r < 0 ? mount_op_error(op, r, err) : r;
}
