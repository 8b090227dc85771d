/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An owner makes tmp/<random>, opens the lock file in it and locks that. Between the two a sweeper
 * may take the directory for a dead one's. So both look twice:
 *
 *     owner: mkdir, open, lock; is tmp/<random> still the directory that I opened? else again
 *     sweeper: open, lock (held by another: alive), rename to trash/ while the lock is held
 *
 * Either the owner has the lock first and the sweeper leaves it alone, or the directory is renamed
 * before the owner has the lock, and he sees it.
 */
#include "image/work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/id.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/gc.h"
#include "image/part.h"
#include "image/pending.h"
#include "image/store_private.h"

#define LOCK_FILE    "lock"
#define BLOB_PREFIX  "blob-"
#define LAYER_PREFIX "layer-"
#define TRIES_MAX    16

static int open_dir(struct image_store *store, const char *path, struct error *err)
{
	int fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? error_sys(err, "cannot open '%s/%s'", store->root_path, path) : fd;
}

/* 0, > 0 for a sweeper was faster. */
static int try_begin(int tmp_fd, const char *name, struct store_work *ret, struct error *err)
{
	cleanup_fd int fd = -EBADF, lock_fd = -EBADF;
	int r;

	if (mkdirat(tmp_fd, name, 0700) < 0)
		return errno == EEXIST ? 1 : error_sys(err, "cannot create '" TMP_DIR "/%s'", name);
	fd = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 1 : error_sys(err, "cannot open '" TMP_DIR "/%s'", name);
	r = lock_acquire(fd, LOCK_FILE, NULL, &lock_fd, err);
	if (!fd_is_named(fd, tmp_fd, name) || (r < 0 && err->kind == ERROR_CONFLICT))
		return 1;
	if (r < 0) {
		struct error ignored; /* the next writer removes it */

		(void)dir_remove_tree(tmp_fd, name, &ignored);
		return r;
	}
	ret->fd = take_fd(&fd);
	ret->lock_fd = take_fd(&lock_fd);
	return 0;
}

static int sweep_tmp(struct image_store *store, bool only_look, struct error *err);

int store_work_begin(struct image_store *store, struct store_work *ret, struct error *err)
{
	struct store_work work = { .store = store, .fd = -EBADF, .lock_fd = -EBADF };
	cleanup_fd int tmp_fd = -EBADF;
	struct part_survey old;
	char id[ID_LEN + 1];
	int r = store_make_dirs(store, err);

	if (r < 0)
		return r;
	if (sweep_tmp(store, true, err) > 0) { /* its room is wanted */
		cleanup_fd int lock = -EBADF;

		r = store_lock(store, &lock, err);
		if (r < 0)
			return r;
		cleanup_close_fd(&lock);
		lock = -EBADF;
		store_sweep_small(store);
	}
	part_look(store, PART_KEEP_S, true, &old);
	tmp_fd = open_dir(store, TMP_DIR, err);
	if (tmp_fd < 0)
		return tmp_fd;
	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		r = id_new(id, err);
		if (r < 0)
			return r;
		(void)snprintf(work.name, sizeof(work.name), "%.16s", id);
		r = try_begin(tmp_fd, work.name, &work, err);
		if (r == 0)
			*ret = work;
		if (r <= 0)
			return r;
	}
	return error_kind(err, ERROR_INTERNAL, "cannot make a directory in '%s/" TMP_DIR "'",
			  store->root_path);
}

void store_work_end(struct store_work *work)
{
	cleanup_fd int tmp_fd = -EBADF;
	struct error ignored; /* what stays, the next writer removes */

	if (work->fd < 0)
		return;
	if (work->hurry) {
		cleanup_free char *path = xasprintf(TMP_DIR "/%s", work->name);

		(void)store_trash(work->store, path, &ignored);
		store_sweep_small(work->store);
	}
	tmp_fd = open_dir(work->store, TMP_DIR, &ignored);
	if (tmp_fd >= 0 && dir_remove_tree(tmp_fd, work->name, &ignored) < 0)
		log_debug("removing '" TMP_DIR "/%s': %s", work->name, ignored.msg);
	cleanup_close_fd(&work->fd);
	cleanup_close_fd(&work->lock_fd);
	*work = STORE_WORK_NONE;
}

/* 1: it was a dead one's and is in the trash; 0: its owner lives, or it is gone. */
static int sweep_one(struct image_store *store, int tmp_fd, const char *name, bool only_look,
		     struct error *err)
{
	cleanup_free char *path = xasprintf(TMP_DIR "/%s", name);
	cleanup_fd int lock_fd = -EBADF;
	cleanup_fd int fd = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0)
		r = lock_acquire(fd, LOCK_FILE, NULL, &lock_fd, err);
	if (r < 0 && (err->kind == ERROR_CONFLICT || r == -ENOENT))
		return 0;
	if (only_look)
		return 1;
	/* no room for a lock file: the owner, who has one, could have locked it long ago */
	r = store_trash(store, path, err);
	return r < 0 ? r : 1;
}

