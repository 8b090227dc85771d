/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer on its way in:
 *
 *     source ─▶ tee: SHA-256, copy to part-N ─▶ decompress ─▶ ring     (pump thread)
 *     ring ─▶ SHA-256 ─▶ archive ─▶ sink: unpack-N/diff                (worker thread)
 *
 * in the work directory (work.h), where it gets its digest for a name once it is verified. Nothing
 * is visible before all layers are complete: then one syncfs() brings them to the disk and renames
 * publish them, so after a crash a layer that is there by name is there as a whole. What is large
 * is published before that, with a mark that names it (pending.h).
 *
 * Until then nobody is kept from removing images. So under the lock it is asked whether what was in
 * the store at first still is; if not, the lock is let go and the missing layers are read as well.
 * What has been read is safe in the work directory, so this ends.
 */
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mem.h"
#include "codec/archive.h"
#include "codec/sha256.h"
#include "image/index.h"
#include "image/layer_info.h"
#include "image/part.h"
#include "image/ring.h"
#include "image/store_private.h"
#include "image/tee.h"
#include "image/unpack.h"
#include "image/work.h"

#define RING_BUFFERS	  4
#define RING_BUFFER_BYTES ((size_t)256 << 10)

/* gzip cannot exceed 1032:1; zstd can. Small layers may be all zeros. */
#define RATIO_MAX_DEFAULT 1200
#define RATIO_FREE_BYTES  ((uint64_t)1 << 30)
/* What a layer must leave free on the file system: so much, or on a small one, a part of it. */
#define SPACE_RESERVE_BYTES ((uint64_t)64 << 20)
#define SPACE_RESERVE_PART  16

/* Less is on the disk before a process that flushes it has started. */
#define FLUSH_LATER_BYTES ((uint64_t)32 << 20)
/* What an entry takes beside its content, about: an inode and a name, or its header in an image. */
#define ENTRY_BYTES 512

struct layer_task {
	struct layer_job *job;
	struct layer_task *same; /* an earlier one of the same content, done for both; or NULL */
	bool started;
	/* job's blob is what the store has of this layer, perhaps compressed otherwise than the source */
	bool borrowed;
	uint64_t source_bytes; /* then: what blob_bytes was before */
	char blob_tmp[32];     /* in the work directory */
	char layer_tmp[32];
	uint64_t entries;
};

struct layer_batch {
	struct image_store *store;
	struct store_work *work;
	const struct layers_options *options;
	const struct layer_sink *sink;
	struct unpack_limits unpack_limits;
	unsigned max_ratio;
	struct layer_task *tasks;
	size_t n;
	pthread_mutex_t lock;  /* started, failed, err */
	pthread_mutex_t large; /* for unpack_limits */
	atomic_int failed;     /* pumps look at it without the lock */
	atomic_ullong written; /* bytes of blobs and layers that are not in the store */
	struct error err;
};

static void tell(const struct layer_batch *b, const struct layer_job *job, enum layer_event event,
		 uint64_t bytes)
{
	if (b->options->watch)
		b->options->watch->tell(b->options->watch->ctx, job, event, bytes);
}

/* By the user, or another layer has failed: all is in vain. */
static bool is_stopped(const void *ctx)
{
	const struct layer_batch *b = ctx;

	return atomic_load(&b->failed) < 0 ||
	       (b->options->stopped && atomic_load(b->options->stopped));
}

/* The pump thread */

struct pump {
	const struct layer_batch *batch;
	const struct layer_job *job;
	struct stream *tee, *plain;
	struct ring *ring;
	pthread_t thread;
};

static int check_ratio(const struct pump *p, uint64_t out, struct error *err)
{
	uint64_t in = tee_bytes(p->tee);

	if (out <= RATIO_FREE_BYTES || out / p->batch->max_ratio <= in)
		return 0;
	return error_kind(err, ERROR_INVALID, "it unpacks to more than %u times its size",
			  p->batch->max_ratio);
}

