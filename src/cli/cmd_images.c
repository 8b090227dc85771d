/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_images.h"

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
#include "cli/value.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "image/filter.h"
#include "image/reference.h"
#include "image/store.h"
#include "image/usage.h"

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
	  OPTION_FILTER,
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
	{ .name = "noheading",
	  .short_name = 'n',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, noheading),
	  .help = "Print the table without its headings" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, quiet),
	  .help = "Only show image IDs" },
	{ .name = "sort",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(images_flags, sort),
	  .help = "Sort by created (default: the newest first), id, repository, size or tag" },
	{ .name = "tree",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(images_flags, tree),
	  .help = "List images with their platforms as a tree, and what they take on the disk" },
};

static const struct output_column columns[] = {
	{ "Containers", "CONTAINERS" },
	{ "CreatedAt", "CREATED AT" },
	{ "CreatedSince", "CREATED" },
	{ "Digest", "DIGEST" },
	{ "ID", "IMAGE ID" },
	{ "Repository", "REPOSITORY" },
	{ "SharedSize", "SHARED SIZE" },
	{ "Size", "SIZE" },
	{ "Tag", "TAG" },
	{ "UniqueSize", "UNIQUE SIZE" },
	{ "VirtualSize", "SIZE" },
};

#define TABLE "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
#define TABLE_DIGESTS \
	"table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"

/* The rows before they are sorted. */
struct writer {
	struct images_row *rows;
	size_t n, capacity;
	bool no_trunc;
	bool digests; /* asked for: a row for each, where an image has several */
};

static void add_name_field(struct json_writer *w, const char *key, const char *value)
{
	json_add_string(w, key, value ? value : NONE);
}

/* What the list says of sizes is of files; of usage, blocks on the disk. */
static void add_size(struct json_writer *w, const struct images_row *r, const char *key)
{
	uint64_t bytes = r->usage ? r->usage->bytes : r->image->size_bytes;
	char text[UNITS_TEXT_MAX];

	if (str_eq(key, "SharedSize"))
		bytes = r->usage ? r->usage->shared_bytes : 0;
	else if (str_eq(key, "UniqueSize"))
		bytes -= r->usage ? r->usage->shared_bytes : 0;
	if (!r->usage && !str_eq(key, "Size") && !str_eq(key, "VirtualSize"))
		json_add_string(w, key, "N/A");
	else
		json_add_string(w, key,
				units_format_size((double)bytes, str_eq(key, "Size") ? 3 : 4,
						  text));
}

static void add_times(struct json_writer *w, const struct image_row *image)
{
	char text[UNITS_TEXT_MAX], when[TEXT_TIME_MAX];
	cleanup_free char *since = NULL;

	if (image->created_ns)
		since = xasprintf("%s ago",
				  units_format_duration(clock_real_ns() - image->created_ns, text));
	json_add_string(w, "CreatedAt",
			image->created_ns ? text_time(image->created_ns, when) : "N/A");
	json_add_string(w, "CreatedSince", since ? since : "N/A");
}

void images_add_row(struct json_writer *w, const struct images_row *row)
{
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *repository = NULL;
	char containers[24] = "N/A";
	struct error ignored; /* a name in the index that is none is not shown */

	if (row->name && reference_parse(row->name, &ref, &ignored) == 0)
		repository = reference_familiar_name(&ref);
	if (row->usage)
		(void)snprintf(containers, sizeof(containers), "%zu", row->containers);
	json_begin_object(w, NULL);
	json_add_string(w, "Containers", containers);
	add_times(w, row->image);
	add_name_field(w, "Digest", row->digest);
	if (row->no_trunc)
		json_add_string(w, "ID", row->image->id.text);
	else
		json_add_bytes(w, "ID", digest_hex(&row->image->id), SHORT_ID);
	add_name_field(w, "Repository", repository);
	add_size(w, row, "SharedSize");
	add_size(w, row, "Size");
	add_name_field(w, "Tag", ref.tag);
	add_size(w, row, "UniqueSize");
	add_size(w, row, "VirtualSize");
	json_end(w);
}

static void add_row(struct writer *w, const struct image_row *image, const char *name,
		    const char *digest)
{
	w->rows = array_grow(w->rows, w->n, &w->capacity, sizeof(*w->rows));
	w->rows[w->n++] = (struct images_row){
		.image = image, .name = name, .digest = digest, .no_trunc = w->no_trunc
	};
}

/* "docker.io/library/x:1" is of repository "docker.io/library/x". */
static bool is_of_repository(const char *name, const char *repository, size_t len)
{
	return strncmp(name, repository, len) == 0 && (name[len] == ':' || name[len] == '@');
}

/* A row for a name; with digests, for each that its repository has. */
static void add_name(struct writer *w, const struct image_row *image, const char *name)
{
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *repository = NULL;
	struct error ignored; /* names in the index are references */
	bool any = false;

	if (reference_parse(name, &ref, &ignored) < 0)
		return;
	repository = xasprintf("%s/%s", ref.domain, ref.path);
	for (size_t i = 0; w->digests && image->repo_digests && image->repo_digests[i]; i++) {
		const char *digest = strchr(image->repo_digests[i], '@');

		if (!is_of_repository(image->repo_digests[i], repository, strlen(repository)))
			continue;
		add_row(w, image, name, digest + 1);
		any = true;
	}
	if (!any)
		add_row(w, image, name, NULL);
}

