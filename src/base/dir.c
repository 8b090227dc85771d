/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/*
 * Removal goes down by fds, one level a stack frame, and never by a path, so links inside the tree
 * lead nowhere. A container can nest directories far deeper than a process may have files open:
 * a directory below DEPTH_MAX is moved up to the top of the tree under a name of ours and met again
 * there. openat2's RESOLVE_NO_XDEV stops at mounts.
 */
#define DEPTH_MAX   64
#define DENTS_BYTES 4096
#define PASSES_MAX  1000 /* a tree that somebody keeps filling is not ours to remove */
#define LIFTED_NAME ".berth-lifted-%d-%u"

struct dirent_raw {
	ino64_t ino;
	off64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

struct removal {
	int top_fd;	 /* lifted directories go here */
	unsigned lifted; /* how many so far */
	struct error *err;
	bool failed; /* err is filled; later failures are not reported */
};

static int remove_failed(struct removal *rm, int sys, const char *name)
{
	if (!rm->failed)
		error_num(rm->err, sys, "cannot remove '%s'", name);
	rm->failed = true;
	return -sys;
}

static int open_subdir(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

	/* our own directory without permissions, as overlay's work/work is: take them (rootless) */
	if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int empty_dir(struct removal *rm, int fd, unsigned depth);

/* Moves a directory that is too deep to the top of the tree. */
static int lift(struct removal *rm, int dir_fd, const char *name)
{
	char lifted[64];

	(void)snprintf(lifted, sizeof(lifted), LIFTED_NAME, (int)getpid(), rm->lifted++);
	if (renameat2(dir_fd, name, rm->top_fd, lifted, RENAME_NOREPLACE) < 0)
		return remove_failed(rm, errno, name);
	return 0;
}

static int remove_subdir(struct removal *rm, int dir_fd, const char *name, unsigned depth)
{
	cleanup_fd int fd = -EBADF;
	int r;

	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return remove_failed(rm, errno, name);
	if (depth >= DEPTH_MAX)
		return lift(rm, dir_fd, name);

	fd = open_subdir(dir_fd, name);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return remove_failed(rm, -fd, name);
	for (unsigned pass = 0;; pass++) {
		r = empty_dir(rm, fd, depth + 1);
		if (r < 0)
			return r;
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY || pass == PASSES_MAX)
			return remove_failed(rm, errno, name);
	}
}

static int remove_entry(struct removal *rm, int dir_fd, const char *name, unsigned char type,
			unsigned depth)
{
	if (type != DT_DIR) {
		if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EISDIR) /* DT_UNKNOWN, or replaced meanwhile */
			return remove_failed(rm, errno, name);
	}
	return remove_subdir(rm, dir_fd, name, depth);
}

/* One pass over a directory; what appears meanwhile may be left. */
static int empty_dir(struct removal *rm, int fd, unsigned depth)
{
	char dents[DENTS_BYTES] __attribute__((aligned(8)));
	int first = 0;

	for (;;) {
		long n = syscall(SYS_getdents64, fd, dents, sizeof(dents));

		if (n < 0)
			return remove_failed(rm, errno, "directory");
		if (n == 0)
			return first;
		for (long at = 0; at < n;) {
			const struct dirent_raw *d = (const struct dirent_raw *)(dents + at);
			int r = 0;

			at += d->reclen;
			if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
				continue;
			r = remove_entry(rm, fd, d->name, d->type, depth);
			if (r < 0 && first == 0)
				first = r;
		}
	}
}

int dir_empty(int dir_fd, struct error *err)
{
	struct removal rm = { .top_fd = dir_fd, .err = err };
	int r;

	for (;;) {
		unsigned lifted = rm.lifted;

		if (lseek(dir_fd, 0, SEEK_SET) < 0)
			return error_sys(err, "cannot read directory");
		r = empty_dir(&rm, dir_fd, 0);
		if (r < 0 || rm.lifted == lifted)
			return r;
	}
}

/* Counts down what is below fd (taken over); false once it is too much. */
static bool is_affordable(int fd, struct dir_budget *left, unsigned depth)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		close(fd);
		return false;
	}
	while ((d = readdir(dir))) {
		struct stat st;
		int sub;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (left->entries-- == 0 || depth >= DEPTH_MAX)
			return false;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > left->file_bytes)
			return false;
		if (!S_ISDIR(st.st_mode))
			continue;
		sub = open_subdir(dirfd(dir), d->d_name);
		if (sub >= 0 && !is_affordable(sub, left, depth + 1))
			return false;
	}
	return true;
}

bool dir_is_small(int dir_fd, const struct dir_budget *budget)
{
	struct dir_budget left = *budget;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && is_affordable(fd, &left, 0);
}

/* dir_fd/name, where name is one component: RESOLVE_NO_XDEV is about it, not about the way there. */
static int remove_in(int dir_fd, const char *name, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR) {
		if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
			return 0;
		return error_sys(err, "cannot remove '%s'", name);
	}
	if (errno != ENOTEMPTY && errno != EEXIST)
		return error_sys(err, "cannot remove '%s'", name);

	fd = open_subdir(dir_fd, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : error_num(err, -fd, "cannot remove '%s'", name);
	for (unsigned pass = 0;; pass++) {
		r = dir_empty(fd, err);
		if (r < 0)
			return error_prefix(err, r, "removing '%s'", name);
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY || pass == PASSES_MAX)
			return error_sys(err, "cannot remove '%s'", name);
	}
}

int dir_remove_tree(int dir_fd, const char *name, struct error *err)
{
	cleanup_free char *parent = NULL;
	cleanup_fd int parent_fd = -EBADF;
	const char *slash = strrchr(name, '/');

	if (!slash || !slash[1])
		return remove_in(dir_fd, name, err);
	parent = xstrndup(name, MAX((size_t)(slash - name), (size_t)1));
	parent_fd = openat(dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open '%s'", parent);
	return remove_in(parent_fd, slash + 1, err);
}

int dir_move_to_trash(int dir_fd, const char *name, int trash_fd, struct error *err)
{
	char unique[64];

	for (unsigned tries = 0; tries < 100; tries++) {
		(void)snprintf(unique, sizeof(unique), "%d-%llx", (int)getpid(),
			       (unsigned long long)clock_monotonic_ns());
		if (renameat2(dir_fd, name, trash_fd, unique, RENAME_NOREPLACE) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return error_sys(err, "cannot move '%s' to the trash", name);
}

int dir_is_empty(int fd, struct error *err)
{
	_Alignas(struct dirent_raw) char buf[1024]; /* "." and ".." come first, if not alone */
	long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

	if (n < 0)
		return error_sys(err, "cannot read a directory");
	for (long pos = 0; pos < n;) {
		const struct dirent_raw *d = (const struct dirent_raw *)(buf + pos);

		if (strcmp(d->name, ".") != 0 && strcmp(d->name, "..") != 0)
			return 0;
		pos += d->reclen;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? error_sys(err, "cannot rewind a directory") : 1;
}
