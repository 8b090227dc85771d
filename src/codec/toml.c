/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/toml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/toml_tree.h"

/*
 * The reader goes through the text once; what a line means for the tree is toml_tree.c's. The
 * text is the caller's and has no NUL behind it: everything is read through peek(), which gives -1
 * at the end. A NUL byte within is a control character as any other and refused.
 */

#define KEYS_MAX 32 /* of one dotted key */

struct parser {
	const char *text, *at, *end;
	struct arena *arena;
	struct toml_node *root, *table; /* table: what lines fill now */
	size_t depth;			/* levels above what is read now, at most JSON_DEPTH_MAX */
	struct error *err;
};

static int COLD fail_at(struct parser *p, const char *at, const char *what)
{
	size_t line = 1;

	for (const char *c = p->text; c < at; c++)
		line += *c == '\n';
	return error_kind(p->err, ERROR_INVALID, "line %zu: %s", line, what);
}

static int COLD fail(struct parser *p, const char *what)
{
	return fail_at(p, p->at, what);
}

static inline int peek_at(const struct parser *p, size_t n)
{
	return n < (size_t)(p->end - p->at) ? (unsigned char)p->at[n] : -1;
}

static inline int peek(const struct parser *p)
{
	return peek_at(p, 0);
}

static bool take(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
		return false;
	p->at += n;
	return true;
}

static void skip_blanks(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		p->at++;
}

static bool is_control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

/* A comment up to the end of its line. */
static int skip_comment(struct parser *p)
{
	if (peek(p) != '#')
		return 0;
	while (peek(p) != '\n' && peek(p) != -1) {
		if (is_control(peek(p)) && !(peek(p) == '\r' && peek_at(p, 1) == '\n'))
			return fail(p, "control character in a comment");
		p->at++;
	}
	return 0;
}

static bool take_newline(struct parser *p)
{
	return take(p, "\n") || take(p, "\r\n");
}

/* Blanks, comments and line ends. */
static int skip_lines(struct parser *p)
{
	int r;

	do {
		skip_blanks(p);
		r = skip_comment(p);
		if (r < 0)
			return r;
	} while (take_newline(p));
	return 0;
}

/* Strings */

