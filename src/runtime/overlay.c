/* SPDX-License-Identifier: Apache-2.0 */

/*
 * overlayfs with any number of layers. From Linux 6.5 each layer is one "lowerdir+" parameter.
 * Before, all must go into one "lowerdir=" string: fsconfig(2) takes 255 bytes of it, mount(2) a
 * page, in which layers are named relative to the directory they share, or by short names. Which of the three works is
 * found by trying; the kernel's version says nothing about backports.
 *
 * A layer that is a regular file is an EROFS image: it is mounted detached, and overlayfs takes it by
 * its descriptor's name. So nobody but the overlay ever has it mounted.
 *
 * More than a page of names (about 58 layers of berth's store) are named by descriptors, relative to
 * /proc/self/fd: that makes room for the 500 that overlayfs takes.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/mountapi.h"
#include "runtime/rootfs.h"

/* A page less the NUL: mount(2) takes no more. */
#define MOUNT_DATA_MAX	4095
#define DESCRIPTORS_DIR "/proc/self/fd"

static const char *lowerdir_of(const struct mount_op *op)
{
	for (size_t i = 0; i < op->options.n_params; i++)
		if (str_eq(op->options.params[i].key, "lowerdir") && op->options.params[i].value)
			return op->options.params[i].value;
	return NULL;
}

/*
 * The next layer of a lowerdir list, unescaped ("\:" is a colon in a name) if plain.
 * Returns the rest of the list, NULL behind the last; "" in out: a "::" of data-only layers.
 */
static const char *next_layer(const char *list, char *out, size_t size, bool plain)
{
	size_t n = 0;

	while (*list && *list != ':') {
		if (*list == '\\' && (list[1] == ':' || list[1] == '\\')) {
			if (!plain && n + 1 < size)
				out[n++] = *list;
			list++;
		}
		if (n + 1 < size)
			out[n++] = *list;
		list++;
	}
	out[n] = '\0';
	return *list ? list + 1 : NULL;
}

/* Data-only layers ("::") need the old string form. */
static bool has_data_layers(const char *list)
{
	return strstr(list, "::") != NULL;
}

/* Descriptors of layers: mounted images, or directories. */
struct layer_fds {
	int *fds;
	size_t n;
};

static void close_layers(struct layer_fds *layers)
{
	while (layers->n > 0)
		close(layers->fds[--layers->n]);
	free(layers->fds);
}

static void add_fd(struct layer_fds *layers, int fd)
{
	layers->fds = xrealloc(layers->fds, (layers->n + 1) * sizeof(int));
	layers->fds[layers->n++] = fd;
}

/* The name by which overlayfs takes a layer. */
static int name_layer(const char *layer, struct arena *arena, struct layer_fds *images,
		      const char **ret, struct error *err)
{
	struct stat st;
	int fd, r;

	*ret = arena_strdup(arena, layer);
	if (stat(layer, &st) < 0 || !S_ISREG(st.st_mode))
		return 0; /* overlayfs says what is wrong with it */
	r = mount_open_layer(layer, &fd, NULL, err);
	if (r < 0)
		return r;
	add_fd(images, fd);
	*ret = arena_strdup(arena, fd_proc_path(fd).s);
	return 0;
}

/* One "lowerdir+" a layer. 1: refused, perhaps because this kernel does not know it. */
static int mount_appending(const struct mount_op *op, const char *list, int *ret_fd,
			   struct error *err)
{
	const struct mount_options *o = &op->options;
	__attribute__((cleanup(close_layers))) struct layer_fds images = { 0 };
	struct mount_param *params;
	cleanup_with(arena_free) struct arena *arena = arena_new();
	char layer[PATH_MAX];
	size_t n = 0, n_layers = 1;
	int r;

