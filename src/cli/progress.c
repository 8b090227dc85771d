/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/terminal.h"

#define REDRAW_NS      (100 * INT64_C(1000000))
#define BAR_WIDTH      50
#define BAR_MIN_SCREEN 110 /* narrower screens get the numbers alone */
#define SIZE_DIGITS    4

struct line {
	char *id, *text;
	int64_t drawn_ns;
};

struct progress_view {
	pthread_mutex_t lock;
	FILE *out;
	uint16_t columns; /* 0: no terminal */
	struct line *lines;
	size_t n, capacity;
};

struct progress_view *progress_view_new(FILE *out, uint16_t columns)
{
	struct progress_view *v = xcalloc(1, sizeof(*v));

	(void)pthread_mutex_init(&v->lock, NULL); /* cannot fail without attributes */
	v->out = out;
	v->columns = columns;
	return v;
}

struct progress_view *progress_view_stdout(void)
{
	uint16_t rows, columns = 0;

	if (!terminal_size(STDOUT_FILENO, &rows, &columns))
		columns = 0;
	else if (columns == 0)
		columns = 80; /* a terminal that does not know */
	return progress_view_new(stdout, columns);
}

struct progress_view *progress_view_free(struct progress_view *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->n; i++) {
		free(v->lines[i].id);
		free(v->lines[i].text);
	}
	free(v->lines);
	(void)pthread_mutex_destroy(&v->lock); /* nobody holds it */
	free(v);
	return NULL;
}

static void add_bar(uint16_t columns, const struct progress *p, struct buf *out)
{
	char done[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];

	(void)units_format_size((double)p->done, SIZE_DIGITS, done);
	(void)units_format_size((double)p->total, SIZE_DIGITS, total);
	buf_putc(out, ' ');
	if (columns > BAR_MIN_SCREEN) {
		uint64_t full =
			p->done >= p->total
				? BAR_WIDTH
				: (uint64_t)((double)p->done / (double)p->total * BAR_WIDTH);

		buf_putc(out, '[');
		for (uint64_t i = 0; i < full; i++)
			buf_putc(out, '=');
		buf_putc(out, '>');
		for (uint64_t i = full; i < BAR_WIDTH; i++)
			buf_putc(out, ' ');
		buf_puts(out, "] ");
	}
	buf_printf(out, "%8s/%s", done, total);
}

/* The line of an id; a new one comes last. */
static struct line *line_of(struct progress_view *v, const char *id, size_t *ret_at)
{
	for (size_t i = 0; i < v->n; i++) {
		if (str_eq(v->lines[i].id, id)) {
			*ret_at = i;
			return &v->lines[i];
		}
	}
	v->lines = array_grow(v->lines, v->n, &v->capacity, sizeof(*v->lines));
	v->lines[v->n] = (struct line){ .id = xstrdup(id) };
	*ret_at = v->n;
	return &v->lines[v->n++];
}

static void draw(struct progress_view *v, const struct progress *p, size_t at, bool is_new)
{
	cleanup_buf struct buf text = { 0 };
	size_t up = v->n - at;

	buf_printf(&text, "%s: %s", p->id, p->text);
	if (p->total > 0)
		add_bar(v->columns, p, &text);
	if (is_new)
		(void)fprintf(v->out, "%s\n", buf_str(&text));
	else
		(void)fprintf(v->out, "\033[%zuA\033[2K\r%s\r\033[%zuB", up, buf_str(&text), up);
	(void)fflush(v->out); /* progress that cannot be shown is nobody's failure */
}

static void show_terminal(struct progress_view *v, const struct progress *p)
{
	int64_t now = clock_monotonic_ns();
	size_t at;
	struct line *line = line_of(v, p->id, &at);
	bool is_new = !line->text, same = str_eq(line->text, p->text);

	if (same && (p->total == 0 || (p->done < p->total && now - line->drawn_ns < REDRAW_NS)))
		return;
	if (!same) {
		free(line->text);
		line->text = xstrdup(p->text);
	}
	line->drawn_ns = now;
	draw(v, p, at, is_new);
}

static void show_plain(struct progress_view *v, const struct progress *p)
{
	size_t at;
	struct line *line;

	if (p->total > 0)
		return;
	line = line_of(v, p->id, &at);
	if (str_eq(line->text, p->text))
		return;
	free(line->text);
	line->text = xstrdup(p->text);
	(void)fprintf(v->out, "%s: %s\n", p->id, p->text); /* checked by the flush at the end */
}

static void forget_lines(struct progress_view *v)
{
	/* a whole line moves what is above it out of reach */
	for (size_t i = 0; i < v->n; i++) {
		free(v->lines[i].id);
		free(v->lines[i].text);
	}
	v->n = 0;
}

static void show(void *ctx, const struct progress *p)
{
	struct progress_view *v = ctx;

	(void)pthread_mutex_lock(&v->lock);
	if (!p->id) {
		(void)fprintf(v->out, "%s\n", p->text);
		forget_lines(v);
	} else if (v->columns > 0) {
		show_terminal(v, p);
	} else {
		show_plain(v, p);
	}
	(void)fflush(v->out); /* who reads a log wants to see it grow; checked again at the end */
	(void)pthread_mutex_unlock(&v->lock);
}

struct progress_sink progress_view_sink(struct progress_view *v)
{
	return (struct progress_sink){ show, v };
}
