/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inject.h"
#include "image/erofs.h"
#include "image/layer.h"
#include "image/store_label.h"
#include "image/store_private.h"
#include "kernel/mountapi.h"

#define PROBE_FILE "probe.erofs"

static int make_diff(int layer_fd, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r = inject_failure("image", "diff", err);

	if (r < 0)
		return r;
	if (mkdirat(layer_fd, "diff", 0755) < 0)
		return error_sys(err, "cannot create 'diff'");
	r = store_label_readable(layer_fd, (const char *const[]){ "diff" }, 1, err);
	if (r < 0)
		return r;
	fd = openat(layer_fd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return error_sys(err, "cannot open 'diff'");
	*ret_fd = take_fd(&fd);
	return 0;
}

static int take_into_directory(const struct archive_source *source, int layer_fd,
			       const struct unpack_limits *limits, struct unpack_result *ret,
			       struct error *err)
{
	cleanup_with(archive_reader_close) struct archive_reader *a = archive_reader_open(source);
	cleanup_fd int diff_fd = -EBADF;
	int r = make_diff(layer_fd, &diff_fd, err);

	if (r == 0)
		r = unpack_archive(a, diff_fd, limits, unpack_own_flags(), ret, err);
	return r < 0 ? r : inject_failure("image", "unpacked", err);
}

const struct layer_sink layer_sink_directory = { "directory", take_into_directory };

/* The archive is in the image's file already. */
static int unpack_instead(int image_fd, int layer_fd, const struct unpack_limits *limits,
			  struct unpack_result *ret, struct error *err)
{
	cleanup_fd int diff_fd = -EBADF;
	int r = make_diff(layer_fd, &diff_fd, err);

	if (r == 0)
		r = erofs_layer_unpack(image_fd, diff_fd, limits, unpack_own_flags(), ret, err);
	if (r == 0 && unlinkat(layer_fd, EROFS_FILE, 0) < 0)
		return error_sys(err, "cannot remove " EROFS_FILE);
	return r;
}

static int take_into_image(const struct archive_source *source, int layer_fd,
			   const struct unpack_limits *limits, struct unpack_result *ret,
			   struct error *err)
{
	cleanup_fd int fd =
		openat(layer_fd, EROFS_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return error_sys(err, "cannot create " EROFS_FILE);
	r = erofs_layer_write(source, fd, limits, ret, err);
	if (r == 0)
		r = inject_failure("image", "image-written", err);
	return r == EROFS_UNFIT ? unpack_instead(fd, layer_fd, limits, ret, err) : r;
}

const struct layer_sink layer_sink_erofs = { "erofs", take_into_image };

static ssize_t no_bytes(void *ctx, const void **ret_data, struct error *err)
{
	*ret_data = "";
	return 0;
}

/* An image of nothing, mounted and made the lower layers of an overlay: what a container will do. */
static int try_image(int fd, struct error *err)
{
	const struct archive_source empty = { .next = no_bytes };
	const struct unpack_limits limits = { 0 };
	const struct fd_path path = fd_proc_path(fd);
	cleanup_fd int upper_fd = -EBADF, lower_fd = -EBADF, overlay_fd = -EBADF;
	struct unpack_result ignored;
	int r = erofs_layer_write(&empty, fd, &limits, &ignored, err);

	if (r == 0)
		r = mount_open_layer(path.s, &upper_fd, NULL, err);
	if (r == 0)
		r = mount_open_layer(path.s, &lower_fd, NULL, err);
	if (r == 0) {
		const struct fd_path upper = fd_proc_path(upper_fd), lower = fd_proc_path(lower_fd);
		const struct mount_param params[] = { { "lowerdir+", upper.s },
						      { "lowerdir+", lower.s } };

		r = mount_fs("overlay", "overlay", params, 2, 0, &overlay_fd, err);
	}
	return MIN(r, 0);
}

int layer_sink_choose(const struct image_store *store, int work_fd, const struct layer_sink **ret,
		      struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	*ret = &layer_sink_directory;
	if (!store->erofs)
		return 0;
	fd = openat(work_fd, PROBE_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(err, "cannot create '" PROBE_FILE "'");
	r = try_image(fd, err);
	(void)unlinkat(work_fd, PROBE_FILE, 0); /* it goes with the directory otherwise */
	if (r < 0)
		return error_prefix(err, r, "storage driver erofs");
	*ret = &layer_sink_erofs;
	return 0;
}
