/* SPDX-License-Identifier: Apache-2.0 */
/* images --tree: docker's view for people, an image with its platform below it. */
#include <stdio.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/cmd_images.h"
#include "cli/table.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "image/filter.h"
#include "image/reference.h"
#include "image/store.h"
#include "oci/image.h"

#define SHORT_ID 12

struct tree {
	struct image_store *store;
	const struct image_filter *filter;
	const struct engine_usage *usage;
	struct buf *out; /* rows of cells, for table_align() */
};

/* The cells beside a name: docker's, blocks on the disk and, as content, blobs. */
static void add_cells(struct tree *t, const struct digest *shown, const struct image_row *image)
{
	const struct image_usage_row *usage = image_usage_find(&t->usage->images, &image->id);
	char disk[UNITS_TEXT_MAX], content[UNITS_TEXT_MAX];

	buf_printf(t->out, "\t%.*s\t%s\t%s\t%s\n", SHORT_ID, digest_hex(shown),
		   units_format_size(usage ? (double)usage->bytes : 0, 3, disk),
		   units_format_size(usage ? (double)usage->blob_bytes : 0, 3, content),
		   engine_usage_image_users(t->usage, &image->id) > 0 ? "U" : "");
}

static void add_platform(struct tree *t, const struct image_row *row)
{
	cleanup_with(image_free) struct image *image = NULL;
	const struct oci_platform *p;
	struct error ignored; /* of a damaged image nobody knows the platform */

	if (image_lookup(t->store, row->id.text, &image, &ignored) < 0)
		return;
	p = &image->config->platform;
	buf_printf(t->out, "└─ %s/%s%s%s", p->os, p->architecture, p->variant ? "/" : "",
		   p->variant ? p->variant : "");
	add_cells(t, &row->manifest_id, row);
}

static void add_image(struct tree *t, const struct image_row *image)
{
	bool any = false;

	for (size_t i = 0; image->names && image->names[i]; i++) {
		cleanup_free char *name = reference_familiar_text(image->names[i]);

		if (!image_filter_name(t->filter, image->names[i]))
			continue;
		buf_puts(t->out, name ? name : image->names[i]);
		add_cells(t, &image->id, image);
		any = true;
	}
	if (!image->names && !t->filter->references) {
		buf_puts(t->out, "<untagged>");
		add_cells(t, &image->id, image);
		any = true;
	}
	if (any)
		add_platform(t, image);
}

static int add_images(struct tree *t, const struct image_list *list, struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = image_filter_match(t->filter, t->store, &list->rows[i], err);

		if (r < 0)
			return r;
		if (r > 0)
			add_image(t, &list->rows[i]);
	}
	return 0;
}

static int check_flags(const struct images_flags *f, struct error *err)
{
	const char *other = f->quiet	  ? "--quiet"
			    : f->no_trunc ? "--no-trunc"
			    : f->digests  ? "--digests"
			    : f->format	  ? "--format"
					  : NULL;

	return other ? error_kind(err, ERROR_INVALID, "%s is not supported with --tree", other) : 0;
}

int images_print_tree(struct engine *e, struct image_store *store, const struct images_flags *f,
		      const struct image_filter *filter, struct error *err)
{
	cleanup_buf struct buf rows = { 0 }, aligned = { 0 };
	struct engine_usage usage = { 0 };
	struct image_list list = { 0 };
	struct tree tree = { store, filter, &usage, &rows };
	int r = check_flags(f, err);

	if (r == 0)
		r = engine_usage_load(e, &usage, err);
	if (r == 0)
		r = image_list(store, &list, err);
	buf_puts(&rows, "IMAGE\tID\tDISK USAGE\tCONTENT SIZE\tEXTRA\n");
	if (r == 0)
		r = add_images(&tree, &list, err);
	image_list_done(&list);
	engine_usage_done(&usage);
	if (r < 0)
		return r;
	table_align(buf_str(&rows), TABLE_MIN_WIDTH, &aligned);
	(void)fputs(buf_str(&aligned), stdout); /* checked by the flush at the end */
	return 0;
}
