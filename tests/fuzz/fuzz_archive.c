/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer: decompressed, read as tar, unpacked. Whatever the bytes are, nothing appears beside the
 * layer's own directory, and the tree can be removed again.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/macro.h"
#include "codec/archive.h"
#include "codec/inflate.h"
#include "image/unpack.h"

#define BYTES_MAX   (1 << 20)
#define ENTRIES_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	struct stream *stream;
	char buf[4096];
};

static ssize_t next(void *ctx, const void **ret_data, struct error *err)
{
	struct source *s = ctx;

	*ret_data = s->buf;
	return stream_read(s->stream, s->buf, sizeof(s->buf), err);
}

static void unpack(struct stream *stream, int root_fd)
{
	const struct unpack_limits limits = { BYTES_MAX, ENTRIES_MAX };
	struct source source = { .stream = stream };
	cleanup_with(archive_reader_close) struct archive_reader *a =
		archive_reader_open(&(struct archive_source){ .next = next, .ctx = &source });
	struct unpack_result result;
	struct error err;

	if (unpack_archive(a, root_fd, &limits, UNPACK_ROOTLESS, &result, &err) == 0)
		assert(result.entries <= ENTRIES_MAX);
	else
		assert(err.msg[0]);
}

static size_t count_entries(int dir_fd)
{
	DIR *dir = fdopendir(dup(dir_fd));
	size_t n = 0;

	assert(dir);
	rewinddir(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(stream_close) struct stream *stream = NULL;
	cleanup_fd int dir_fd = -EBADF, root_fd = -EBADF;
	char dir[] = "/tmp/fuzz-archive-XXXXXX";
	struct error err;

	if (inflate_open(stream_from_memory(data, size), &stream, NULL, &err) < 0)
		return 0;
	assert(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(mkdirat(dir_fd, "root", 0755) == 0);
	root_fd = openat(dir_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unpack(stream, root_fd);
	assert(count_entries(dir_fd) == 3); /* ".", "..", "root" */
	assert(dir_remove_tree(AT_FDCWD, dir, &err) == 0);
	return 0;
}
