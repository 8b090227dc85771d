/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer on its way in:
 *
 *     source ─▶ tee: SHA-256, copy to tmp/blob-N ─▶ decompress ─▶ ring     (pump thread)
 *     ring ─▶ SHA-256 ─▶ archive ─▶ tmp/layer-N/diff                       (worker thread)
 *
 * Nothing is visible before all layers are complete: then one syncfs() brings them to the disk and
 * renames publish them, so after a crash a layer that is there by name is there as a whole.
 */
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/archive.h"
#include "codec/sha256.h"
#include "image/layer_info.h"
#include "image/ring.h"
#include "image/store_private.h"
#include "image/tee.h"
#include "image/unpack.h"

#define RING_BUFFERS	  4
#define RING_BUFFER_BYTES ((size_t)256 << 10)

/* gzip cannot exceed 1032:1; zstd can. Small layers may be all zeros. */
#define RATIO_MAX_DEFAULT 1200
#define RATIO_FREE_BYTES  ((uint64_t)1 << 30)
/* What a layer must leave free on the file system: so much, or on a small one, a part of it. */
#define SPACE_RESERVE_BYTES ((uint64_t)64 << 20)
#define SPACE_RESERVE_PART  16

struct layer_task {
	struct layer_job *job;
	bool duplicate, started;
	bool new_blob, new_layer; /* in tmp/, to be published */
	char blob_tmp[32];	  /* below the root */
	char layer_tmp[32];
	uint64_t entries;
};

struct layer_batch {
	struct image_store *store;
	const struct image_limits *limits;
	struct unpack_limits unpack_limits;
	unsigned max_ratio;
	struct layer_task *tasks;
	size_t n;
	pthread_mutex_t lock; /* started, failed, err */
	int failed;
	struct error err;
};

/* The pump thread */

struct pump {
	struct stream *tee, *plain;
	struct ring *ring;
	unsigned max_ratio;
	pthread_t thread;
};

