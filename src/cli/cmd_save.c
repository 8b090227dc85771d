/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_save.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "cli/interrupt.h"
#include "engine/engine.h"
#include "image/transfer.h"

const struct option save_options[SAVE_OPTIONS] = {
	{ .name = "compress",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(save_flags, compress),
	  .help = "Compress uncompressed layers with gzip; for docker-dir" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(save_flags, format),
	  .help = "docker-archive (default; an OCI layout, too), oci-archive, oci-dir, docker-dir" },
	{ .name = "multi-image-archive",
	  .short_name = 'm',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(save_flags, multi),
	  .help = "Several images in one archive (always so)" },
	{ .name = "output",
	  .short_name = 'o',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(save_flags, output),
	  .help = "Write to a file or a directory, instead of STDOUT" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(save_flags, platform),
	  .help = "Fail unless the images are for this platform: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(save_flags, quiet),
	  .help = "Suppress the output (nothing is ever said: the same)" },
	{ .name = "uncompressed",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(save_flags, uncompressed),
	  .help = "Take uncompressed layers as they are (without --compress always so)" },
};

static const char *const formats[] = {
	[IMAGE_SAVE_DOCKER_ARCHIVE] = "docker-archive",
	[IMAGE_SAVE_OCI_ARCHIVE] = "oci-archive",
	[IMAGE_SAVE_OCI_DIR] = "oci-dir",
	[IMAGE_SAVE_DOCKER_DIR] = "docker-dir",
};

struct save {
	struct image_store *store;
	char **images;
	const struct image_save_options *options;
	const char *path;
};

static int save_to_path(void *ctx, int stop_fd, struct error *err)
{
	const struct save *s = ctx;
	struct image_save_options o = *s->options;
	bool dir = o.format == IMAGE_SAVE_OCI_DIR || o.format == IMAGE_SAVE_DOCKER_DIR;
	cleanup_beside struct beside target = BESIDE_NONE;
	int r = beside_open(s->path, dir, &target, err);

	o.stop_fd = stop_fd;
	if (r == 0)
		r = image_save(s->store, s->images, &o, target.fd, err);
	return r < 0 ? r : beside_commit(&target, err);
}

/* Into /dev/stdout, a pipe or a device nothing can be renamed, and nothing of it is ours to remove. */
static int save_to_special(struct image_store *store, char **images,
			   const struct image_save_options *o, const char *path, struct error *err)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", path);
	return image_save(store, images, o, fd, err);
}

static bool is_special(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	       stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int parse_flags(const struct save_flags *f, struct image_save_options *o, struct error *err)
{
	int format = f->format ? str_index(formats, ARRAY_SIZE(formats), f->format) : 0;

	if (format < 0)
		return error_kind(err, ERROR_INVALID,
				  "unknown format \"%s\": docker-archive, oci-archive, oci-dir and "
				  "docker-dir are known",
				  f->format);
	*o = (struct image_save_options){ .format = (enum image_save_format)format,
					  .compress = f->compress,
					  .platform = f->platform };
	if (f->compress && (format != IMAGE_SAVE_DOCKER_DIR || f->uncompressed))
		return error_kind(err, ERROR_INVALID,
				  "--compress can only be set when --format is 'docker-dir', and "
				  "without --uncompressed");
	if (!f->output && (format == IMAGE_SAVE_OCI_DIR || format == IMAGE_SAVE_DOCKER_DIR))
		return error_kind(err, ERROR_INVALID, "a directory needs a name: --output");
	if (!f->output && isatty(STDOUT_FILENO))
		return error_kind(
			err, ERROR_INVALID,
			"cowardly refusing to save to a terminal. Use the -o flag or redirect");
	return 0;
}

int cmd_save(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct save_flags *f = target;
	struct image_save_options o;
	struct save s = { .images = args, .options = &o, .path = f->output };
	struct engine *e;
	int r = parse_flags(f, &o, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_images(e, &s.store, err);
	if (r < 0)
		return r;
	if (!f->output)
		return image_save(s.store, args, &o, STDOUT_FILENO, err);
	return is_special(f->output) ? save_to_special(s.store, args, &o, f->output, err)
				     : interrupt_guard(e, save_to_path, &s, err);
}
