/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rootfs is not mounted when a container is made, so /etc/passwd and /etc/group are found as
 * overlayfs would: in the topmost layer that has them, unless a whiteout or an opaque directory
 * above hides them. Mostly one layer has both, and is used as it is.
 *
 * LIMIT: a symlink (/etc, or the file) is followed inside its own layer only. A read-only overlay
 * mounted on a detached fd would lift that, and needs privilege.
 */
#include "engine/rootfs_user.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/mountapi.h"

enum found { FOUND_HERE, FOUND_BELOW, FOUND_NOWHERE };

static bool is_opaque(int dir_fd)
{
	char value;

	return (fgetxattr(dir_fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y') ||
	       (fgetxattr(dir_fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y');
}

static enum found look(int layer_fd, const char *name)
{
	cleanup_fd int etc_fd = path_open_in_root(layer_fd, "etc", O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (etc_fd == -ENOENT)
		return FOUND_BELOW;
	if (etc_fd < 0)
		return FOUND_NOWHERE; /* a file or a whiteout hides all below */
	if (fstatat(etc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_opaque(etc_fd) ? FOUND_NOWHERE : FOUND_BELOW;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) ? FOUND_NOWHERE : FOUND_HERE;
}

/* Top first. */
struct layers {
	int *fds;
	size_t n;
};

static void layers_done(struct layers *layers)
{
	while (layers->n > 0)
		close(layers->fds[--layers->n]);
	free(layers->fds);
}
#define cleanup_layers __attribute__((cleanup(layers_done)))

static int layers_open(char *const *paths, struct layers *ret, struct error *err)
{
	size_t n = strv_len(paths);

	*ret = (struct layers){ .fds = xcalloc(n + 1, sizeof(int)) };
	for (; ret->n < n; ret->n++) {
		int r = mount_open_layer(paths[ret->n], &ret->fds[ret->n], NULL, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The index of the layer whose etc/name the container sees; or no layer has it; or one has, but
 * it is hidden. */
enum { LAYER_NONE = -1, LAYER_HIDDEN = -2 };

static int find_layer(const struct layers *layers, const char *name)
{
	for (int i = 0; i < (int)layers->n; i++) {
		switch (look(layers->fds[i], name)) {
		case FOUND_HERE:
			return i;
		case FOUND_BELOW:
			break;
		case FOUND_NOWHERE:
			return LAYER_HIDDEN;
		}
	}
	return LAYER_NONE;
}

static int copy_file(int layer_fd, const char *name, int etc_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	cleanup_free char *path = path_join("etc", name), *data = NULL;
	struct stat st;
	size_t len;
	int r;

	/* O_NONBLOCK: a fifo must not hang us */
	fd = path_open_in_root(layer_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0; /* as if it were not there */
	r = file_read_fd(fd, path, USER_FILE_MAX_BYTES, &data, &len, err);
	if (r < 0)
		return r;
	return file_write_atomic(etc_fd, name, data, len, 0600, 0, err);
}

/* Both files side by side, from different layers. */
static int copy_files(const struct layers *layers, int passwd, int group, int root_fd,
		      struct error *err)
{
	cleanup_fd int etc_fd = -EBADF;
	int r;

	if (mkdirat(root_fd, "etc", 0700) < 0)
		return error_sys(err, "cannot make a directory for user names");
	etc_fd = openat(root_fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc_fd < 0)
		return error_sys(err, "cannot open the directory for user names");
	r = passwd >= 0 ? copy_file(layers->fds[passwd], "passwd", etc_fd, err) : 0;
	if (r < 0)
		return r;
	return group >= 0 ? copy_file(layers->fds[group], "group", etc_fd, err) : 0;
}

static int resolve_in(int root_fd, const char *user, char *const *groups, struct user_identity *ret,
		      struct error *err)
{
	int r = user_resolve(root_fd, user, ret, err);

	if (r < 0)
		return r;
	r = user_add_groups(root_fd, groups, ret, err);
	if (r < 0)
		user_identity_done(ret);
	return r;
}

static int resolve_in_copy(const struct layers *layers, int passwd, int group, int scratch_fd,
			   const char *user, char *const *groups, struct user_identity *ret,
			   struct error *err)
{
	static const char scratch[] = "user-names";
	cleanup_fd int root_fd = -EBADF;
	int r, cleaned;

	if (mkdirat(scratch_fd, scratch, 0700) < 0)
		return error_sys(err, "cannot make a directory for user names");
	root_fd = openat(scratch_fd, scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_sys(err, "cannot open the directory for user names");
	r = copy_files(layers, passwd, group, root_fd, err);
	if (r >= 0)
		r = resolve_in(root_fd, user, groups, ret, err);
	cleaned = dir_remove_tree(scratch_fd, scratch, r < 0 ? NULL : err);
	if (r >= 0 && cleaned < 0)
		user_identity_done(ret);
	return r < 0 ? r : cleaned;
}

int rootfs_user_resolve(char *const *lowerdirs, int scratch_fd, const char *user,
			char *const *groups, struct user_identity *ret, struct error *err)
{
	cleanup_layers struct layers layers = { 0 };
	int passwd, group, layer, r = layers_open(lowerdirs, &layers, err);

	if (r < 0)
		return r;
	passwd = find_layer(&layers, "passwd");
	group = find_layer(&layers, "group");
	layer = MAX(passwd, group);
	/* One layer will do if it has both, or one while no layer has the other. */
	if (layer < 0 || (passwd != group && passwd != LAYER_NONE && group != LAYER_NONE))
		return resolve_in_copy(&layers, passwd, group, scratch_fd, user, groups, ret, err);
	return resolve_in(layers.fds[layer], user, groups, ret, err);
}
