/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/*
 * The reader. A runtime reads one document, config.json, each time it starts a container; with a
 * general library that was the largest part of its own work (json-c: 0.8 M instructions for
 * docker's default document). So the text is copied once and strings are decoded where they stand:
 * the closing quote becomes the NUL, a number is terminated when the character behind it has been
 * consumed. Nothing is allocated but tree nodes, and these in groups. No recursion: the open
 * arrays and objects stand in a fixed stack.
 */

#define NODE_GROUP 16
#define TEXT_PAD   sizeof(uint64_t) /* behind the text: NULs, read 8 bytes at a time */

struct parser {
	const char *source; /* the caller's text, untouched: for line and column */
	char *text, *at, *end;
	char *number_end; /* where the last number wants its NUL */
	struct arena *arena;
	struct json *spare;
	unsigned n_spare;
	unsigned depth;
	struct json *open[JSON_DEPTH_MAX];
	const struct json **tail[JSON_DEPTH_MAX]; /* where the next member is hung up */
	const char *key;			  /* of the value that comes next */
	uint32_t key_len;
	bool seen_nul; /* \u0000 somewhere: legal in values, the getters refuse it */
	struct error *err;
};

static int COLD syntax(struct parser *p, const char *at, const char *what)
{
	size_t offset = (size_t)(at - p->text), line = 1, column = 1;

	if (at >= p->end)
		return error_kind(p->err, ERROR_INVALID, "the text ends too early: %s", what);
	for (size_t i = 0; i < offset; i++) {
		column = p->source[i] == '\n' ? 1 : column + 1;
		line += p->source[i] == '\n';
	}
	return error_kind(p->err, ERROR_INVALID, "line %zu, column %zu: %s", line, column, what);
}

static inline void skip_space(struct parser *p)
{
	if ((unsigned char)*p->at > ' ') /* written by a program, mostly */
		return;
	while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')
		p->at++;
}

/* Strings */

static int hex4(const char *s, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i]; /* the NUL behind the text stops this as any other non-digit */

		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

static char *put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* \uXXXX, p->at on the first digit. Half a surrogate pair is U+FFFD, as in Go. */
static int decode_unicode(struct parser *p, char **out)
{
	unsigned c, low;

	if (hex4(p->at, &c) < 0)
		return syntax(p, p->at, "expected four hex digits behind \\u");
	p->at += 4;
	if (c >= 0xd800 && c < 0xe000) {
		if (c < 0xdc00 && p->at[0] == '\\' && p->at[1] == 'u' &&
		    hex4(p->at + 2, &low) == 0 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p->at += 6;
		} else {
			c = 0xfffd;
		}
	}
	*out = put_utf8(*out, c);
	p->seen_nul |= c == 0;
	return 0;
}

static int decode_escape(struct parser *p, char **out)
{
	static const char plain[] = "\"\\/bfnrt", decoded[] = "\"\\/\b\f\n\r\t";
	const char *found;

	p->at++; /* the backslash */
	if (*p->at == 'u') {
		p->at++;
		return decode_unicode(p, out);
	}
	found = *p->at ? strchr(plain, *p->at) : NULL;
	if (!found)
		return syntax(p, p->at, "unknown escape in a string");
	*(*out)++ = decoded[found - plain];
	p->at++;
	return 0;
}

/* The first byte that is not copied as it is: quote, backslash, control character. */
static inline char *skip_plain(char *s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	for (;; s += sizeof(uint64_t)) {
		uint64_t x, quote, backslash, found;

		memcpy(&x, s, sizeof(x)); /* the text is padded */
		x = le64toh(x);
		quote = x ^ ones * '"';
		backslash = x ^ ones * '\\';
		/* a borrow spoils only bytes above a true hit, and the lowest hit is taken */
		found = ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) |
			((backslash - ones) & ~backslash);
		found &= ones * 0x80;
		if (found)
			return s + __builtin_ctzll(found) / 8;
	}
}

/* The rest of a string that has an escape in it, or that is wrong; *at is that place. */
static int decode_string(struct parser *p, char *at, char **ret_end)
{
	char *out = at;
	int r;

	p->at = at;
	while (*p->at != '"') {
		size_t n;

		if (*p->at != '\\')
			return syntax(p, p->at,
				      p->at < p->end ? "control character in a string"
						     : "a string is not closed");
		r = decode_escape(p, &out);
		if (r < 0)
			return r;
		at = p->at;
		p->at = skip_plain(at);
		n = (size_t)(p->at - at);
		memmove(out, at, n);
		out += n;
	}
	*ret_end = out;
	return 0;
}