static void *pump_run(void *arg)
{
	struct pump *p = arg;
	struct error err;
	uint64_t out = 0;
	ssize_t n = 0;
	void *buffer;

	while ((buffer = ring_reserve(p->ring))) {
		n = stream_read_full(p->plain, buffer, RING_BUFFER_BYTES, &err);
		if (n <= 0)
			break;
		out += (uint64_t)n;
		ring_commit(p->ring, (size_t)n);
		tell(p->batch, p->job, LAYER_READ, tee_bytes(p->tee));
		n = check_ratio(p, out, &err);
		if (n == 0 && is_stopped(p->batch))
			n = error_num(&err, ECANCELED, "stopped");
		if (n < 0)
			break;
	}
	ring_finish(p->ring, (int)n, &err);
	return NULL;
}

/* The worker's end of the ring */

struct intake {
	struct ring *ring;
	bool hashes; /* plain layers: the blob's digest is the diff ID */
	struct sha256 hash;
};

static ssize_t intake_next(void *ctx, const void **ret_data, struct error *err)
{
	struct intake *in = ctx;
	ssize_t n = ring_take(in->ring, ret_data, err);

	if (n > 0 && in->hashes)
		sha256_add(&in->hash, *ret_data, (size_t)n);
	return n;
}

static int drain(struct intake *in, struct error *err)
{
	const void *data;
	ssize_t n;

	do
		n = intake_next(in, &data, err);
	while (n > 0);
	return (int)n;
}

static int make_layer(struct layer_batch *b, struct layer_task *t, struct intake *in,
		      struct error *err)
{
	const struct archive_source source = { .next = intake_next, .ctx = in };
	cleanup_fd int layer_fd = -EBADF;
	struct unpack_result result;
	int r;

	if (mkdirat(b->work->fd, t->layer_tmp, 0700) < 0)
		return error_sys(err, "cannot create '%s'", t->layer_tmp);
	layer_fd = openat(b->work->fd, t->layer_tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer_fd < 0)
		return error_sys(err, "cannot open '%s'", t->layer_tmp);
	r = b->sink->take(&source, layer_fd, &b->unpack_limits, &result, err);
	if (r == 0)
		r = drain(in, err);
	if (r < 0)
		return r;
	t->job->unpacked_bytes = result.bytes;
	t->entries = result.entries;
	return 0;
}

static int check_digest(const char *what, struct digest *expected, struct digest found,
			struct error *err)
{
	if (digest_is_set(expected) && !digest_eq(expected, &found))
		return error_kind(err, ERROR_INVALID, "its %s is %s, not %s as it should be", what,
				  found.text, expected->text);
	*expected = found;
	return 0;
}

/* Through the ring and onto the disk. */
static int run_pipeline(struct layer_batch *b, struct layer_task *t, struct stream *tee,
			struct stream *plain, bool want_layer, struct error *err)
{
	cleanup_with(ring_free) struct ring *ring = ring_new(RING_BUFFERS, RING_BUFFER_BYTES);
	struct pump pump = { b, t->job, tee, plain, ring, 0 };
	struct intake in = { .ring = ring, .hashes = t->job->compression != COMPRESSION_NONE };
	struct digest blob_id, diff_id;
	int r;

	sha256_init(&in.hash);
	r = pthread_create(&pump.thread, NULL, pump_run, &pump);
	if (r != 0)
		return error_num(err, r, "cannot start a thread");
	r = want_layer ? make_layer(b, t, &in, err) : drain(&in, err);
	if (r < 0)
		ring_abandon(ring);
	(void)pthread_join(pump.thread, NULL); /* cannot fail: it is ours and not joined yet */
	if (r < 0)
		return r;

	t->job->blob_bytes = tee_bytes(tee);
	blob_id = tee_digest(tee);
	r = check_digest("digest", &t->job->blob_id, blob_id, err);
	if (r < 0)
		return r;
	diff_id = in.hashes ? sha256_finish(&in.hash) : blob_id;
	return check_digest("diff ID", &t->job->diff_id, diff_id, err);
}

