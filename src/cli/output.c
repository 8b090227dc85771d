/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/table.h"
#include "codec/json.h"
#include "codec/template.h"

/* docker reads \t and \n in a format as the characters. */
static char *unescape(const char *format)
{
	char *copy = xstrdup(format), *out = copy;

	for (const char *p = format; *p; p++) {
		if (p[0] == '\\' && (p[1] == 't' || p[1] == 'n'))
			*out++ = *++p == 't' ? '\t' : '\n';
		else
			*out++ = *p;
	}
	*out = '\0';
	return copy;
}

/* A row whose values are the headers of its fields. */
static const struct json *header_row(const struct output *o, struct arena *arena)
{
	cleanup_buf struct buf text = { 0 };
	const struct json *row = NULL;
	struct json_writer w;

	json_writer_init(&w, &text, NULL);
	json_begin_object(&w, NULL);
	for (size_t i = 0; i < o->n_columns; i++)
		json_add_string(&w, o->columns[i].field, o->columns[i].header);
	json_end(&w);
	(void)json_parse(text.data, text.len, arena, &row, NULL); /* we just wrote it */
	return row;
}

static int print_template(const struct output *o, const char *format, const struct json *rows,
			  struct arena *arena, struct error *err)
{
	const char *table = str_after(format, "table ");
	cleanup_free char *plain = unescape(table ? table : format);
	cleanup_buf struct buf text = { 0 };
	cleanup_buf struct buf aligned = { 0 };
	const struct json *row, *zeros = NULL;
	const struct template *t;
	int r;

	r = template_parse(plain, arena, &t, err);
	if (r < 0)
		return r;
	if (table && !o->no_header) {
		r = template_execute(t, header_row(o, arena), &text, err);
		if (r < 0)
			return r;
		buf_putc(&text, '\n');
	}
	if (o->zeros)
		r = json_parse(o->zeros, strlen(o->zeros), arena, &zeros, err);
	if (r < 0)
		return r;
	json_foreach(row, rows) {
		r = template_execute_typed(t, row, zeros, &text, err);
		if (r < 0)
			return r;
		buf_putc(&text, '\n');
	}
	if (table)
		table_align(buf_str(&text), TABLE_MIN_WIDTH, &aligned);
	(void)fputs(buf_str(table ? &aligned : &text),
		    stdout); /* checked once, by the flush at the end */
	return 0;
}

int output_rows(const struct output *o, const struct buf *rows, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const char *format =
		str_empty(o->format) || str_eq(o->format, "table") ? o->default_table : o->format;
	const struct json *list;
	int r;

	r = json_parse(buf_str(rows), rows->len, arena, &list, err);
	if (r < 0)
		return r;
	if (str_eq(format, "json"))
		format = "{{json .}}";
	return print_template(o, format, list, arena, err);
}

int output_document(const char *format, const struct buf *document, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct json *value;
	struct output o = { .format = format };
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;
	int r;

	r = json_parse(buf_str(document), document->len, arena, &value, err);
	if (r < 0)
		return r;
	if (!str_empty(format) && !str_eq(format, "json")) {
		struct json one = { .type = JSON_ARRAY, .n = 1, .first = value };

		return print_template(&o, format, &one, arena, err);
	}
	json_writer_init(&w, &text, str_empty(format) ? "    " : NULL);
	json_add_value(&w, NULL, value);
	(void)puts(buf_str(&text)); /* checked by the flush at the end */
	return 0;
}
