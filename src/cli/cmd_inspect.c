/* SPDX-License-Identifier: Apache-2.0 */
/* inspect, container inspect, image inspect: one document for several objects. */
#include "cli/cmd_inspect.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "cli/output.h"
#include "engine/engine.h"
#include "engine/image_inspect.h"
#include "image/platform.h"
#include "image/store.h"
#include "oci/image.h"

const struct option inspect_options[INSPECT_OPTIONS_ALL] = {
	{ .name = "format",
	  .short_name = 'f',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(inspect_flags, format),
	  .help = "Format output using 'json' or a Go template" },
	{ .name = "size",
	  .short_name = 's',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(inspect_flags, size),
	  .help = "Display total file sizes if the type is container" },
	{ .name = "type",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(inspect_flags, type),
	  .help = "Only inspect objects of the given type (container or image)" },
};

const struct option inspect_image_options[INSPECT_OPTIONS_IMAGE] = {
	{ .name = "format",
	  .short_name = 'f',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(inspect_flags, format),
	  .help = "Format output using 'json' or a Go template" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(inspect_flags, platform),
	  .help = "Fail unless the image is for this platform: os[/arch[/variant]]" },
};

/* What docker's documents leave out, or write as null, where it is empty: a template finds it all the same. */
static const char zeros[] =
	"{\"ArgsEscaped\":false,\"AttachStderr\":false,\"AttachStdin\":false,"
	"\"AttachStdout\":false,\"Cmd\":[],\"Container\":\"\",\"ContainerConfig\":null,\"Data\":{},"
	"\"Annotations\":{},\"Domainname\":\"\",\"Entrypoint\":[],\"Env\":[],\"ExposedPorts\":{},\"Health\":null,"
	"\"Healthcheck\":null,\"Hostname\":\"\",\"Image\":\"\",\"Labels\":{},\"MacAddress\":\"\","
	"\"NetworkDisabled\":false,\"Networks\":{},\"OnBuild\":[],\"OpenStdin\":false,\"OsVersion\":\"\","
	"\"Ports\":{},\"Shell\":[],\"StdinOnce\":false,\"StopSignal\":\"\",\"StopTimeout\":null,"
	"\"Sysctls\":{},\"Tmpfs\":{},\"Tty\":false,\"Variant\":\"\",\"Volumes\":{}}";

static int inspect_image(struct engine *e, const struct inspect_flags *f, const char *ref,
			 struct buf *out, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct image_store *store;
	int r = engine_images(e, &store, err);

	if (r == 0)
		r = image_lookup(store, ref, &image, err);
	if (r == 0)
		r = platform_check(f->platform, &image->config->platform, ref, err);
	if (r == 0)
		image_inspect_format(e, image, out);
	return r;
}

/* type NULL: a container, else an image. */
static int inspect_one(struct engine *e, const struct inspect_flags *f, const char *ref,
		       struct buf *out, struct error *err)
{
	int r;

	if (str_eq(f->type, "image"))
		return inspect_image(e, f, ref, out, err);
	r = engine_inspect(e, ref, f->size, out, err);
	if (r == 0 || f->type || err->kind != ERROR_NOT_FOUND)
		return r;
	r = inspect_image(e, f, ref, out, err);
	if (r < 0 && (err->kind == ERROR_NOT_FOUND || err->kind == ERROR_INVALID))
		return error_kind(err, ERROR_NOT_FOUND, "no such object: %s", ref);
	return r;
}

static int inspect(struct cli *cli, const struct inspect_flags *f, char **args, struct error *err)
{
	cleanup_buf struct buf all = { 0 };
	struct output o = { .format = f->format, .zeros = zeros };
	struct engine *e;
	int code = 0, r = cli_engine(cli, &e, err);

	if (r < 0)
		return r;
	buf_putc(&all, '[');
	for (size_t i = 0; args[i]; i++) {
		cleanup_buf struct buf one = { 0 };
		char text[ERROR_TEXT_MAX];

		if (inspect_one(e, f, args[i], &one, err) < 0) {
			(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
			code = 1;
			continue;
		}
		if (all.len > 1)
			buf_putc(&all, ',');
		buf_add(&all, one.data, one.len);
	}
	buf_putc(&all, ']');
	r = f->format && !str_eq(f->format, "json") ? output_rows(&o, &all, err)
						    : output_document(f->format, &all, err);
	return r < 0 ? r : code;
}

int cmd_inspect(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct inspect_flags *f = target;

	if (f->type && !str_eq(f->type, "container") && !str_eq(f->type, "image"))
		return error_kind(err, ERROR_INVALID, "\"%s\" is not a valid value for --type",
				  f->type);
	return inspect(cli, f, args, err);
}

int cmd_inspect_container(struct cli *cli, void *target, int n UNUSED, char **args,
			  struct error *err)
{
	struct inspect_flags f = *(const struct inspect_flags *)target;

	f.type = "container";
	return inspect(cli, &f, args, err);
}

int cmd_inspect_image(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	struct inspect_flags f = *(const struct inspect_flags *)target;

	f.type = "image";
	return inspect(cli, &f, args, err);
}