static int check_ratio(const struct pump *p, uint64_t out, struct error *err)
{
	uint64_t in = tee_bytes(p->tee);

	if (out <= RATIO_FREE_BYTES || out / p->max_ratio <= in)
		return 0;
	return error_kind(err, ERROR_INVALID, "it unpacks to more than %u times its size",
			  p->max_ratio);
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
		n = check_ratio(p, out, &err);
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

static int unpack_layer(struct layer_batch *b, struct layer_task *t, struct intake *in,
			struct error *err)
{
	const struct archive_source source = { .next = intake_next, .ctx = in };
	cleanup_with(archive_reader_close) struct archive_reader *a = NULL;
	cleanup_fd int layer_fd = -EBADF, diff_fd = -EBADF;
	struct unpack_result result;
	int r;

	if (mkdirat(b->store->root_fd, t->layer_tmp, 0700) < 0)
		return error_sys(err, "cannot create '%s'", t->layer_tmp);
	t->new_layer = true;
	layer_fd = openat(b->store->root_fd, t->layer_tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layer_fd < 0 || mkdirat(layer_fd, "diff", 0755) < 0)
		return error_sys(err, "cannot create '%s/diff'", t->layer_tmp);
	diff_fd = openat(layer_fd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (diff_fd < 0 || fchmod(diff_fd, 0755) < 0)
		return error_sys(err, "cannot open '%s/diff'", t->layer_tmp);

	a = archive_reader_open(&source);
	r = unpack_archive(a, diff_fd, &b->unpack_limits, unpack_own_flags(), &result, err);
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
	struct pump pump = { tee, plain, ring, b->max_ratio, 0 };
	struct intake in = { .ring = ring, .hashes = t->job->compression != COMPRESSION_NONE };
	struct digest blob_id, diff_id;
	int r;

	sha256_init(&in.hash);
	r = pthread_create(&pump.thread, NULL, pump_run, &pump);
	if (r != 0)
		return error_num(err, r, "cannot start a thread");
	r = want_layer ? unpack_layer(b, t, &in, err) : drain(&in, err);
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
static int finish_layer(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	cleanup_fd int fd =
		openat(b->store->root_fd, t->layer_tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

static int take_new(struct layer_batch *b, struct layer_task *t, bool want_layer, struct error *err)
{
	cleanup_with(stream_close) struct stream *plain = NULL;
	cleanup_fd int blob_fd = -EBADF;
	struct stream *source, *tee;
	int r;

	if (!blob_exists(b->store, &t->job->blob_id)) {
		blob_fd = openat(b->store->root_fd, t->blob_tmp,
				 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (blob_fd < 0)
			return error_sys(err, "cannot create '%s'", t->blob_tmp);
		t->new_blob = true;
	}
	r = t->job->open(t->job, &source, err);
	if (r < 0)
		return r;
	tee = tee_open(source, blob_fd);
	r = inflate_open(tee, &plain, &t->job->compression, err); /* takes tee */
	if (r == 0)
		r = run_pipeline(b, t, tee, plain, want_layer, err);
	if (r == 0 && want_layer)
		r = finish_layer(b, t, err);
	return r;
}

static int take_layer(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	struct layer_info info;
	bool have_layer = digest_is_set(&t->job->diff_id) &&
			  layer_info_load(b->store->root_fd, &t->job->diff_id, &info, err) == 0;
	int r;

	if (have_layer) {
		t->job->unpacked_bytes = info.unpacked_bytes;
		if (!digest_is_set(&t->job->blob_id) && blob_exists(b->store, &info.blob_id)) {
			t->job->blob_id = info.blob_id;
			t->job->blob_bytes = info.blob_bytes;
			t->job->compression = info.compression;
			return 0;
		}
		if (blob_exists(b->store, &t->job->blob_id))
			return 0;
	}
	r = take_new(b, t, !have_layer, err);
	if (r < 0)
		error_prefix(err, r, "layer %s",
			     digest_is_set(&t->job->diff_id) ? t->job->diff_id.text
							     : t->job->blob_id.text);
	return r;
}

/* The batch */

/* The largest that nobody has begun, so that it does not run alone at the end. */
static struct layer_task *next_task(struct layer_batch *b)
{
	struct layer_task *best = NULL;

	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->n && b->failed == 0; i++) {
		struct layer_task *t = &b->tasks[i];

		if (!t->started && !t->duplicate &&
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
		if (!b->tasks[k].duplicate && is_same_layer(b->tasks[k].job, b->tasks[i].job))
			return &b->tasks[k];
	}
	return NULL;
}

static void prepare(struct layer_batch *b, struct layer_job *jobs)
{
	for (size_t i = 0; i < b->n; i++) {
		struct layer_task *t = &b->tasks[i];

		t->job = &jobs[i];
		(void)snprintf(t->blob_tmp, sizeof(t->blob_tmp), TMP_DIR "/blob-%zu", i);
		(void)snprintf(t->layer_tmp, sizeof(t->layer_tmp), TMP_DIR "/layer-%zu", i);
		t->duplicate = first_of_kind(b, i) != NULL;
	}
}

static int set_limits(struct layer_batch *b, struct error *err)
{
	struct statvfs fs;
	uint64_t available, reserve;

	if (fstatvfs(b->store->root_fd, &fs) < 0)
		return error_sys(err, "cannot ask for the free space of '%s'", b->store->root_path);
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	reserve =
		MIN((uint64_t)fs.f_blocks * fs.f_frsize / SPACE_RESERVE_PART, SPACE_RESERVE_BYTES);
	available -= MIN(available, reserve);
	b->unpack_limits.max_bytes = b->limits->max_unpacked_bytes;
	if (!b->unpack_limits.max_bytes || b->unpack_limits.max_bytes > available) {
		b->unpack_limits.max_bytes = available;
		b->unpack_limits.is_space = true;
	}
	b->unpack_limits.max_entries =
		b->limits->max_entries ? b->limits->max_entries : UNPACK_ENTRIES_MAX;
	b->max_ratio = b->limits->max_ratio ? b->limits->max_ratio : RATIO_MAX_DEFAULT;
	return 0;
}

static int publish_one(struct layer_batch *b, struct layer_task *t, struct error *err)
{
	const struct store_path blob = blob_path(&t->job->blob_id);
	const struct store_path layer = layer_path(&t->job->diff_id);
	int root = b->store->root_fd;

	if (t->new_blob && renameat(root, t->blob_tmp, root, blob.s) < 0)
		return error_sys(err, "cannot move a blob to '%s'", blob.s);
	/* another compression of the same layer may have come first: then ours goes with tmp/ */
	if (t->new_layer && renameat(root, t->layer_tmp, root, layer.s) < 0 && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return error_sys(err, "cannot move a layer to '%s'", layer.s);
	return 0;
}

static int publish(struct layer_batch *b, struct error *err)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < b->n; i++)
		any = any || b->tasks[i].new_blob || b->tasks[i].new_layer;
	if (any && syncfs(b->store->root_fd) < 0)
		return error_sys(err, "cannot flush '%s'", b->store->root_path);
	for (size_t i = 0; i < b->n && r == 0; i++)
		r = publish_one(b, &b->tasks[i], err);
	return r;
}

/* What was found about a layer, to the jobs that are the same. */
static void fill_duplicates(struct layer_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct layer_job *to = b->tasks[i].job;
		const struct layer_job *from;

		if (!b->tasks[i].duplicate)
			continue;
		from = first_of_kind(b, i)->job;
		to->blob_id = from->blob_id;
		to->blob_bytes = from->blob_bytes;
		to->unpacked_bytes = from->unpacked_bytes;
		to->compression = from->compression;
	}
}

int layers_take(struct image_store *store, struct layer_job *jobs, size_t n, unsigned threads,
		const struct image_limits *limits, struct error *err)
{
	cleanup_free struct layer_task *tasks = xcalloc(n, sizeof(*tasks));
	struct layer_batch b = { .store = store, .limits = limits, .tasks = tasks, .n = n };
	struct error ignored;
	int r = set_limits(&b, err);

	if (r < 0)
		return r;
	pthread_mutex_init(&b.lock, NULL);
	prepare(&b, jobs);
	run_workers(&b, threads);
	pthread_mutex_destroy(&b.lock);
	fill_duplicates(&b);
	if (b.failed < 0)
		*err = b.err;
	r = b.failed < 0 ? b.failed : publish(&b, err);
	(void)store_empty_tmp(store, &ignored); /* what stays, the next writer removes */
	return r;
}
