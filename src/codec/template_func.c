/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/template_tree.h"

#define PRINTF_WIDTH_MAX 1000

/* Values */

const struct json *template_new_string(struct arena *a, const char *s, size_t n)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = JSON_STRING;
	v->text = arena_strndup(a, s, n);
	v->n = (uint32_t)strlen(v->text);
	return v;
}

const struct json *template_new_int(struct arena *a, long long number)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = JSON_NUMBER;
	v->text = arena_printf(a, "%lld", number);
	v->n = (uint32_t)strlen(v->text);
	return v;
}

const struct json *template_new_bool(struct arena *a, bool truth)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = JSON_BOOL;
	v->truth = truth;
	return v;
}

bool template_truth(const struct json *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->truth;
	case JSON_NUMBER:
		return strspn(v->text, "-0.") != strlen(v->text);
	default:
		return v->n > 0;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(const struct json *const *)a)->key, (*(const struct json *const *)b)->key);
}

static void print_map(const struct json *v, struct buf *out)
{
	cleanup_free const struct json **sorted = xcalloc(v->n, sizeof(*sorted));
	const struct json *member;
	size_t n = 0;

	json_foreach(member, v)
		sorted[n++] = member;
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	buf_puts(out, "map[");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s:", i > 0 ? " " : "", sorted[i]->key);
		/* of a set, as ExposedPorts: Go's struct without members */
		if (sorted[i]->type == JSON_OBJECT && sorted[i]->n == 0)
			buf_puts(out, "{}");
		else
			template_print(sorted[i], out);
	}
	buf_putc(out, ']');
}

void template_print(const struct json *v, struct buf *out)
{
	const struct json *member;

	if (!v) {
		buf_puts(out, "<no value>");
		return;
	}
	switch (v->type) {
	case JSON_NULL:
		buf_puts(out, "<nil>");
		break;
	case JSON_BOOL:
		buf_puts(out, v->truth ? "true" : "false");
		break;
	case JSON_NUMBER:
	case JSON_STRING:
		buf_puts(out, v->text);
		break;
	case JSON_ARRAY:
		buf_putc(out, '[');
		json_foreach(member, v) {
			template_print(member, out);
			if (member->next)
				buf_putc(out, ' ');
		}
		buf_putc(out, ']');
		break;
	case JSON_OBJECT:
		print_map(v, out);
		break;
	}
}

/* Arguments */

static int COLD wrong(const struct template_call *c, const char *what)
{
	return error_kind(c->err, ERROR_INVALID, "template: :1: executing \"\" at <%s>: %s",
			  c->name, what);
}

static int need(const struct template_call *c, size_t n)
{
	return c->n == n ? 0 : wrong(c, "wrong number of args");
}

/* Argument i as text: strings as they are, all else as it prints. */
static const char *text_of(const struct template_call *c, size_t i)
{
	cleanup_buf struct buf text = { 0 };

	if (c->args[i] && c->args[i]->type == JSON_STRING)
		return c->args[i]->text;
	template_print(c->args[i], &text);
	return arena_strdup(c->arena, buf_str(&text));
}

static int int_of(const struct template_call *c, size_t i, int64_t *ret)
{
	if (!c->args[i] || c->args[i]->type != JSON_NUMBER || str_to_i64(c->args[i]->text, ret) < 0)
		return wrong(c, "not an integer");
	return 0;
}

static const struct json *string_result(const struct template_call *c, struct buf *text)
{
	return template_new_string(c->arena, buf_str(text), text->len);
}

/* Functions */

static int fn_json(const struct template_call *c, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;
	int r = need(c, 1);

	if (r < 0)
		return r;
	json_writer_init(&w, &text, NULL);
	if (c->args[0] && c->args[0] != &template_nil_list && c->args[0] != &template_nil_map)
		json_add_value(&w, NULL, c->args[0]);
	else
		json_add_null(&w, NULL);
	*ret = string_result(c, &text);
	return 0;
}

static int fn_join(const struct template_call *c, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	const struct json *member;
	int r = need(c, 2);

	if (r < 0)
		return r;
	json_foreach(member, c->args[0]) {
		template_print(member, &text);
		if (member->next)
			buf_puts(&text, text_of(c, 1));
	}
	*ret = string_result(c, &text);
	return 0;
}

static int fn_split(const struct template_call *c, const struct json **ret)
{
	const char *s, *sep;
	struct json *list;
	const struct json **tail;
	int r = need(c, 2);

	if (r < 0)
		return r;
	s = text_of(c, 0);
	sep = text_of(c, 1);
	list = arena_alloc(c->arena, sizeof(*list));
	list->type = JSON_ARRAY;
	tail = &list->first;
	while (s) {
		const char *end = *sep ? strstr(s, sep) : NULL;
		const struct json *piece =
			template_new_string(c->arena, s, end ? (size_t)(end - s) : strlen(s));

		*tail = piece;
		tail = &((struct json *)piece)->next; /* just made here */
		list->n++;
		s = end ? end + strlen(sep) : NULL;
	}
	*ret = list;
	return 0;
}

