/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_history.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
#include "image/history.h"
#include "image/platform.h"
#include "image/reference.h"
#include "oci/image.h"

#define SHORT_ID	 12
#define CREATED_BY_WIDTH 45
#define NS_PER_SECOND	 INT64_C(1000000000)

const struct option history_options[HISTORY_OPTIONS] = {
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(history_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "human",
	  .short_name = 'H',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(history_flags, human),
	  .help = "Print sizes and dates in human readable format (default true)" },
	{ .name = "no-trunc",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(history_flags, no_trunc),
	  .help = "Don't truncate output" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(history_flags, platform),
	  .help = "Fail unless the image is for this platform: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(history_flags, quiet),
	  .help = "Only show image IDs" },
};

void history_init(void *target)
{
	((struct history_flags *)target)->human = true;
}

static int find_image(struct cli *cli, const char *ref, struct image_store **ret_store,
		      struct image **ret, struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_images(e, ret_store, err);
	return r < 0 ? r : image_lookup(*ret_store, ref, ret, err);
}

/* history */

#define HISTORY_TABLE "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"

/* "2024-01-01T00:00:00Z": the local time, as docker writes it here. Returns buf. */
#define LOCAL_TIME_MAX 32
static char *local_time(int64_t real_ns, char *buf)
{
	time_t seconds = real_ns / NS_PER_SECOND;
	size_t n;
	struct tm tm;

	buf[0] = '\0';
	if (!localtime_r(&seconds, &tm))
		return buf;
	n = strftime(buf, LOCAL_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	if (tm.tm_gmtoff == 0)
		(void)strcpy(buf + n, "Z");
	else
		(void)snprintf(buf + n, LOCAL_TIME_MAX - n, "%c%02ld:%02ld",
			       tm.tm_gmtoff < 0 ? '-' : '+', labs(tm.tm_gmtoff) / 3600,
			       labs(tm.tm_gmtoff) / 60 % 60);
	return buf;
}

static void add_since(struct json_writer *w, const struct history_flags *f,
		      const struct image_history_row *row)
{
	char text[UNITS_TEXT_MAX], at[LOCAL_TIME_MAX];
	cleanup_free char *ago = NULL;

	if (row->created_ns && f->human)
		ago = xasprintf("%s ago",
				units_format_duration(clock_real_ns() - row->created_ns, text));
	json_add_string(w, "CreatedSince",
			ago		  ? ago
			: row->created_ns ? local_time(row->created_ns, at)
					  : "N/A");
}

/* Fields sorted, as docker's JSON has them; only the first row is an image. */
static void add_history_row(struct json_writer *w, const struct history_flags *f,
			    const struct image_history_row *row, const struct image *image)
{
	cleanup_free char *created_by = xstrdup(row->created_by);
	cleanup_free char *cut = NULL;
	char size[UNITS_TEXT_MAX], at[LOCAL_TIME_MAX];

	for (char *p = created_by; *p; p++) {
		if (*p == '\t')
			*p = ' ';
	}
	if (!f->no_trunc)
		cut = text_ellipsis(created_by, CREATED_BY_WIDTH);
	if (f->human)
		(void)units_format_size((double)row->size_bytes, 3, size);
	else
		(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)row->size_bytes);
	json_begin_object(w, NULL);
	json_add_string(w, "Comment", row->comment);
	json_add_string(w, "CreatedAt", row->created_ns ? local_time(row->created_ns, at) : "N/A");
	json_add_string(w, "CreatedBy", cut ? cut : created_by);
	add_since(w, f, row);
	if (!image)
		json_add_string(w, "ID", "<missing>");
	else if (f->no_trunc)
		json_add_string(w, "ID", image->id.text);
	else
		json_add_bytes(w, "ID", digest_hex(&image->id), SHORT_ID);
	json_add_string(w, "Size", size);
	json_end(w);
}

int cmd_history(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct history_flags *f = target;
	const struct output_column columns[] = {
		{ "ID", "IMAGE" },
		{ "CreatedSince", f->human ? "CREATED" : "CREATED AT" },
		{ "CreatedAt", "CREATED AT" },
		{ "CreatedBy", "CREATED BY" },
		{ "Size", "SIZE" },
		{ "Comment", "COMMENT" },
	};
	struct output o = { .format = f->quiet ? "{{.ID}}" : f->format,
			    .default_table = HISTORY_TABLE,
			    .columns = columns,
			    .n_columns = ARRAY_SIZE(columns) };
	cleanup_with(image_free) struct image *image = NULL;
	cleanup_image_history struct image_history history = { 0 };
	cleanup_buf struct buf rows = { 0 };
	struct image_store *store;
	struct json_writer w;
	int r = find_image(cli, args[0], &store, &image, err);

	if (r == 0)
		r = platform_check(f->platform, &image->config->platform, args[0], err);
	if (r == 0)
		r = image_history(store, image, &history, err);
	if (r < 0)
		return r;
	json_writer_init(&w, &rows, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < history.n; i++)
		add_history_row(&w, f, &history.rows[i], i == 0 ? image : NULL);
	json_end(&w);
	return output_rows(&o, &rows, err);
}