/* A name without a tag, which a pull by digest leaves, is shown where its repository has no other. */
static bool is_shown(const struct image_row *image, const char *name)
{
	const char *at = strchr(name, '@');

	for (size_t i = 0; at && image->names[i]; i++) {
		if (!strchr(image->names[i], '@') &&
		    is_of_repository(image->names[i], name, (size_t)(at - name)))
			return false;
	}
	return true;
}

static void add_image(struct writer *w, const struct image_row *image, const struct image_filter *f)
{
	if (strv_len(image->names) == 0) {
		if (!f->references)
			add_row(w, image, NULL, NULL);
		return;
	}
	for (size_t i = 0; image->names[i]; i++) {
		if (is_shown(image, image->names[i]) && image_filter_name(f, image->names[i]))
			add_name(w, image, image->names[i]);
	}
}

/* --sort: podman's fields and directions. What is equal stays in its order. */

static int by_id(const struct images_row *a, const struct images_row *b)
{
	return strcmp(a->image->id.text, b->image->id.text);
}

static int by_size(const struct images_row *a, const struct images_row *b)
{
	return (a->image->size_bytes > b->image->size_bytes) -
	       (a->image->size_bytes < b->image->size_bytes);
}

/* What the column shows; heap. */
static char *shown(const struct images_row *row, bool tag)
{
	cleanup_reference struct reference ref = { 0 };
	struct error ignored; /* as in images_add_row() */

	if (!row->name || reference_parse(row->name, &ref, &ignored) < 0)
		return xstrdup(NONE);
	if (tag)
		return xstrdup(ref.tag ? ref.tag : NONE);
	return reference_familiar_name(&ref);
}

static int by_shown(const struct images_row *a, const struct images_row *b, bool tag)
{
	cleanup_free char *x = shown(a, tag), *y = shown(b, tag);

	return strcmp(x, y);
}

static int by_repository(const struct images_row *a, const struct images_row *b)
{
	return by_shown(a, b, false);
}

static int by_tag(const struct images_row *a, const struct images_row *b)
{
	return by_shown(a, b, true);
}

static const struct {
	const char *name;
	int (*compare)(const struct images_row *a, const struct images_row *b);
} orders[] = {
	{ "created", NULL }, /* as they come */
	{ "id", by_id },     { "repository", by_repository },
	{ "size", by_size }, { "tag", by_tag },
};

static int sort_rows(struct writer *w, const char *by, struct error *err)
{
	size_t order = 0;

	while (order < ARRAY_SIZE(orders) && !str_eq(orders[order].name, by))
		order++;
	if (order == ARRAY_SIZE(orders))
		return error_kind(err, ERROR_INVALID,
				  "\"%s\" is not a valid field for sorting. Choose from: created, "
				  "id, repository, size, tag",
				  by);
	for (size_t i = 1; orders[order].compare && i < w->n; i++) {
		struct images_row row = w->rows[i];
		size_t at = i;

		for (; at > 0 && orders[order].compare(&w->rows[at - 1], &row) > 0; at--)
			w->rows[at] = w->rows[at - 1];
		w->rows[at] = row;
	}
	return 0;
}

static int collect_rows(struct writer *w, struct image_store *store,
			const struct image_filter *filter, const struct image_list *list,
			struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = image_filter_match(filter, store, &list->rows[i], err);

		if (r < 0)
			return r;
		if (r > 0)
			add_image(w, &list->rows[i], filter);
	}
	return 0;
}

static int format_rows(const struct images_flags *f, struct image_store *store,
		       const struct image_filter *filter, const struct image_list *list,
		       struct buf *out, struct error *err)
{
	struct writer w = { .no_trunc = f->no_trunc,
			    .digests = f->digests || (f->format && strstr(f->format, ".Digest")) };
	struct json_writer json;
	int r = collect_rows(&w, store, filter, list, err);

	if (r == 0 && f->sort)
		r = sort_rows(&w, f->sort, err);
	json_writer_init(&json, out, NULL);
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < w.n; i++)
		images_add_row(&json, &w.rows[i]);
	json_end(&json);
	free(w.rows);
	return r;
}

static int print_rows(const struct images_flags *f, struct image_store *store,
		      const struct image_filter *filter, struct error *err)
{
	cleanup_buf struct buf rows = { 0 };
	struct image_list list = { 0 };
	struct output o = { .format = f->quiet ? "{{.ID}}" : f->format,
			    .default_table = f->digests ? TABLE_DIGESTS : TABLE,
			    .columns = columns,
			    .n_columns = ARRAY_SIZE(columns),
			    .no_header = f->noheading };
	int r = image_list(store, &list, err);

	if (r == 0)
		r = format_rows(f, store, filter, &list, &rows, err);
	image_list_done(&list);
	return r < 0 ? r : output_rows(&o, &rows, err);
}

int cmd_images(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct images_flags *f = target;
	cleanup_image_filter struct image_filter filter = { 0 };
	struct image_store *store;
	struct engine *e;
	int r;

	if (f->tree && (f->sort || f->noheading))
		return error_kind(err, ERROR_INVALID,
				  "--tree has its own order and headings: neither --sort nor "
				  "--noheading goes with it");
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_images(e, &store, err);
	if (r == 0)
		r = image_filter_parse(store, f->filter, IMAGE_FILTER_LIST, &filter, err);
	if (r < 0)
		return r;
	if (n > 0)
		filter.references = strv_push(filter.references, args[0]);
	return f->tree ? images_print_tree(e, store, f, &filter, err)
		       : print_rows(f, store, &filter, err);
}
