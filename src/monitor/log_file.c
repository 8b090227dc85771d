/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#define LOG_FILE_MODE 0600

static int open_for_append(const char *path, int flags)
{
	/* O_NOFOLLOW: the directory is ours, but nothing is lost by being strict */
	return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | flags,
		    LOG_FILE_MODE);
}

/* A crash may have cut the last line; without its end the next one would be lost with it. */
static void end_cut_line(struct log_file *f)
{
	char last;

	if (f->size == 0 || pread(f->fd, &last, 1, f->size - 1) != 1 || last == '\n')
		return;
	if (write(f->fd, "\n", 1) == 1)
		f->size++;
	else
		f->errors++;
}

int log_file_open(struct log_file *f, const char *path, int64_t max_size, unsigned max_files,
		  char *out, struct error *err)
{
	struct stat st;

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->max_size = max_size;
	f->max_files = max_files;
	f->out = out;
	f->fd = open_for_append(path, 0);
	if (f->fd < 0)
		return error_sys(err, "cannot open log '%s'", path);
	if (fstat(f->fd, &st) < 0)
		return error_sys(err, "cannot stat log '%s'", path);
	f->size = st.st_size;
	end_cut_line(f);
	f->line_end = f->safe_end = f->size;
	return 0;
}

void log_file_close(struct log_file *f)
{
	if (f->fd < 0)
		return;
	log_file_flush(f);
	close(f->fd);
	f->fd = -EBADF;
}

/* Forget the current batch and the part of a line that is already in the file. */
static void drop_batch(struct log_file *f)
{
	f->errors++;
	f->skipping = f->line_end != f->size + (int64_t)f->out_len;
	f->out_len = 0;
	if (ftruncate(f->fd, f->safe_end) == 0)
		f->size = f->safe_end;
	f->line_end = f->safe_end = f->size;
}

void log_file_flush(struct log_file *f)
{
	size_t done = 0;

	while (done < f->out_len) {
		ssize_t n = write(f->fd, f->out + done, f->out_len - done);

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		drop_batch(f);
		return;
	}
	f->size += (int64_t)f->out_len;
	f->out_len = 0;
	if (f->line_end <= f->size)
		f->safe_end = f->line_end;
}

void log_file_put(struct log_file *f, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0 && !f->skipping) {
		size_t fits = MIN(n, LOG_FILE_BUFFER - f->out_len);

		memcpy(f->out + f->out_len, p, fits);
		f->out_len += fits;
		p += fits;
		n -= fits;
		if (f->out_len == LOG_FILE_BUFFER)
			log_file_flush(f);
	}
}

void log_file_puts(struct log_file *f, const char *s)
{
	log_file_put(f, s, strlen(s));
}

static void numbered(const struct log_file *f, unsigned n, char *ret)
{
	if (n == 0)
		(void)snprintf(ret, PATH_MAX, "%s", f->path);
	else
		(void)snprintf(ret, PATH_MAX, "%s.%u", f->path, n);
}

/* path.N-2 -> path.N-1, ..., path -> path.1, and a new path. If that fails, the old file grows. */
static void rotate(struct log_file *f)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	int fd;

	if (fstat(f->fd, &st) == 0 && st.st_size < f->max_size) {
		f->size = f->line_end = f->safe_end = st.st_size; /* somebody truncated it */
		return;
	}
	for (unsigned i = f->max_files; i-- > 1;) {
		numbered(f, i - 1, from);
		numbered(f, i, to);
		if (rename(from, to) < 0 && errno != ENOENT)
			f->errors++;
	}
	fd = open_for_append(f->path, O_TRUNC);
	if (fd < 0) {
		f->errors++;
		f->size = f->line_end = f->safe_end = 0; /* try again one max_size later */
		return;
	}
	close(f->fd);
	f->fd = fd;
	f->size = f->line_end = f->safe_end = 0;
}

void log_file_end_line(struct log_file *f)
{
	if (f->skipping) {
		f->skipping = false; /* the next line has a new chance */
		return;
	}
	f->line_end = f->size + (int64_t)f->out_len;
	if (f->max_size < 0 || f->line_end < f->max_size)
		return;
	log_file_flush(f);
	if (f->size >= f->max_size)
		rotate(f);
}
