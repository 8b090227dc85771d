/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

ssize_t fd_read_full(int fd, void *data, size_t n)
{
	char *p = data;
	size_t got = 0;

	while (got < n) {
		ssize_t done = read(fd, p + got, n - got);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

static int flag_set(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -errno;
	if (fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0)
		return -errno;
	return 0;
}

int fd_close_others(unsigned first, int *keep, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && keep[k - 1] > keep[k]; k--) {
			int low = keep[k];

			keep[k] = keep[k - 1];
			keep[k - 1] = low;
		}
	for (size_t i = 0; i < n; i++) {
		unsigned fd = (unsigned)keep[i];

		if (keep[i] < 0 || fd < first)
			continue;
		if (fd > first && close_range(first, fd - 1, 0) < 0)
			return -errno;
		first = fd + 1;
	}
	return close_range(first, ~0U, 0) < 0 ? -errno : 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return flag_set(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_set_nonblock(int fd, bool on)
{
	return flag_set(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

bool fd_is_named(int fd, int dir_fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir_fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int fd_wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		int r = poll(&p, 1, timeout_ms);

		if (r >= 0)
			return r > 0;
		if (errno != EINTR)
			return -errno;
	}
}

static ssize_t copy_through_buffer(int src_fd, int dst_fd)
{
	char chunk[65536];
	ssize_t total = 0;

	for (;;) {
		ssize_t n = fd_read_full(src_fd, chunk, sizeof(chunk));
		int r;

		if (n <= 0)
			return n < 0 ? n : total;
		r = fd_write_all(dst_fd, chunk, (size_t)n);
		if (r < 0)
			return r;
		total += n;
	}
}

ssize_t fd_copy(int src_fd, int dst_fd)
{
	ssize_t total = 0;

	for (;;) {
		ssize_t n = copy_file_range(src_fd, NULL, dst_fd, NULL, SSIZE_MAX / 2, 0);

		if (n == 0 && total > 0)
			return total;
		if (n <= 0) { /* other file systems, pipes, procfs (which says 0): the plain way */
			ssize_t rest = copy_through_buffer(src_fd, dst_fd);

			return rest < 0 ? rest : total + rest;
		}
		total += n;
	}
}

int fd_sanitize_std(struct error *err)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* the lowest free number is this one */
		if (open("/dev/null", O_RDWR) !=
		    fd) /* not O_CLOEXEC: it stands in for a standard stream */
			return error_sys(err, "cannot open '/dev/null'");
	}
	return 0;
}

struct fd_path fd_proc_path(int fd)
{
	struct fd_path path;

	(void)snprintf(path.s, sizeof(path.s), "/proc/self/fd/%d", fd);
	return path;
}
