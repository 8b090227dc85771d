/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories wait in a list as paths below the top and are opened one at a time: a tree may be
 * deeper than a process may have files open.
 * LIMIT: what lies deeper than PATH_MAX bytes is not counted; a container can make such a tree. To
 * count it, directories would have to be held by fds in parts.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define BLOCK_BYTES 512u /* of st_blocks, whatever the file system's are */

/* A file with several links, met once or more often. */
struct linked {
	dev_t dev;
	ino_t ino;
	uint64_t bytes;
};

struct usage {
	int top_fd;
	uint64_t bytes;
	char **pending; /* directories to be read */
	size_t n_pending, pending_capacity;
	struct linked *linked;
	size_t n_linked, linked_capacity;
};

static void count(struct usage *u, const struct stat *st)
{
	uint64_t bytes = (uint64_t)st->st_blocks * BLOCK_BYTES;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2) {
		u->bytes += bytes;
		return;
	}
	u->linked = array_grow(u->linked, u->n_linked, &u->linked_capacity, sizeof(*u->linked));
	u->linked[u->n_linked++] = (struct linked){ st->st_dev, st->st_ino, bytes };
}

static void count_dir(struct usage *u, DIR *dir, const char *path)
{
	struct dirent *d;

	while ((d = readdir(dir))) {
		struct stat st;

		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		count(u, &st);
		if (!S_ISDIR(st.st_mode))
			continue;
		u->pending = array_grow(u->pending, u->n_pending, &u->pending_capacity,
					sizeof(*u->pending));
		u->pending[u->n_pending++] = xasprintf("%s/%s", path, d->d_name);
	}
}

static int open_below(int top_fd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};

	return (int)syscall(SYS_openat2, top_fd, path, &how, sizeof(how));
}

static int by_inode(const void *a, const void *b)
{
	const struct linked *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static void count_linked(struct usage *u)
{
	if (u->n_linked > 0)
		qsort(u->linked, u->n_linked, sizeof(*u->linked), by_inode);
	for (size_t i = 0; i < u->n_linked; i++) {
		if (i == 0 || by_inode(&u->linked[i - 1], &u->linked[i]) != 0)
			u->bytes += u->linked[i].bytes;
	}
}

static void count_pending(struct usage *u)
{
	while (u->n_pending > 0) {
		cleanup_free char *path = u->pending[--u->n_pending];
		cleanup_dir DIR *dir = NULL;
		cleanup_fd int fd = open_below(u->top_fd, path);

		if (fd >= 0)
			dir = fdopendir(fd);
		if (!dir)
			continue;   /* gone, another file system's, or not ours to read */
		(void)take_fd(&fd); /* the stream closes it */
		count_dir(u, dir, path);
	}
	count_linked(u);
}

int dir_usage(int dir_fd, const char *name, uint64_t *ret_bytes, struct error *err)
{
	struct usage u = { .top_fd = dir_fd };
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot look at '%s'", name);
	count(&u, &st);
	if (S_ISDIR(st.st_mode)) {
		u.pending = array_grow(NULL, 0, &u.pending_capacity, sizeof(*u.pending));
		u.pending[u.n_pending++] = xstrdup(name);
	}
	count_pending(&u);
	free(u.pending);
	free(u.linked);
	*ret_bytes = u.bytes;
	return 0;
}
