/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/archive.h"
#include "image/input.h"
#include "image/unpack.h"

#define LINKS_MAX     8 /* docker's older archives share layers by symlinks */
#define INDEX_BYTES   ((size_t)16 << 10)
#define CONTENT_BYTES ((size_t)256 << 10)

struct tar_file {
	char *path; /* clean */
	char *link; /* of a symlink or hard link, clean, else NULL */
	uint64_t offset;
	uint64_t size;
	size_t order; /* in the archive: the last of a name counts */
};

struct input_tar {
	struct input base;
	int fd;
	bool owned;
	int64_t begin;
	struct tar_file *files; /* sorted by path once indexed */
	size_t n, capacity;
};

/* Bytes of the archive from an offset on, for a reader. */
struct tar_bytes {
	const struct input_tar *tar;
	int64_t at;
	size_t step;
	char *buf;
};

static ssize_t bytes_next(void *ctx, const void **ret_data, struct error *err)
{
	struct tar_bytes *b = ctx;
	ssize_t n;

	do
		n = pread(b->tar->fd, b->buf, b->step, b->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, "cannot read '%s'", b->tar->base.name);
	b->at += n;
	*ret_data = b->buf;
	return n;
}

static int64_t bytes_skip(void *ctx, int64_t n)
{
	struct tar_bytes *b = ctx;

	b->at += n;
	return n;
}

static struct archive_reader *read_from(struct tar_bytes *b)
{
	return archive_reader_open(&(struct archive_source){
		.next = bytes_next,
		.skip = bytes_skip,
		.ctx = b,
	});
}

/* Index */

/* The target of a link as a path of the archive; NULL: it leads out of it. */
static char *link_target(const struct archive_member *m, const char *path)
{
	cleanup_free char *joined = NULL;
	const char *slash = strrchr(path, '/');
	char clean[PATH_MAX];

	if (m->type == ARCHIVE_SYMLINK && slash && *m->link != '/')
		joined = xasprintf("%.*s/%s", (int)(slash - path), path, m->link);
	if (unpack_clean_path(joined ? joined : m->link, clean) <= 0)
		return NULL;
	return xstrdup(clean);
}

static int add_file(struct input_tar *tar, const struct archive_member *m, uint64_t offset,
		    struct error *err)
{
	bool is_link = m->type == ARCHIVE_SYMLINK || m->type == ARCHIVE_HARDLINK;
	char path[PATH_MAX];
	struct tar_file file;

	if (m->type != ARCHIVE_FILE && !is_link)
		return 0;
	if (unpack_clean_path(m->path, path) <= 0)
		return 0; /* nothing that we look for has such a name */
	if (tar->n >= INPUT_FILES_MAX)
		return error_kind(err, ERROR_INVALID,
				  "more than %d files: this is no archive of images (berth import "
				  "takes root file systems)",
				  INPUT_FILES_MAX);
	file = (struct tar_file){
		.path = xstrdup(path),
		.link = is_link ? link_target(m, path) : NULL,
		.offset = offset,
		.size = m->size,
		.order = tar->n,
	};
	tar->files = array_grow(tar->files, tar->n, &tar->capacity, sizeof(*tar->files));
	tar->files[tar->n++] = file;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct tar_file *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (x->order < y->order) - (x->order > y->order);
}

static int build_index(struct input_tar *tar, struct error *err)
{
	cleanup_free char *buf = xmalloc(INDEX_BYTES);
	struct tar_bytes bytes = { tar, tar->begin, INDEX_BYTES, buf };
	cleanup_with(archive_reader_close) struct archive_reader *a = read_from(&bytes);
	struct archive_member m;
	int r;

	while ((r = archive_reader_next(a, &m, err)) == 0) {
		r = add_file(tar, &m, archive_reader_offset(a), err);
		if (r < 0)
			break;
	}
	if (r < 0)
		return error_prefix(err, r, "'%s'", tar->base.name);
	if (tar->n > 0)
		qsort(tar->files, tar->n, sizeof(*tar->files), by_path);
	return 0;
}

