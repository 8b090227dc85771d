/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linkat(2) gives a file without a name only one that is free, so a target that is there is replaced
 * in two steps: link to the name beside it, rename. Two that do this at once may meet at that name;
 * both have a whole file, so each takes it away from the other and tries again.
 */
#include "base/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/inject.h"
#include "base/mem.h"
#include "base/path.h"

#define TRIES_MAX 100
#define FILE_MODE 0600
#define DIR_MODE  0755

/* "DIR/" of "DIR/NAME", or "". Heap. */
static char *directory_of(const char *path)
{
	return xstrndup(path, (size_t)(path_base(path) - path));
}

static char *name_beside(const char *path)
{
	cleanup_free char *dir = directory_of(path);

	return xasprintf("%s.%s.part", dir, path_base(path));
}

/* -1: this file system needs a name. */
static int open_nameless(const char *path)
{
	cleanup_free char *dir = directory_of(path);
	struct error ignored;

	if (inject_failure("base", "tmpfile", &ignored) < 0)
		return -1;
	return open(*dir ? dir : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
}

/* A name that nobody else has in use: 0, -EAGAIN for one that has just gone. */
static int open_named(const char *tmp, bool dir, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	struct stat st;
	int r = 0;

	if (dir && mkdir(tmp, DIR_MODE) < 0 && errno != EEXIST)
		return error_sys(err, "cannot create '%s'", tmp);
	fd = dir ? open(tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
		 : open(tmp, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return dir && errno == ENOENT ? -EAGAIN : error_sys(err, "cannot create '%s'", tmp);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_kind(err, ERROR_CONFLICT, "another process writes '%s'", tmp);
	if (!fd_is_named(fd, AT_FDCWD, tmp))
		return -EAGAIN;
	/* in a directory like /tmp anybody may have made it, to keep it or to lead us into a link */
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (!dir && st.st_nlink != 1))
		return error_kind(err, ERROR_CONFLICT,
				  "'%s' is in the way and is not ours: remove it", tmp);
	if (dir)
		r = dir_empty(fd, err);
	else if (ftruncate(fd, 0) < 0)
		r = error_sys(err, "cannot clear '%s'", tmp);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

static void done(struct beside *b)
{
	cleanup_close_fd(&b->fd);
	free(b->path);
	free(b->tmp_path);
	*b = BESIDE_NONE;
}

int beside_open(const char *path, bool dir, struct beside *ret, struct error *err)
{
	struct beside b = { .path = xstrdup(path) };
	size_t len = strlen(path);
	int r = -EAGAIN;

	while (dir && len > 1 && path[len - 1] == '/')
		b.path[--len] = '\0';
	b.tmp_path = name_beside(b.path);
	b.fd = dir ? -1 : open_nameless(b.path);
	b.is_named = b.fd < 0;
	for (int i = 0; b.is_named && r == -EAGAIN && i < TRIES_MAX; i++)
		r = open_named(b.tmp_path, dir, &b.fd, err);
	if (b.fd < 0) {
		done(&b);
		return r == -EAGAIN ? error_num(err, EAGAIN, "cannot create '%s'", path) : r;
	}
	*ret = b;
	return 0;
}

/* A whole file without a name gets its own, or takes that of what is there. */
static int give_name(const struct beside *b)
{
	const struct fd_path from = fd_proc_path(b->fd);

	if (linkat(AT_FDCWD, from.s, AT_FDCWD, b->path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	for (int i = 0; errno == EEXIST && i < TRIES_MAX; i++) {
		(void)unlink(b->tmp_path); /* what a killed one left; or there is none */
		if (linkat(AT_FDCWD, from.s, AT_FDCWD, b->tmp_path, AT_SYMLINK_FOLLOW) < 0)
			continue;
		if (rename(b->tmp_path, b->path) == 0)
			return 0;
		if (errno != ENOENT)
			return -errno;
		errno = EEXIST; /* another one was as far as we, and took the name away */
	}
	return -errno;
}

int beside_commit(struct beside *b, struct error *err)
{
	int r = 0;

	if (!b->is_named)
		r = give_name(b);
	else if (rename(b->tmp_path, b->path) < 0)
		r = -errno;
	if (r < 0)
		return error_num(err, -r, "cannot write '%s'", b->path);
	done(b);
	return 0;
}

void beside_close(struct beside *b)
{
	struct error ignored; /* the next one removes it */

	if (b->fd < 0)
		return;
	if (b->is_named)
		(void)dir_remove_tree(AT_FDCWD, b->tmp_path, &ignored);
	done(b);
}
