/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob to the registry, by the cheapest way: it is there; another repository of the registry has
 * it; it is sent. A layer that is compressed for the way is asked for under the digest that it got
 * last time, so that a second push compresses nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/deflate.h"
#include "codec/stream.h"
#include "image/push_private.h"
#include "image/stop.h"
#include "registry/upload.h"

#define JOBS_DEFAULT 5
#define JOBS_MAX     16
#define MOUNT_TRIES  3 /* repositories that might have forgotten the blob */

/* Several blobs at a time */
struct pool {
	struct push *push;
	struct push_blob *blobs;
	size_t n, next;
	pthread_mutex_t lock; /* of all below and of next */
	int result;
	struct error err;
};

struct watcher {
	struct push *push;
	const struct push_blob *blob;
	const char *text;
	uint64_t total;
	struct pool *pool;
};

static void show(struct push *p, const struct push_blob *b, const char *text)
{
	if (*b->label)
		progress_show(&p->options->progress, b->label, text, 0, 0);
}

static void show_bytes(void *ctx, uint64_t bytes)
{
	const struct watcher *w = ctx;

	if (*w->blob->label)
		progress_show(&w->push->options->progress, w->blob->label, w->text,
			      MIN(bytes, w->total), w->total);
}

static bool has_failed(struct pool *pool)
{
	bool failed;

	(void)pthread_mutex_lock(&pool->lock);
	failed = pool->result < 0;
	(void)pthread_mutex_unlock(&pool->lock);
	return failed;
}

static int show_packing(void *ctx, uint64_t bytes)
{
	const struct watcher *w = ctx;

	show_bytes(ctx, bytes);
	return has_failed(w->pool);
}

/* It is there now. */
static void remember(struct push *p, const struct push_blob *b)
{
	(void)pthread_mutex_lock(&p->lock);
	blob_places_add(&p->news, &b->sent, p->repository);
	if (b->pack != COMPRESSION_NONE)
		blob_places_add_packed(&p->news,
				       &(struct blob_packed){ .plain = b->local,
							      .packed = b->sent,
							      .packed_bytes = b->sent_bytes,
							      .how = b->pack });
	(void)pthread_mutex_unlock(&p->lock);
}

/* Is it there, or can it be had from another repository? 1 yes, 0 no. */
static int find_there(struct push *p, const struct push_blob *b, struct error *err)
{
	int r = registry_blob_exists(p->registry, &b->sent, err);
	const char *from;

	if (r < 0)
		return r;
	if (r > 0) {
		show(p, b, "Layer already exists");
		return 1;
	}
	for (size_t i = 0; i < MOUNT_TRIES; i++) {
		cleanup_free char *text = NULL;

		from = blob_places_find(&p->places, &b->sent, p->ref->domain, p->ref->path, i);
		if (!from)
			return 0;
		r = registry_blob_mount(p->registry, &b->sent, from, err);
		if (r < 0)
			return r;
		text = xasprintf("Mounted from %s", from);
		if (r > 0)
			show(p, b, text);
		if (r > 0)
			return 1;
	}
	return 0;
}

