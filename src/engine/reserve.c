/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/log.h"
#include "base/macro.h"
#include "engine/handle.h"

#define RESERVE_DIR "images/reserve"
/* An index of 200 images twice, or 100 pages of the database's log and its shared memory; a file each
 * for those that a removal makes. */
#define FILE_BYTES ((uint64_t)64 << 10)
#define FILES	   4
#define LAST_FILE  "3"

/* Are so many bytes and inodes free? File systems that do not count inodes have enough. */
static bool has_room(int root_fd, uint64_t bytes, uint64_t files)
{
	struct statvfs fs;

	if (fstatvfs(root_fd, &fs) < 0)
		return true; /* nobody knows: then as always */
	return (uint64_t)fs.f_bavail * fs.f_frsize >= bytes &&
	       (fs.f_files == 0 || fs.f_favail >= files);
}

/* Half of what there is room for, on a disk that is nearly full. */
static void fill(int root_fd, int dir_fd)
{
	for (unsigned i = 0; i < FILES && has_room(root_fd, 2 * FILE_BYTES, 2); i++) {
		cleanup_fd int fd = -EBADF;
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", i); /* one digit */
		fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return;
		if (posix_fallocate(fd, 0, FILE_BYTES) != 0) {
			(void)unlinkat(dir_fd, name, 0); /* ours, and of no use */
			return;
		}
	}
}

static void make(struct engine *e)
{
	cleanup_fd int dir_fd = -EBADF;

	if (mkdirat(e->root_fd, RESERVE_DIR, 0700) < 0 && errno != EEXIST)
		return; /* no images yet, or no room */
	dir_fd = openat(e->root_fd, RESERVE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd >= 0)
		fill(e->root_fd, dir_fd);
}

void reserve_keep(struct engine *e)
{
	if (faccessat(e->root_fd, RESERVE_DIR "/" LAST_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		make(e);
}

void reserve_release_if_full(struct engine *e)
{
	struct error err;

	if (has_room(e->root_fd, FILES * FILE_BYTES, FILES))
		return;
	e->was_full = true;
	if (dir_remove_tree(e->root_fd, RESERVE_DIR, &err) < 0)
		log_debug("giving up the reserve: %s", err.msg);
}
