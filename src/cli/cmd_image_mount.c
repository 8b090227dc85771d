/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_image_mount.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "image/store.h"

static int check_all(bool all, int n, struct error *err)
{
	return all && n > 0 ? error_kind(err, ERROR_INVALID,
					 "when using the --all switch, you may not pass any image "
					 "names or IDs")
			    : 0;
}

/* mount */

const struct option mount_image_options[MOUNT_IMAGE_OPTIONS] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(mount_image_flags, all),
	  .help = "Mount all images" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(mount_image_flags, format),
	  .help = "Print the mounted images in another format: json" },
};

static const char *shown_name(const struct engine_image_mount_row *row)
{
	return row->names && row->names[0] ? row->names[0] : digest_hex(&row->id);
}

static void print_table(const struct engine_image_mounts *m, char *const *paths)
{
	int width = 0;

	for (size_t i = 0; i < m->n; i++)
		if (strv_has(paths, m->rows[i].path))
			width = MAX(width, (int)strlen(shown_name(&m->rows[i])));
	for (size_t i = 0; i < m->n; i++)
		if (strv_has(paths, m->rows[i].path))
			(void)printf("%-*s  %s\n", width, shown_name(&m->rows[i]), m->rows[i].path);
}

static void print_json(const struct engine_image_mounts *m, char *const *paths)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, " ");
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < m->n; i++) {
		const struct engine_image_mount_row *row = &m->rows[i];

		if (!strv_has(paths, row->path))
			continue;
		json_begin_object(&w, NULL);
		json_add_string(&w, "id", digest_hex(&row->id));
		json_add_strings(&w, "Repositories", (const char *const *)row->names,
				 strv_len(row->names));
		json_add_string(&w, "mountpoint", row->path);
		json_end(&w);
	}
	json_end(&w);
	(void)puts(buf_str(&out)); /* checked by the flush at the end */
}

/* Those of these paths, which are mounted. */
static int print_mounts(struct engine *e, char *const *paths, bool as_json, struct error *err)
{
	struct engine_image_mounts mounts = { 0 };
	int r = engine_image_mounts_load(e, &mounts, err);

	if (r == 0)
		(as_json ? print_json : print_table)(&mounts, paths);
	engine_image_mounts_done(&mounts);
	return r;
}

/* All that are mounted, or all there are. Heap: their ids. */
static int list_images(struct engine *e, bool mounted, char ***ret, struct error *err)
{
	struct engine_image_mounts mounts = { 0 };
	struct image_store *store;
	struct image_list list;
	char **ids = NULL;
	int r;

	if (mounted) {
		r = engine_image_mounts_load(e, &mounts, err);
		for (size_t i = 0; i < mounts.n; i++)
			ids = strv_push(ids, mounts.rows[i].id.text);
		engine_image_mounts_done(&mounts);
	} else {
		r = engine_images(e, &store, err);
		if (r == 0)
			r = image_list(store, &list, err);
		for (size_t i = 0; r == 0 && i < list.n; i++)
			ids = strv_push(ids, list.rows[i].id.text);
		if (r == 0)
			image_list_done(&list);
	}
	*ret = ids;
	return r;
}

static int mount_all(struct engine *e, char *const *refs, char ***ret_paths, struct error *err)
{
	int r = 0;

	for (size_t i = 0; refs && refs[i] && r == 0; i++) {
		char *path;

		r = engine_image_mount(e, refs[i], &path, err);
		if (r == 0)
			*ret_paths = strv_push_owned(*ret_paths, path);
	}
	return r;
}

static char **mounted_paths(const struct engine_image_mounts *m)
{
	char **paths = NULL;

	for (size_t i = 0; i < m->n; i++)
		paths = strv_push(paths, m->rows[i].path);
	return paths;
}

int cmd_mount_image(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct mount_image_flags *f = target;
	cleanup_with(strv_free) char **ids = NULL, **paths = NULL;
	struct engine_image_mounts mounts = { 0 };
	struct engine *e;
	int r = check_all(f->all, n, err);

	if (r == 0 && f->format && !str_eq(f->format, "json"))
		r = error_kind(err, ERROR_INVALID, "unknown --format argument: \"%s\"", f->format);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0 && f->all)
		r = list_images(e, false, &ids, err);
	if (r < 0)
		return r;
	if (n > 0 || f->all)
		r = mount_all(e, n > 0 ? args : ids, &paths, err);
	else
		r = engine_image_mounts_load(e, &mounts, err);
	if (r == 0 && n == 0 && !f->all)
		paths = mounted_paths(&mounts);
	engine_image_mounts_done(&mounts);
	if (r < 0)
		return r;
	if (n != 1 || f->format || !paths)
		return print_mounts(e, paths, f->format, err);
	(void)puts(paths[0]); /* checked by the flush at the end */
	return 0;
}

/* unmount */

const struct option unmount_image_options[UNMOUNT_IMAGE_OPTIONS] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(unmount_image_flags, all),
	  .help = "Unmount all of the currently mounted images" },
	{ .name = "force",
	  .short_name = 'f',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(unmount_image_flags, force),
	  .help = "Unmount however often it was mounted, and though it is in use" },
};

int cmd_unmount_image(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct unmount_image_flags *f = target;
	cleanup_with(strv_free) char **ids = NULL;
	struct engine *e;
	int r = check_all(f->all, n, err);
	char **refs;

	if (r == 0 && n == 0 && !f->all)
		r = error_kind(err, ERROR_INVALID, "image name or ID must be specified");
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0 && f->all)
		r = list_images(e, true, &ids, err);
	refs = f->all ? ids : args;
	for (size_t i = 0; r >= 0 && refs && refs[i]; i++) {
		struct digest id;

		r = engine_image_unmount(e, refs[i], f->force, &id, err);
		if (r > 0)
			(void)puts(digest_hex(&id)); /* checked by the flush at the end */
	}
	return r < 0 ? r : 0;
}
