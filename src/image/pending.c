/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     writer:  lock ─▶ mark, flushed ─▶ blobs, layers, index by rename ─▶ unlock
 *     flusher: lock ─▶ opens the mark ─▶ unlock ─▶ syncfs ─▶ lock ─▶ the same mark? removes it
 *
 * A writer changes the mark by replacing the file. So what the flusher holds open cannot have been
 * changed, and its inode number cannot come again: under the lock they tell whether somebody has
 * published meanwhile, whose bytes the flush may have missed. Then it flushes again.
 *
 * One flushes at a time, with flock(2) on images/. Nobody waits for that: who finds it taken has
 * written his mark before, and who held it looks again after letting go.
 */
#include "image/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/json.h"
#include "image/check.h"
#include "image/gc.h"
#include "image/store_private.h"

#define BOOT_ID_PATH	  "/proc/sys/kernel/random/boot_id"
#define PENDING_MAX_BYTES ((size_t)16 << 20)
#define FAILED		  "failed" /* no boot has this name */

/* The mark */

static int read_boot(char *ret, size_t size, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = file_read(AT_FDCWD, BOOT_ID_PATH, size, &text, NULL, err);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) >= size || str_empty(text))
		return error_kind(err, ERROR_UNSUPPORTED, "'" BOOT_ID_PATH "' has no boot ID");
	(void)snprintf(ret, size, "%s", text);
	return 0;
}

void pending_done(struct pending *p)
{
	strv_free(p->blobs);
	strv_free(p->layers);
	*p = (struct pending){ 0 };
}

static char **take_names(const struct json *doc, const char *key, char **names)
{
	const struct json *item;

	json_foreach(item, json_get(doc, key)) {
		const char *name;
		struct error ignored; /* what is no string names nothing */

		if (json_to_string(item, &name, &ignored) == 0)
			names = strv_push(names, name);
	}
	return names;
}

static void parse(const char *text, size_t len, struct pending *p)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const char *boot = NULL;
	const struct json *doc;
	struct error ignored; /* of no boot then, which is the safe side */

	if (json_parse(text, len, arena, &doc, &ignored) < 0)
		return;
	if (json_get_string(doc, "boot", &boot, &ignored) == 0 && boot)
		(void)snprintf(p->boot, sizeof(p->boot), "%.39s", boot);
	p->blobs = take_names(doc, "blobs", NULL);
	p->layers = take_names(doc, "layers", NULL);
}