/* image tree */

const struct option tree_options[TREE_OPTIONS] = {
	{ .name = "whatrequires",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(tree_flags, what_requires),
	  .help = "Show the layers of all images that are built on this one" },
};

/* Another image, for the question whose top layer a layer is. */
struct tree {
	struct image_store *store;
	struct image **images;
	size_t n;
};

static int load_images(struct tree *t, struct error *err)
{
	struct image_list list = { 0 };
	int r = image_list(t->store, &list, err);

	t->images = xcalloc(MAX(list.n, (size_t)1), sizeof(struct image *));
	for (size_t i = 0; i < list.n; i++) {
		struct error ignored; /* of a damaged image nothing is known */

		if (image_lookup(t->store, list.rows[i].id.text, &t->images[t->n], &ignored) == 0)
			t->n++;
	}
	image_list_done(&list);
	return r;
}

static void tree_done(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		image_free(t->images[i]);
	free(t->images);
}

/* Do the first n layers of both agree? */
static bool begins_alike(const struct image *a, const struct image *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!digest_eq(&a->layers[i].diff_id, &b->layers[i].diff_id))
			return false;
	}
	return true;
}

/* "a:1 a:2": familiar names of an image. */
static char *names_text(const struct image *image)
{
	struct buf text = { 0 };

	for (size_t i = 0; image->names && image->names[i]; i++) {
		cleanup_free char *familiar = reference_familiar_text(image->names[i]);

		if (familiar)
			buf_printf(&text, "%s%s", text.len ? " " : "", familiar);
	}
	return buf_take(&text);
}

/* The images that end with the first n layers of image. */
static void print_tops(const struct tree *t, const struct image *image, size_t n)
{
	cleanup_buf struct buf text = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		cleanup_free char *names = NULL;

		if (t->images[i]->n_layers != n || !begins_alike(t->images[i], image, n))
			continue;
		names = names_text(t->images[i]);
		if (*names)
			buf_printf(&text, "%s%s", text.len ? " " : "", names);
	}
	if (text.len > 0)
		(void)printf(" Top Layer of: [%s]", buf_str(&text));
	(void)putchar('\n');
}

/* Layers from the first on, indented by where they begin; the sizes are of unpacked files. */
static int print_layers(const struct tree *t, const struct image *image, size_t first,
			struct error *err)
{
	cleanup_image_history struct image_history history = { 0 };
	int r = image_history(t->store, image, &history, err);
	size_t n = 0;

	if (r < 0)
		return r;
	for (size_t i = history.n; i-- > 0;) {
		const struct image_history_row *row = &history.rows[i];
		char size[UNITS_TEXT_MAX];

		if (!row->layer || n++ < first)
			continue;
		(void)printf("%s── ID: %.*s Size: %7s", n < image->n_layers ? "├" : "└", SHORT_ID,
			     digest_hex(&row->layer->diff_id),
			     units_format_size((double)row->size_bytes, 4, size));
		print_tops(t, image, n);
	}
	return 0;
}

static int print_children(const struct tree *t, const struct image *image, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++) {
		cleanup_free char *names = NULL;

		if (t->images[i]->n_layers <= image->n_layers ||
		    !begins_alike(t->images[i], image, image->n_layers))
			continue;
		names = names_text(t->images[i]);
		(void)printf("\nImage ID: %.*s\nTags:     [%s]\nImage Layers above\n", SHORT_ID,
			     digest_hex(&t->images[i]->id), names);
		r = print_layers(t, t->images[i], image->n_layers, err);
	}
	return r;
}

static int print_tree(const struct tree *t, const struct image *image, const struct tree_flags *f,
		      struct error *err)
{
	cleanup_free char *names = names_text(image);
	char size[UNITS_TEXT_MAX];
	int r;

	(void)printf("Image ID: %.*s\nTags:     [%s]\nSize:     %s\nImage Layers\n", SHORT_ID,
		     digest_hex(&image->id), names,
		     units_format_size((double)image->size_bytes, 4, size));
	r = print_layers(t, image, 0, err);
	return r < 0 || !f->what_requires ? r : print_children(t, image, err);
}

int cmd_image_tree(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct tree tree = { 0 };
	int r = find_image(cli, args[0], &tree.store, &image, err);

	if (r < 0)
		return r;
	r = load_images(&tree, err);
	if (r == 0)
		r = print_tree(&tree, image, target, err);
	tree_done(&tree);
	return r;
}
