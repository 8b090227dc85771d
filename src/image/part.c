/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part changes its name only while it is locked, so who has the lock looks whether the name still
 * leads to the file that he has locked:
 *
 *     fetching:  open or create <hex>, lock it; is <hex> still this file? else again
 *                append ... verified: link into the work directory, rename to <hex>.whole, unlock
 *     waiting:   open <hex>, its lock is held; it gets free: <hex> is not this file any more, again
 *                -> the store has the blob, or there is <hex>.whole; or it is ours to go on with
 *     sweeping:  open <hex>, lock it (held: leave it), unlink
 *
 * Nobody waits while he has a lock that another one could want: a worker fetches one blob at a time,
 * and one that is whole is not locked. So two pulls cannot wait for each other.
 */
#include "image/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/stream.h"
#include "image/layer.h"
#include "image/store_private.h"

#define WHOLE	".whole"
#define POLL_MS 20
/* Longer than a registry's pauses between tries, and than what is there is hashed again. */
#define STUCK_MS (60 * 1000)

static struct store_path path_of(const char *hex, const char *suffix)
{
	struct store_path p;

	(void)snprintf(p.s, sizeof(p.s), PARTS_DIR "/%.64s%s", hex, suffix); /* 83 bytes */
	return p;
}

static struct store_path part_path(const struct digest *id)
{
	return path_of(digest_hex(id), "");
}

static struct store_path whole_path(const struct digest *id)
{
	return path_of(digest_hex(id), WHOLE);
}

static int open_part(struct image_store *store, const char *path, struct error *err)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
	int fd = openat(store->root_fd, path, flags, 0600);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(store->root_fd, PARTS_DIR, 0700) < 0 && errno != EEXIST)
			return error_sys(err, "cannot create '%s/" PARTS_DIR "'", store->root_path);
		fd = openat(store->root_fd, path, flags, 0600);
	}
	return fd < 0 ? error_sys(err, "cannot open '%s/%s'", store->root_path, path) : fd;
}

static int64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -1 : (int64_t)st.st_size;
}

/* 0, or PART_STUCK. */
static int wait_for_lock(int fd, const struct part_waiter *w, struct error *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int64_t since = clock_monotonic_ns(), last = size_of(fd);

	for (;;) {
		int r = lock_try_fd(fd);
		int64_t now = clock_monotonic_ns(), size = size_of(fd);

		if (r != -EAGAIN)
			return r < 0 ? error_num(err, -r, "cannot lock a part of a blob") : 0;
		if (w->is_stopped(w->ctx))
			return error_num(err, ECANCELED, "stopped");
		if (size != last)
			since = now;
		last = size;
		if (now - since > STUCK_MS * INT64_C(1000000))
			return PART_STUCK;
		(void)nanosleep(&pause, NULL); /* woken early, we only ask sooner */
	}
}

