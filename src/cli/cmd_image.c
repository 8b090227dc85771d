/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on images; `images` itself is in cmd_images.c. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd_history.h"
#include "cli/cmd_image_mount.h"
#include "cli/cmd_images.h"
#include "cli/cmd_inspect.h"
#include "cli/cmd_prune.h"
#include "cli/cmd_save.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "image/platform.h"
#include "image/store.h"
#include "image/transfer.h"
#include "oci/image.h"

static int open_store(struct cli *cli, struct image_store **ret, struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	return r < 0 ? r : engine_images(e, ret, err);
}

static int open_input(const char *path, int *ret_fd, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", path);
	*ret_fd = fd;
	return 0;
}

/* load */

struct load_flags {
	const char *input, *platform, *signature_policy;
	bool quiet;
};

static const struct option load_options[] = {
	{ .name = "input",
	  .short_name = 'i',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(load_flags, input),
	  .help = "Read from an archive or an OCI layout directory, instead of STDIN" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(load_flags, platform),
	  .help = "Load only this platform of an image for several: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(load_flags, quiet),
	  .help = "Suppress the load output" },
	{ .name = "signature-policy",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(load_flags, signature_policy),
	  .help = "Which images are allowed, instead of policy.json" },
};

static void print_loaded(const struct image_loaded *loaded)
{
	for (size_t i = 0; i < loaded->n; i++) {
		char **names = loaded->rows[i].names;

		if (!names || !names[0])
			(void)printf("Loaded image ID: %s\n", loaded->rows[i].id.text);
		for (size_t j = 0; names && names[j]; j++)
			(void)printf("Loaded image: %s\n", names[j]);
	}
}

struct load {
	struct image_store *store;
	int fd;
	const struct load_flags *f;
	struct image_loaded loaded;
};

static int load_until(void *ctx, int stop_fd, struct error *err)
{
	struct load *l = ctx;
	const struct load_flags *f = l->f;
	cleanup_with(progress_view_free) struct progress_view *view = NULL;
	struct image_load_options o = { .platform = f->platform,
					.signature_policy = f->signature_policy,
					.stop_fd = stop_fd };

	/* docker's bars are for terminals alone */
	if (!f->quiet && isatty(STDOUT_FILENO)) {
		view = progress_view_stdout();
		o.progress = progress_view_sink(view);
	}
	return image_load(l->store, l->fd, f->input ? f->input : "stdin", &o, &l->loaded, err);
}

static int cmd_load(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
		    struct error *err)
{
	struct load l = { .f = target, .fd = STDIN_FILENO };
	cleanup_fd int fd = -EBADF;
	struct engine *e;
	int r;

	if (!l.f->input && isatty(STDIN_FILENO))
		return error_kind(err, ERROR_INVALID,
				  "requested load from stdin, but stdin is empty");
	r = cli_engine(cli, &e, err);
	if (r == 0 && l.f->input) {
		r = open_input(l.f->input, &fd, err);
		l.fd = fd;
	}
	if (r == 0)
		r = engine_images(e, &l.store, err);
	if (r == 0)
		r = interrupt_guard(e, load_until, &l, err);
	if (r == 0)
		print_loaded(&l.loaded);
	image_loaded_done(&l.loaded);
	return r;
}

/* import */

struct import_flags {
	bool quiet;
	char **change;
	const char *message, *platform, *os, *arch, *variant;
};

static const struct option import_options[] = {
	{ .name = "arch",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(import_flags, arch),
	  .help = "Set the architecture of the image" },
	{ .name = "change",
	  .short_name = 'c',
	  .type = OPTION_LIST,
	  .arg = "list",
	  OPTION_FIELD(import_flags, change),
	  .help = "Apply Dockerfile instruction to the created image" },
	{ .name = "message",
	  .short_name = 'm',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(import_flags, message),
	  .help = "Set commit message for imported image" },
	{ .name = "os",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(import_flags, os),
	  .help = "Set the operating system of the image" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(import_flags, platform),
	  .help = "Set platform of the image: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(import_flags, quiet),
	  .help = "Print the image's ID alone" },
	{ .name = "variant",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(import_flags, variant),
	  .help = "Set the variant of the architecture of the image" },
};

struct import {
	struct image_store *store;
	int fd;
	const char *name;
	struct image_import_options options;
	struct digest id;
};

static int import_until(void *ctx, int stop_fd, struct error *err)
{
	struct import *im = ctx;

	im->options.stop_fd = stop_fd;
	return image_import(im->store, im->fd, im->name, &im->options, &im->id, err);
}

/* In *own_fd what is ours to close. */
static int open_source(struct import *im, const char *source, bool quiet, int *own_fd,
		       struct error *err)
{
	int r = 0;

