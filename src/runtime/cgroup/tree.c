/* SPDX-License-Identifier: Apache-2.0 */

/* Walking the cgroups below one: containers make their own (systemd, nested engines). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/cgroup/driver.h"

/* A container may nest cgroups as deep as the kernel lets it; we follow so far. */
#define TREE_DEPTH_MAX	128
#define PROCS_MAX_BYTES (64u << 20)

static bool is_child(const struct dirent *e)
{
	return e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, "..");
}

static DIR *open_children(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static int remove_children(int dir_fd, unsigned depth)
{
	cleanup_dir DIR *dir = open_children(dir_fd);
	struct dirent *e;
	int result = 0;

	if (!dir)
		return -errno;
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	while ((e = readdir(dir))) {
		int r = 0;

		if (!is_child(e))
			continue;
		if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno == EBUSY || errno == ENOTEMPTY) {
			cleanup_fd int fd = openat(dir_fd, e->d_name,
						   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			r = fd < 0 ? -errno : remove_children(fd, depth + 1);
			if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
				continue;
		}
		if (result == 0)
			result = r < 0 ? r : -errno;
	}
	return result;
}

int cgroup_tree_remove(const char *dir)
{
	cleanup_fd int fd = -EBADF;
	int r;

	if (rmdir(dir) == 0)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = remove_children(fd, 0);
	if (rmdir(dir) == 0)
		return 0;
	return r < 0 && r != -ENOENT ? r : -errno;
}

static int read_pids(int dir_fd, pid_t **pids, size_t *n, size_t *capacity)
{
	cleanup_free char *text = NULL;
	struct error ignored;
	int r = file_read(dir_fd, "cgroup.procs", PROCS_MAX_BYTES, &text, NULL, &ignored);

	if (r < 0) /* a threaded cgroup (v2) lists its processes at its domain */
		return r == -EOPNOTSUPP ? 0 : r;
	for (char *p = text; *p;) {
		pid_t pid = (pid_t)strtol(p, &p, 10);

		if (pid > 0) { /* 0: lives in a pid namespace we cannot see */
			*pids = array_grow(*pids, *n, capacity, sizeof(**pids));
			(*pids)[(*n)++] = pid;
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return 0;
}

static int walk_pids(int dir_fd, unsigned depth, pid_t **pids, size_t *n, size_t *capacity)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *e;
	int r = read_pids(dir_fd, pids, n, capacity);

	if (r < 0)
		return r;
	dir = open_children(dir_fd);
	if (!dir)
		return -errno;
	while (depth < TREE_DEPTH_MAX && (e = readdir(dir))) {
		cleanup_fd int fd = -EBADF;

		if (!is_child(e))
			continue;
		fd = openat(dir_fd, e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue; /* removed meanwhile, and with it its processes */
		r = walk_pids(fd, depth + 1, pids, n, capacity);
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return r;
	}
	return 0;
}

int cgroup_tree_pids(int dir_fd, pid_t **pids, size_t *n, size_t *capacity)
{
	int r = walk_pids(dir_fd, 0, pids, n, capacity);

	return r == -ENOENT || r == -ENODEV ? 0 : r; /* the cgroup is gone: nobody is in it */
}