/* The layer's note of where it came from. */
static int write_info(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	cleanup_fd int fd = openat(b->work->fd, t->layer_tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct layer_info info = {
		.blob_id = t->job->blob_id,
		.blob_bytes = t->job->blob_bytes,
		.unpacked_bytes = t->job->unpacked_bytes,
		.entries = t->entries,
		.compression = t->job->compression,
	};

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", t->layer_tmp);
	return layer_info_save(fd, &info, err);
}

/* Verified: from now on under its digest. Another job may have been faster with the same layer. */
static int give_name(struct layer_batch *b, const char *from, struct work_name to,
		     struct error *err)
{
	if (renameat(b->work->fd, from, b->work->fd, to.s) < 0 && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return error_sys(err, "cannot rename '%s'", from);
	return 0;
}

/* Reads source, which is taken, and copies it to blob_fd if that is one; the layer if it is wanted. */
static int read_layer(struct layer_batch *b, struct layer_task *t, struct stream *source,
		      int blob_fd, bool want_layer, struct error *err)
{
	cleanup_with(stream_close) struct stream *plain = NULL;
	struct stream *tee = tee_open(source, blob_fd);
	int r = inflate_open(tee, &plain, &t->job->compression, err); /* takes tee */

	if (r == 0)
		r = run_pipeline(b, t, tee, plain, want_layer, err);
	if (r == 0 && want_layer)
		r = write_info(b, t, err);
	if (r == 0 && want_layer)
		r = give_name(b, t->layer_tmp, work_layer(&t->job->diff_id), err);
	if (r == 0)
		atomic_fetch_add(&b->written, t->job->blob_bytes);
	if (r == 0 && want_layer)
		atomic_fetch_add(&b->written, t->job->unpacked_bytes + t->entries * ENTRY_BYTES);
	return r;
}

/* What was read was not what it should be: is it to be read anew, from elsewhere? */
static bool is_damaged(struct layer_batch *b, const struct layer_task *t, int r, struct error *err)
{
	struct error ignored; /* what cannot be removed is in the way of the next mkdir */

	if (r >= 0 || err->kind != ERROR_INVALID)
		return false;
	(void)dir_remove_tree(b->work->fd, t->layer_tmp, &ignored);
	return true;
}

/* The blob is here, the layer is not. > 0: the blob is gone or damaged, it must be read anew. */
static int take_from_store(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	const struct store_path path = blob_path(&t->job->blob_id);
	cleanup_fd int fd = openat(b->store->root_fd, path.s, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return 1;
	r = read_layer(b, t, stream_from_fd(fd, 0, INT64_MAX, path.s), -1, true, err);
	return is_damaged(b, t, r, err) ? 1 : r;
}

/* Another process has fetched the blob and not published it yet. > 0: gone meanwhile, or damaged. */
static int take_from_whole(struct layer_batch *b, struct layer_task *t, bool want_layer,
			   struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r = part_link_whole(b->store, &t->job->blob_id, b->work->fd, t->blob_tmp, err);

	if (r != 0)
		return r;
	fd = openat(b->work->fd, t->blob_tmp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot open '%s'", t->blob_tmp);
	r = read_layer(b, t, stream_from_fd(fd, 0, INT64_MAX, t->blob_tmp), -1, want_layer, err);
	if (r == 0)
		return give_name(b, t->blob_tmp, work_blob(&t->job->blob_id), err);
	(void)unlinkat(b->work->fd, t->blob_tmp, 0); /* else the next link is this one */
	if (!is_damaged(b, t, r, err))
		return r;
	part_unlink_whole(b->store, digest_hex(&t->job->blob_id));
	return 1;
}

/* What a dead process has fetched of it, and the rest. > 0: what was there is damaged, and gone. */
static int take_from_part(struct layer_batch *b, struct layer_task *t, struct part *part,
			  bool want_layer, struct error *err)
{
	bool resumed = part->bytes > 0;
	int r = read_layer(b, t, part_stream(part, t->job), -1, want_layer, err);

	if (r == 0)
		return part_finish(part, b->work->fd, work_blob(&t->job->blob_id).s, err);
	if (!is_damaged(b, t, r, err))
		return r;
	part_discard(part);
	return resumed ? 1 : r;
}

static int take_new(struct layer_batch *b, struct layer_task *t, bool want_layer, struct error *err)
{
	struct stream *source;
	cleanup_fd int blob_fd =
		openat(b->work->fd, t->blob_tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (blob_fd < 0)
		return error_sys(err, "cannot create '%s'", t->blob_tmp);
	r = t->job->open ? t->job->open(t->job, &source, err)
			 : t->job->open_at(t->job, 0, &source, err);
	if (r == 0)
		r = read_layer(b, t, source, blob_fd, want_layer, err);
	return r < 0 ? r : give_name(b, t->blob_tmp, work_blob(&t->job->blob_id), err);
}

/* As take_new(), together with other processes. > 0: one of them has brought it into the store. anew:
 * it is there, but damaged. */
static int take_shared(struct layer_batch *b, struct layer_task *t, bool want_layer, bool anew,
		       struct error *err)
{
	const struct part_waiter waiter = { is_stopped, b };
	int r;

	do {
		cleanup_part struct part part = PART_NONE;

		r = part_open(b->store, &t->job->blob_id, t->job->blob_bytes, &waiter, anew, &part,
			      err);
		if (r == PART_STORED)
			return 1;
		if (r == PART_STUCK)
			return take_new(b, t, want_layer, err);
		if (r == PART_OURS)
			r = take_from_part(b, t, &part, want_layer, err);
		else if (r == PART_WHOLE)
			r = take_from_whole(b, t, want_layer, err);
	} while (r > 0);
	return r;
}

/* In the store, or on its way there with us. */
static bool has_blob(const struct layer_batch *b, const struct digest *id, uint64_t bytes)
{
	return digest_is_set(id) &&
	       (work_has(b->work, work_blob(id)) || blob_exists(b->store, id, bytes));
}

static bool has_layer(const struct layer_batch *b, struct layer_job *job, struct layer_info *info)
{
	struct error ignored; /* a layer whose note cannot be read is none */

	if (!digest_is_set(&job->diff_id))
		return false;
	if (work_has(b->work, work_layer(&job->diff_id)))
		return layer_info_load_from(b->work->fd, work_layer(&job->diff_id).s, info,
					    &ignored) == 0;
	return layer_info_load(b->store->root_fd, &job->diff_id, info, &ignored) == 0;
}

/* Is nothing to be done? Fills in what the store knows of it. */
static bool is_there(struct layer_batch *b, struct layer_task *t, bool have_layer,
		     const struct layer_info *info)
{
	struct layer_job *job = t->job;

	if (!have_layer)
		return false;
	job->unpacked_bytes = info->unpacked_bytes;
	if (digest_is_set(&job->blob_id))
		return has_blob(b, &job->blob_id, job->blob_bytes);
	if (!has_blob(b, &info->blob_id, info->blob_bytes))
		return false;
	t->borrowed = true;
	t->source_bytes = job->blob_bytes;
	job->blob_id = info->blob_id;
	job->blob_bytes = info->blob_bytes;
	job->compression = info->compression;
	return true;
}

/* It was there once, and may have been removed since: then it comes as the source has it. */
static void give_back(struct layer_task *t)
{
	if (!t->borrowed)
		return;
	t->borrowed = false;
	t->job->blob_id = (struct digest){ "" };
	t->job->blob_bytes = t->source_bytes;
}

/* > 0: it may be in the store now. */
static int try_layer(struct layer_batch *b, struct layer_task *t, bool have_layer,
		     struct error *err)
{
	bool stored = !have_layer && blob_exists(b->store, &t->job->blob_id, t->job->blob_bytes);
	int r = stored ? take_from_store(b, t, err) : 1;

	if (r > 0 && t->job->open_at)
		return take_shared(b, t, !have_layer, stored, err);
	return r > 0 ? take_new(b, t, !have_layer, err) : r;
}

/* That of an import has no name as long as it was not read to its end. */
static int name_layer(const struct layer_job *job, int r, struct error *err)
{
	const struct digest *id = digest_is_set(&job->diff_id) ? &job->diff_id : &job->blob_id;

	return digest_is_set(id) ? error_prefix(err, r, "layer %s", id->text) : r;
}

static int take_layer(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	struct layer_info info;
	bool have_layer = has_layer(b, t->job, &info);
	int r;

	give_back(t);
	if (is_there(b, t, have_layer, &info)) {
		tell(b, t->job, LAYER_EXISTS, 0);
		return 0;
	}
	tell(b, t->job, LAYER_BEGINS, 0);
	do {
		r = try_layer(b, t, have_layer, err);
		have_layer = has_layer(b, t->job, &info);
	} while (r > 0 && !is_there(b, t, have_layer, &info));
	if (r < 0)
		return name_layer(t->job, r, err);
	tell(b, t->job, LAYER_DONE, t->job->blob_bytes);
	return 0;
}

/* The batch */

/* The largest that nobody has begun, so that it does not run alone at the end. */
static struct layer_task *next_task(struct layer_batch *b)
{
	struct layer_task *best = NULL;

	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->n && b->failed == 0; i++) {
		struct layer_task *t = &b->tasks[i];

		if (!t->started && !t->same &&
		    (!best || t->job->blob_bytes > best->job->blob_bytes))
			best = t;
	}
	if (best)
		best->started = true;
	pthread_mutex_unlock(&b->lock);
	return best;
}

static void *worker_run(void *arg)
{
	struct layer_batch *b = arg;
	struct layer_task *t;

	while ((t = next_task(b))) {
		struct error err;
		int r = take_layer(b, t, &err);

		if (r == 0)
			continue;
		pthread_mutex_lock(&b->lock);
		if (b->failed == 0) {
			b->failed = r;
			b->err = err;
		}
		pthread_mutex_unlock(&b->lock);
	}
	return NULL;
}

static void run_workers(struct layer_batch *b, unsigned threads)
{
	pthread_t others[LAYER_THREADS_MAX];
	unsigned n = 0;

	threads = MIN(threads, (unsigned)LAYER_THREADS_MAX);
	while (n + 1 < threads && pthread_create(&others[n], NULL, worker_run, b) == 0)
		n++; /* fewer than asked for is slower, not wrong */
	worker_run(b);
	while (n > 0)
		(void)pthread_join(others[--n], NULL); /* ours, joined once */
}

static bool is_same_layer(const struct layer_job *a, const struct layer_job *b)
{
	bool blobs_known = digest_is_set(&a->blob_id) && digest_is_set(&b->blob_id);

	if (blobs_known)
		return digest_eq(&a->blob_id, &b->blob_id) && digest_eq(&a->diff_id, &b->diff_id);
	return digest_is_set(&a->diff_id) && digest_eq(&a->diff_id, &b->diff_id);
}

static struct layer_task *first_of_kind(struct layer_batch *b, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (!b->tasks[k].same && is_same_layer(b->tasks[k].job, b->tasks[i].job))
			return &b->tasks[k];
	}
	return NULL;
}

static void prepare(struct layer_batch *b, struct layer_job *jobs)
{
	for (size_t i = 0; i < b->n; i++) {
		struct layer_task *t = &b->tasks[i];

		t->job = &jobs[i];
		(void)snprintf(t->blob_tmp, sizeof(t->blob_tmp), "part-%zu", i);
		(void)snprintf(t->layer_tmp, sizeof(t->layer_tmp), "unpack-%zu", i);
		t->same = first_of_kind(b, i);
	}
}

static int set_limits(struct layer_batch *b, struct error *err)
{
	const struct image_limits *limits = b->options->limits;
	struct statvfs fs;
	uint64_t available, reserve;

	if (fstatvfs(b->store->root_fd, &fs) < 0)
		return error_sys(err, "cannot ask for the free space of '%s'", b->store->root_path);
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	reserve =
		MIN((uint64_t)fs.f_blocks * fs.f_frsize / SPACE_RESERVE_PART, SPACE_RESERVE_BYTES);
	available -= MIN(available, reserve);
	b->unpack_limits.max_bytes = limits->max_unpacked_bytes;
	if (!b->unpack_limits.max_bytes || b->unpack_limits.max_bytes > available) {
		b->unpack_limits.max_bytes = available;
		b->unpack_limits.is_space = true;
	}
	b->unpack_limits.max_entries =
		limits->max_entries ? limits->max_entries : UNPACK_ENTRIES_MAX;
	b->max_ratio = limits->max_ratio ? limits->max_ratio : RATIO_MAX_DEFAULT;
	return 0;
}

/* What was found about a layer, to the jobs that are the same. */
static void fill_duplicates(struct layer_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct layer_job *to = b->tasks[i].job;
		const struct layer_job *from;

		if (!b->tasks[i].same)
			continue;
		from = b->tasks[i].same->job;
		to->blob_id = from->blob_id;
		to->blob_bytes = from->blob_bytes;
		to->unpacked_bytes = from->unpacked_bytes;
		to->compression = from->compression;
	}
}

/* Everything into the work directory that is not in the store. */
static int fetch(struct layer_batch *b, struct error *err)
{
	b->failed = 0;
	for (size_t i = 0; i < b->n; i++)
		b->tasks[i].started = false;
	run_workers(b, b->options->threads);
	if (b->failed < 0) {
		*err = b->err;
		return b->failed;
	}
	fill_duplicates(b);
	return 0;
}

static bool is_complete(const struct layer_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct layer_job *job = b->tasks[i].job;
		struct layer_info info;

		if (!has_blob(b, &job->blob_id, job->blob_bytes) || !has_layer(b, job, &info))
			return false;
	}
	return true;
}

static bool flushes_later(const struct layer_batch *b)
{
	return b->options->flush == LAYERS_FLUSH_LATER &&
	       atomic_load(&b->written) >= FLUSH_LATER_BYTES;
}

/* > 0: something that was in the store has gone. */
static int publish(struct layer_batch *b, const struct layers_end *end, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_fd int lock = -EBADF;
	int r = store_lock(b->store, &lock, err);

	if (r < 0)
		return r;
	if (!is_complete(b))
		return 1;
	/* without a mark there is no later */
	if (flushes_later(b) && work_mark(b->work, err) < 0 && syncfs(b->work->fd) < 0)
		return error_sys(err, "cannot flush '%s'", b->store->root_path);
	r = work_publish(b->work, err);
	if (r < 0 || !end)
		return r;
	r = index_load(b->store->root_fd, &index, err);
	if (r == 0)
		r = end->commit(end->ctx, &index, err);
	return r < 0 ? r : index_save(b->store->root_fd, &index, err);
}

static int take_all(struct layer_batch *b, const struct layers_end *end, struct error *err)
{
	int r;

	do {
		r = fetch(b, err);
		if (r == 0 && end)
			r = end->prepare(end->ctx, b->work, err);
		if (r == 0 && !flushes_later(b) && syncfs(b->work->fd) < 0)
			r = error_sys(err, "cannot flush '%s'", b->store->root_path);
		if (r == 0)
			r = publish(b, end, err);
	} while (r > 0);
	return r;
}

/* Who meets a full disk wants its room, not a faster next try. */
static void drop_parts(const struct layer_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->tasks[i].job->open_at)
			part_drop(b->store, &b->tasks[i].job->blob_id);
	}
}

int layers_take(struct store_work *work, struct layer_job *jobs, size_t n,
		const struct layers_options *options, const struct layers_end *end,
		struct error *err)
{
	cleanup_free struct layer_task *tasks = xcalloc(n, sizeof(*tasks));
	struct layer_batch b = {
		.store = work->store,
		.work = work,
		.options = options,
		.tasks = tasks,
		.n = n,
	};
	int r = set_limits(&b, err);

	if (r == 0)
		r = layer_sink_choose(b.store, work->fd, &b.sink, err);
	if (r < 0)
		return r;
	pthread_mutex_init(&b.lock, NULL);
	pthread_mutex_init(&b.large, NULL);
	b.unpack_limits.large = &b.large;
	prepare(&b, jobs);
	r = take_all(&b, end, err);
	if (r == -ENOSPC || r == -EDQUOT)
		drop_parts(&b);
	pthread_mutex_destroy(&b.large);
	pthread_mutex_destroy(&b.lock);
	return r;
}
