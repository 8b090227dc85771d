/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

static bool takes_value(const struct option *o)
{
	return o->type != OPTION_BOOL && !(o->type == OPTION_CALL && o->is_flag);
}

static int store(const struct option *o, void *target, const char *value, struct error *err)
{
	void *field = (char *)target + o->offset;
	int r;

	switch (o->type) {
	case OPTION_BOOL:
		if (str_to_bool(value, field) < 0)
			return error_kind(
				err, ERROR_INVALID,
				"invalid argument \"%s\" for \"--%s\" flag: not true or false",
				value, o->name);
		return 0;
	case OPTION_STRING:
		*(const char **)field = value;
		return 0;
	case OPTION_LIST:
		r = o->parse ? o->parse(target, o, value, err) : 0;
		if (r < 0)
			return r;
		*(char ***)field = strv_push(*(char ***)field, value);
		return 0;
	case OPTION_INT:
		if (str_to_int(value, field) < 0)
			return error_kind(err, ERROR_INVALID,
					  "invalid argument \"%s\" for \"--%s\" flag: not a number",
					  value, o->name);
		return 0;
	case OPTION_CALL:
		return o->parse(target, o, value, err);
	}
	return error_kind(err, ERROR_INTERNAL, "option '%s' has no type", o->name);
}

static const struct option *option_find(const struct option *table, size_t n, const char *name,
					size_t name_len)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(table[i].name, name, name_len) == 0 && table[i].name[name_len] == '\0')
			return &table[i];
	return NULL;
}

static const struct option *find_short(const struct option *table, size_t n, char c)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].short_name == c)
			return &table[i];
	return NULL;
}

struct cursor {
	const struct option *table;
	size_t n;
	void *target;
	int argc;
	char **argv;
	int i; /* the word being read */
};

static int parse_long(struct cursor *c, struct error *err)
{
	const char *word = c->argv[c->i] + 2;
	size_t len = strcspn(word, "=");
	const struct option *o = option_find(c->table, c->n, word, len);
	const char *value = word[len] == '=' ? word + len + 1 : NULL;

	if (!o)
		return error_kind(err, ERROR_INVALID, "unknown flag: --%.*s", (int)len, word);
	if (!value && !takes_value(o))
		value = "true";
	if (!value) {
		if (c->i + 1 >= c->argc)
			return error_kind(err, ERROR_INVALID, "flag needs an argument: --%s",
					  o->name);
		value = c->argv[++c->i];
	}
	return store(o, c->target, value, err);
}

static int parse_short(struct cursor *c, struct error *err)
{
	const char *word = c->argv[c->i];

	for (const char *p = word + 1; *p; p++) {
		const struct option *o = find_short(c->table, c->n, *p);
		const char *value;
		int r;

		if (!o)
			return error_kind(err, ERROR_INVALID, "unknown shorthand flag: '%c' in %s",
					  *p, word);
		if (!takes_value(o)) {
			bool given = p[1] == '=';

			r = store(o, c->target, given ? p + 2 : "true", err);
			if (r < 0 || given)
				return r;
			continue;
		}
		if (p[1])
			value = p[1] == '=' ? p + 2 : p + 1;
		else if (c->i + 1 < c->argc)
			value = c->argv[++c->i];
		else
			return error_kind(err, ERROR_INVALID, "flag needs an argument: '%c' in %s",
					  *p, word);
		return store(o, c->target, value, err);
	}
	return 0;
}

/* Moves the words argv[first..last) in front of the positionals argv[positional..first). */
static void move_before(char **argv, int positional, int first, int last)
{
	for (; first < last; first++, positional++) {
		char *word = argv[first];

		memmove(&argv[positional + 1], &argv[positional],
			(size_t)(first - positional) * sizeof(*argv));
		argv[positional] = word;
	}
}

int option_parse(const struct option *table, size_t n, void *target, int argc, char **argv,
		 unsigned flags, int *ret_first, struct error *err)
{
	struct cursor c = { table, n, target, argc, argv, 1 };
	int positional = argc > 0 ? 1 : 0; /* where the positionals seen so far begin */

	while (c.i < argc) {
		const char *word = argv[c.i];
		int start = c.i, r;

		if (word[0] != '-' || word[1] == '\0') {
			if (flags & OPTION_STOP_AT_POSITIONAL)
				break;
			c.i++;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			move_before(argv, positional, start, start + 1);
			positional++;
			break;
		}
		r = word[1] == '-' ? parse_long(&c, err) : parse_short(&c, err);
		if (r < 0)
			return r;
		c.i++;
		move_before(argv, positional, start, c.i);
		positional += c.i - start;
	}
	*ret_first = positional;
	return 0;
}

void option_free_lists(const struct option *table, size_t n, void *target)
{
	for (size_t i = 0; i < n; i++) {
		char ***field = (char ***)((char *)target + table[i].offset);

		if (table[i].type == OPTION_LIST)
			*field = strv_free(*field);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct option *const *)a)->name,
		      (*(const struct option *const *)b)->name);
}

void option_help(const struct option *table, size_t n, struct buf *out)
{
	cleanup_free const struct option **sorted = xcalloc(n, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &table[i];
	qsort(sorted, n, sizeof(*sorted), compare_names);
	for (size_t i = 0; i < n; i++) {
		const struct option *o = sorted[i];
		char left[96];

		if (o->hidden)
			continue;
		(void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s", o->short_name ? '-' : ' ',
			       o->short_name ? o->short_name : ' ', o->short_name ? ',' : ' ',
			       o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		buf_printf(out, "  %-32s %s\n", left, o->help);
	}
}
