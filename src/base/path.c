/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (*b == '/')
		b++;
	if (!*b)
		return xstrndup(a, n);
	return xasprintf("%.*s%s%s", (int)n, a, n > 0 && a[n - 1] == '/' ? "" : "/", b);
}

/* Drops the last component of the n bytes in out; what may not be dropped (root, a leading "..")
 * stays. */
static size_t climb(char *out, size_t n, bool absolute)
{
	size_t start = n;

	while (start > 0 && out[start - 1] != '/')
		start--;
	if (n == 0 || (n - start == 2 && memcmp(out + start, "..", 2) == 0)) {
		if (absolute)
			return n;
		if (n > 0)
			out[n++] = '/';
		memcpy(out + n, "..", 2);
		return n + 2;
	}
	return start > 0 ? start - 1 : 0;
}

char *path_clean(const char *path)
{
	bool absolute = *path == '/';
	char *clean = xmalloc(strlen(path) + 4);
	char *out = clean + (absolute ? 1 : 0);
	size_t n = 0;

	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && memcmp(path, "..", 2) == 0) {
			n = climb(out, n, absolute);
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			if (n > 0)
				out[n++] = '/';
			memcpy(out + n, path, len);
			n += len;
		}
		path += len;
	}
	if (absolute)
		clean[0] = '/';
	else if (n == 0)
		out[n++] = '.';
	out[n] = '\0';
	return clean;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_resolved(int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode & 07777 : 0,
		.resolve = resolve,
	};

	/* EAGAIN: a rename elsewhere in the tree raced with "..", openat2(2) says to try again */
	for (int tries = 0; tries < 128; tries++) {
		long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return open_resolved(root_fd, *path ? path : ".", flags, mode,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_beneath(int root_fd, const char *path, int flags, mode_t mode)
{
	return open_resolved(root_fd, *path ? path : ".", flags, mode,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int path_open_same_mount(int dir_fd, const char *path, int flags)
{
	return open_resolved(dir_fd, path, flags, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

/*
 * Creates one missing directory of a path: the parent is opened (it exists, the caller made it),
 * the last name is made in it. A dangling symlink as the last name gives -EEXIST from mkdirat and
 * -ENOENT from the next open: refused.
 */
static int make_step(int root_fd, const char *path, mode_t mode)
{
	cleanup_free char *parent = xstrdup(path);
	cleanup_fd int parent_fd = -EBADF;
	char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : parent;

	if (slash)
		*slash = '\0';
	parent_fd = path_open_in_root(root_fd, slash ? parent : ".", O_PATH | O_DIRECTORY, 0);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int path_mkdir_in_root(int root_fd, const char *path, mode_t mode, int *ret_fd, struct error *err)
{
	cleanup_free char *clean = path_clean(path);
	cleanup_fd int fd = path_open_in_root(root_fd, clean, O_PATH | O_DIRECTORY, 0);

	if (fd == -ENOENT) {
		for (char *p = clean + 1; fd == -ENOENT; p++) {
			bool last = *p == '\0';
			int r;

			if (*p != '/' && !last)
				continue;
			*p = '\0';
			r = make_step(root_fd, clean, mode);
			if (r < 0)
				return error_num(err, -r,
						 "cannot create directory '%s' in the rootfs",
						 clean);
			if (last) {
				fd = path_open_in_root(root_fd, clean, O_PATH | O_DIRECTORY, 0);
				break;
			}
			*p = '/';
		}
	}
	if (fd < 0)
		return error_num(err, -fd, "cannot open directory '%s' in the rootfs", clean);
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

int path_mkdir_all(const char *path, mode_t mode, struct error *err)
{
	cleanup_free char *copy = path_clean(path);

	if (mkdir(copy, mode) == 0 || errno == EEXIST)
		return 0;
	for (char *p = copy + 1;; p++) {
		char saved = *p;

		if (saved != '/' && saved != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return error_sys(err, "cannot create directory '%s'", copy);
		if (saved == '\0')
			return 0;
		*p = saved;
	}
}
