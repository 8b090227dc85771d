/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "codec/archive.h"
#include "codec/sha256.h"
#include "image/stop.h"

#define COPY_BYTES ((size_t)256 << 10)

struct save_sink_ops {
	int (*make_dir)(struct save_sink *s, const char *path, struct error *err);
	/* size bytes follow by data() */
	int (*begin)(struct save_sink *s, const char *path, uint64_t size, struct error *err);
	int (*data)(struct save_sink *s, const void *data, size_t n, struct error *err);
	int (*end)(struct save_sink *s, struct error *err);
};

struct save_sink {
	const struct save_sink_ops *ops;
	struct archive_writer *archive; /* of a tar */
	int dir_fd, file_fd;		/* of a directory */
};

/* Tar */

static int tar_make_dir(struct save_sink *s, const char *path, struct error *err)
{
	cleanup_free char *name = xasprintf("%s/", path);
	const struct archive_member m = { .type = ARCHIVE_DIR, .path = name, .mode = 0755 };

	return archive_writer_add(s->archive, &m, err);
}

static int tar_begin(struct save_sink *s, const char *path, uint64_t size, struct error *err)
{
	const struct archive_member m = {
		.type = ARCHIVE_FILE,
		.path = path,
		.size = size,
		.mode = 0644,
	};

	return archive_writer_add(s->archive, &m, err);
}

static int tar_data(struct save_sink *s, const void *data, size_t n, struct error *err)
{
	return archive_writer_data(s->archive, data, n, err);
}

static int tar_end(struct save_sink *s UNUSED, struct error *err UNUSED)
{
	return 0;
}

static const struct save_sink_ops tar_ops = { tar_make_dir, tar_begin, tar_data, tar_end };

struct save_sink *save_sink_tar(int fd)
{
	struct save_sink *s = xcalloc(1, sizeof(*s));

	*s = (struct save_sink){ .ops = &tar_ops, .dir_fd = -EBADF, .file_fd = -EBADF };
	s->archive = archive_writer_open(fd);
	return s;
}

/* Directory */

static int dir_make_dir(struct save_sink *s, const char *path, struct error *err)
{
	return mkdirat(s->dir_fd, path, 0755) < 0 ? error_sys(err, "cannot create '%s'", path) : 0;
}

static int dir_begin(struct save_sink *s, const char *path, uint64_t size UNUSED, struct error *err)
{
	s->file_fd = openat(s->dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return s->file_fd < 0 ? error_sys(err, "cannot create '%s'", path) : 0;
}

static int dir_data(struct save_sink *s, const void *data, size_t n, struct error *err)
{
	int r = fd_write_all(s->file_fd, data, n);

	return r < 0 ? error_num(err, -r, "cannot write") : 0;
}

static int dir_end(struct save_sink *s, struct error *err)
{
	return close(take_fd(&s->file_fd)) < 0 ? error_sys(err, "cannot write") : 0;
}

static const struct save_sink_ops dir_ops = { dir_make_dir, dir_begin, dir_data, dir_end };

struct save_sink *save_sink_dir(int dir_fd)
{
	struct save_sink *s = xcalloc(1, sizeof(*s));

	*s = (struct save_sink){ .ops = &dir_ops, .dir_fd = dir_fd, .file_fd = -EBADF };
	return s;
}

/* Both */

int save_sink_make_dir(struct save_sink *s, const char *path, struct error *err)
{
	return s->ops->make_dir(s, path, err);
}

int save_sink_write(struct save_sink *s, const char *path, const void *data, size_t n,
		    struct error *err)
{
	int r = s->ops->begin(s, path, n, err);

	if (r == 0)
		r = s->ops->data(s, data, n, err);
	return r < 0 ? r : s->ops->end(s, err);
}

static int copy(struct save_sink *s, int fd, const struct digest *id, int stop_fd,
		struct error *err)
{
	cleanup_free char *buf = xmalloc(COPY_BYTES);
	struct sha256 hash;
	struct digest found;
	ssize_t n;

	sha256_init(&hash);
	while ((n = fd_read_full(fd, buf, COPY_BYTES)) > 0) {
		int r = stop_check(stop_fd, err);

		if (r == 0)
			r = s->ops->data(s, buf, (size_t)n, err);
		if (r < 0)
			return r;
		sha256_add(&hash, buf, (size_t)n);
	}
	if (n < 0)
		return error_num(err, (int)-n, "cannot read blob '%s'", id->text);
	found = sha256_finish(&hash);
	if (!digest_eq(&found, id))
		return error_kind(err, ERROR_INVALID,
				  "blob %s is damaged: its digest is %s (a pull or a load of its "
				  "image brings it again)",
				  id->text, found.text);
	return 0;
}

int save_sink_copy(struct save_sink *s, const char *path, int blob_fd, const struct digest *id,
		   int stop_fd, struct error *err)
{
	struct stat st;
	int r;

	if (fstat(blob_fd, &st) < 0)
		return error_sys(err, "cannot stat blob '%s'", id->text);
	r = s->ops->begin(s, path, (uint64_t)st.st_size, err);
	if (r == 0)
		r = copy(s, blob_fd, id, stop_fd, err);
	return r < 0 ? r : s->ops->end(s, err);
}

int save_sink_finish(struct save_sink *s, struct error *err)
{
	int r = 0;

	if (s->archive)
		r = archive_writer_finish(take_ptr(&s->archive), err);
	save_sink_abandon(s);
	return r;
}

struct save_sink *save_sink_abandon(struct save_sink *s)
{
	if (!s)
		return NULL;
	archive_writer_abandon(s->archive);
	cleanup_close_fd(&s->file_fd);
	free(s);
	return NULL;
}
