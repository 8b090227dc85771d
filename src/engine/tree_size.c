/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tree_size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "engine/handle.h"
#include "image/store.h"

/* A container may nest as it likes; nobody's stack is its to fill. */
#define TREE_DEPTH_MAX 512

/* Takes dir_fd over. What vanishes while we look does not count. */
static int64_t tree_size(int dir_fd, unsigned depth)
{
	cleanup_dir DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;
	int64_t sum = 0;

	if (!dir) {
		close(dir_fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		struct stat st;
		int fd;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			sum += st.st_size;
		if (!S_ISDIR(st.st_mode) || depth >= TREE_DEPTH_MAX)
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			sum += tree_size(fd, depth + 1);
	}
	return sum;
}

int container_tree_sizes(struct engine *e, const struct record *r, int dir_fd,
			 int64_t *ret_writable, int64_t *ret_image)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct image_store *store;
	struct error ignored;
	int fd = openat(dir_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_writable = tree_size(fd, 0);
	*ret_image = 0;
	if (engine_images(e, &store, &ignored) >= 0 &&
	    image_lookup(store, r->image_id, &image, &ignored) >= 0)
		*ret_image = (int64_t)image->size_bytes;
	return 0;
}

int engine_size(struct engine *e, const char *ref, int64_t *ret_bytes, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_fd int dir_fd = -EBADF;
	struct record record;
	int64_t image;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return r;
	r = container_dir_open(e, record.id, &dir_fd, err);
	if (r < 0)
		return r;
	if (container_tree_sizes(e, &record, dir_fd, ret_bytes, &image) < 0)
		*ret_bytes = 0; /* --rootfs */
	return 0;
}
