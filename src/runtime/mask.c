/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Paths that are hidden or made read-only. Files are hidden under the host's /dev/null, which is
 * opened before anything of the image is looked at and checked to be it (CVE-2025-31133 used the
 * image's own), directories under one empty read-only tmpfs that all of them share.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "oci/spec.h"
#include "runtime/rootfs.h"

static int plan_paths(const struct mount_plan_input *in, const char *const *paths, size_t n,
		      enum mount_op_kind kind, const char *field, struct mount_plan *p,
		      struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *clean = NULL;
		struct mount_op *op;

		if (paths[i][0] != '/')
			return error_kind(err, ERROR_INVALID, "%s[%zu]: '%s' is not absolute",
					  field, i, paths[i]);
		clean = path_clean(paths[i]);
		op = mount_plan_add(p, kind, arena_strdup(p->arena, clean));
		op->flags = MOUNT_OP_F_OPTIONAL;
		if (kind == MOUNT_OP_MASK)
			mount_op_set_label(in, p, op);
	}
	return 0;
}

int mask_plan(const struct mount_plan_input *in, struct mount_plan *p, struct error *err)
{
	const struct oci_linux *l = &in->spec->linux_;
	int r = plan_paths(in, l->readonly_paths, l->n_readonly_paths, MOUNT_OP_READ_ONLY,
			   "linux.readonlyPaths", p, err);

	if (r >= 0)
		r = plan_paths(in, l->masked_paths, l->n_masked_paths, MOUNT_OP_MASK,
			       "linux.maskedPaths", p, err);
	return r;
}

/*
 * A detached, empty, read-only directory: made once, copied for each use. Its label is that of all
 * other mounts of the container, which else might not even read that it is empty.
 */
static int empty_directory(struct mounter *m, const struct mount_op *op, int *ret_mount_fd,
			   struct error *err)
{
	struct mount_param params[] = { { "size", "0" }, { "nr_inodes", "2" }, { NULL, NULL } };
	size_t n = ARRAY_SIZE(params) - 1;
	int r;

	if (op->options.n_params > 0)
		params[n++] = op->options.params[0];
	if (m->empty_fd < 0) {
		r = mount_fs("tmpfs", "tmpfs", params, n,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC,
			     &m->empty_fd, err);
		if (r < 0)
			return r;
		*ret_mount_fd = m->empty_fd; /* attached first, so that it can be copied */
		return 0;
	}
	return mount_clone(m->empty_fd, "", false, ret_mount_fd, err);
}

int mask_apply(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int dest_fd = mounter_open(m, op);
	cleanup_fd int copy_fd = -EBADF;
	int mount_fd = -EBADF;
	struct stat st;
	int r;

	if (dest_fd == -ENOENT || dest_fd == -ENOTDIR)
		return 0;
	if (dest_fd < 0)
		return error_num(err, -dest_fd, "cannot open '%s' to mask it", op->dest);
	if (fstat(dest_fd, &st) < 0)
		return error_sys(err, "cannot stat '%s'", op->dest);
	if (S_ISDIR(st.st_mode)) {
		r = empty_directory(m, op, &mount_fd, err);
		if (r >= 0 && mount_fd != m->empty_fd)
			copy_fd = mount_fd;
	} else {
		int null_fd = mounter_null_fd(m, err);

		r = null_fd < 0 ? null_fd : mount_clone(null_fd, "", false, &copy_fd, err);
		mount_fd = copy_fd;
	}
	if (r < 0)
		return error_prefix(err, r, "cannot mask '%s'", op->dest);
	return mounter_attach(m, op, mount_fd, dest_fd, err);
}

int read_only_apply(struct mounter *m, const struct mount_op *op, struct error *err)
{
	cleanup_fd int dest_fd = mounter_open(m, op);
	cleanup_fd int mount_fd = -EBADF;
	int r;

	if (dest_fd == -ENOENT || dest_fd == -ENOTDIR)
		return 0;
	if (dest_fd < 0)
		return error_num(err, -dest_fd, "cannot open '%s' to make it read-only", op->dest);
	r = mount_clone(dest_fd, "", true, &mount_fd, err);
	if (r < 0)
		return error_prefix(err, r, "cannot make '%s' read-only", op->dest);
	r = mount_set_attributes(mount_fd, true, MOUNT_ATTR_RDONLY, 0, 0, -1);
	if (r < 0)
		return error_num(err, -r, "cannot make '%s' read-only", op->dest);
	return mounter_attach(m, op, mount_fd, dest_fd, err);
}