static void put_utf8(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
	} else if (c < 0x800) {
		buf_putc(out, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_putc(out, (char)(0xe0 | c >> 12));
		buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_putc(out, (char)(0xf0 | c >> 18));
		buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	if (c >= 0x80)
		buf_putc(out, (char)(0x80 | (c & 0x3f)));
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The digits behind \u and \U. */
static int read_unicode(struct parser *p, unsigned digits, struct buf *out)
{
	unsigned c = 0;

	for (unsigned i = 0; i < digits; i++) {
		int digit = peek(p) == -1 ? -1 : hex_digit(peek(p));

		if (digit < 0)
			return fail(p, "too few hex digits in an escape");
		c = c << 4 | (unsigned)digit;
		p->at++;
	}
	if (c == 0 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return fail(p, "an escape that is no character");
	put_utf8(out, c);
	return 0;
}

/* A backslash at the end of a line in """: white space goes away up to the next word. */
static bool take_line_end(struct parser *p)
{
	const char *start = p->at;

	skip_blanks(p);
	if (!take_newline(p)) {
		p->at = start;
		return false;
	}
	do
		skip_blanks(p);
	while (take_newline(p));
	return true;
}

static int read_escape(struct parser *p, bool multi_line, struct buf *out)
{
	static const char plain[] = "\"\\bfnrt", decoded[] = "\"\\\b\f\n\r\t";
	const char *found;

	if (multi_line && take_line_end(p))
		return 0;
	if (take(p, "u"))
		return read_unicode(p, 4, out);
	if (take(p, "U"))
		return read_unicode(p, 8, out);
	found = peek(p) > 0 ? strchr(plain, peek(p)) : NULL;
	if (!found)
		return fail(p, "unknown escape in a string");
	buf_putc(out, decoded[found - plain]);
	p->at++;
	return 0;
}

/* A run of quotes in a multi-line string: up to two belong to it, before the three that end it. */
static bool take_quotes(struct parser *p, char quote, struct buf *out)
{
	size_t n = 0;

	while (n < 5 && peek_at(p, n) == quote)
		n++;
	p->at += n;
	for (size_t i = n >= 3 ? 3 : 0; i < n; i++)
		buf_putc(out, quote);
	return n >= 3;
}

/* One character or escape of a string. */
static int read_character(struct parser *p, char quote, bool multi_line, struct buf *out)
{
	if (multi_line && take_newline(p)) {
		buf_putc(out, '\n');
		return 0;
	}
	if (peek(p) == -1 || peek(p) == '\n')
		return fail(p, "a string does not end");
	if (is_control(peek(p)))
		return fail(p, "control character in a string");
	if (quote == '"' && take(p, "\\"))
		return read_escape(p, multi_line, out);
	buf_putc(out, *p->at++);
	return 0;
}

/* A string of any of the four kinds, at its first quote. */
static int read_string(struct parser *p, bool multi_line_too, struct buf *out)
{
	char quote = *p->at;
	bool multi_line = peek_at(p, 1) == quote && peek_at(p, 2) == quote;
	int r = 0;

	if (multi_line && !multi_line_too)
		return fail(p, "a key cannot have several lines");
	p->at += multi_line ? 3 : 1;
	if (multi_line)
		(void)take_newline(p); /* the first one does not count */
	while (r >= 0) {
		if (peek(p) == quote && multi_line) {
			if (take_quotes(p, quote, out))
				return 0;
			continue;
		}
		if (peek(p) == quote) {
			p->at++;
			return 0;
		}
		r = read_character(p, quote, multi_line, out);
	}
	return r;
}

/* Keys */

static bool is_bare(int c)
{
	return c != -1 && c < 0x80 && (isalnum(c) || c == '_' || c == '-');
}

static int read_key(struct parser *p, struct toml_key *ret)
{
	cleanup_buf struct buf text = { 0 };
	const char *start = p->at;
	int r;

	if (peek(p) == '"' || peek(p) == '\'') {
		r = read_string(p, false, &text);
		if (r < 0)
			return r;
	} else {
		while (is_bare(peek(p)))
			p->at++;
		if (p->at == start)
			return fail(p, "expected a key");
		buf_add(&text, start, (size_t)(p->at - start));
	}
	ret->text = arena_strndup(p->arena, buf_str(&text), text.len);
	ret->len = (uint32_t)text.len;
	return 0;
}

/* a . "b" . c */
static int read_keys(struct parser *p, struct toml_key *keys, size_t *ret_n)
{
	size_t n = 0;
	int r;

	do {
		if (n == KEYS_MAX)
			return fail(p, "a key has too many parts");
		skip_blanks(p);
		r = read_key(p, &keys[n++]);
		if (r < 0)
			return r;
		skip_blanks(p);
	} while (take(p, "."));
	*ret_n = n;
	return 0;
}

/* "key 'a.b' is defined twice" */
static int COLD fail_key(struct parser *p, const char *at, const struct toml_key *keys, size_t n,
			 const char *reason)
{
	cleanup_buf struct buf text = { 0 };

	buf_printf(&text, "'");
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%.64s", i ? "." : "", keys[i].text);
	buf_printf(&text, "' %s", reason);
	return fail_at(p, at, buf_str(&text));
}

/* Values */

static int go_deeper(struct parser *p, size_t levels)
{
	p->depth += levels;
	return p->depth > JSON_DEPTH_MAX ? fail(p, "too deep") : 0;
}

static int read_value(struct parser *p, struct toml_node **ret);

static struct toml_node *new_text(struct parser *p, enum json_type type, const char *s, size_t n)
{
	struct toml_node *node = toml_node_new(p->arena, type, TOML_VALUE);

	node->json.text = arena_strndup(p->arena, s, n);
	node->json.n = (uint32_t)n;
	return node;
}

static int read_string_value(struct parser *p, struct toml_node **ret)
{
	cleanup_buf struct buf text = { 0 };
	int r = read_string(p, true, &text);

	if (r >= 0)
		*ret = new_text(p, JSON_STRING, buf_str(&text), text.len);
	return r;
}

static int read_array(struct parser *p, struct toml_node **ret)
{
	struct toml_node *array = toml_node_new(p->arena, JSON_ARRAY, TOML_VALUE), *item;
	int r = skip_lines(p);

	while (r >= 0 && !take(p, "]")) {
		r = read_value(p, &item);
		if (r < 0)
			return r;
		toml_node_add(array, item, NULL);
		r = skip_lines(p);
		if (r >= 0 && !take(p, ",") && peek(p) != ']')
			return fail(p, "expected ',' or ']' in an array");
		if (r >= 0)
			r = skip_lines(p);
	}
	*ret = array;
	return r;
}

static int read_pair(struct parser *p, struct toml_node *table)
{
	struct toml_key keys[KEYS_MAX];
	struct toml_node *value;
	const char *start = p->at, *reason;
	size_t n;
	int r = read_keys(p, keys, &n);

	if (r < 0)
		return r;
	if (!take(p, "="))
		return fail(p, "expected '=' behind a key");
	skip_blanks(p);
	r = go_deeper(p, n - 1);
	if (r >= 0)
		r = read_value(p, &value);
	if (r < 0)
		return r;
	p->depth -= n - 1;
	if (!toml_set(p->arena, table, keys, n, value, &reason))
		return fail_key(p, start, keys, n, reason);
	return 0;
}

static int read_inline_table(struct parser *p, struct toml_node **ret)
{
	struct toml_node *table = toml_node_new(p->arena, JSON_OBJECT, TOML_VALUE);
	bool more;
	int r;

	*ret = table;
	skip_blanks(p);
	if (take(p, "}"))
		return 0;
	do {
		r = read_pair(p, table);
		if (r < 0)
			return r;
		skip_blanks(p);
		more = take(p, ",");
	} while (more);
	if (!take(p, "}"))
		return fail(p, "expected ',' or '}' in an inline table");
	return 0;
}

/* Numbers, words, dates: a run of letters, digits and signs */

static bool is_scalar(int c)
{
	return c != -1 && c < 0x80 && (isalnum(c) || strchr("+-_.:", c)) && c != 0;
}

/* Digits with single underscores between them, appended without these. False: not so. */
static bool add_digits(const char **s, const char *end, int base, struct buf *out)
{
	bool digit_before = false;
	const char *start = *s;

	for (; *s < end; (*s)++) {
		int digit = hex_digit((unsigned char)**s);

		if (**s == '_' && digit_before && *s + 1 < end) {
			digit_before = false;
			continue;
		}
		if (digit < 0 || digit >= base)
			break;
		buf_putc(out, **s);
		digit_before = true;
	}
	return *s > start && digit_before;
}

/* 0x1f, 0o17, 0b1: as a decimal number. */
static bool convert_based(const char *s, const char *end, int base, struct buf *out)
{
	cleanup_buf struct buf digits = { 0 };
	unsigned long long value;

	if (!add_digits(&s, end, base, &digits) || s != end)
		return false;
	errno = 0;
	value = strtoull(buf_str(&digits), NULL, base);
	buf_printf(out, "%llu", value);
	return errno == 0;
}

/* [+-] digits [. digits] [e [+-] digits], no zero in front. */
static bool convert_decimal(const char *s, const char *end, struct buf *out)
{
	if (s < end && (*s == '+' || *s == '-'))
		if (*s++ == '-')
			buf_putc(out, '-');
	if (end - s > 1 && *s == '0' && (isdigit((unsigned char)s[1]) || s[1] == '_'))
		return false;
	if (!add_digits(&s, end, 10, out))
		return false;
	if (s < end && *s == '.') {
		buf_putc(out, *s++);
		if (!add_digits(&s, end, 10, out))
			return false;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		buf_putc(out, *s++);
		if (s < end && (*s == '+' || *s == '-'))
			buf_putc(out, *s++);
		if (!add_digits(&s, end, 10, out))
			return false;
	}
	return s == end;
}

static bool convert_number(const char *s, const char *end, struct buf *out)
{
	if (end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o' || s[1] == 'b'))
		return convert_based(s + 2, end, s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 2, out);
	return convert_decimal(s, end, out);
}

/* s begins with the shape: '9' stands for a digit. */
static bool has_shape(const char *s, const char *end, const char *shape)
{
	for (; *shape; shape++, s++)
		if (s >= end || (*shape == '9' ? !isdigit((unsigned char)*s) : *s != *shape))
			return false;
	return true;
}

static bool is_date_or_time(const char *s, const char *end)
{
	return has_shape(s, end, "9999-99-99") || has_shape(s, end, "99:99:99");
}

static int read_scalar(struct parser *p, struct toml_node **ret)
{
	cleanup_buf struct buf number = { 0 };
	const char *start = p->at;
	size_t n;

	while (is_scalar(peek(p)))
		p->at++;
	if (has_shape(start, p->at, "9999-99-99") && p->at - start == 10 && peek(p) == ' ' &&
	    isdigit(peek_at(p, 1) == -1 ? 0 : peek_at(p, 1))) /* 1979-05-27 07:32:00Z */
		for (p->at++; is_scalar(peek(p));)
			p->at++;
	n = (size_t)(p->at - start);
	if (n == 0)
		return fail(p, "expected a value");
	if ((n == 4 && memcmp(start, "true", n) == 0) ||
	    (n == 5 && memcmp(start, "false", n) == 0)) {
		*ret = toml_node_new(p->arena, JSON_BOOL, TOML_VALUE);
		(*ret)->json.truth = n == 4;
	} else if (is_date_or_time(start, p->at)) {
		*ret = new_text(p, JSON_STRING, start, n);
	} else if (convert_number(start, p->at, &number)) {
		*ret = new_text(p, JSON_NUMBER, buf_str(&number), number.len);
	} else {
		return fail(p, "a value that is neither a number nor true nor false (a string "
			       "stands in quotes)");
	}
	return 0;
}

static int read_value(struct parser *p, struct toml_node **ret)
{
	int r;

	if (peek(p) == '"' || peek(p) == '\'')
		return read_string_value(p, ret);
	if (peek(p) != '[' && peek(p) != '{')
		return read_scalar(p, ret);
	r = go_deeper(p, 1);
	if (r < 0)
		return r;
	r = take(p, "[") ? read_array(p, ret) : (p->at++, read_inline_table(p, ret));
	p->depth--;
	return r;
}

/* Lines */

static int read_header(struct parser *p)
{
	struct toml_key keys[KEYS_MAX];
	const char *start = p->at, *reason;
	bool is_array = take(p, "[[");
	size_t n;
	int r;

	if (!is_array)
		p->at++;
	r = read_keys(p, keys, &n);
	if (r < 0)
		return r;
	if (!take(p, is_array ? "]]" : "]"))
		return fail(p, is_array ? "expected ']]' behind the name of a table"
					: "expected ']' behind the name of a table");
	p->table = toml_open_table(p->arena, p->root, keys, n, is_array, &reason);
	if (!p->table)
		return fail_key(p, start, keys, n, reason);
	p->depth = 0;
	for (const struct json *up = p->table->json.parent; up; up = up->parent)
		p->depth++;
	return go_deeper(p, 0);
}

static int read_document(struct parser *p)
{
	int r = skip_lines(p);

	while (r >= 0 && peek(p) != -1) {
		r = peek(p) == '[' ? read_header(p) : read_pair(p, p->table);
		if (r < 0)
			return r;
		skip_blanks(p);
		r = skip_comment(p);
		if (r >= 0 && peek(p) != -1 && !take_newline(p))
			return fail(p, "expected the end of the line");
		if (r >= 0)
			r = skip_lines(p);
	}
	return r;
}

/* Length of the valid UTF-8 sequence at s, 0 if there is none. RFC 3629. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80   ? 1
		   : *s < 0xc0 ? 0
		   : *s < 0xe0 ? 2
		   : *s < 0xf0 ? 3
		   : *s < 0xf8 ? 4
			       : 0;
	unsigned c = n > 1 ? *s & (0x7fu >> n) : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	return n > 1 && (c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff) ? 0 : n;
}

static int check_utf8(struct parser *p)
{
	for (const char *at = p->text; at < p->end;) {
		size_t n = utf8_length((const unsigned char *)at, (size_t)(p->end - at));

		if (n == 0)
			return fail_at(p, at, "bytes that are not UTF-8");
		at += n;
	}
	return 0;
}

int toml_parse(const char *text, size_t len, struct arena *arena, const struct json **ret,
	       struct error *err)
{
	struct parser p = {
		.text = text, .at = text, .end = text + len, .arena = arena, .err = err
	};
	int r;

	if (len > TOML_MAX_BYTES)
		return error_num(err, EFBIG, "more than %u bytes of TOML", TOML_MAX_BYTES);
	p.root = p.table = toml_node_new(arena, JSON_OBJECT, TOML_HEADED);
	r = check_utf8(&p);
	if (r >= 0)
		r = read_document(&p);
	if (r >= 0)
		*ret = &p.root->json;
	return r;
}
