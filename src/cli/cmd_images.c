/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_images.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/text.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "image/reference.h"
#include "image/store.h"

#define SHORT_ID 12
#define NONE	 "<none>"

const struct option images_options[IMAGES_OPTIONS] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, all),
	  .help = "Show all images (there are no intermediate ones: the same)" },
	{ .name = "digests",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, digests),
	  .help = "Show digests" },
	{ .name = "filter",
	  .short_name = 'f',
	  .type = OPTION_LIST,
	  .arg = "filter",
	  OPTION_FIELD(images_flags, filter),
	  .help = "Filter output based on conditions provided" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(images_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "no-trunc",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, no_trunc),
	  .help = "Don't truncate output" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, quiet),
	  .help = "Only show image IDs" },
};

static const struct output_column columns[] = {
	{ "Repository", "REPOSITORY" },
	{ "Tag", "TAG" },
	{ "Digest", "DIGEST" },
	{ "ID", "IMAGE ID" },
	{ "CreatedSince", "CREATED" },
	{ "CreatedAt", "CREATED AT" },
	{ "Size", "SIZE" },
};

#define TABLE "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
#define TABLE_DIGESTS \
	"table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"

/* One line of the list: an image under one of its names. */
struct row {
	const struct image_row *image;
	char *repository, *tag;
};

static void row_done(struct row *r)
{
	free(r->repository);
	free(r->tag);
}

static struct row row_of(const struct image_row *image, const char *name)
{
	cleanup_reference struct reference ref = { 0 };
	struct row row = { .image = image };

	if (name && reference_parse(name, &ref, NULL) == 0) {
		row.repository = reference_familiar_name(&ref);
		row.tag = xstrdup(ref.tag ? ref.tag : NONE);
	} else {
		row.repository = xstrdup(NONE);
		row.tag = xstrdup(NONE);
	}
	return row;
}

/* docker's pattern: "name" for all its tags, "name:tag", with wildcards within a path component. */
static bool matches_reference(const struct row *r, const char *pattern)
{
	cleanup_free char *full = xasprintf("%s:%s", r->repository, r->tag);

	return fnmatch(pattern, r->repository, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, full, FNM_PATHNAME) == 0;
}

static int check_filters(char *const *filter, struct error *err)
{
	for (size_t i = 0; filter && filter[i]; i++) {
		const char *value = str_after(filter[i], "dangling=");
		bool truth;

		if (value && str_to_bool(value, &truth) < 0)
			return error_kind(err, ERROR_INVALID, "invalid filter 'dangling=[%s]'",
					  value);
		if (!value && !str_after(filter[i], "reference="))
			return error_kind(
				err, ERROR_INVALID,
				"invalid filter '%s': reference=PATTERN and dangling=BOOL are known",
				filter[i]);
	}
	return 0;
}

static bool passes(const struct row *r, const struct images_flags *f, const char *pattern)
{
	bool references = false, reference_met = false, truth;

	if (pattern && !matches_reference(r, pattern))
		return false;
	for (size_t i = 0; f->filter && f->filter[i]; i++) {
		const char *value = str_after(f->filter[i], "dangling=");

		if (value && str_to_bool(value, &truth) == 0 &&
		    truth != str_eq(r->repository, NONE))
			return false;
		value = str_after(f->filter[i], "reference=");
		references |= value != NULL;
		reference_met |= value && matches_reference(r, value);
	}
	return !references || reference_met;
}

static void add_row(struct json_writer *w, const struct row *r, bool no_trunc, int64_t now)
{
	const struct image_row *image = r->image;
	char text[UNITS_TEXT_MAX], when[TEXT_TIME_MAX];
	cleanup_free char *since = NULL;

	if (image->created_ns)
		since = xasprintf("%s ago", units_format_duration(now - image->created_ns, text));
	json_begin_object(w, NULL);
	json_add_string(w, "Repository", r->repository);
	json_add_string(w, "Tag", r->tag);
	json_add_string(w, "Digest",
			digest_is_set(&image->manifest_id) ? image->manifest_id.text : NONE);
	if (no_trunc)
		json_add_string(w, "ID", image->id.text);
	else
		json_add_bytes(w, "ID", digest_hex(&image->id), SHORT_ID);
	json_add_string(w, "CreatedSince", since ? since : "N/A");
	json_add_string(w, "CreatedAt",
			image->created_ns ? text_time(image->created_ns, when) : "N/A");
	json_add_string(w, "Size", units_format_size((double)image->size_bytes, 3, text));
	json_end(w);
}

static void format_rows(const struct images_flags *f, const char *pattern,
			const struct image_list *list, struct buf *out)
{
	int64_t now = clock_real_ns();
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < list->n; i++) {
		char **names = list->rows[i].names;
		size_t n_names = strv_len(names);
		const struct image_row *last = NULL;

		for (size_t j = 0; j < MAX(n_names, (size_t)1); j++) {
			struct row row = row_of(&list->rows[i], n_names ? names[j] : NULL);

			/* -q prints an image once however many names it has */
			if (passes(&row, f, pattern) && !(f->quiet && last == row.image)) {
				add_row(&w, &row, f->no_trunc, now);
				last = row.image;
			}
			row_done(&row);
		}
	}
	json_end(&w);
}

int cmd_images(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct images_flags *f = target;
	cleanup_buf struct buf rows = { 0 };
	struct image_list list = { 0 };
	struct output o = { .format = f->quiet ? "{{.ID}}" : f->format,
			    .default_table = f->digests ? TABLE_DIGESTS : TABLE,
			    .columns = columns,
			    .n_columns = ARRAY_SIZE(columns) };
	struct image_store *store;
	struct engine *e;
	int r = check_filters(f->filter, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_images(e, &store, err);
	if (r == 0)
		r = image_list(store, &list, err);
	if (r < 0)
		return r;
	format_rows(f, n > 0 ? args[0] : NULL, &list, &rows);
	image_list_done(&list);
	return output_rows(&o, &rows, err);
}