	im->name = source;
	im->fd = -1;
	if (str_eq(source, "-")) {
		im->name = "stdin";
		im->fd = STDIN_FILENO;
	} else if (!str_after(source, "http://") && !str_after(source, "https://")) {
		r = open_input(source, own_fd, err);
		im->fd = *own_fd;
	} else if (!quiet) {
		(void)printf("Downloading from %s\n", source);
	}
	return r;
}

static int cmd_import(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct import_flags *f = target;
	cleanup_free char *platform = NULL;
	cleanup_fd int fd = -EBADF;
	struct engine *e;
	struct import im = { .options = { .target = n > 1 ? args[1] : NULL,
					  .message = f->message,
					  .changes = f->change } };
	int r = platform_join(f->platform, f->os, f->arch, f->variant, &platform, err);

	im.options.platform = platform;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = open_source(&im, args[0], f->quiet, &fd, err);
	if (r == 0)
		r = engine_images(e, &im.store, err);
	if (r == 0)
		r = interrupt_guard(e, import_until, &im, err);
	if (r == 0)
		(void)puts(im.id.text); /* checked by the flush at the end */
	return r;
}

/* rmi */

struct rmi_flags {
	bool all, force, ignore, no_prune;
	const char *platform;
};

static const struct option rmi_options[] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rmi_flags, all),
	  .help = "Remove all images" },
	{ .name = "force",
	  .short_name = 'f',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rmi_flags, force),
	  .help = "Force removal of the image" },
	{ .name = "ignore",
	  .short_name = 'i',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rmi_flags, ignore),
	  .help = "An image that does not exist is no error" },
	{ .name = "no-prune",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rmi_flags, no_prune),
	  .help = "Do not delete untagged parents (no image has one: the same)" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(rmi_flags, platform),
	  .help = "Remove only an image for this platform: os[/arch[/variant]]" },
};

static int check_platform(struct engine *e, const char *ref, const char *platform,
			  struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_lookup(store, ref, &image, err);
	return r == 0 ? platform_check(platform, &image->config->platform, ref, err) : r;
}

static int remove_one(struct engine *e, const struct rmi_flags *f, const char *ref,
		      struct image_removal *removal, struct error *err)
{
	int r = f->platform ? check_platform(e, ref, f->platform, err) : 0;

	return r < 0 ? r : engine_remove_image(e, ref, f->force, removal, err);
}

/* One by one, as they are named: an image with several names is no obstacle. */
static int list_all(struct engine *e, char ***ret, struct error *err)
{
	struct image_list list = { 0 };
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_list(store, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		char **names = list.rows[i].names;

		if (!names || !names[0])
			*ret = strv_push(*ret, list.rows[i].id.text);
		for (size_t k = 0; names && names[k]; k++)
			*ret = strv_push(*ret, names[k]);
	}
	image_list_done(&list);
	return r;
}

