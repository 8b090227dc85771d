/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

int file_read_fd(int fd, const char *name, size_t max_bytes, char **ret_data, size_t *ret_len,
		 struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size, len = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, "cannot stat '%s'", name);
	if (st.st_size > 0 && (size_t)st.st_size > max_bytes)
		return error_num(err, EFBIG, "'%s' is larger than %zu bytes", name, max_bytes);

	size = st.st_size > 0 ? (size_t)st.st_size : 4095; /* /proc and /sys say 0 */
	for (;;) {
		ssize_t n;
		char *more = realloc(data, size + 1);

		if (!more)
			return error_oom(err);
		data = more;
		n = fd_read_full(fd, data + len, size - len);
		if (n < 0)
			return error_num(err, (int)-n, "cannot read '%s'", name);
		len += (size_t)n;
		if (len < size || (st.st_size > 0 && len == (size_t)st.st_size))
			break;
		if (len >= max_bytes)
			return error_num(err, EFBIG, "'%s' is larger than %zu bytes", name,
					 max_bytes);
		size = MIN(size * 2, max_bytes);
	}
	data[len] = '\0';
	*ret_data = take_ptr(&data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read(int dir_fd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_len,
	      struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", path);
	return file_read_fd(fd, path, max_bytes, ret_data, ret_len, err);
}

int file_poke(int dir_fd, const char *path, const char *value)
{
	cleanup_fd int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(value);

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = write(fd, value, len);

		if (n == (ssize_t)len)
			return 0;
		if (n >= 0)
			return -EIO;
		if (errno != EINTR)
			return -errno;
	}
}

int file_write_atomic(int dir_fd, const char *path, const void *data, size_t len, mode_t mode,
		      unsigned flags, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	char tmp[PATH_MAX];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof(tmp))
		return error_num(err, ENAMETOOLONG, "cannot write '%s'", path);
	(void)unlinkat(dir_fd, tmp,
		       0); /* left by a crash of a process with our pid, or not there */
	fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return error_sys(err, "cannot create '%s'", tmp);

	r = fd_write_all(fd, data, len);
	if (r < 0) {
		error_num(err, -r, "cannot write '%s'", path);
		goto fail;
	}
	if ((flags & FILE_WRITE_SYNC) && fdatasync(fd) < 0) {
		r = error_sys(err, "cannot flush '%s'", path);
		goto fail;
	}
	if (flags & FILE_WRITE_EXCL)
		r = renameat2(dir_fd, tmp, dir_fd, path, RENAME_NOREPLACE);
	else
		r = renameat(dir_fd, tmp, dir_fd, path);
	if (r < 0) {
		r = error_sys(err, "cannot replace '%s'", path);
		goto fail;
	}
	return 0;
fail:
	(void)unlinkat(dir_fd, tmp, 0); /* the first failure is the one to report */
	return r;
}

int file_in_memory(const void *data, size_t len, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = memfd_create("berth", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return error_sys(err, "cannot make a file in memory");
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return error_num(err, -r, "cannot write a file in memory");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_sys(err, "cannot rewind a file in memory");
	*ret_fd = take_fd(&fd);
	return 0;
}