int pending_load(int root_fd, struct pending *ret, struct error *err)
{
	cleanup_free char *text = NULL;
	char boot[sizeof(ret->boot)];
	size_t len;
	int r;

	*ret = (struct pending){ .state = PENDING_NONE };
	if (faccessat(root_fd, PENDING_PATH, F_OK, 0) < 0)
		return 0;
	r = file_read(root_fd, PENDING_PATH, PENDING_MAX_BYTES, &text, &len, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = read_boot(boot, sizeof(boot), err);
	if (r < 0)
		return r;
	parse(text, len, ret);
	ret->state = str_eq(ret->boot, boot)	 ? PENDING_CACHED
		     : str_eq(ret->boot, FAILED) ? PENDING_FAILED
						 : PENDING_LOST;
	return 0;
}

static void add_names(struct json_writer *w, const char *key, char *const *names)
{
	json_begin_array(w, key);
	for (size_t i = 0; names && names[i]; i++)
		json_add_string(w, NULL, names[i]);
	json_end(w);
}

static int flush_dir(int root_fd, const char *path, struct error *err)
{
	cleanup_fd int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_sys(err, "cannot flush '%s' of the store", path);
	return 0;
}

static int save(int root_fd, const struct pending *p, struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct json_writer w;
	int r;

	json_writer_init(&w, &json, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "boot", p->boot);
	add_names(&w, "blobs", p->blobs);
	add_names(&w, "layers", p->layers);
	json_end(&w);
	r = file_write_atomic(root_fd, PENDING_PATH, json.data, json.len, 0600, FILE_WRITE_SYNC,
			      err);
	if (r == 0)
		r = flush_dir(root_fd, "images", err);
	return r == 0 ? flush_dir(root_fd, ".", err) : r;
}

static char **merge(char **into, char *const *names)
{
	for (size_t i = 0; names && names[i]; i++) {
		if (!strv_has(into, names[i]))
			into = strv_push(into, names[i]);
	}
	return into;
}

int pending_add(int root_fd, char *const *blobs, char *const *layers, struct error *err)
{
	cleanup_pending struct pending p = { 0 };
	int r = pending_load(root_fd, &p, err);

	/* what is lost or has failed stays so, and all with it */
	if (r == 0 && p.state == PENDING_NONE)
		r = read_boot(p.boot, sizeof(p.boot), err);
	if (r < 0)
		return r;
	p.blobs = merge(p.blobs, blobs);
	p.layers = merge(p.layers, layers);
	return save(root_fd, &p, err);
}

int pending_remove(int root_fd, struct error *err)
{
	if (unlinkat(root_fd, PENDING_PATH, 0) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove '" PENDING_PATH "'");
	return 0;
}

/* Flushing */

static int mark_failed(struct image_store *store, struct error *err)
{
	cleanup_pending struct pending p = { 0 };
	cleanup_fd int lock = -EBADF;
	int r = store_lock_only(store, &lock, err);

	if (r == 0)
		r = pending_load(store->root_fd, &p, err);
	if (r < 0 || p.state != PENDING_CACHED)
		return r;
	(void)snprintf(p.boot, sizeof(p.boot), "%s", FAILED);
	return save(store->root_fd, &p, err);
}

static int flush_disk(struct image_store *store, int images_fd, struct error *err)
{
	struct error why;

	if (syncfs(images_fd) == 0)
		return 0;
	(void)error_sys(err, "cannot flush '%s'", store->root_path);
	/* the kernel tells this once, and keeps pages that it could not write as if they were */
	if (mark_failed(store, &why) < 0)
		log_debug("marking what was not flushed: %s", why.msg);
	return -err->sys;
}

static int remove_if_same(struct image_store *store, int mark_fd, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	struct stat flushed, now;
	int r = store_lock_only(store, &lock, err);

	if (r < 0)
		return r;
	if (fstat(mark_fd, &flushed) < 0 || fstatat(store->root_fd, PENDING_PATH, &now, 0) < 0 ||
	    flushed.st_ino != now.st_ino)
		return 0;
	return pending_remove(store->root_fd, err);
}

/* The mark as it is while nobody publishes. */
static int note_mark(struct image_store *store, int *ret_fd, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	int r = store_lock_only(store, &lock, err);

	if (r < 0)
		return r;
	*ret_fd = openat(store->root_fd, PENDING_PATH, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 && errno != ENOENT ? error_sys(err, "cannot open '" PENDING_PATH "'")
					      : 0;
}

static int flush_once(struct image_store *store, int images_fd, struct error *err)
{
	cleanup_fd int mark_fd = -EBADF;
	int r = note_mark(store, &mark_fd, err);

	if (r == 0 && mark_fd >= 0)
		r = flush_disk(store, images_fd, err);
	return r < 0 || mark_fd < 0 ? r : remove_if_same(store, mark_fd, err);
}

static bool is_cached(struct image_store *store)
{
	cleanup_pending struct pending p = { 0 };
	struct error ignored; /* what cannot be read is none of ours */

	return pending_load(store->root_fd, &p, &ignored) == 0 && p.state == PENDING_CACHED;
}

int image_store_flush(struct image_store *store, struct error *err)
{
	cleanup_fd int fd =
		openat(store->root_fd, "images", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	while (fd >= 0 && r == 0 && is_cached(store)) {
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return 0; /* another one does it */
		r = flush_once(store, fd, err);
		(void)flock(fd, LOCK_UN); /* cannot fail: it is ours */
	}
	return r;
}

bool image_store_is_pending(struct image_store *store)
{
	cleanup_fd int fd = -EBADF;

	if (!store->pending || !is_cached(store))
		return false;
	fd = openat(store->root_fd, "images", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* After the machine stopped */

static void sort_names(char *const *names, struct digest_set *ret)
{
	for (size_t i = 0; names && names[i]; i++)
		digest_set_add(ret, names[i]);
	digest_set_sort(ret);
}

/* Looks at what the mark names, mends or removes it. */
static int verify(struct image_store *store, const struct pending *p, image_in_use_fn in_use,
		  void *ctx, char ***report, struct error *err)
{
	struct live_set named = { 0 };
	const struct image_check_options options = {
		.flags = IMAGE_CHECK_REPAIR | IMAGE_CHECK_PROVE |
			 (p->state == PENDING_FAILED ? IMAGE_CHECK_DISTRUST : 0),
		.in_use = in_use,
		.ctx = ctx,
		/* a mark that says nothing may have said anything */
		.only = p->blobs || p->layers ? &named : NULL,
	};
	size_t left;
	int r;

	sort_names(p->blobs, &named.blobs);
	sort_names(p->layers, &named.layers);
	r = image_check(store, &options, report, &left, err);
	live_set_done(&named);
	return r;
}

static int settle(struct image_store *store, image_in_use_fn in_use, void *ctx, char ***report,
		  struct error *err)
{
	cleanup_pending struct pending p = { 0 };
	cleanup_fd int lock = -EBADF;
	int r = pending_load(store->root_fd, &p, err); /* another may have done it */

	if (r < 0 || p.state == PENDING_NONE || p.state == PENDING_CACHED)
		return r;
	r = verify(store, &p, in_use, ctx, report, err);
	if (r == 0)
		r = store_lock_only(store, &lock, err);
	return r < 0 ? r : pending_remove(store->root_fd, err);
}

int image_store_settle(struct image_store *store, image_in_use_fn in_use, void *ctx, char ***report,
		       struct error *err)
{
	cleanup_pending struct pending p = { 0 };
	cleanup_fd int fd = -EBADF;
	int r = pending_load(store->root_fd, &p, err);

	store->pending = r == 0 && p.state == PENDING_CACHED;
	if (r < 0 || p.state == PENDING_NONE || p.state == PENDING_CACHED)
		return r;
	fd = openat(store->root_fd, "images", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_sys(err, "cannot lock '%s/images'", store->root_path);
	r = settle(store, in_use, ctx, report, err);
	return r < 0 ? error_prefix(err, r, "looking at what was not on the disk yet") : 0;
}
