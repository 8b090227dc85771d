/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a log are path.N, ..., path.1, path, oldest first, and may be renamed under us at
 * any moment. So a file is known by its inode, not by its name: at the end of one we look which
 * name it has now, and go on with the next younger name.
 */
#include "monitor/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define FILES_MAX     1000
#define BLOCK	      65536
#define ENTRY_MAX     262144 /* a line of 16 KiB, every byte escaped as \u00xx, and its frame */
#define ARENA_ENTRIES 64     /* parsed lines before their memory is given back */
#define NS_PER_MS     1000000

struct reader {
	const char *path;
	const struct log_read_options *options;
	int (*parse)(const char *line, size_t len, struct arena *arena, struct log_entry *ret);
	log_entry_fn entry;
	void *arg;
	struct arena *arena;
	unsigned n_parsed;
	int fd;
	dev_t dev;
	ino_t ino;
	off_t offset; /* of the end of buf in the file */
	char *buf;    /* ENTRY_MAX bytes */
	size_t len;
	bool skipping; /* in a line that does not fit into buf */
	int watch_fd;
	bool stopped;
};

static void numbered(const struct reader *r, int n, char *ret)
{
	if (n == 0)
		(void)snprintf(ret, PATH_MAX, "%s", r->path);
	else
		(void)snprintf(ret, PATH_MAX, "%s.%d", r->path, n);
}

/* 0; -ENOENT: no such file. */
static int open_file(struct reader *r, int n, off_t offset, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	char name[PATH_MAX];
	struct stat st;

	numbered(r, n, name);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return error_sys(err, "cannot open log '%s'", name);
	if (fstat(fd, &st) < 0 || lseek(fd, offset, SEEK_SET) < 0)
		return error_sys(err, "cannot read log '%s'", name);
	cleanup_close_fd(&r->fd);
	r->fd = take_fd(&fd);
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	r->offset = offset;
	r->len = 0; /* a line does not go on in the next file */
	r->skipping = false;
	return 0;
}

/* The number that the open file has now; -1: it has been removed. */
static int current_number(const struct reader *r)
{
	char name[PATH_MAX];
	struct stat st;

	for (int n = 0; n <= FILES_MAX; n++) {
		numbered(r, n, name);
		if (stat(name, &st) < 0) {
			if (n > 0)
				return -1;
			continue; /* between two renames */
		}
		if (st.st_dev == r->dev && st.st_ino == r->ino)
			return n;
	}
	return -1;
}

static int oldest_number(const struct reader *r)
{
	char name[PATH_MAX];
	int n = 0;

	do {
		numbered(r, n + 1, name);
	} while (access(name, F_OK) == 0 && ++n < FILES_MAX);
	return n;
}

/* Where the last *lines whole lines of a file begin; *lines becomes what is missing. */
static off_t tail_offset(int fd, int64_t *lines)
{
	char block[4096];
	off_t at = lseek(fd, 0, SEEK_END);
	bool in_cut_line = true; /* what follows the last newline does not count */

	while (at > 0) {
		size_t want = (size_t)MIN((off_t)sizeof(block), at);

		at -= (off_t)want;
		if (pread(fd, block, want, at) != (ssize_t)want)
			break; /* truncated meanwhile: show what there is */
		for (size_t i = want; i-- > 0;) {
			if (block[i] != '\n')
				continue;
			if (!in_cut_line)
				--*lines;
			in_cut_line = false;
			if (*lines == 0)
				return at + (off_t)i + 1;
		}
	}
	if (!in_cut_line)
		--*lines; /* the first line has no newline before it */
	return 0;
}

/* Opens the file in which the wanted lines begin. -ENOENT: there is no log. */
static int open_first(struct reader *r, struct error *err)
{
	int64_t lines = r->options->tail;
	int oldest = oldest_number(r);
	int status;

	if (lines < 0) {
		while ((status = open_file(r, oldest, 0, err)) == -ENOENT && oldest > 0)
			oldest--; /* rotated away meanwhile */
		return status;
	}
	for (int n = 0;; n++) {
		off_t offset;

		status = open_file(r, n, 0, err);
		if (status < 0)
			return status;
		offset = lines == 0 ? lseek(r->fd, 0, SEEK_END) : tail_offset(r->fd, &lines);
		if (lines == 0 || n == oldest)
			return open_file(r, n, offset, err);
	}
}

/* 1: stop. */
static int handle_line(struct reader *r, const char *line, size_t len)
{
	const struct log_read_options *o = r->options;
	struct log_entry entry;

	if (++r->n_parsed % ARENA_ENTRIES == 0) {
		arena_free(r->arena);
		r->arena = arena_new();
	}
	if (r->parse(line, len, r->arena, &entry) < 0)
		return 0;
	if (entry.time_ns < o->since_ns)
		return 0;
	if (o->until_ns && entry.time_ns > o->until_ns)
		return 1;
	return r->entry(r->arg, &entry) != 0;
}