	for (const char *p = list; *p; p++)
		n_layers += *p == ':';
	params = arena_alloc(arena, (n_layers + o->n_params) * sizeof(*params));
	while (list) {
		list = next_layer(list, layer, sizeof(layer), true);
		params[n].key = "lowerdir+";
		r = name_layer(layer, arena, &images, &params[n++].value, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < o->n_params; i++)
		if (!str_eq(o->params[i].key, "lowerdir"))
			params[n++] = o->params[i];
	r = mount_fs("overlay", op->source, params, n, o->set | o->recursive_set, ret_fd, err);
	/* before 6.5 any word is taken, and the whole of them refused at the end */
	if (r == -EINVAL && images.n == 0)
		return 1;
	return r;
}

/* Length of the directory part that all layers share, with its slash; 0: nothing but "/". */
static size_t shared_directory(const char *list)
{
	char first[PATH_MAX], layer[PATH_MAX];
	size_t shared;

	list = next_layer(list, first, sizeof(first), false);
	shared = strlen(first);
	while (shared > 0 && first[shared - 1] != '/')
		shared--;
	while (list) {
		list = next_layer(list, layer, sizeof(layer), false);
		while (shared > 0 && strncmp(first, layer, shared) != 0) {
			shared--;
			while (shared > 0 && first[shared - 1] != '/')
				shared--;
		}
	}
	if (memchr(first, '\\', shared)) /* escaped: not a name for chdir(2) */
		return 0;
	return shared > 1 ? shared : 0;
}

/* The layers relative to the directory that they share. */
static void format_names(const char *list, size_t skip, struct buf *data)
{
	char layer[PATH_MAX];

	buf_puts(data, "lowerdir=");
	while (list) {
		list = next_layer(list, layer, sizeof(layer), false);
		buf_printf(data, "%s%s", layer + MIN(skip, strlen(layer)), list ? ":" : "");
	}
}

/* The layers as open descriptors. */
static int format_descriptors(const char *list, struct layer_fds *layers, struct buf *data,
			      struct error *err)
{
	char layer[PATH_MAX];

	buf_puts(data, "lowerdir=");
	while (list) {
		int fd;

		list = next_layer(list, layer, sizeof(layer), true);
		fd = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_sys(err, "cannot open '%s'", layer);
		add_fd(layers, fd);
		buf_printf(data, "%d%s", fd, list ? ":" : "");
	}
	return 0;
}

static void format_options(const struct mount_op *op, struct buf *data)
{
	const struct mount_options *o = &op->options;

	for (size_t i = 0; i < o->n_params; i++) {
		const char *value = o->params[i].value;
		/* SELinux's own parser knows quotes, for the commas of a label */
		const char *quote = str_ends(o->params[i].key, "context") ? "\"" : "";

		if (str_eq(o->params[i].key, "lowerdir"))
			continue;
		buf_printf(data, ",%s%s%s%s%s", o->params[i].key, value ? "=" : "",
			   value ? quote : "", value ? value : "", value ? quote : "");
	}
}

/* In *ret_directory the one that names are relative to; "": none. */
static int format_data(const struct mount_op *op, const char *list, struct layer_fds *layers,
		       struct buf *data, char **ret_directory, struct error *err)
{
	size_t skip = has_data_layers(list) ? 0 : shared_directory(list);
	int r = 0;

	format_names(list, skip, data);
	format_options(op, data);
	if (data->len <= MOUNT_DATA_MAX || has_data_layers(list)) {
		*ret_directory = xstrndup(list, skip);
	} else {
		buf_clear(data);
		r = format_descriptors(list, layers, data, err);
		format_options(op, data);
		*ret_directory = xstrdup(DESCRIPTORS_DIR);
	}
	if (r < 0)
		return r;
	if (data->len > MOUNT_DATA_MAX)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "too many layers for this kernel's overlayfs: %zu bytes of "
				  "options, it takes %d",
				  data->len, MOUNT_DATA_MAX);
	return 0;
}

/*
 * mount(2) on target, with the shared directory as current directory. The caller's cwd changes: the
 * child that sets up a container has no use for it.
 */
static int mount_by_string(const struct mount_op *op, const char *list, const char *target,
			   int *ret_fd, struct error *err)
{
	__attribute__((cleanup(close_layers))) struct layer_fds layers = { 0 };
	cleanup_buf struct buf data = { 0 };
	cleanup_free char *directory = NULL;
	int fd, r;

	r = format_data(op, list, &layers, &data, &directory, err);
	if (r < 0)
		return r;
	if (*directory && chdir(directory) < 0)
		return error_sys(err, "cannot enter '%s'", directory);
	if (mount(op->source, target, "overlay", 0, buf_str(&data)) < 0)
		return error_sys(err, "cannot mount overlay on '%s'", target);
	fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot open '%s'", target);
	*ret_fd = fd;
	r = mount_set_attributes(fd, false, op->options.set, 0, 0, -1);
	return r < 0 ? error_num(err, -r, "cannot set the options of '%s'", target) : 1;
}

int overlay_mount(const struct mount_op *op, const char *fallback_path, int *ret_mount_fd,
		  struct error *err)
{
	const struct mount_options *o = &op->options;
	const char *list = lowerdir_of(op);
	int r = 1;

	if (!list)
		return error_kind(err, ERROR_INVALID, "overlay: no 'lowerdir=' in its options");
	if (!has_data_layers(list))
		r = mount_appending(op, list, ret_mount_fd, err);
	if (r <= 0)
		return r;
	if (strlen(list) < 255 || !fallback_path)
		return mount_fs("overlay", op->source, o->params, o->n_params,
				o->set | o->recursive_set, ret_mount_fd, err);
	return mount_by_string(op, list, fallback_path, ret_mount_fd, err);
}
