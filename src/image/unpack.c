/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every entry is made by its last name in a directory that was opened with openat2() inside the
 * layer's root, so absolute names, "..", and symlinks that an earlier entry planted all end inside
 * it, whatever happens in between. Archives list a directory's files together: the last parent is
 * kept open.
 *
 * Directories are made with mode 0700 and get their attributes when all entries are there: their
 * times would change with each entry, a read-only one could not be filled by an ordinary user, and
 * a set-group-ID one would hand its group to what is made in it.
 */
#include "image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/unpack_private.h"
#include "kernel/idmap.h"

#define STATUS_MAX_BYTES (64 << 10)

int unpack_clean_path(const char *name, char *out)
{
	size_t len = 0;
	int depth = 0;

	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && memcmp(name, "..", 2) == 0) {
			if (depth == 0)
				return -EXDEV;
			while (len > 0 && out[len - 1] != '/')
				len--;
			len -= len > 0;
			depth--;
		} else if (n > 0 && !(n == 1 && *name == '.')) {
			if (len + n + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			if (len > 0)
				out[len++] = '/';
			memcpy(out + len, name, n);
			len += n;
			if (++depth > UNPACK_DEPTH_MAX)
				return -ELOOP;
		}
		name += n;
		name += strspn(name, "/");
	}
	out[len] = '\0';
	return depth;
}

static void forget_parent(struct unpack *u)
{
	if (u->parent_fd >= 0)
		close(u->parent_fd);
	u->parent_fd = -EBADF;
	u->parent_stale = false;
}

/* Opens the directory above path, making what is missing. ret_name points into path. */
static int unpack_open_parent(struct unpack *u, const char *path, int *ret_fd,
			      const char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int r;

	*ret_name = slash ? slash + 1 : path;
	if (!slash) {
		*ret_fd = u->root_fd;
		return 0;
	}
	if (u->parent_fd >= 0 && !u->parent_stale && strncmp(u->parent_path, path, len) == 0 &&
	    u->parent_path[len] == '\0') {
		*ret_fd = u->parent_fd;
		return 0;
	}

	forget_parent(u);
	memcpy(u->parent_path, path, len);
	u->parent_path[len] = '\0';
	u->parent_fd = path_open_in_root(u->root_fd, u->parent_path, O_PATH | O_DIRECTORY, 0);
	if (u->parent_fd == -ENOENT) { /* archives may leave directories out */
		r = path_mkdir_in_root(u->root_fd, u->parent_path, 0755, &u->parent_fd, err);
		if (r < 0)
			return error_kind(err, ERROR_INVALID,
					  "the directory above it cannot be made (%s)",
					  strerror(-r));
	}
	if (u->parent_fd == -ENOTDIR || u->parent_fd == -ELOOP)
		return error_kind(err, ERROR_INVALID, "what is above it is not a directory");
	if (u->parent_fd < 0)
		return error_num(err, -u->parent_fd, "cannot open the directory above it");
	*ret_fd = u->parent_fd;
	return 0;
}

static int unpack_whiteout(struct unpack *u, struct unpack_entry *e, enum whiteout_kind kind,
			   struct error *err)
{
	if (kind == WHITEOUT_OPAQUE)
		return whiteout_make_opaque(u, e->parent_fd, ".", err);
	return whiteout_make(u, e, err);
}

int unpack_refuse_path(int r, struct error *err)
{
	switch (r) {
	case -EXDEV:
		return error_kind(err, ERROR_INVALID, "its name leads out of the layer");
	case -ENAMETOOLONG:
		return error_kind(err, ERROR_INVALID, "its name is longer than %d bytes",
				  PATH_MAX - 1);
	default:
		return error_kind(err, ERROR_INVALID, "it is nested deeper than %d directories",
				  UNPACK_DEPTH_MAX);
	}
}

/* aufs kept its notes in directories of such names in a layer's root. */
bool unpack_is_aufs_note(const char *path)
{
	return str_after(path, ".wh..wh.") && whiteout_kind(path) != WHITEOUT_OPAQUE;
}

static int unpack_member(struct unpack *u, const struct archive_member *member, struct error *err)
{
	struct unpack_entry e = { .member = member };
	enum whiteout_kind kind;
	char path[PATH_MAX];
	int r = unpack_clean_path(member->path, path);

	if (r < 0)
		return unpack_refuse_path(r, err);
	if (u->done.entries++ >= u->limits->max_entries)
		return error_kind(err, ERROR_INVALID, "the layer has more than %llu entries",
				  (unsigned long long)u->limits->max_entries);
	if (unpack_is_aufs_note(path))
		return 0;
	e.path = path;
	r = unpack_open_parent(u, path, &e.parent_fd, &e.name, err);
	if (r < 0)
		return r;

	kind = whiteout_kind(e.name);
	if (kind == WHITEOUT_NONE)
		return unpack_make_entry(u, &e, err);
	return unpack_whiteout(u, &e, kind, err);
}

static int finish_dirs(struct unpack *u, struct error *err)
{
	for (size_t i = 0; i < u->n_dirs; i++) {
		int r = unpack_finish_dir(u, &u->dirs[i], err);

		if (r < 0)
			return error_prefix(err, r, "entry '%.200s'", u->dirs[i].path);
	}
	return 0;
}

/* umask(2) cannot be read without changing it, and other threads make files meanwhile. */
static int read_umask(mode_t *ret, struct error *err)
{
	cleanup_free char *status = NULL;
	const char *line;
	unsigned mask = 0;
	int r = file_read(AT_FDCWD, "/proc/self/status", STATUS_MAX_BYTES, &status, NULL, err);

	if (r < 0)
		return r;
	line = strstr(status, "\nUmask:");
	if (!line || sscanf(line, "\nUmask: %o", &mask) != 1)
		return error_kind(err, ERROR_INTERNAL, "no Umask in /proc/self/status");
	*ret = (mode_t)mask;
	return 0;
}

static int unpack_all(struct unpack *u, struct error *err)
{
	struct archive_member member;
	int r;

	while ((r = archive_reader_next(u->archive, &member, err)) == 0) {
		r = unpack_member(u, &member, err);
		if (r < 0)
			return error_prefix(err, r, "entry '%.200s'", member.path);
	}
	if (r < 0)
		return r;
	return finish_dirs(u, err);
}

unsigned unpack_own_flags(void)
{
	switch (idmap_own_extent()) {
	case IDMAP_ALL:
		return geteuid() == 0 ? 0 : UNPACK_ROOTLESS;
	case IDMAP_SOME:
		return UNPACK_USERNS;
	default:
		return UNPACK_ROOTLESS;
	}
}

int unpack_archive(struct archive_reader *a, int root_fd, const struct unpack_limits *limits,
		   unsigned flags, struct unpack_result *ret, struct error *err)
{
	struct unpack u = {
		.archive = a,
		.root_fd = root_fd,
		.limits = limits,
		.flags = flags,
		.euid = geteuid(),
		.egid = getegid(),
		.parent_fd = -EBADF,
	};
	int r = read_umask(&u.umask, err);

	if (r == 0)
		r = unpack_all(&u, err);
	forget_parent(&u);
	for (size_t i = 0; i < u.n_dirs; i++)
		free(u.dirs[i].path);
	free(u.dirs);
	if (r == 0)
		*ret = u.done;
	return r;
}
