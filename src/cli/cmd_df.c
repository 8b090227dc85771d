/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's tables of what takes room. The numbers are blocks on the disk, as du counts them; how
 * they are shared out is in docs/formats/image-store.md.
 */
#include "cli/cmd_df.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/cmd_images.h"
#include "cli/cmd_ps.h"
#include "cli/output.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "image/store.h"

const struct option df_options[DF_OPTIONS] = {
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(df_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "verbose",
	  .short_name = 'v',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(df_flags, verbose),
	  .help = "Show detailed information on space usage" },
};

/* Summary */

#define SUMMARY_TABLE "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"

static const struct output_column summary_columns[] = {
	{ "Active", "ACTIVE" }, { "Reclaimable", "RECLAIMABLE" },
	{ "Size", "SIZE" },	{ "TotalCount", "TOTAL" },
	{ "Type", "TYPE" },
};

static void add_count(struct json_writer *w, const char *key, size_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%zu", n);
	json_add_string(w, key, text);
}

static void add_type(struct json_writer *w, const char *type, size_t total, size_t active,
		     uint64_t bytes, uint64_t reclaimable)
{
	char size[UNITS_TEXT_MAX], free_text[UNITS_TEXT_MAX];
	cleanup_free char *percent = NULL;

	(void)units_format_size((double)reclaimable, 4, free_text);
	if (bytes > 0)
		percent = xasprintf("%s (%d%%)", free_text,
				    (int)((double)reclaimable * 100 / (double)bytes));
	json_begin_object(w, NULL);
	add_count(w, "Active", active);
	json_add_string(w, "Reclaimable", percent ? percent : free_text);
	json_add_string(w, "Size", units_format_size((double)bytes, 4, size));
	add_count(w, "TotalCount", total);
	json_add_string(w, "Type", type);
	json_end(w);
}

static int print_summary(const struct df_flags *f, const struct engine_usage *u, struct error *err)
{
	struct output o = { .format = f->format,
			    .default_table = SUMMARY_TABLE,
			    .columns = summary_columns,
			    .n_columns = ARRAY_SIZE(summary_columns) };
	cleanup_buf struct buf rows = { 0 };
	size_t active = 0, running = 0;
	struct json_writer w;

	for (size_t i = 0; i < u->images.n; i++)
		active += engine_usage_image_users(u, &u->images.rows[i].id) > 0;
	for (size_t i = 0; i < u->containers.n; i++) {
		enum container_state state = u->containers.items[i].state;

		running += state == CONTAINER_STATE_RUNNING || state == CONTAINER_STATE_PAUSED;
	}
	json_writer_init(&w, &rows, NULL);
	json_begin_array(&w, NULL);
	add_type(&w, "Images", u->images.n, active, u->images.total_bytes,
		 engine_usage_reclaimable_images(u));
	add_type(&w, "Containers", u->containers.n, running, u->containers_bytes,
		 engine_usage_reclaimable_containers(u));
	/* there are none yet, and scripts count lines */
	add_type(&w, "Local Volumes", 0, 0, 0, 0);
	add_type(&w, "Build Cache", 0, 0, 0, 0);
	json_end(&w);
	return output_rows(&o, &rows, err);
}

/* Details */

#define IMAGES_TABLE                                                                              \
	"table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}" \
	"\t{{.UniqueSize}}\t{{.Containers}}"
#define CONTAINERS_TABLE                                                                         \
	"table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}" \
	"\t{{.Status}}\t{{.Names}}"

static const struct output_column image_columns[] = {
	{ "Repository", "REPOSITORY" },
	{ "Tag", "TAG" },
	{ "ID", "IMAGE ID" },
	{ "CreatedSince", "CREATED" },
	{ "Size", "SIZE" },
	{ "SharedSize", "SHARED SIZE" },
	{ "UniqueSize", "UNIQUE SIZE" },
	{ "Containers", "CONTAINERS" },
};

