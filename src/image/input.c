/* SPDX-License-Identifier: Apache-2.0 */
#include "image/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/inflate.h"
#include "image/stop.h"

#define COPY_BYTES ((size_t)256 << 10)

struct input *input_close(struct input *in)
{
	if (in)
		in->ops->close(in);
	return NULL;
}

int input_size(struct input *in, const char *path, uint64_t *ret, struct error *err)
{
	return in->ops->size(in, path, ret, err);
}

int input_stream(struct input *in, const char *path, struct stream **ret, struct error *err)
{
	return in->ops->open(in, path, ret, err);
}

bool input_has(struct input *in, const char *path)
{
	struct error ignored; /* the question is whether */
	uint64_t size;

	return input_size(in, path, &size, &ignored) == 0;
}

int input_read(struct input *in, const char *path, size_t max_bytes, char **ret, size_t *ret_len,
	       struct error *err)
{
	cleanup_with(stream_close) struct stream *s = NULL;
	cleanup_free char *text = NULL;
	uint64_t size;
	ssize_t n;
	int r = input_size(in, path, &size, err);

	if (r < 0)
		return r;
	if (size > max_bytes)
		return error_kind(err, ERROR_INVALID, "'%s' in '%s' is larger than %zu bytes", path,
				  in->name, max_bytes);
	text = mem_try_alloc(size + 1, 1);
	if (!text)
		return error_oom(err);
	r = input_stream(in, path, &s, err);
	if (r < 0)
		return r;
	n = stream_read_full(s, text, size, err);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = take_ptr(&text);
	*ret_len = (size_t)n;
	return 0;
}

/* Directory */

struct input_dir {
	struct input base;
	int fd; /* borrowed */
};

/* Symlinks inside a layout directory are its owner's business, but they stay inside. */
static int dir_open_file(struct input *in, const char *path, struct error *err)
{
	int fd = path_open_in_root(container_of(in, struct input_dir, base)->fd, path,
				   O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return error_kind(err, ERROR_NOT_FOUND, "no '%s' in '%s'", path, in->name);
	return fd < 0 ? error_num(err, -fd, "cannot open '%s/%s'", in->name, path) : fd;
}

static int dir_size(struct input *in, const char *path, uint64_t *ret, struct error *err)
{
	cleanup_fd int fd = dir_open_file(in, path, err);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_sys(err, "cannot stat '%s/%s'", in->name, path);
	if (!S_ISREG(st.st_mode))
		return error_kind(err, ERROR_INVALID, "'%s/%s' is not a file", in->name, path);
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* A stream that owns its file. */
struct file_stream {
	struct stream base;
	struct stream *below;
	int fd;
};

static ssize_t file_stream_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	return stream_read(container_of(s, struct file_stream, base)->below, buf, n, err);
}

static void file_stream_close(struct stream *s)
{
	struct file_stream *f = container_of(s, struct file_stream, base);

	stream_close(f->below);
	close(f->fd);
	free(f);
}

static const struct stream_ops file_stream_ops = {
	.read = file_stream_read,
	.close = file_stream_close,
};

static int dir_open_stream(struct input *in, const char *path, struct stream **ret,
			   struct error *err)
{
	struct file_stream *f;
	uint64_t size;
	int r = dir_size(in, path, &size, err); /* and that it is a file */
	int fd = r < 0 ? r : dir_open_file(in, path, err);

	if (fd < 0)
		return fd;
	f = xcalloc(1, sizeof(*f));
	f->base.ops = &file_stream_ops;
	f->fd = fd;
	f->below = stream_from_fd(fd, -1, 0, in->name);
	*ret = &f->base;
	return 0;
}

static void dir_close(struct input *in)
{
	free(container_of(in, struct input_dir, base));
}

static struct input *input_dir_open(int fd, const char *name)
{
	static const struct input_ops ops = {
		.size = dir_size,
		.open = dir_open_stream,
		.close = dir_close,
	};
	struct input_dir *in = xcalloc(1, sizeof(*in));

	in->base.ops = &ops;
	in->base.name = name;
	in->fd = fd;
	return &in->base;
}

/* Which kind it is */

/* A file of ours without a name that holds all of s. */
static int spool(struct stream *s, int tmp_fd, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = openat(tmp_fd, "spool", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cleanup_free char *buf = xmalloc(COPY_BYTES);
	ssize_t n;

	if (fd < 0 || unlinkat(tmp_fd, "spool", 0) < 0)
		return error_sys(err, "cannot make a file for a copy of the archive");
	while ((n = stream_read(s, buf, COPY_BYTES, err)) > 0) {
		int r = fd_write_all(fd, buf, (size_t)n);

		if (r < 0)
			return error_num(err, -r, "cannot write a copy of the archive");
	}
	if (n < 0)
		return (int)n;
	*ret_fd = take_fd(&fd);
	return 0;
}

int input_open(int fd, const char *name, int tmp_fd, int stop_fd, struct input **ret,
	       struct error *err)
{
	cleanup_with(stream_close) struct stream *s = NULL;
	struct stream *bytes;
	cleanup_fd int copy = -EBADF;
	enum compression kind;
	int64_t offset = -1;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return error_sys(err, "cannot stat '%s'", name);
	if (S_ISDIR(st.st_mode)) {
		*ret = input_dir_open(fd, name);
		return 0;
	}
	if (S_ISREG(st.st_mode))
		offset = lseek(fd, 0, SEEK_CUR);
	bytes = stop_stream_open(stream_from_fd(fd, offset, INT64_MAX, name), fd, stop_fd);
	r = inflate_open(bytes, &s, &kind, err);
	if (r == 0 && offset >= 0 && kind == COMPRESSION_NONE)
		return input_tar_open(fd, offset, false, name, ret, err);
	if (r == 0)
		r = spool(s, tmp_fd, &copy, err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", name);
	return input_tar_open(take_fd(&copy), 0, true, name, ret, err);
}