static const struct tar_file *find_path(const struct input_tar *tar, const char *path)
{
	size_t low = 0, high = tar->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tar->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tar->n && str_eq(tar->files[low].path, path) ? &tar->files[low] : NULL;
}

static int find_file(struct input *in, const char *path, const struct tar_file **ret,
		     struct error *err)
{
	const struct input_tar *tar = container_of(in, struct input_tar, base);
	const struct tar_file *file = find_path(tar, path);

	for (int links = 0; file && file->link; links++) {
		if (links == LINKS_MAX)
			return error_kind(err, ERROR_INVALID, "'%s' in '%s' is a loop of links",
					  path, in->name);
		file = find_path(tar, file->link);
	}
	if (!file)
		return error_kind(err, ERROR_NOT_FOUND, "no '%s' in '%s'", path, in->name);
	*ret = file;
	return 0;
}

static int tar_size(struct input *in, const char *path, uint64_t *ret, struct error *err)
{
	const struct tar_file *file = NULL;
	int r = find_file(in, path, &file, err);

	if (r == 0)
		*ret = file->size;
	return r;
}

/* One file's content: a reader that was opened at its header. */

struct tar_stream {
	struct stream base;
	struct tar_bytes bytes;
	struct archive_reader *reader;
	const char *data;
	size_t left;
	char buf[CONTENT_BYTES];
};

static ssize_t tar_stream_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct tar_stream *t = container_of(s, struct tar_stream, base);

	while (t->left == 0) {
		const void *data;
		uint64_t offset;
		int r = archive_reader_data(t->reader, &data, &t->left, &offset, err);

		if (r != 0)
			return r == ARCHIVE_END ? 0 : r;
		t->data = data;
	}
	n = MIN(n, t->left);
	memcpy(buf, t->data, n);
	t->data += n;
	t->left -= n;
	return (ssize_t)n;
}

static void tar_stream_close(struct stream *s)
{
	struct tar_stream *t = container_of(s, struct tar_stream, base);

	archive_reader_close(t->reader);
	free(t);
}

static const struct stream_ops tar_stream_ops = {
	.read = tar_stream_read,
	.close = tar_stream_close,
};

static int tar_open_stream(struct input *in, const char *path, struct stream **ret,
			   struct error *err)
{
	const struct input_tar *tar = container_of(in, struct input_tar, base);
	cleanup_with(stream_close) struct stream *guard = NULL;
	const struct tar_file *file = NULL;
	struct archive_member member;
	struct tar_stream *t;
	int r = find_file(in, path, &file, err);

	if (r < 0)
		return r;
	t = xmalloc(sizeof(*t));
	t->base.ops = &tar_stream_ops;
	t->bytes = (struct tar_bytes){ tar, tar->begin + (int64_t)file->offset, CONTENT_BYTES,
				       t->buf };
	t->left = 0;
	t->reader = read_from(&t->bytes);
	guard = &t->base;
	r = archive_reader_next(t->reader, &member, err);
	if (r == ARCHIVE_END)
		r = error_kind(err, ERROR_INVALID, "'%s' changed while it was read", in->name);
	if (r < 0)
		return r;
	*ret = take_ptr(&guard);
	return 0;
}

static void tar_close(struct input *in)
{
	struct input_tar *tar = container_of(in, struct input_tar, base);

	for (size_t i = 0; i < tar->n; i++) {
		free(tar->files[i].path);
		free(tar->files[i].link);
	}
	free(tar->files);
	if (tar->owned)
		close(tar->fd);
	free(tar);
}

int input_tar_open(int fd, int64_t offset, bool owned, const char *name, struct input **ret,
		   struct error *err)
{
	static const struct input_ops ops = {
		.size = tar_size,
		.open = tar_open_stream,
		.close = tar_close,
	};
	struct input_tar *tar = xcalloc(1, sizeof(*tar));
	int r;

	tar->base.ops = &ops;
	tar->base.name = name;
	tar->fd = fd;
	tar->owned = owned;
	tar->begin = offset;
	r = build_index(tar, err);
	if (r < 0) {
		tar_close(&tar->base);
		return r;
	}
	*ret = &tar->base;
	return 0;
}
