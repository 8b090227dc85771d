/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ps_text.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PS_COLUMNS_MAX 128

/* Cuts at most max words off a line; the last one is the rest. Their number. */
static size_t split_words(char *line, const char **words, size_t max)
{
	size_t n = 0;

	for (line += strspn(line, " \t"); *line && n < max; line += strspn(line, " \t")) {
		words[n++] = line;
		if (n == max)
			break;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = '\0';
	}
	return n;
}

static bool is_one_of(const char *word, const pid_t *pids, size_t n)
{
	int pid;

	if (str_to_int(word, &pid) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static void add_row(struct engine_top *top, const char *const *cells, size_t n, size_t *capacity)
{
	const char **row = arena_alloc(top->arena, (top->n_titles + 1) * sizeof(*row));

	for (size_t i = 0; i < top->n_titles; i++)
		row[i] = arena_strdup(top->arena, i < n ? cells[i] : "");
	if (top->n_rows == *capacity) {
		const char ***more;

		*capacity = *capacity ? 2 * *capacity : 16;
		more = arena_alloc(top->arena, *capacity * sizeof(*more));
		if (top->n_rows > 0)
			memcpy(more, top->rows, top->n_rows * sizeof(*more));
		top->rows = more;
	}
	top->rows[top->n_rows++] = row;
}

int ps_text_parse(char *text, const pid_t *pids, size_t n_pids, struct engine_top *top,
		  struct error *err)
{
	const char *words[PS_COLUMNS_MAX];
	size_t pid_column = 0, capacity = 0;
	char *save = NULL, *line = strtok_r(text, "\n", &save);

	if (line)
		top->n_titles = split_words(line, words, PS_COLUMNS_MAX);
	while (pid_column < top->n_titles && !str_eq(words[pid_column], "PID"))
		pid_column++;
	if (pid_column == top->n_titles)
		return error_kind(err, ERROR_INVALID, "Couldn't find PID field in ps output");
	top->titles = arena_alloc(top->arena, (top->n_titles + 1) * sizeof(*top->titles));
	for (size_t i = 0; i < top->n_titles; i++)
		top->titles[i] = arena_strdup(top->arena, words[i]);
	while ((line = strtok_r(NULL, "\n", &save))) {
		size_t n = split_words(line, words, top->n_titles);

		if (pid_column < n && is_one_of(words[pid_column], pids, n_pids))
			add_row(top, words, n, &capacity);
	}
	return 0;
}
