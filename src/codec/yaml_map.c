/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml_map.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct level {
	size_t indent;
	char *key;
};

struct parser {
	struct level levels[YAML_MAP_DEPTH_MAX];
	size_t depth;
	bool pending; /* the last name had nothing on its line: names below it, or nothing */
	yaml_map_entry_fn entry;
	void *ctx;
	struct error *err;
};

static int COLD fail(struct parser *p, const char *what)
{
	return error_kind(p->err, ERROR_INVALID, "%s", what);
}

static int report(struct parser *p, const char *value)
{
	const char *keys[YAML_MAP_DEPTH_MAX];

	for (size_t i = 0; i < p->depth; i++)
		keys[i] = p->levels[i].key;
	return p->entry(p->ctx, keys, p->depth, value, p->err);
}

static void pop(struct parser *p)
{
	free(p->levels[--p->depth].key);
}

/* A word at *at, in quotes or up to stop(); without the quotes, heap. */
static int read_quoted(struct parser *p, const char **at, char **ret)
{
	const char *start = *at + 1, *end = strchr(start, **at);

	if (!end)
		return fail(p, "a word in quotes does not end");
	if (memchr(start, '\\', (size_t)(end - start)) || end[1] == **at)
		return fail(p, "escapes are not read here");
	*ret = xstrndup(start, (size_t)(end - start));
	*at = end + 1;
	return 0;
}

/* "name:" with a blank or nothing behind the colon. A plain name may have colons in it: host:5000. */
static int read_key(struct parser *p, const char **at, char **ret)
{
	const char *end = *at;

	if (**at == '"' || **at == '\'') {
		int r = read_quoted(p, at, ret);

		if (r >= 0 && **at != ':')
			r = fail(p, "expected ':' behind a name");
		*at += r >= 0;
		return r;
	}
	if (strchr("-?[]{},&*#!|>%@`", **at))
		return fail(p, "only names with ':' behind them are read here");
	while (*end && !(*end == ':' && (end[1] == ' ' || !end[1])))
		end++;
	if (!*end || end == *at)
		return fail(p, "expected a name and ':'");
	*ret = xstrndup(*at, (size_t)(end - *at));
	*at = end + 1;
	return 0;
}

/* What is behind the colon, up to a comment; NULL for nothing. */
static int read_value(struct parser *p, const char *at, char **ret)
{
	size_t len = 0;
	int r;

	at += strspn(at, " ");
	if (*at == '"' || *at == '\'') {
		r = read_quoted(p, &at, ret);
		at += r >= 0 ? strspn(at, " ") : 0;
		return r >= 0 && *at && *at != '#' ? fail(p, "expected the end of the line") : r;
	}
	if (!*at || *at == '#')
		return 0;
	if (strchr("[]{},&*!|>%@`", *at) || (strchr("-?:", *at) && (at[1] == ' ' || !at[1])))
		return fail(p, "only plain words and words in quotes are read here");
	while (at[len] && !(at[len] == '#' && at[len - 1] == ' ')) {
		if (at[len] == ':' && (at[len + 1] == ' ' || !at[len + 1]))
			return fail(p, "a mapping within a line is not read here");
		len++;
	}
	while (len > 0 && at[len - 1] == ' ')
		len--;
	*ret = xstrndup(at, len);
	return 0;
}

/* Down to the level of a line that begins there. */
static int find_level(struct parser *p, size_t indent)
{
	bool deeper;

	if (p->pending && (p->depth == 0 || indent <= p->levels[p->depth - 1].indent)) {
		int r = report(p, NULL);

		if (r < 0)
			return r;
	} else if (!p->pending && p->depth > 0 && indent > p->levels[p->depth - 1].indent) {
		return fail(p, "more indented than the line before");
	}
	deeper = p->pending && p->depth > 0 && indent > p->levels[p->depth - 1].indent;
	p->pending = false;
	while (p->depth > 0 && p->levels[p->depth - 1].indent > indent)
		pop(p);
	if (p->depth > 0 && p->levels[p->depth - 1].indent == indent)
		pop(p);
	else if (!deeper && indent > 0)
		return fail(p, "indented as no name above");
	if (p->depth == YAML_MAP_DEPTH_MAX)
		return fail(p, "too deep");
	return 0;
}

static int read_line(struct parser *p, const char *line)
{
	cleanup_free char *key = NULL, *value = NULL;
	size_t indent = strspn(line, " ");
	const char *at = line + indent;
	int r;

	if (!*at || *at == '#' || (indent == 0 && str_eq(line, "---")))
		return 0;
	if (strchr(line, '\t'))
		return fail(p, "a tab");
	r = find_level(p, indent);
	if (r >= 0)
		r = read_key(p, &at, &key);
	if (r >= 0)
		r = read_value(p, at, &value);
	if (r < 0)
		return r;
	p->levels[p->depth++] = (struct level){ indent, take_ptr(&key) };
	p->pending = !value;
	return value ? report(p, value) : 0;
}

static int read_text(struct parser *p, char *text)
{
	size_t number = 1;

	for (char *line = text, *next; line; line = next, number++) {
		int r;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (str_ends(line, "\r"))
			line[strlen(line) - 1] = '\0';
		r = read_line(p, line);
		if (r < 0)
			return error_prefix(p->err, r, "line %zu", number);
	}
	return p->pending ? report(p, NULL) : 0;
}

int yaml_map_read(const char *text, size_t len, yaml_map_entry_fn entry, void *ctx,
		  struct error *err)
{
	struct parser p = { .entry = entry, .ctx = ctx, .err = err };
	cleanup_free char *copy = NULL;
	int r;

	if (len > YAML_MAP_MAX_BYTES)
		return error_num(err, EFBIG, "more than %u bytes of YAML", YAML_MAP_MAX_BYTES);
	if (memchr(text, '\0', len))
		return error_kind(err, ERROR_INVALID, "a NUL character");
	copy = xstrndup(text, len);
	r = read_text(&p, copy);
	while (p.depth > 0)
		pop(&p);
	return r;
}
