/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/handle.h"
#include "image/reference.h"
#include "image/snapshot.h"
#include "image/store.h"
#include "kernel/mountapi.h"
#include "runtime/rootfs.h"

#define MOUNTS_DIR "image-mounts"
#define EMPTY_DIR  "image-empty" /* overlayfs wants two layers where nothing is to be written */
#define COUNT_MAX  64

/* The directory, and nobody else who changes it: the lock is the state directory's. */
struct place {
	int state_fd, fd;
	char *path, *empty_path;
};

static void place_done(struct place *p)
{
	cleanup_close_fd(&p->fd);
	cleanup_close_fd(&p->state_fd);
	free(p->path);
	free(p->empty_path);
}
#define cleanup_place __attribute__((cleanup(place_done)))
#define PLACE_NONE                         \
	{                                  \
		-EBADF, -EBADF, NULL, NULL \
	}

static char *mounts_path(const struct engine *e)
{
	return path_join(e->state_path, MOUNTS_DIR);
}

/* make: else -ENOENT if nothing is mounted. */
static int place_open(const struct engine *e, bool make, struct place *ret, struct error *err)
{
	int r = make ? path_mkdir_all(e->state_path, 0700, err) : 0;

	if (r < 0)
		return r;
	ret->path = mounts_path(e);
	ret->empty_path = path_join(e->state_path, EMPTY_DIR);
	ret->state_fd = open(e->state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->state_fd < 0 || flock(ret->state_fd, LOCK_EX) < 0)
		return error_sys(err, "cannot lock '%s'", e->state_path);
	if (make && mkdirat(ret->state_fd, MOUNTS_DIR, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make '%s'", ret->path);
	ret->fd = openat(ret->state_fd, MOUNTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ret->fd < 0 ? error_sys(err, "cannot open '%s'", ret->path) : 0;
}

/* Behind the last mount nothing stays. */
static void place_tidy(struct place *p)
{
	/* fails as long as there are others, and what stays is used by the next mount */
	if (unlinkat(p->state_fd, MOUNTS_DIR, AT_REMOVEDIR) == 0)
		(void)unlinkat(p->state_fd, EMPTY_DIR, AT_REMOVEDIR);
}

static bool is_mounted(int dir_fd, const char *name)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && mount_is_root(fd) > 0;
}

/* How many want it; a mount without a readable number has one. */
static uint64_t count_load(const struct place *p, const char *name)
{
	cleanup_free char *file = xasprintf("%s.count", name), *text = NULL;
	struct error ignored;
	uint64_t n = 1;

	if (file_read(p->fd, file, COUNT_MAX, &text, NULL, &ignored) < 0 ||
	    str_to_u64(text, &n) < 0)
		n = 1;
	return n;
}

static int count_save(const struct place *p, const char *name, uint64_t n, struct error *err)
{
	cleanup_free char *file = xasprintf("%s.count", name);
	cleanup_free char *text = xasprintf("%llu", (unsigned long long)n);

	return file_write_atomic(p->fd, file, text, strlen(text), 0600, 0, err);
}

/* Mounting */

static int mount_layers(char *const *lowerdirs, const struct place *p, const char *target,
			struct error *err)
{
	cleanup_fd int target_fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	cleanup_buf struct buf list = { 0 };
	struct mount_param lower = { .key = "lowerdir" };
	const struct mount_op op = {
		.source = "overlay",
		.fs_type = "overlay",
		.source_fd = -EBADF,
		.options = { .set = MOUNT_ATTR_RDONLY, .params = &lower, .n_params = 1 },
	};
	int r;

	for (size_t i = 0; lowerdirs && lowerdirs[i]; i++)
		snapshot_add_lowerdir(&list, lowerdirs[i], i == 0);
	if (target_fd < 0)
		return error_sys(err, "cannot open '%s'", target);
	if (list.len == 0) { /* an image without layers */
		const struct mount_param mode = { .key = "mode", .value = "0755" };

		r = mount_fs("tmpfs", "none", &mode, 1, MOUNT_ATTR_RDONLY, &fd, err);
	} else {
		if (!lowerdirs[1]) /* overlayfs without an upper directory wants two */
			snapshot_add_lowerdir(&list, p->empty_path, false);
		lower.value = buf_str(&list);
		r = overlay_mount(&op, target, &fd, err);
	}
	if (r != 0)
		return r < 0 ? r : 0;
	r = mount_attach(fd, target_fd);
	return r < 0 ? error_num(err, -r, "cannot mount on '%s'", target) : 0;
}

static int mount_image(struct image_store *store, const struct image *image, const struct place *p,
		       struct error *err)
{
	const char *name = digest_hex(&image->id);
	cleanup_free char *target = path_join(p->path, name);
	cleanup_with(strv_free) char **lowerdirs = NULL;
	int r = image_lowerdirs(store, image, &lowerdirs, err);

	if (r < 0)
		return r;
	if (mkdirat(p->state_fd, EMPTY_DIR, 0755) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make '%s'", p->empty_path);
	if (mkdirat(p->fd, name, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make '%s'", target);
	r = count_save(p, name, 1, err);
	return r < 0 ? r : mount_layers(lowerdirs, p, target, err);
}

static void forget(struct place *p, const char *name)
{
	cleanup_free char *file = xasprintf("%s.count", name);

	(void)unlinkat(p->fd, file, 0); /* who mounts it again overwrites what stayed */
	(void)unlinkat(p->fd, name, AT_REMOVEDIR);
	place_tidy(p);
}

static int check_user(const struct engine *e, struct error *err)
{
	if (!e->rootless)
		return 0;
	return error_kind(err, ERROR_UNSUPPORTED,
			  "an ordinary user's mount would end with this command: run it, and what "
			  "looks at the image, in 'berth unshare'");
}

int engine_image_mount(struct engine *e, const char *ref, char **ret_path, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	/* nobody removes it until the mount is there to be seen; a removal that unmounts has the two
	 * locks in this order */
	cleanup_fd int hold = -EBADF;
	cleanup_place struct place place = PLACE_NONE;
	struct image_store *store;
	const char *name;
	int r = check_user(e, err);

	if (r == 0)
		r = engine_images(e, &store, err);
	if (r == 0)
		r = image_lookup(store, ref, &image, err);
	if (r == 0)
		r = image_hold(store, image, &hold, err);
	if (r == 0)
		r = place_open(e, true, &place, err);
	if (r < 0)
		return r;
	name = digest_hex(&image->id);
	if (is_mounted(place.fd, name)) {
		r = count_save(&place, name, count_load(&place, name) + 1, err);
	} else {
		r = mount_image(store, image, &place, err);
		if (r < 0)
			forget(&place, name);
	}
	if (r == 0)
		*ret_path = path_join(place.path, name);
	return r;
}

/* Unmounting */

static int unmount(struct place *p, const char *name, bool force, struct error *err)
{
	cleanup_free char *path = path_join(p->path, name);
	uint64_t n = count_load(p, name);

	if (n > 1 && !force)
		return count_save(p, name, n - 1, err);
	if (umount2(path, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0)) < 0)
		return error_sys(err, "cannot unmount '%s'", path);
	forget(p, name);
	return 0;
}

int engine_image_unmount(struct engine *e, const char *ref, bool force, struct digest *ret_id,
			 struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_place struct place place = PLACE_NONE;
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r >= 0)
		r = image_lookup(store, ref, &image, err);
	if (r < 0)
		return r;
	r = place_open(e, false, &place, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!is_mounted(place.fd, digest_hex(&image->id)))
		return 0;
	r = unmount(&place, digest_hex(&image->id), force, err);
	if (r < 0)
		return r;
	*ret_id = image->id;
	return 1;
}

bool engine_image_is_mounted(const struct engine *e, const struct digest *id)
{
	cleanup_free char *path = mounts_path(e);
	cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && is_mounted(fd, digest_hex(id));
}

/* List */

static char **familiar_names(const struct image_row *row)
{
	char **names = NULL;

	for (size_t i = 0; row->names && row->names[i]; i++)
		names = strv_push_owned(names, reference_familiar_text(row->names[i]));
	return names;
}

int engine_image_mounts_load(struct engine *e, struct engine_image_mounts *ret, struct error *err)
{
	struct image_store *store;
	struct image_list list;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_list(store, &list, err);
	if (r < 0)
		return r;
	ret->n = 0;
	ret->rows = xcalloc(list.n + 1, sizeof(*ret->rows));
	for (size_t i = 0; i < list.n; i++) {
		const struct image_row *row = &list.rows[i];
		cleanup_free char *dir = mounts_path(e);

		if (!engine_image_is_mounted(e, &row->id))
			continue;
		ret->rows[ret->n++] = (struct engine_image_mount_row){
			.id = row->id,
			.names = familiar_names(row),
			.path = path_join(dir, digest_hex(&row->id)),
		};
	}
	image_list_done(&list);
	return 0;
}

void engine_image_mounts_done(struct engine_image_mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++) {
		strv_free(mounts->rows[i].names);
		free(mounts->rows[i].path);
	}
	free(mounts->rows);
	*mounts = (struct engine_image_mounts){ 0 };
}