static int change_case(const struct template_call *c, const struct json **ret)
{
	int r = need(c, 1);
	bool start = true;
	char *s;

	if (r < 0)
		return r;
	s = arena_strdup(c->arena, text_of(c, 0));
	for (char *p = s; *p; p++) {
		bool up = str_eq(c->name, "upper") || (str_eq(c->name, "title") && start);

		start = isspace((unsigned char)*p);
		if (up)
			*p = (char)toupper((unsigned char)*p);
		else if (str_eq(c->name, "lower"))
			*p = (char)tolower((unsigned char)*p);
	}
	*ret = template_new_string(c->arena, s, strlen(s));
	return 0;
}

static int fn_truncate(const struct template_call *c, const struct json **ret)
{
	int64_t n;
	int r = need(c, 2);

	if (r == 0)
		r = int_of(c, 1, &n);
	if (r < 0)
		return r;
	*ret = template_new_string(c->arena, text_of(c, 0), n < 0 ? 0 : (size_t)n);
	return 0;
}

static int fn_pad(const struct template_call *c, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	int64_t left, right;
	int r = need(c, 3);

	if (r == 0)
		r = int_of(c, 1, &left);
	if (r == 0)
		r = int_of(c, 2, &right);
	if (r < 0)
		return r;
	if (left < 0 || left > 1000 || right < 0 || right > 1000)
		return wrong(c, "padding out of range");
	buf_printf(&text, "%*s%s%*s", (int)left, "", text_of(c, 0), (int)right, "");
	*ret = string_result(c, &text);
	return 0;
}

static bool is_string(const struct json *v)
{
	return v && v->type == JSON_STRING;
}

/* Go's: print has spaces between what is no text. */
static int fn_print(const struct template_call *c, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	bool line = str_eq(c->name, "println");

	for (size_t i = 0; i < c->n; i++) {
		if (i > 0 && (line || !(is_string(c->args[i - 1]) || is_string(c->args[i]))))
			buf_putc(&text, ' ');
		template_print(c->args[i], &text);
	}
	if (line)
		buf_putc(&text, '\n');
	*ret = string_result(c, &text);
	return 0;
}

/* What stands between % and its letter: "-10", "05", ".3". */
struct printf_form {
	bool left, zero;
	int width, most; /* most: of the text; -1: all */
};

/* Returns where the letter is, or NULL. */
static const char *parse_form(const char *p, struct printf_form *f)
{
	char *end;
	long n;

	*f = (struct printf_form){ .most = -1 };
	for (; *p == '-' || *p == '0'; p++) {
		f->left |= *p == '-';
		f->zero |= *p == '0';
	}
	if (*p >= '1' && *p <= '9') {
		n = strtol(p, &end, 10);
		if (n > PRINTF_WIDTH_MAX)
			return NULL;
		f->width = (int)n;
		p = end;
	}
	if (*p == '.') {
		n = strtol(p + 1, &end, 10);
		if (n < 0 || n > PRINTF_WIDTH_MAX)
			return NULL;
		f->most = (int)n;
		p = end;
	}
	return *p && strchr("svdq", *p) ? p : NULL;
}

static void add_formed(const struct printf_form *f, char letter, const char *value, struct buf *out)
{
	cleanup_free char *text = f->most >= 0 ? xstrndup(value, (size_t)f->most) : xstrdup(value);
	cleanup_free char *quoted = letter == 'q' ? xasprintf("\"%s\"", text) : NULL;
	const char *shown = quoted ? quoted : text;
	size_t len = strlen(shown);

	if (f->zero && !f->left && letter == 'd') {
		buf_puts(out, *shown == '-' ? "-" : "");
		for (size_t i = len; i < (size_t)f->width; i++)
			buf_putc(out, '0');
		buf_puts(out, shown + (*shown == '-'));
	} else {
		buf_printf(out, "%*s", f->left ? -f->width : f->width, shown);
	}
}

/* %s %v %d take the next argument, %q in quotes, %% is itself; "%-10s", "%05d", "%.3s". */
static int fn_printf(const struct template_call *c, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	size_t next = 1;

	if (c->n == 0)
		return wrong(c, "wrong number of args");
	for (const char *p = text_of(c, 0); *p; p++) {
		struct printf_form form;

		if (*p != '%' || p[1] == '%') {
			buf_putc(&text, *p);
			p += *p == '%';
			continue;
		}
		p = parse_form(p + 1, &form);
		if (!p)
			return wrong(c, "format not supported");
		if (next >= c->n)
			return wrong(c, "missing argument for format");
		add_formed(&form, *p, text_of(c, next++), &text);
	}
	*ret = string_result(c, &text);
	return 0;
}