static int remove_all(struct engine *e, const struct rmi_flags *f, char **refs, struct error *err)
{
	int code = 0;

	for (size_t i = 0; refs && refs[i]; i++) {
		struct image_removal removal = { 0 };
		char text[ERROR_TEXT_MAX];

		if (remove_one(e, f, refs[i], &removal, err) < 0) {
			bool missing = err->kind == ERROR_NOT_FOUND;

			if (f->ignore && missing)
				continue;
			(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
			if (!f->force || !missing)
				code = 1;
		}
		for (size_t j = 0; j < removal.n; j++)
			(void)printf("%s: %s\n", removal.rows[j].deleted ? "Deleted" : "Untagged",
				     removal.rows[j].what);
		image_removal_done(&removal);
	}
	return code;
}

static int cmd_rmi(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	cleanup_with(strv_free) char **all = NULL;
	const struct rmi_flags *f = target;
	struct engine *e;
	int r;

	if (f->all && n > 0)
		return error_kind(err, ERROR_INVALID,
				  "when using the --all switch, you may not pass any images names "
				  "or IDs");
	if (!f->all && n == 0)
		return error_kind(err, ERROR_INVALID, "'berth rmi' requires at least 1 argument");
	r = cli_engine(cli, &e, err);
	if (r == 0 && f->all)
		r = list_all(e, &all, err);
	return r < 0 ? r : remove_all(e, f, f->all ? all : args, err);
}

/* tag */

static int cmd_tag(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		   struct error *err)
{
	struct image_store *store;
	int r = open_store(cli, &store, err);

	return r < 0 ? r : image_tag(store, args[0], args[1], err);
}

/* untag */

static int cmd_untag(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		     struct error *err)
{
	struct image_store *store;
	int r = open_store(cli, &store, err);

	return r < 0 ? r : image_untag(store, args[0], args + 1, err);
}

/* exists */

static int cmd_exists(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		      struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct image_store *store;
	int r = open_store(cli, &store, err);

	if (r == 0)
		r = image_lookup(store, args[0], &image, err);
	return r < 0 && err->kind == ERROR_NOT_FOUND ? 1 : r;
}

static const struct command commands[] = {
	{ .group = "image",
	  .name = "exists",
	  .usage = "IMAGE",
	  .summary = "Check if an image exists: exit code 0, or 1",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_exists },
	{ .group = "image",
	  .name = "history",
	  .top = "history",
	  .usage = "[OPTIONS] IMAGE",
	  .summary = "Show the history of an image",
	  .options = history_options,
	  .n_options = HISTORY_OPTIONS,
	  .target_size = sizeof(struct history_flags),
	  .init = history_init,
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_history },
	{ .group = "image",
	  .name = "import",
	  .top = "import",
	  .usage = "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
	  .summary = "Import the contents from a tarball to create a filesystem image",
	  COMMAND_OPTIONS(import_options, import_flags),
	  .min_args = 1,
	  .max_args = 2,
	  .run = cmd_import },
	{ .group = "image",
	  .name = "inspect",
	  .usage = "[OPTIONS] IMAGE [IMAGE...]",
	  .summary = "Display detailed information on one or more images",
	  .options = inspect_image_options,
	  .n_options = INSPECT_OPTIONS_IMAGE,
	  .target_size = sizeof(struct inspect_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_inspect_image },
	{ .group = "image",
	  .name = "load",
	  .top = "load",
	  .usage = "[OPTIONS]",
	  .summary = "Load an image from a tar archive or STDIN",
	  COMMAND_OPTIONS(load_options, load_flags),
	  .run = cmd_load },
	{ .group = "image",
	  .name = "ls",
	  .alias = "list",
	  .top = "images",
	  .usage = "[OPTIONS] [REPOSITORY[:TAG]]",
	  .summary = "List images",
	  .options = images_options,
	  .n_options = IMAGES_OPTIONS,
	  .target_size = sizeof(struct images_flags),
	  .max_args = 1,
	  .run = cmd_images },
	{ .group = "image",
	  .name = "mount",
	  .usage = "[OPTIONS] [IMAGE...]",
	  .summary = "Mount images read-only and print where, or list those that are mounted",
	  .options = mount_image_options,
	  .n_options = MOUNT_IMAGE_OPTIONS,
	  .target_size = sizeof(struct mount_image_flags),
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_mount_image },
	{ .group = "image",
	  .name = "prune",
	  .usage = "[OPTIONS]",
	  .summary = "Remove unused images",
	  .options = prune_options,
	  .n_options = PRUNE_OPTIONS_IMAGE,
	  .target_size = sizeof(struct prune_flags),
	  .run = cmd_prune_images },
	{ .group = "image",
	  .name = "rm",
	  .alias = "remove",
	  .top = "rmi",
	  .usage = "[OPTIONS] IMAGE [IMAGE...]",
	  .summary = "Remove one or more images",
	  COMMAND_OPTIONS(rmi_options, rmi_flags),
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_rmi },
	{ .group = "image",
	  .name = "save",
	  .top = "save",
	  .usage = "[OPTIONS] IMAGE [IMAGE...]",
	  .summary = "Save one or more images to a tar archive (streamed to STDOUT by default)",
	  .options = save_options,
	  .n_options = SAVE_OPTIONS,
	  .target_size = sizeof(struct save_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_save },
	{ .group = "image",
	  .name = "tag",
	  .top = "tag",
	  .usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
	  .summary = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
	  .min_args = 2,
	  .max_args = 2,
	  .run = cmd_tag },
	{ .group = "image",
	  .name = "tree",
	  .usage = "[OPTIONS] IMAGE",
	  .summary = "Show the layers of an image, and which images end with them",
	  .options = tree_options,
	  .n_options = TREE_OPTIONS,
	  .target_size = sizeof(struct tree_flags),
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_image_tree },
	{ .group = "image",
	  .name = "unmount",
	  .alias = "umount",
	  .usage = "[OPTIONS] IMAGE [IMAGE...]",
	  .summary = "Unmount images that 'image mount' mounted",
	  .options = unmount_image_options,
	  .n_options = UNMOUNT_IMAGE_OPTIONS,
	  .target_size = sizeof(struct unmount_image_flags),
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_unmount_image },
	{ .group = "image",
	  .name = "untag",
	  .top = "untag",
	  .usage = "IMAGE [NAME...]",
	  .summary = "Remove names, or all names, from an image",
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_untag },
};

const struct command_table commands_image = { commands, ARRAY_SIZE(commands) };
