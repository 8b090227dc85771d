/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Device nodes and the links that every program expects in /dev. Sources: runtime-spec
 * config-linux.md "Default Devices", "Devices", "/dev symbolic links".
 *
 * Nodes are made relative to the fd of their directory, and a name that exists is never followed,
 * opened or replaced: it is the right node already, or an error.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/rootfs.h"

static const struct {
	const char *path;
	unsigned major, minor;
} default_nodes[] = {
	{ "/dev/full", 1, 7 }, { "/dev/null", 1, 3 },	 { "/dev/random", 1, 8 },
	{ "/dev/tty", 5, 0 },  { "/dev/urandom", 1, 9 }, { "/dev/zero", 1, 5 },
};

#define KCORE "/proc/kcore" /* only of a kernel that has it */

static const struct {
	const char *path;
	const char *target;
} default_links[] = {
	{ "/dev/fd", "/proc/self/fd" },	      { "/dev/ptmx", "pts/ptmx" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/core", KCORE },
};

/* A /dev that the user binds is his business. */
static bool dev_is_bound(const struct mount_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].kind == MOUNT_OP_BIND && str_eq(p->ops[i].dest, "/dev"))
			return true;
	return false;
}

static bool is_listed(const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->linux_.n_devices; i++)
		if (str_eq(spec->linux_.devices[i].path, path))
			return true;
	return false;
}

static void add_node(const struct mount_plan_input *in, struct mount_plan *p, const char *path,
		     mode_t mode, dev_t device, uid_t uid, gid_t gid)
{
	struct mount_op *op = mount_plan_add(p, MOUNT_OP_DEVICE, path);

	op->mode = mode;
	op->device = device;
	op->uid = uid;
	op->gid = gid;
	if (in->user_namespace && !S_ISFIFO(mode)) { /* mknod(2) of devices is for the first one */
		op->flags |= MOUNT_OP_F_BIND_NODE;
		op->source = path;
	}
}

static int plan_listed(const struct mount_plan_input *in, struct mount_plan *p, size_t i,
		       struct error *err)
{
	const struct oci_device *d = &in->spec->linux_.devices[i];
	mode_t mode = d->file_mode.set ? (mode_t)d->file_mode.value & 07777 : 0666;
	cleanup_free char *clean = NULL;

	if (d->path[0] != '/')
		return error_kind(err, ERROR_INVALID, "linux.devices[%zu].path: not absolute", i);
	clean = path_clean(d->path);
	mode |= d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
	add_node(in, p, arena_strdup(p->arena, clean), mode,
		 d->type == 'p' ? 0 : makedev((unsigned)d->major, (unsigned)d->minor), d->uid,
		 d->gid);
	return 0;
}

int device_plan(const struct mount_plan_input *in, struct mount_plan *p, struct error *err)
{
	bool bound = dev_is_bound(p);
	int r = 0;

	for (size_t i = 0; !bound && i < ARRAY_SIZE(default_nodes); i++)
		if (!is_listed(in->spec, default_nodes[i].path))
			add_node(in, p, default_nodes[i].path, S_IFCHR | 0666,
				 makedev(default_nodes[i].major, default_nodes[i].minor), 0, 0);
	for (size_t i = 0; r >= 0 && i < in->spec->linux_.n_devices; i++)
		r = plan_listed(in, p, i, err);
	for (size_t i = 0; !bound && i < ARRAY_SIZE(default_links); i++)
		if (!str_eq(default_links[i].target, KCORE) || access(KCORE, F_OK) == 0)
			mount_plan_add(p, MOUNT_OP_SYMLINK, default_links[i].path)->source =
				default_links[i].target;
	return r;
}

static int bind_node(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int clone_fd = -EBADF;
	cleanup_fd int dest_fd = -EBADF;
	int mount_fd = op->source_fd;
	struct stat st;
	int r;

	if (mount_fd < 0) {
		r = mount_clone(AT_FDCWD, op->source, false, &clone_fd, err);
		if (r < 0)
			return r;
		mount_fd = clone_fd;
	}
	if (fstat(mount_fd, &st) < 0)
		return error_sys(err, "cannot stat device '%s'", op->source);
	if ((st.st_mode & S_IFMT) != (op->mode & S_IFMT) || st.st_rdev != op->device)
		return error_kind(err, ERROR_INVALID,
				  "the host's '%s' is not device %u:%u, and new nodes cannot be "
				  "made in a user namespace",
				  op->source, major(op->device), minor(op->device));
	r = mounter_open_target(m, op, S_IFREG, &dest_fd, err);
	if (r < 0)
		return r;
	return mounter_attach(m, op, mount_fd, dest_fd, err);
}

static int check_existing(int dir_fd, const char *name, const struct mount_op *op,
			  struct error *err)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot stat '%s'", op->dest);
	if ((st.st_mode & S_IFMT) == (op->mode & S_IFMT) &&
	    (S_ISFIFO(st.st_mode) || st.st_rdev == op->device))
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "'%s' exists in the rootfs and is not the device it should be", op->dest);
}

int device_apply(struct mounter *m, const struct mount_op *op, struct error *err)
{
	const char *name;
	int dir_fd;

	if (op->flags & MOUNT_OP_F_BIND_NODE)
		return bind_node(m, op, err);
	dir_fd = mounter_open_parent(m, op, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	if (mknodat(dir_fd, name, op->mode, op->device) < 0) {
		if (errno == EEXIST)
			return check_existing(dir_fd, name, op, err);
		if (errno == EPERM && !S_ISFIFO(op->mode)) { /* we are in a user namespace */
			struct mount_op bind = *op;

			bind.source = op->dest;
			return bind_node(m, &bind, err);
		}
		return error_sys(err, "cannot make device '%s'", op->dest);
	}
	if ((op->uid || op->gid) &&
	    fchownat(dir_fd, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot change the owner of '%s'", op->dest);
	return 0;
}

static int check_link(int dir_fd, const char *name, const struct mount_op *op, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));

	if (n >= 0 && (size_t)n == strlen(op->source) && memcmp(target, op->source, (size_t)n) == 0)
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "'%s' exists in the rootfs and is not a symlink to '%s'", op->dest,
			  op->source);
}

int symlink_apply(struct mounter *m, const struct mount_op *op, struct error *err)
{
	const char *name;
	int dir_fd = mounter_open_parent(m, op, &name, err);

	if (dir_fd < 0)
		return dir_fd;
	if (symlinkat(op->source, dir_fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, "cannot make symlink '%s'", op->dest);
	/* what an image brings under the names of ours is left alone */
	return op->flags & MOUNT_OP_F_SAME_LINK ? check_link(dir_fd, name, op, err) : 0;
}
