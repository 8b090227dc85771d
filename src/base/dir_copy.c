/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Copying a tree by directory fds. An entry is made under its final name and gets its data, then
 * its owner, mode, xattrs and times, in this order: chown clears set-id bits and capabilities, and
 * everything changes the times. Of a file with several names the first is copied, the others are
 * linked to it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/mem.h"

#define COPY_DEPTH_MAX	  256
#define XATTRS_MAX_BYTES  65536 /* of all names and of one value: limits of the kernel */
#define HARD_LINK_BUCKETS 256

/* A file with more names than one, and where its copy is. */
struct hard_link {
	dev_t dev;
	ino_t ino;
	char *path; /* below the root of the copy */
	struct hard_link *next;
};

struct copy {
	int root_fd; /* of the copy */
	struct hard_link *links[HARD_LINK_BUCKETS];
	struct error *err;
};

static int copy_dir(struct copy *c, int src_fd, int dst_fd, const char *path, unsigned depth);

static int failed(struct copy *c, int sys, const char *path)
{
	return error_num(c->err, sys, "cannot copy '%s'", path);
}

/* The attributes of an entry through its /proc/self/fd path, as it may be a link or a device. */
static int copy_xattrs(struct copy *c, int src_fd, int dst_fd, const char *path)
{
	struct fd_path src = fd_proc_path(src_fd), dst = fd_proc_path(dst_fd);
	cleanup_free char *names = xmalloc(XATTRS_MAX_BYTES);
	cleanup_free char *value = NULL;
	ssize_t n = listxattr(src.s, names, XATTRS_MAX_BYTES);

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : failed(c, errno, path);
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t len;

		if (!value)
			value = xmalloc(XATTRS_MAX_BYTES);
		len = getxattr(src.s, name, value, XATTRS_MAX_BYTES);
		if (len < 0 && errno == ENODATA)
			continue; /* removed meanwhile */
		if (len < 0 ||
		    (setxattr(dst.s, name, value, (size_t)len, 0) < 0 && errno != EOPNOTSUPP))
			return failed(c, errno, path);
	}
	return 0;
}

/* Owner, mode, xattrs, times. dst_fd: any descriptor of the copy, O_PATH too. */
static int copy_attributes(struct copy *c, int src_fd, int dst_fd, const struct stat *st,
			   const char *path)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	struct fd_path dst = fd_proc_path(dst_fd);
	int r;

	if (fchownat(dst_fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
		return failed(c, errno, path);
	if (!S_ISLNK(st->st_mode)) { /* links have no mode, and few file systems xattrs on them */
		if (chmod(dst.s, st->st_mode & 07777) < 0)
			return failed(c, errno, path);
		r = copy_xattrs(c, src_fd, dst_fd, path);
		if (r < 0)
			return r;
	}
	if (utimensat(dst_fd, "", times, AT_EMPTY_PATH) < 0 && errno != EINVAL && errno != ENOENT)
		return failed(c, errno, path); /* AT_EMPTY_PATH here: since 5.8 */
	return 0;
}

/* The data between holes. */
static int copy_data(struct copy *c, int src_fd, int dst_fd, off_t size, const char *path)
{
	off_t at = 0;

	if (ioctl(dst_fd, FICLONE, src_fd) == 0)
		return 0;
	while (at < size) {
		off_t data = lseek(src_fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(src_fd, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO) /* only a hole is left */
			break;
		if (data < 0 || hole < 0) { /* a file system without holes */
			data = at;
			hole = size;
		}
		for (at = data; at < hole;) {
			off_t out = at;
			ssize_t n =
				copy_file_range(src_fd, &at, dst_fd, &out, (size_t)(hole - at), 0);

			if (n == 0)
				break; /* became shorter meanwhile */
			if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP)) {
				if (lseek(src_fd, at, SEEK_SET) < 0 ||
				    lseek(dst_fd, at, SEEK_SET) < 0)
					return failed(c, errno, path);
				n = fd_copy(src_fd, dst_fd); /* to the end, holes filled */
				return n < 0 ? failed(c, (int)-n, path) : 0;
			}
			if (n < 0)
				return failed(c, errno, path);
		}
		at = MAX(at, hole);
	}
	return ftruncate(dst_fd, size) < 0 ? failed(c, errno, path) : 0;
}