static int fn_len(const struct template_call *c, const struct json **ret)
{
	int r = need(c, 1);

	if (r < 0)
		return r;
	if (c->args[0] && (c->args[0]->type == JSON_NUMBER || c->args[0]->type == JSON_BOOL))
		return wrong(c, "len of a value without length");
	*ret = template_new_int(c->arena, c->args[0] ? c->args[0]->n : 0);
	return 0;
}

static int index_once(const struct template_call *c, const struct json *v, size_t i,
		      const struct json **ret)
{
	const struct json *member;
	int64_t wanted;
	int r;

	*ret = NULL;
	if (!v)
		return 0;
	if (v->type == JSON_OBJECT) {
		json_foreach(member, v)
			if (str_eq(member->key, text_of(c, i)))
				*ret = member;
		if (!*ret)
			*ret = template_new_string(c->arena, "",
						   0); /* the zero value of a map of strings */
		return 0;
	}
	if (v->type != JSON_ARRAY)
		return wrong(c, "can't index this value");
	r = int_of(c, i, &wanted);
	if (r < 0)
		return r;
	if (wanted < 0 || wanted >= (int64_t)v->n)
		return wrong(c, "index out of range");
	for (member = v->first; wanted > 0; wanted--)
		member = member->next;
	*ret = member;
	return 0;
}

static int fn_index(const struct template_call *c, const struct json **ret)
{
	const struct json *v = c->n > 0 ? c->args[0] : NULL;

	if (c->n == 0)
		return wrong(c, "wrong number of args");
	for (size_t i = 1; i < c->n; i++) {
		int r = index_once(c, v, i, &v);

		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}

static int fn_slice(const struct template_call *c, const struct json **ret)
{
	int64_t from = 0, to;
	const char *s;
	int r = 0;

	if (c->n < 1 || c->n > 3)
		return wrong(c, "wrong number of args");
	s = text_of(c, 0);
	to = (int64_t)strlen(s);
	if (c->n > 1)
		r = int_of(c, 1, &from);
	if (r == 0 && c->n > 2)
		r = int_of(c, 2, &to);
	if (r < 0)
		return r;
	if (from < 0 || to < from || to > (int64_t)strlen(s))
		return wrong(c, "slice bounds out of range");
	*ret = template_new_string(c->arena, s + from, (size_t)(to - from));
	return 0;
}

static int fn_compare(const struct template_call *c, const struct json **ret)
{
	const char *n = c->name;
	int64_t a, b;
	int order, r = need(c, 2);
	bool truth;

	if (r < 0)
		return r;
	if (c->args[0] && c->args[0]->type == JSON_NUMBER && c->args[1] &&
	    c->args[1]->type == JSON_NUMBER && str_to_i64(c->args[0]->text, &a) == 0 &&
	    str_to_i64(c->args[1]->text, &b) == 0)
		order = a < b ? -1 : a > b;
	else
		order = strcmp(text_of(c, 0), text_of(c, 1));
	truth = str_eq(n, "eq")	  ? order == 0
		: str_eq(n, "ne") ? order != 0
		: str_eq(n, "lt") ? order < 0
		: str_eq(n, "le") ? order <= 0
		: str_eq(n, "gt") ? order > 0
				  : order >= 0;
	*ret = template_new_bool(c->arena, truth);
	return 0;
}

/* and: the first argument that is false, or the last; or: the first that is true, or the last. */
static int fn_logic(const struct template_call *c, const struct json **ret)
{
	bool stop_at = str_eq(c->name, "or");

	if (c->n == 0)
		return wrong(c, "wrong number of args");
	*ret = c->args[c->n - 1];
	for (size_t i = 0; i < c->n; i++) {
		if (template_truth(c->args[i]) == stop_at) {
			*ret = c->args[i];
			break;
		}
	}
	return 0;
}

static int fn_not(const struct template_call *c, const struct json **ret)
{
	int r = need(c, 1);

	if (r == 0)
		*ret = template_new_bool(c->arena, !template_truth(c->args[0]));
	return r;
}

static const struct {
	const char *name;
	template_function function;
} functions[] = {
	{ "and", fn_logic },	     { "eq", fn_compare },     { "ge", fn_compare },
	{ "gt", fn_compare },	     { "index", fn_index },    { "join", fn_join },
	{ "json", fn_json },	     { "le", fn_compare },     { "len", fn_len },
	{ "lower", change_case },    { "lt", fn_compare },     { "ne", fn_compare },
	{ "not", fn_not },	     { "or", fn_logic },       { "pad", fn_pad },
	{ "print", fn_print },	     { "printf", fn_printf },  { "println", fn_print },
	{ "slice", fn_slice },	     { "split", fn_split },    { "title", change_case },
	{ "truncate", fn_truncate }, { "upper", change_case },
};

template_function template_function_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (str_eq(functions[i].name, name))
			return functions[i].function;
	return NULL;
}