static const struct output_column container_columns[] = {
	{ "ID", "CONTAINER ID" }, { "Image", "IMAGE" },
	{ "Command", "COMMAND" }, { "LocalVolumes", "LOCAL VOLUMES" },
	{ "Size", "SIZE" },	  { "RunningFor", "CREATED" },
	{ "Status", "STATUS" },	  { "Names", "NAMES" },
};

static void add_images(struct json_writer *w, const struct df_flags *f, const struct image_list *l,
		       const struct engine_usage *u)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct image_row *image = &l->rows[i];
		const struct image_usage_row *usage = image_usage_find(&u->images, &image->id);
		struct images_row row = {
			.image = image,
			.name = image->names ? image->names[0] : NULL,
			.digest = "",
			.no_trunc = f->format != NULL,
			.usage = usage,
			.containers = engine_usage_image_users(u, &image->id),
		};

		if (usage) /* not for one that came meanwhile */
			images_add_row(w, &row);
	}
}

static void add_containers(struct json_writer *w, const struct df_flags *f,
			   const struct engine_usage *u)
{
	for (size_t i = 0; i < u->containers.n; i++) {
		char size[UNITS_TEXT_MAX];

		json_begin_object(w, NULL);
		ps_add_fields(w, &u->containers.items[i], f->format != NULL, clock_real_ns());
		json_add_string(w, "Size",
				units_format_size((double)u->container_bytes[i], 4, size));
		json_end(w);
	}
}

static int print_table(const char *title, const char *table, const struct output_column *columns,
		       size_t n_columns, const struct buf *rows, struct error *err)
{
	struct output o = { .default_table = table, .columns = columns, .n_columns = n_columns };

	(void)printf("%s space usage:\n\n", title);
	return output_rows(&o, rows, err);
}

static int print_tables(const struct buf *images, const struct buf *containers, struct error *err)
{
	int r = print_table("Images", IMAGES_TABLE, image_columns, ARRAY_SIZE(image_columns),
			    images, err);

	if (r == 0)
		r = print_table("\nContainers", CONTAINERS_TABLE, container_columns,
				ARRAY_SIZE(container_columns), containers, err);
	if (r == 0)
		(void)puts(
			"\nLocal Volumes space usage:\n\nVOLUME NAME   LINKS     SIZE\n\n"
			"Build cache usage: 0B\n\n"
			"CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED");
	return r;
}

static int print_details(const struct df_flags *f, const struct image_list *list,
			 const struct engine_usage *u, struct error *err)
{
	cleanup_buf struct buf images = { 0 }, containers = { 0 }, all = { 0 };
	struct json_writer w;

	json_writer_init(&w, &images, NULL);
	json_begin_array(&w, NULL);
	add_images(&w, f, list, u);
	json_end(&w);
	json_writer_init(&w, &containers, NULL);
	json_begin_array(&w, NULL);
	add_containers(&w, f, u);
	json_end(&w);
	if (str_empty(f->format) || str_eq(f->format, "table"))
		return print_tables(&images, &containers, err);
	buf_printf(&all, "{\"Images\":%s,\"Containers\":%s,\"Volumes\":[],\"BuildCache\":[]}",
		   buf_str(&images), buf_str(&containers));
	return output_document(f->format, &all, err);
}

int cmd_df(struct cli *cli, void *target, int n UNUSED, char **args UNUSED, struct error *err)
{
	const struct df_flags *f = target;
	struct engine_usage usage = { 0 };
	struct image_list list = { 0 };
	struct image_store *store;
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_images(e, &store, err);
	if (r == 0)
		r = engine_usage_load(e, &usage, err);
	if (r < 0)
		return r;
	r = f->verbose ? image_list(store, &list, err) : 0;
	if (r == 0)
		r = f->verbose ? print_details(f, &list, &usage, err)
			       : print_summary(f, &usage, err);
	image_list_done(&list);
	engine_usage_done(&usage);
	return r;
}