static int sweep_tmp(struct image_store *store, bool only_look, struct error *err)
{
	cleanup_fd int tmp_fd = open_dir(store, TMP_DIR, err);
	cleanup_dir DIR *dir = NULL;
	struct dirent *d;
	int swept = 0;

	if (tmp_fd < 0)
		return tmp_fd;
	dir = fdopendir(fcntl(tmp_fd, F_DUPFD_CLOEXEC, 0));
	if (!dir)
		return error_sys(err, "cannot read '%s/" TMP_DIR "'", store->root_path);
	while ((d = readdir(dir))) {
		int r = 0;

		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			r = sweep_one(store, tmp_fd, d->d_name, only_look, err);
		if (r < 0)
			return r;
		swept += r;
	}
	return swept;
}

int store_clear_dead(struct image_store *store, struct error *err)
{
	int r;

	store_remove_temporaries(store);
	r = sweep_tmp(store, true, err);
	if (r <= 0)
		return r;
	store_collect_after_crash(store);
	r = sweep_tmp(store, false, err);
	return r < 0 ? r : 0;
}

/* What is complete */

static struct work_name name_of(const char *kind, const struct digest *id)
{
	struct work_name name;

	(void)snprintf(name.s, sizeof(name.s), "%s%s", kind, digest_hex(id)); /* 70 bytes */
	return name;
}

struct work_name work_blob(const struct digest *id)
{
	return name_of(BLOB_PREFIX, id);
}

struct work_name work_layer(const struct digest *diff_id)
{
	return name_of(LAYER_PREFIX, diff_id);
}

bool work_has(const struct store_work *work, struct work_name name)
{
	return faccessat(work->fd, name.s, F_OK, 0) == 0;
}

int work_put_blob(struct store_work *work, const void *data, size_t n, struct digest *ret_id,
		  struct error *err)
{
	struct digest id = sha256_digest(data, n);
	const struct work_name name = work_blob(&id);
	cleanup_fd int fd = -EBADF;
	int r;

	*ret_id = id;
	if (work_has(work, name))
		return 0;
	fd = openat(work->fd, name.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(err, "cannot create a blob");
	r = fd_write_all(fd, data, n);
	return r < 0 ? error_num(err, -r, "cannot write a blob") : 0;
}

static int publish_one(struct store_work *work, const char *name, struct error *err)
{
	const char *blob = str_after(name, BLOB_PREFIX), *layer = str_after(name, LAYER_PREFIX);
	char to[sizeof(BLOBS_DIR) + 1 + DIGEST_HEX_LEN];

	if (!blob && !layer)
		return 0; /* the lock file */
	(void)snprintf(to, sizeof(to), "%s/%.64s", blob ? BLOBS_DIR : LAYERS_DIR,
		       blob ? blob : layer);
	/* A blob replaces one of the same bytes. A layer that another writer brought stays as it
	 * is, containers may stand on it; ours goes with the work directory. */
	if (renameat(work->fd, name, work->store->root_fd, to) < 0 &&
	    (blob || (errno != ENOTEMPTY && errno != EEXIST)))
		return error_sys(err, "cannot move what is complete to '%s'", to);
	if (blob)
		part_unlink_whole(work->store, blob);
	return 0;
}

static int list_names(struct store_work *work, char ***ret, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(openat(work->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *d;

	if (!dir)
		return error_sys(err, "cannot read '" TMP_DIR "/%s'", work->name);
	while ((d = readdir(dir)))
		*ret = strv_push(*ret, d->d_name);
	return 0;
}

int work_mark(struct store_work *work, struct error *err)
{
	cleanup_with(strv_free) char **names = NULL, **blobs = NULL, **layers = NULL;
	int r = list_names(work, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		const char *blob = str_after(names[i], BLOB_PREFIX);
		const char *layer = str_after(names[i], LAYER_PREFIX);

		if (blob)
			blobs = strv_push_owned(blobs, xasprintf("sha256:%s", blob));
		else if (layer)
			layers = strv_push_owned(layers, xasprintf("sha256:%s", layer));
	}
	if (r == 0)
		r = pending_add(work->store->root_fd, blobs, layers, err);
	work->store->pending = work->store->pending || r == 0;
	return r;
}

int work_publish(struct store_work *work, struct error *err)
{
	cleanup_with(strv_free) char **names = NULL;
	int r = list_names(work, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = publish_one(work, names[i], err);
	return r;
}