/* p->at is behind the opening quote, and behind the closing one afterwards. */
static inline int parse_string(struct parser *p, const char **ret, uint32_t *ret_n)
{
	char *start = p->at, *end = skip_plain(start);
	int r;

	if (*end == '"') {
		p->at = end;
	} else {
		r = decode_string(p, end, &end);
		if (r < 0)
			return r;
	}
	p->at++;
	*end = '\0';
	*ret = start;
	*ret_n = (uint32_t)(end - start);
	return 0;
}

/* Scalars */

static char *skip_digits(char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

static int parse_number(struct parser *p, struct json *v)
{
	char *s = p->at, *digits;

	if (*s == '-')
		s++;
	digits = s;
	s = skip_digits(s);
	if (s == digits || (*digits == '0' && s - digits > 1))
		return syntax(p, p->at,
			      s == digits ? "expected a value" : "number with a leading zero");
	if (*s == '.') {
		digits = ++s;
		s = skip_digits(s);
		if (s == digits)
			return syntax(p, s, "expected a digit behind the point");
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		digits = s;
		s = skip_digits(s);
		if (s == digits)
			return syntax(p, s, "expected a digit in the exponent");
	}
	v->type = JSON_NUMBER;
	v->text = p->at;
	v->n = (uint32_t)(s - p->at);
	p->number_end = p->at = s;
	return 0;
}

static int parse_word(struct parser *p, struct json *v)
{
	static const struct {
		const char *word;
		size_t len;
		enum json_type type;
		bool truth;
	} words[] = {
		{ "true", 4, JSON_BOOL, true },
		{ "false", 5, JSON_BOOL, false },
		{ "null", 4, JSON_NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(p->at, words[i].word, words[i].len) != 0)
			continue;
		p->at += words[i].len;
		v->type = words[i].type;
		v->truth = words[i].truth;
		return 0;
	}
	return syntax(p, p->at, "expected a value");
}

/* Tree */

static struct json *add_node(struct parser *p)
{
	struct json *v;

	if (p->n_spare == 0) {
		p->spare = arena_alloc(p->arena, NODE_GROUP * sizeof(*v));
		p->n_spare = NODE_GROUP;
	}
	v = p->spare++;
	p->n_spare--;
	if (p->depth > 0) {
		struct json *parent = p->open[p->depth - 1];

		v->parent = parent;
		if (parent->type == JSON_OBJECT) {
			v->key = p->key;
			v->key_len = p->key_len;
		}
		parent->n++;
		*p->tail[p->depth - 1] = v;
		p->tail[p->depth - 1] = &v->next;
	}
	return v;
}

/* The next member's name, up to its value. */
static int parse_key(struct parser *p)
{
	int r;

	skip_space(p);
	if (*p->at != '"')
		return syntax(p, p->at, "expected a name in quotes");
	p->at++;
	r = parse_string(p, &p->key, &p->key_len);
	if (r < 0)
		return r;
	if (p->seen_nul && memchr(p->key, '\0', p->key_len)) /* would end early as a C string */
		return syntax(p, p->at, "NUL character in a name");
	skip_space(p);
	if (*p->at != ':')
		return syntax(p, p->at, "expected ':'");
	p->at++;
	return 0;
}

/* '{' or '['. Returns 1 if it is closed at once: a finished value. */
static int open_container(struct parser *p, struct json *v, enum json_type type)
{
	v->type = type;
	if (p->depth == JSON_DEPTH_MAX)
		return syntax(p, p->at, "nested too deeply");
	p->at++;
	skip_space(p);
	if (*p->at == (type == JSON_OBJECT ? '}' : ']')) {
		p->at++;
		return 1;
	}
	p->open[p->depth] = v;
	p->tail[p->depth++] = &v->first;
	return type == JSON_OBJECT ? parse_key(p) : 0;
}

/* Returns 1 if the value is finished, 0 if its members follow. */
static int parse_value(struct parser *p, struct json *v)
{
	int r;

	switch (*p->at) {
	case '{':
		return open_container(p, v, JSON_OBJECT);
	case '[':
		return open_container(p, v, JSON_ARRAY);
	case '"':
		p->at++;
		v->type = JSON_STRING;
		r = parse_string(p, &v->text, &v->n);
		break;
	case 't':
	case 'f':
	case 'n':
		r = parse_word(p, v);
		break;
	default:
		r = parse_number(p, v);
	}
	return r < 0 ? r : 1;
}

/* Behind a finished value: closes what ends here. Returns 1 at the end of the document. */
static int after_value(struct parser *p)
{
	for (;;) {
		const struct json *open;
		bool is_object;
		char c;

		skip_space(p);
		c = *p->at;
		if (p->number_end) {
			*p->number_end = '\0';
			p->number_end = NULL;
		}
		if (p->depth == 0)
			return p->at == p->end ? 1 : syntax(p, p->at, "text behind the document");
		open = p->open[p->depth - 1];
		is_object = open->type == JSON_OBJECT;
		if (c == ',') {
			p->at++;
			return is_object ? parse_key(p) : 0;
		}
		if (c != (is_object ? '}' : ']'))
			return syntax(p, p->at,
				      is_object ? "expected ',' or '}'" : "expected ',' or ']'");
		p->at++;
		p->depth--;
	}
}

int json_parse(const char *text, size_t len, struct arena *arena, const struct json **ret,
	       struct error *err)
{
	struct parser p = { .source = text, .arena = arena, .err = err };
	const struct json *root = NULL;
	int r;

	if (len > UINT32_MAX - TEXT_PAD)
		return error_kind(err, ERROR_INVALID, "text of %zu bytes is too long", len);
	p.text = p.at = arena_alloc(arena, len + TEXT_PAD);
	p.end = p.text + len;
	memcpy(p.text, text, len);
	do {
		struct json *v;

		skip_space(&p);
		v = add_node(&p);
		if (!root)
			root = v;
		r = parse_value(&p, v);
		if (r > 0)
			r = after_value(&p);
	} while (r == 0);
	if (r < 0)
		return r;
	*ret = root;
	return 0;
}

/* Members */

const struct json *json_first(const struct json *p)
{
	return p && (p->type == JSON_OBJECT || p->type == JSON_ARRAY) ? p->first : NULL;
}

const struct json *json_get(const struct json *obj, const char *key)
{
	const struct json *found = NULL, *c;
	size_t len = strlen(key);

	if (!obj || obj->type != JSON_OBJECT)
		return NULL;
	json_foreach(c, obj)
		if (c->key_len == len && memcmp(c->key, key, len) == 0)
			found = c; /* the last of equal keys counts */
	return found && found->type != JSON_NULL ? found : NULL;
}

const struct json *json_find(const struct json *obj, ...)
{
	const char *key;
	va_list ap;

	va_start(ap, obj);
	while ((key = va_arg(ap, const char *)))
		obj = json_get(obj, key);
	va_end(ap);
	return obj;
}

/* Errors */

/* Appends to a text of fixed size; what does not fit is cut. */
struct path_text {
	size_t len;
	char s[200];
};

static void path_add(struct path_text *t, const char *fmt, ...) PRINTF_FORMAT(2, 3);
static void path_add(struct path_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = MIN(t->len + (size_t)n, sizeof(t->s) - 1);
}

/* A member name: bare if it is a word, else in quotes, so that dots in it do not mislead. */
static void path_add_key(struct path_text *t, const char *key, size_t len)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-";
	char shown[49];
	size_t n = MIN(len, sizeof(shown) - 1);

	for (size_t i = 0; i < n; i++) /* the text of a stranger ends on a terminal */
		shown[i] = (unsigned char)key[i] < 0x20 || key[i] == 0x7f ? '?' : key[i];
	shown[n] = '\0';
	if (n > 0 && strspn(shown, word) == n)
		path_add(t, "%s%s", t->len ? "." : "", shown);
	else
		path_add(t, "[\"%s\"]", shown);
}

