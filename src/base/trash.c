/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nobody waits for the lock, and yet nothing stays behind: who finds it taken has renamed something
 * into the directory before, and who held it looks again after letting go.
 */
#include "base/trash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/mem.h"

/* Some milliseconds of work; a small container or image is below it. Counted first: on a busy disk
 * the first file may take as long as all. */
static const struct dir_budget small = { .entries = 1500, .file_bytes = 4 << 20 };

static bool is_empty(int trash_fd)
{
	int fd = openat(trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir)
		return true; /* nothing that anybody could sweep */
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			return false;
	}
	return true;
}

static int sweep(int trash_fd, const struct dir_budget *budget, struct error *err)
{
	int r;

	do {
		if (flock(trash_fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK || errno == EINTR)
				return 0;
			return error_sys(err, "cannot lock the trash");
		}
		r = !budget || dir_is_small(trash_fd, budget) ? dir_empty(trash_fd, err)
							      : TRASH_LEFT;
		(void)flock(trash_fd, LOCK_UN); /* cannot fail: it is ours */
	} while (r == 0 && !is_empty(trash_fd));
	return r;
}

int trash_sweep_small(int trash_fd, struct error *err)
{
	return sweep(trash_fd, &small, err);
}

int trash_sweep(int trash_fd, struct error *err)
{
	return sweep(trash_fd, NULL, err);
}

bool trash_is_left(int trash_fd)
{
	if (is_empty(trash_fd) || flock(trash_fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	(void)flock(trash_fd, LOCK_UN); /* as above */
	return !is_empty(trash_fd);
}