static int open_blob(struct push *p, const struct push_blob *b, int *ret_fd, struct error *err)
{
	int fd = openat(p->store->root_fd, blob_path(&b->local).s,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return error_sys(err, "cannot open blob '%s'", digest_hex(&b->local));
	*ret_fd = fd;
	return 0;
}

/* A file without a name, so that nothing is left of it whatever happens. */
static int open_spool(struct push *p, int *ret_fd, struct error *err)
{
	int fd = openat(p->store->root_fd, TMP_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_sys(err, "cannot make a file in '%s/" TMP_DIR "'",
				 p->store->root_path);
	*ret_fd = fd;
	return 0;
}

/* The blob compressed, in *fd; sent and sent_bytes are set. */
static int pack(struct pool *pool, struct push_blob *b, int *fd, struct error *err)
{
	struct push *p = pool->push;
	struct watcher w = { p, b, "Compressing", b->local_bytes, pool };
	cleanup_fd int plain_fd = *fd, packed_fd = -EBADF;
	cleanup_with(stream_close) struct stream *in = NULL;
	struct deflated result;
	int r = open_spool(p, &packed_fd, err);

	*fd = -EBADF;
	if (r < 0)
		return r;
	in = stop_stream_open(stream_from_fd(plain_fd, 0, b->local_bytes, digest_hex(&b->local)),
			      plain_fd, p->options->stop_fd);
	r = deflate_copy(in, packed_fd, b->pack, show_packing, &w, &result, err);
	if (r < 0)
		return r;
	if (!digest_eq(&result.in_id, &b->local)) {
		blob_mark(plain_fd, true);
		return error_kind(err, ERROR_INVALID, "blob '%s' is damaged",
				  digest_hex(&b->local));
	}
	b->sent = result.out_id;
	b->sent_bytes = result.out_bytes;
	*fd = take_fd(&packed_fd);
	return 0;
}

static int send_blob(struct pool *pool, const struct push_blob *b, int fd, struct error *err)
{
	struct watcher w = { pool->push, b, "Pushing", b->sent_bytes, pool };
	const struct registry_upload upload = {
		.id = &b->sent,
		.bytes = b->sent_bytes,
		.fd = fd,
		.sent = show_bytes,
		.ctx = &w,
	};
	int r;

	show_bytes(&w, 0);
	r = registry_blob_send(pool->push->registry, &upload, err);
	if (r == 0)
		show(pool->push, b, "Pushed");
	return r;
}

/* What it was the last time it was compressed; false: nobody knows. */
static bool recall_packed(struct push *p, struct push_blob *b)
{
	const struct blob_packed *packed = blob_places_find_packed(&p->places, &b->local, b->pack);

	if (!packed)
		return false;
	b->sent = packed->packed;
	b->sent_bytes = packed->packed_bytes;
	return true;
}

static int push_blob(struct pool *pool, struct push_blob *b, struct error *err)
{
	struct push *p = pool->push;
	cleanup_fd int fd = -EBADF;
	int r = 0;

	if (b->pack == COMPRESSION_NONE) {
		b->sent = b->local;
		b->sent_bytes = b->local_bytes;
	}
	if (b->pack == COMPRESSION_NONE || recall_packed(p, b))
		r = find_there(p, b, err);
	if (r != 0)
		return r;
	r = open_blob(p, b, &fd, err);
	if (r == 0 && b->pack != COMPRESSION_NONE) {
		struct digest recalled = b->sent;

		r = pack(pool, b, &fd, err);
		if (r == 0 && !digest_eq(&recalled, &b->sent))
			r = find_there(p, b, err);
	}
	return r != 0 ? r : send_blob(pool, b, fd, err);
}

/* The pool */

static struct push_blob *take_next(struct pool *pool)
{
	struct push_blob *b = NULL;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->result == 0 && pool->next < pool->n)
		b = &pool->blobs[pool->next++];
	(void)pthread_mutex_unlock(&pool->lock);
	return b;
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct push_blob *b;

	while ((b = take_next(pool))) {
		struct error err = { 0 };
		int r = push_blob(pool, b, &err);

		if (r >= 0) {
			remember(pool->push, b);
			continue;
		}
		(void)pthread_mutex_lock(&pool->lock);
		if (pool->result == 0) {
			pool->result = r;
			pool->err = err;
		}
		(void)pthread_mutex_unlock(&pool->lock);
	}
	return NULL;
}

int push_blobs(struct push *p, struct push_blob *blobs, size_t n, struct error *err)
{
	unsigned jobs = p->options->jobs ? p->options->jobs : JOBS_DEFAULT;
	struct pool pool = { .push = p, .blobs = blobs, .n = n };
	pthread_t threads[JOBS_MAX];
	size_t started = 0;

	(void)pthread_mutex_init(&pool.lock, NULL); /* cannot fail without attributes */
	/* one of them is this thread, so that it works even if no other can be had */
	while (started + 1 < MIN(MIN(jobs, JOBS_MAX), n) &&
	       pthread_create(&threads[started], NULL, work, &pool) == 0)
		started++;
	(void)work(&pool);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL); /* ours, and not detached */
	(void)pthread_mutex_destroy(&pool.lock);
	if (pool.result < 0)
		*err = pool.err;
	return pool.result;
}