static int copy_file(struct copy *c, int path_fd, int dst_dir, const char *name,
		     const struct stat *st, const char *path)
{
	struct fd_path src = fd_proc_path(path_fd);
	cleanup_fd int src_fd = open(src.s, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	cleanup_fd int dst_fd = -EBADF;
	int r;

	if (src_fd < 0)
		return failed(c, errno, path);
	dst_fd = openat(dst_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dst_fd < 0)
		return failed(c, errno, path);
	r = copy_data(c, src_fd, dst_fd, st->st_size, path);
	return r < 0 ? r : copy_attributes(c, src_fd, dst_fd, st, path);
}

static int copy_special(struct copy *c, int path_fd, int dst_dir, const char *name,
			const struct stat *st, const char *path)
{
	cleanup_fd int dst_fd = -EBADF;
	char target[PATH_MAX];
	int r;

	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(path_fd, "", target, sizeof(target) - 1);

		if (n < 0)
			return failed(c, errno, path);
		target[n] = '\0';
		r = symlinkat(target, dst_dir, name);
	} else {
		r = mknodat(dst_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev);
	}
	if (r < 0)
		return failed(c, errno, path);
	dst_fd = openat(dst_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (dst_fd < 0)
		return failed(c, errno, path);
	return copy_attributes(c, path_fd, dst_fd, st, path);
}

static int copy_subdir(struct copy *c, int path_fd, int dst_dir, const char *name,
		       const struct stat *st, const char *path, unsigned depth)
{
	cleanup_fd int src_fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int dst_fd = -EBADF;
	int r;

	if (src_fd < 0 || mkdirat(dst_dir, name, 0700) < 0)
		return failed(c, errno, path);
	dst_fd = openat(dst_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst_fd < 0)
		return failed(c, errno, path);
	r = copy_dir(c, src_fd, dst_fd, path, depth + 1);
	return r < 0 ? r : copy_attributes(c, src_fd, dst_fd, st, path);
}

/* 1: linked to the copy of another name of the same file. */
static int copy_hard_link(struct copy *c, int dst_dir, const char *name, const struct stat *st,
			  const char *path)
{
	struct hard_link **bucket = &c->links[st->st_ino % HARD_LINK_BUCKETS];
	struct hard_link *l;

	for (l = *bucket; l; l = l->next) {
		if (l->dev != st->st_dev || l->ino != st->st_ino)
			continue;
		if (linkat(c->root_fd, l->path, dst_dir, name, 0) < 0)
			return failed(c, errno, path);
		return 1;
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct hard_link){ st->st_dev, st->st_ino, xstrdup(path), *bucket };
	*bucket = l;
	return 0;
}

static int copy_entry(struct copy *c, int src_dir, int dst_dir, const char *name, const char *path,
		      unsigned depth)
{
	cleanup_fd int fd = openat(src_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0; /* removed meanwhile */
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(c, errno, path);
	if (S_ISSOCK(st.st_mode))
		return 0; /* means nothing without its process */
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, fd, dst_dir, name, &st, path, depth);
	if (st.st_nlink > 1) {
		int r = copy_hard_link(c, dst_dir, name, &st, path);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (S_ISREG(st.st_mode))
		return copy_file(c, fd, dst_dir, name, &st, path);
	return copy_special(c, fd, dst_dir, name, &st, path);
}

static int copy_dir(struct copy *c, int src_fd, int dst_fd, const char *path, unsigned depth)
{
	int fd = openat(src_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir)
		return failed(c, errno, path);
	if (depth > COPY_DEPTH_MAX)
		return failed(c, ELOOP, path);
	for (;;) {
		cleanup_free char *child = NULL;
		int r;

		errno = 0;
		e = readdir(dir);
		if (!e)
			return errno ? failed(c, errno, path) : 0;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		child = *path ? xasprintf("%s/%s", path, e->d_name) : xstrdup(e->d_name);
		r = copy_entry(c, src_fd, dst_fd, e->d_name, child, depth);
		if (r < 0)
			return r;
	}
}

int dir_copy_tree(int src_fd, int dst_fd, struct error *err)
{
	struct copy c = { .root_fd = dst_fd, .err = err };
	struct stat st;
	int r = fstat(src_fd, &st) < 0 ? failed(&c, errno, ".")
				       : copy_dir(&c, src_fd, dst_fd, "", 0);

	if (r == 0)
		r = copy_attributes(&c, src_fd, dst_fd, &st, ".");
	for (size_t i = 0; i < HARD_LINK_BUCKETS; i++)
		while (c.links[i]) {
			struct hard_link *l = c.links[i];

			c.links[i] = l->next;
			free(l->path);
			free(l);
		}
	return r;
}