static void path_of(const struct json *v, struct path_text *t)
{
	const struct json *chain[JSON_DEPTH_MAX + 1];
	size_t n = 0;

	for (; v && v->parent && n < ARRAY_SIZE(chain); v = v->parent)
		chain[n++] = v;
	while (n-- > 0) {
		const struct json *c;
		size_t index = 0;

		if (chain[n]->key) {
			path_add_key(t, chain[n]->key, chain[n]->key_len);
			continue;
		}
		for (c = json_first(chain[n]->parent); c && c != chain[n]; c = c->next)
			index++;
		path_add(t, "[%zu]", index);
	}
}

static PRINTF_FORMAT(4, 0) int fail_with(const struct json *v, enum error_kind kind,
					 struct error *err, const char *fmt, va_list ap)
{
	struct path_text path = { 0 };
	char what[280];

	(void)vsnprintf(what, sizeof(what), fmt, ap); /* cut if longer */
	path_of(v, &path);
	return error_kind(err, kind, "%s%s%s", path.s, path.len ? ": " : "", what);
}

int json_fail(const struct json *v, struct error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_with(v, ERROR_INVALID, err, fmt, ap);
	va_end(ap);
	return r;
}

int json_fail_kind(const struct json *v, enum error_kind kind, struct error *err, const char *fmt,
		   ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_with(v, kind, err, fmt, ap);
	va_end(ap);
	return r;
}

int json_fail_missing(const struct json *obj, const char *key, struct error *err)
{
	struct path_text path = { 0 };

	path_of(obj, &path);
	path_add_key(&path, key, strlen(key));
	return error_kind(err, ERROR_INVALID, "%s: missing", path.s);
}
