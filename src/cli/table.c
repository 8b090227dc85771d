/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define CELL_PADDING 3

static size_t width_of(const char *s, size_t bytes)
{
	size_t width = 0;

	for (size_t i = 0; i < bytes; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80; /* continuation bytes take no room */
	return width;
}

/* Calls for each cell of a line would be a callback maze; this cuts one cell off and says whether
 * it was the last. */
static const char *next_cell(const char *p, size_t *ret_bytes, char *ret_end)
{
	*ret_bytes = strcspn(p, "\t\n");
	*ret_end = p[*ret_bytes];
	return p + *ret_bytes + (*ret_end ? 1 : 0);
}

static size_t *measure(const char *text, size_t min_width, size_t *ret_n)
{
	size_t *widths = NULL, n = 0, capacity = 0, column = 0;

	while (*text) {
		const char *cell = text;
		size_t bytes, width;
		char end;

		text = next_cell(text, &bytes, &end);
		if (end == '\t') { /* the last cell of a line does not widen its column */
			while (column >= n) {
				widths = array_grow(widths, n, &capacity, sizeof(*widths));
				widths[n++] = min_width;
			}
			width = width_of(cell, bytes) + CELL_PADDING;
			widths[column] = MAX(widths[column], width);
			column++;
		} else {
			column = 0;
		}
	}
	*ret_n = n;
	return widths;
}

void table_align(const char *text, size_t min_width, struct buf *out)
{
	cleanup_free size_t *widths = NULL;
	size_t n, column = 0;

	widths = measure(text, min_width, &n);
	while (*text) {
		const char *cell = text;
		size_t bytes;
		char end;

		text = next_cell(text, &bytes, &end);
		buf_add(out, cell, bytes);
		if (end == '\t') {
			for (size_t w = width_of(cell, bytes); w < widths[column]; w++)
				buf_putc(out, ' ');
			column++;
		} else {
			buf_putc(out, '\n');
			column = 0;
		}
	}
}
