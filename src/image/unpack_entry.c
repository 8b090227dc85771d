/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/unpack_private.h"

#define CREATE_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

/* Outcome of make_room(): a directory meets a directory, they are one. */
#define ROOM_MERGED 1

/*
 * Later entries replace earlier ones of the same name, as they do for tar; only directories merge.
 * ret_opaque: a whiteout stood there, so a new directory must keep hiding the one below.
 */
static int make_room(struct unpack *u, const struct unpack_entry *e, bool *ret_opaque,
		     struct error *err)
{
	struct stat st;

	if (fstatat(e->parent_fd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot stat it");
	if (S_ISDIR(st.st_mode) && e->member->type == ARCHIVE_DIR)
		return ROOM_MERGED;
	*ret_opaque = whiteout_is(&st);
	u->parent_stale = S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode);
	return dir_remove_tree(e->parent_fd, e->name, err);
}

static int owner_error(uint64_t uid, uint64_t gid, struct error *err)
{
	return error_sys(err, "cannot set its owner %llu:%llu%s", (unsigned long long)uid,
			 (unsigned long long)gid,
			 errno == EINVAL ? ": your user namespace has no such id, it takes more "
					   "in /etc/subuid and /etc/subgid"
					 : "");
}

static int set_owner(struct unpack *u, int fd, const char *name, const struct archive_member *m,
		     struct error *err)
{
	if (m->uid == u->euid && m->gid == u->egid)
		return 0;
	if (u->flags & UNPACK_ONE_OWNER)
		return 0;
	if (m->uid >= UINT32_MAX || m->gid >= UINT32_MAX)
		return error_kind(err, ERROR_INVALID, "its owner is out of range");
	if (fchownat(fd, name, (uid_t)m->uid, (gid_t)m->gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) <
	    0)
		return owner_error(m->uid, m->gid, err);
	return 0;
}

/*
 * overlay's own attributes are how we speak to overlayfs, labels and signatures (security.selinux,
 * security.ima) how the host's security modules know their own: an archive has no say there.
 */
bool unpack_refuses_xattr(const char *name)
{
	return str_after(name, "trusted.overlay.") || str_after(name, "user.overlay.") ||
	       (str_after(name, "security.") && !str_eq(name, "security.capability"));
}

/*
 * Attributes that the host's file system does not have are left out, as everybody does; file
 * capabilities are not: the program would fail later and nobody would know why.
 */
static int set_xattr(struct unpack *u, const char *path, const char *name, const void *value,
		     size_t len, struct error *err)
{
	if (unpack_refuses_xattr(name)) {
		log_debug("attribute %s in a layer is left out", name);
		return 0;
	}
	if (setxattr(path, name, value, len, 0) == 0)
		return 0;
	if (!str_eq(name, "security.capability") &&
	    (errno == EOPNOTSUPP || (errno == EPERM && !str_after(name, "user.")))) {
		log_debug("attribute %s cannot be kept here: %s", name, strerror(errno));
		return 0;
	}
	if (u->flags & UNPACK_USERNS && errno == EPERM)
		return 0;
	return error_sys(err, "cannot set its attribute %.80s", name);
}

/* fd: any fd of the entry itself, O_PATH too. */
static int set_xattrs(struct unpack *u, int fd, const struct archive_member *m, struct error *err)
{
	const struct fd_path path = fd_proc_path(fd);
	const void *value;
	const char *name;
	size_t len;

	if (m->n_xattrs > UNPACK_XATTRS_MAX)
		return error_kind(err, ERROR_INVALID, "it has more than %d attributes",
				  UNPACK_XATTRS_MAX);
	while (archive_reader_xattr(u->archive, &name, &value, &len)) {
		int r = set_xattr(u, path.s, name, value, len, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_xattrs_by_name(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	cleanup_fd int fd = -EBADF;

	if (e->member->n_xattrs == 0)
		return 0;
	fd = openat(e->parent_fd, e->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot open it");
	return set_xattrs(u, fd, e->member, err);
}

int unpack_too_big(const struct unpack_limits *limits, struct error *err)
{
	unsigned long long max = limits->max_bytes;

	if (limits->is_space)
		return error_num(err, ENOSPC,
				 "the layer unpacks to more than %llu bytes, which are free", max);
	return error_kind(err, ERROR_INVALID, "the layer unpacks to more than %llu bytes", max);
}

static int write_content(struct unpack *u, int fd, const struct archive_member *m,
			 struct error *err)
{
	uint64_t offset = 0, end = 0;
	const void *data;
	size_t len;
	int r;

	if (m->size == 0)
		return 0;
	while ((r = archive_reader_data(u->archive, &data, &len, &offset, err)) == 0) {
		const char *p = data;

		if (len > u->limits->max_bytes - u->written)
			return unpack_too_big(u->limits, err);
		u->written += len;
		end = offset + len;
		while (len > 0) {
			ssize_t n = pwrite(fd, p, len, (off_t)offset);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return error_sys(err, "cannot write it");
			p += n;
			offset += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	if (r < 0)
		return r;
	if (end < m->size && ftruncate(fd, (off_t)m->size) < 0) /* a hole at its end */
		return error_sys(err, "cannot give it its size");
	u->done.bytes += m->size;
	return 0;
}

static int make_file(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	const struct archive_member *m = e->member;
	const struct timespec times[2] = { m->atime, m->mtime };
	cleanup_fd int fd = openat(e->parent_fd, e->name, CREATE_FLAGS, m->mode & 0777);
	int r;

	if (fd < 0)
		return errno == EEXIST ? -EEXIST : error_sys(err, "cannot create it");
	r = write_content(u, fd, m, err);
	if (r == 0)
		r = set_owner(u, fd, "", m, err);
	if (r < 0)
		return r;
	if (((m->mode & u->umask) || (m->mode & 07000)) && fchmod(fd, m->mode) < 0)
		return error_sys(err, "cannot set its mode");
	if (m->n_xattrs > 0) { /* after write and chown, which drop file capabilities */
		r = set_xattrs(u, fd, m, err);
		if (r < 0)
			return r;
	}
	if (futimens(fd, times) < 0)
		return error_sys(err, "cannot set its times");
	return 0;
}

int unpack_count_dir(const char *path, size_t *bytes, struct error *err)
{
	*bytes += sizeof(struct pending_dir) + strlen(path) + 1;
	if (*bytes > UNPACK_DIRS_MAX_BYTES)
		return error_kind(err, ERROR_INVALID,
				  "the layer's directories take more than %d MiB of memory",
				  UNPACK_DIRS_MAX_BYTES >> 20);
	return 0;
}

static int remember_dir(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	const struct archive_member *m = e->member;
	int r;

	if (m->uid >= UINT32_MAX || m->gid >= UINT32_MAX)
		return error_kind(err, ERROR_INVALID, "its owner is out of range");
	r = unpack_count_dir(e->path, &u->dirs_bytes, err);
	if (r < 0)
		return r;
	u->dirs = array_grow(u->dirs, u->n_dirs, &u->dirs_capacity, sizeof(*u->dirs));
	u->dirs[u->n_dirs++] = (struct pending_dir){
		.path = xstrdup(e->path),
		.mode = m->mode,
		.uid = (uid_t)m->uid,
		.gid = (gid_t)m->gid,
		.times = { m->atime, m->mtime },
	};
	return 0;
}

static int make_dir(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	if (*e->name && mkdirat(e->parent_fd, e->name, 0700) < 0)
		return errno == EEXIST ? -EEXIST : error_sys(err, "cannot create it");
	return 0;
}

int unpack_finish_dir(struct unpack *u, const struct pending_dir *dir, struct error *err)
{
	cleanup_fd int fd =
		path_open_in_root(u->root_fd, dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0; /* a later entry replaced it */
	if (fd < 0)
		return error_num(err, -fd, "cannot open it");
	if ((dir->uid != u->euid || dir->gid != u->egid) && !(u->flags & UNPACK_ONE_OWNER) &&
	    fchown(fd, dir->uid, dir->gid) < 0)
		return owner_error(dir->uid, dir->gid, err);
	if (fchmod(fd, dir->mode) < 0)
		return error_sys(err, "cannot set its mode");
	if (futimens(fd, dir->times) < 0)
		return error_sys(err, "cannot set its times");
	return 0;
}

static int make_symlink(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	if (symlinkat(e->member->link, e->parent_fd, e->name) < 0)
		return errno == EEXIST ? -EEXIST : error_sys(err, "cannot create it");
	u->done.bytes += strlen(e->member->link);
	return 0;
}

/* Not followed, so that a link to a symlink is one (AT_SYMLINK_FOLLOW is not given); the way to the
 * target is resolved inside the root like everything. */
static int make_hardlink(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	char target[PATH_MAX];
	char *slash;

	if (unpack_clean_path(e->member->link, target) <= 0)
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which leads out of the layer",
				  e->member->link);
	if (str_eq(target, e->path))
		return 0;
	slash = strrchr(target, '/');
	if (slash) {
		*slash = '\0';
		fd = path_open_in_root(u->root_fd, target, O_PATH | O_DIRECTORY, 0);
		if (fd < 0)
			errno = -fd;
	}
	if ((!slash || fd >= 0) && linkat(slash ? fd : u->root_fd, slash ? slash + 1 : target,
					  e->parent_fd, e->name, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which is not in the layer",
				  e->member->link);
	if (errno == EPERM)
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which is a directory",
				  e->member->link);
	return error_sys(err, "cannot link it to '%.200s'", e->member->link);
}

static int make_node(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	static const mode_t types[] = {
		[ARCHIVE_CHAR] = S_IFCHR,
		[ARCHIVE_BLOCK] = S_IFBLK,
		[ARCHIVE_FIFO] = S_IFIFO,
	};
	const struct archive_member *m = e->member;
	dev_t dev = m->type == ARCHIVE_FIFO ? 0 : makedev(m->major, m->minor);

	if (mknodat(e->parent_fd, e->name, types[m->type] | 0600, dev) < 0) {
		if (errno == EEXIST)
			return -EEXIST;
		return error_sys(err, "cannot create it");
	}
	return 0;
}

static int refuse_type(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	return error_kind(err, ERROR_INVALID, "it is of a kind that no layer can hold");
}

/* What makes an entry; -EEXIST without a filled error: the name is taken. */
static int (*const makers[])(struct unpack *, const struct unpack_entry *, struct error *) = {
	[ARCHIVE_FILE] = make_file,	  [ARCHIVE_HARDLINK] = make_hardlink,
	[ARCHIVE_SYMLINK] = make_symlink, [ARCHIVE_DIR] = make_dir,
	[ARCHIVE_CHAR] = make_node,	  [ARCHIVE_BLOCK] = make_node,
	[ARCHIVE_FIFO] = make_node,	  [ARCHIVE_OTHER] = refuse_type,
};

/* Owner, mode, attributes and times of symlinks and nodes, which have no fd to write to. */
static int finish_by_name(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	const struct archive_member *m = e->member;
	const struct timespec times[2] = { m->atime, m->mtime };
	int r = set_owner(u, e->parent_fd, e->name, m, err);

	if (r < 0)
		return r;
	if (m->type != ARCHIVE_SYMLINK && fchmodat(e->parent_fd, e->name, m->mode, 0) < 0)
		return error_sys(err, "cannot set its mode");
	r = set_xattrs_by_name(u, e, err);
	if (r < 0)
		return r;
	if (utimensat(e->parent_fd, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot set its times");
	return 0;
}

static int finish_entry(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	int r;

	switch (e->member->type) {
	case ARCHIVE_FILE:
	case ARCHIVE_HARDLINK:
		return 0;
	case ARCHIVE_DIR:
		r = *e->name ? set_xattrs_by_name(u, e, err) : 0;
		return r < 0 ? r : remember_dir(u, e, err);
	default:
		return finish_by_name(u, e, err);
	}
}

/* Device nodes are beyond an ordinary user; the containers such a user can start could not open
 * them either. */
static bool is_left_out(const struct unpack *u, const struct archive_member *m)
{
	return u->flags & UNPACK_USERNS && (m->type == ARCHIVE_CHAR || m->type == ARCHIVE_BLOCK);
}

int unpack_make_entry(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	bool opaque = false;
	int r;

	if (!*e->name && e->member->type != ARCHIVE_DIR)
		return error_kind(err, ERROR_INVALID, "it would replace the root directory");
	if (is_left_out(u, e->member))
		return 0;
	r = makers[e->member->type](u, e, err);
	if (r == -EEXIST) {
		r = make_room(u, e, &opaque, err);
		if (r == 0)
			r = makers[e->member->type](u, e, err);
		if (r == -EEXIST)
			return error_num(err, EEXIST, "somebody else changes the layer");
	}
	if (r < 0)
		return r;
	if (opaque && e->member->type == ARCHIVE_DIR) {
		r = whiteout_make_opaque(u, e->parent_fd, e->name, err);
		if (r < 0)
			return r;
	}
	return finish_entry(u, e, err);
}
