/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/place.h"
#include "engine/reserve.h"
#include "image/pending.h"
#include "image/store.h"
#include "runtime/rootless.h"

#define DIR_MODE 0700

/* Life */

static int open_root(struct engine *e, struct error *err)
{
	int r;

	e->root_fd = open(e->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->root_fd < 0 && errno == ENOENT) {
		r = path_mkdir_all(e->root_path, DIR_MODE, err);
		if (r < 0)
			return r;
		e->root_fd = open(e->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (e->root_fd < 0)
		return error_sys(err, "cannot open the store '%s'", e->root_path);
	return 0;
}

int engine_open(const struct engine_config *config, struct engine **ret_engine, struct error *err)
{
	const char *driver =
		config->storage_driver ? config->storage_driver : getenv("BERTH_STORAGE_DRIVER");
	cleanup_with(engine_close) struct engine *e = xcalloc(1, sizeof(*e));
	int r;

	e->root_fd = -EBADF;
	r = place_choose(config, &e->root_path, &e->state_path, err);
	e->rootless = geteuid() != 0;
	if (r >= 0 && e->rootless)
		r = rootless_enter(e->state_path, err);
	if (r < 0)
		return r;
	e->runtime_root = xasprintf("%s-runtime", e->state_path);
	if (!str_empty(driver))
		e->storage_driver = xstrdup(driver);
	e->notice = config->notice;
	if (config->runtime_path)
		e->runtime_path = xstrdup(config->runtime_path);
	r = open_root(e, err);
	if (r < 0)
		return r;
	*ret_engine = take_ptr(&e);
	return 0;
}

struct engine *engine_close(struct engine *e)
{
	if (!e)
		return NULL;
	if (e->sweeps || e->images) {
		reserve_keep(e); /* a removal may have used it, a load is the first to make it */
		engine_sweep_later(e);
	}
	e->db = db_close(e->db);
	e->images = image_store_close(e->images);
	cleanup_close_fd(&e->root_fd);
	free(e->root_path);
	free(e->state_path);
	free(e->runtime_root);
	free(e->runtime_path);
	free(e->storage_driver);
	free(e);
	return NULL;
}

const char *engine_root_path(const struct engine *e)
{
	return e->root_path;
}

const char *engine_state_path(const struct engine *e)
{
	return e->state_path;
}

void engine_set_stop(struct engine *e, int fd)
{
	e->stop_fd = fd;
	if (e->images)
		image_store_set_wait(e->images, fd, e->notice);
}

static int settle_images(struct engine *e, struct error *err)
{
	cleanup_with(strv_free) char **report = NULL;
	int r = image_store_settle(e->images, engine_image_user, e, &report, err);

	for (size_t i = 0; e->notice && report && report[i]; i++)
		e->notice(report[i]);
	return r;
}

int engine_settle(struct engine *e, struct error *err)
{
	struct image_store *store;

	if (e->images || faccessat(e->root_fd, PENDING_PATH, F_OK, 0) < 0)
		return 0;
	return engine_images(e, &store, err);
}

int engine_images(struct engine *e, struct image_store **ret_store, struct error *err)
{
	if (!e->images) {
		int r = image_store_open(e->root_path, &e->images, err);

		if (r == 0 && e->storage_driver)
			r = image_store_set_driver(e->images, e->storage_driver, err);
		if (r == 0) {
			image_store_set_wait(e->images, e->stop_fd, e->notice);
			r = settle_images(e, err);
		}
		if (r < 0) {
			e->images = image_store_close(e->images);
			return r;
		}
	}
	*ret_store = e->images;
	return 0;
}

int engine_db(struct engine *e, struct db **ret_db, struct error *err)
{
	if (!e->db) {
		cleanup_free char *path = path_join(e->root_path, "berth.db");
		int r = db_open(path, &e->db, err);

		if (r < 0)
			return r;
	}
	*ret_db = e->db;
	return 0;
}

int engine_program(const char *name, char **ret_path, struct error *err)
{
	static const char *const places[] = { "", "../libexec/berth/" };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n < 0)
		return error_sys(err, "cannot find the running program");
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	slash[1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = xasprintf("%s%s%s", exe, places[i], name);

		if (access(path, X_OK) == 0) {
			*ret_path = take_ptr(&path);
			return 0;
		}
	}
	return error_kind(err, ERROR_NOT_FOUND,
			  "cannot find the program '%s' in '%s' or '%s../libexec/berth'", name, exe,
			  exe);
}

/* Directories */

char *container_dir_path(const struct engine *e, const char *id)
{
	return xasprintf("%s/containers/%s", e->root_path, id);
}

char *container_run_dir(const struct engine *e, const char *id)
{
	return xasprintf("%s/%s", e->state_path, id);
}

int container_dir_open(const struct engine *e, const char *id, int *ret_fd, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s", id);
	int fd = openat(e->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open the directory of container '%s'", id);
	*ret_fd = fd;
	return 0;
}

int container_document(const struct engine *e, const char *id, struct arena *arena,
		       struct document *ret, struct error *err)
{
	cleanup_fd int dir_fd = -EBADF;
	int r = container_dir_open(e, id, &dir_fd, err);

	return r < 0 ? r : document_load(dir_fd, arena, ret, err);
}

int engine_subdir(const struct engine *e, const char *name, int *ret_fd, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(e->root_fd, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(e->root_fd, name, DIR_MODE) < 0 && errno != EEXIST)
			return error_sys(err, "cannot make '%s/%s'", e->root_path, name);
		fd = openat(e->root_fd, name, flags);
	}
	if (fd < 0)
		return error_sys(err, "cannot open '%s/%s'", e->root_path, name);
	*ret_fd = fd;
	return 0;
}

int container_lock(int dir_fd, bool wait, struct error *err)
{
	int r;

	do {
		r = flock(dir_fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : error_sys(err, "cannot lock the container");
}