/* It is locked and has its name: who else brought the blob since? */
static int look_elsewhere(struct image_store *store, const struct digest *id, uint64_t bytes,
			  bool anew)
{
	if (!anew && blob_exists(store, id, bytes))
		return PART_STORED;
	if (faccessat(store->root_fd, whole_path(id).s, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return PART_WHOLE;
	return PART_OURS;
}

int part_open(struct image_store *store, const struct digest *id, uint64_t bytes,
	      const struct part_waiter *waiter, bool anew, struct part *ret, struct error *err)
{
	const struct store_path path = part_path(id);

	for (;;) {
		cleanup_fd int fd = open_part(store, path.s, err);
		int64_t size;
		int r = fd < 0 ? fd : wait_for_lock(fd, waiter, err);

		if (r != 0)
			return r;
		if (!fd_is_named(fd, store->root_fd, path.s))
			continue;
		r = look_elsewhere(store, id, bytes, anew);
		if (r != PART_OURS) {
			(void)unlinkat(store->root_fd, path.s, 0); /* a sweeper is as good */
			return r;
		}
		size = size_of(fd);
		if (size > (int64_t)bytes && ftruncate(fd, 0) < 0)
			return error_sys(err, "cannot write '%s'", path.s);
		*ret = (struct part){ store, *id, take_fd(&fd),
				      size > (int64_t)bytes ? 0 : (uint64_t)MAX(size, 0) };
		return PART_OURS;
	}
}

void part_close(struct part *p)
{
	cleanup_close_fd(&p->fd);
	*p = PART_NONE;
}

/* The stream */

struct part_stream {
	struct stream base;
	struct part *part;
	const struct layer_job *job;
	struct stream *rest;
	uint64_t offset;
};

static ssize_t read_own(struct part_stream *s, void *buf, size_t n, struct error *err)
{
	ssize_t got;

	n = MIN(n, s->part->bytes - s->offset);
	do
		got = pread(s->part->fd, buf, n, (off_t)s->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_sys(err, "cannot read a part of a blob");
	if (got == 0)
		return error_kind(err, ERROR_INVALID, "a part of it has become shorter");
	return got;
}

static ssize_t read_rest(struct part_stream *s, void *buf, size_t n, struct error *err)
{
	ssize_t got;
	int r = 0;

	if (s->offset == s->job->blob_bytes)
		return 0;
	if (!s->rest) /* not before: a connection would stand idle while the own part is read */
		r = s->job->open_at(s->job, s->offset, &s->rest, err);
	if (r < 0)
		return r;
	got = stream_read(s->rest, buf, n, err);
	if (got <= 0)
		return got;
	r = fd_write_all(s->part->fd, buf, (size_t)got);
	return r < 0 ? error_num(err, -r, "cannot write a blob") : got;
}

static ssize_t read_part(struct stream *base, void *buf, size_t n, struct error *err)
{
	struct part_stream *s = container_of(base, struct part_stream, base);
	ssize_t got =
		s->offset < s->part->bytes ? read_own(s, buf, n, err) : read_rest(s, buf, n, err);

	if (got > 0)
		s->offset += (uint64_t)got;
	return got;
}

static void close_part_stream(struct stream *base)
{
	struct part_stream *s = container_of(base, struct part_stream, base);

	stream_close(s->rest);
	free(s);
}

struct stream *part_stream(struct part *p, const struct layer_job *job)
{
	static const struct stream_ops ops = { .read = read_part, .close = close_part_stream };
	struct part_stream *s = xcalloc(1, sizeof(*s));

	s->base.ops = &ops;
	s->part = p;
	s->job = job;
	return &s->base;
}

/* Names */

static int link_to(struct image_store *store, const struct store_path *from, int dir_fd,
		   const char *name, struct error *err)
{
	if (linkat(store->root_fd, from->s, dir_fd, name, 0) == 0 || errno == EEXIST)
		return 0;
	return errno == ENOENT ? 1 : error_sys(err, "cannot link '%s'", from->s);
}

int part_finish(struct part *p, int dir_fd, const char *name, struct error *err)
{
	const struct store_path path = part_path(&p->id), whole = whole_path(&p->id);
	int r = link_to(p->store, &path, dir_fd, name, err);

	if (r > 0)
		return error_num(err, ENOENT, "somebody has removed '%s'", path.s);
	if (r == 0 && renameat(p->store->root_fd, path.s, p->store->root_fd, whole.s) < 0)
		return error_sys(err, "cannot rename '%s'", path.s);
	part_close(p);
	return r;
}

void part_discard(struct part *p)
{
	(void)unlinkat(p->store->root_fd, part_path(&p->id).s, 0); /* the next look does */
	part_close(p);
}

int part_link_whole(struct image_store *store, const struct digest *id, int dir_fd,
		    const char *name, struct error *err)
{
	const struct store_path whole = whole_path(id);

	return link_to(store, &whole, dir_fd, name, err);
}

void part_unlink_whole(struct image_store *store, const char *hex)
{
	(void)unlinkat(store->root_fd, path_of(hex, WHOLE).s, 0); /* mostly there is none */
}

/* Looking around */

/* One of the directory: if it is old enough and nobody's. */
static void look_at(struct image_store *store, int dir_fd, const char *name, int64_t min_age_s,
		    bool removes, struct part_survey *found)
{
	cleanup_fd int fd =
		openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	cleanup_free char *path = xasprintf(PARTS_DIR "/%s", name);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    clock_real_ns() / 1000000000 - st.st_mtim.tv_sec < min_age_s)
		return;
	/* a whole one is never written to: nobody need be kept from it */
	if (!str_ends(name, WHOLE) && (lock_try_fd(fd) < 0 || !fd_is_named(fd, dir_fd, name)))
		return;
	found->n++;
	found->bytes += (uint64_t)st.st_blocks * 512;
	if (removes && unlinkat(dir_fd, name, 0) < 0)
		log_debug("removing '%s': %m", path);
}

void part_look(struct image_store *store, int64_t min_age_s, bool removes, struct part_survey *ret)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *d;
	int fd = openat(store->root_fd, PARTS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = (struct part_survey){ 0 };
	dir = fd < 0 ? NULL : fdopendir(fd); /* nothing was ever pulled */
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] != '.')
			look_at(store, dirfd(dir), d->d_name, min_age_s, removes, ret);
	}
}

void part_drop(struct image_store *store, const struct digest *id)
{
	cleanup_fd int fd = openat(store->root_fd, PARTS_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct part_survey ignored = { 0 };

	if (fd < 0)
		return;
	look_at(store, fd, digest_hex(id), INT64_MIN, true, &ignored);
	part_unlink_whole(store, digest_hex(id));
}