static int handle_lines(struct reader *r)
{
	size_t at = 0;
	char *newline;

	while ((newline = memchr(r->buf + at, '\n', r->len - at))) {
		size_t end = (size_t)(newline - r->buf);

		if (!r->skipping && handle_line(r, r->buf + at, end - at))
			return 1;
		r->skipping = false;
		at = end + 1;
	}
	r->len -= at;
	memmove(r->buf, r->buf + at, r->len);
	if (r->len == ENTRY_MAX) { /* no line of ours is so long */
		r->skipping = true;
		r->len = 0;
	}
	return 0;
}

/* To the end of the file as it is now. 1: stop. */
static int read_available(struct reader *r, struct error *err)
{
	for (;;) {
		ssize_t n = read(r->fd, r->buf + r->len, MIN((size_t)BLOCK, ENTRY_MAX - r->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, "cannot read log '%s'", r->path);
		if (n == 0)
			return 0;
		r->len += (size_t)n;
		r->offset += n;
		if (handle_lines(r))
			return 1;
	}
}

/* max-file=1 truncates instead of renaming; so do log rotating tools of the host. */
static bool restart_if_truncated(struct reader *r)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0 || st.st_size >= r->offset)
		return false;
	r->offset = 0;
	r->len = 0;
	r->skipping = false;
	return lseek(r->fd, 0, SEEK_SET) == 0;
}

/* At the end of a file: go on with the next younger one. 1: there is more; 2: stop; 0: not now. */
static int next_file(struct reader *r, struct error *err)
{
	int n = current_number(r);
	int status;

	if (n == 0)
		return restart_if_truncated(r);
	/* it may have grown between our end of file and its renaming */
	status = read_available(r, err);
	if (status != 0)
		return status < 0 ? status : 2;
	status = open_file(r, n > 0 ? n - 1 : oldest_number(r), 0, err);
	if (status == -ENOENT)
		return 0; /* just being renamed: the next event brings us here again */
	return status < 0 ? status : 1;
}

static int watch(struct reader *r, struct error *err)
{
	const char *base = path_base(r->path);
	cleanup_free char *dir = xstrndup(r->path, (size_t)(base - r->path));

	r->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch_fd < 0 || inotify_add_watch(r->watch_fd, *dir ? dir : ".",
						 IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return error_sys(err, "cannot watch log '%s'", r->path);
	return 0;
}

static int wait_ms(const struct reader *r)
{
	int64_t left;

	if (!r->options->until_ns)
		return -1;
	left = (r->options->until_ns - clock_real_ns()) / NS_PER_MS + 1;
	return (int)MAX(MIN(left, (int64_t)INT_MAX), 0);
}

/* Until something changes in the log's directory, or the end comes (r->stopped). */
static int wait_for_more(struct reader *r, struct error *err)
{
	struct pollfd wait[] = { { .fd = r->watch_fd, .events = POLLIN },
				 { .fd = r->options->stop_fd, .events = POLLIN } };
	char events[4096];
	int n = poll(wait, ARRAY_SIZE(wait), wait_ms(r));

	if (n < 0 && errno != EINTR)
		return error_sys(err, "cannot wait for log '%s'", r->path);
	/* which file it was does not matter: we look at our own */
	while (read(r->watch_fd, events, sizeof(events)) > 0)
		;
	if (n == 0 || wait[1].revents)
		r->stopped = true; /* one more round for what was written before */
	return 0;
}

static int read_all(struct reader *r, struct error *err)
{
	for (;;) {
		int status = read_available(r, err);

		if (status != 0)
			return MIN(status, 0);
		status = next_file(r, err);
		if (status == 1)
			continue;
		if (status != 0 || !r->options->follow || r->stopped)
			return MIN(status, 0);
		status = wait_for_more(r, err);
		if (status < 0)
			return status;
	}
}

int log_read(const char *path, const struct log_read_options *options, log_entry_fn entry,
	     void *arg, struct error *err)
{
	struct reader r = { .path = path,
			    .options = options,
			    .entry = entry,
			    .arg = arg,
			    .fd = -EBADF,
			    .watch_fd = -EBADF };
	int status = 0;

	if (str_eq(options->driver, "json-file"))
		r.parse = log_parse_json;
	else if (str_eq(options->driver, "k8s-file"))
		r.parse = log_parse_k8s;
	else
		return error_kind(err, ERROR_UNSUPPORTED,
				  "configured logging driver does not support reading");
	r.buf = xmalloc(ENTRY_MAX);
	r.arena = arena_new();
	if (options->follow)
		status = watch(&r, err);
	if (status == 0)
		status = open_first(&r, err);
	if (status == 0)
		status = read_all(&r, err);
	else if (status == -ENOENT)
		status = 0;
	cleanup_close_fd(&r.fd);
	cleanup_close_fd(&r.watch_fd);
	arena_free(r.arena);
	free(r.buf);
	return status;
}
