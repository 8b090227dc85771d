/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"

/* The writer: commas, indentation and escapes; layout as Go's encoding/json has it. */

void json_writer_init(struct json_writer *w, struct buf *out, const char *indent)
{
	*w = (struct json_writer){ .out = out, .indent = indent };
}

static void new_line(struct json_writer *w)
{
	if (!w->indent)
		return;
	buf_putc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_puts(w->out, w->indent);
}

/*
 * Length of the UTF-8 sequence at s, 0 if it is none. Overlong forms, surrogates and what is above
 * U+10FFFF are none (Unicode 15, table 3-7).
 */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len == 0 || len > n || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void put_escaped(struct buf *out, unsigned char c)
{
	static const char plain[] = "\"\\bfnrt", decoded[] = "\"\\\b\f\n\r\t";
	const char *found = c ? strchr(decoded, c) : NULL;

	if (found)
		buf_printf(out, "\\%c", plain[found - decoded]);
	else
		buf_printf(out, "\\u%04x", c);
}

/* One character that cannot be copied as it is, or may not be. Returns the bytes it took. */
static size_t put_special(struct buf *out, const unsigned char *s, size_t n)
{
	size_t len;

	if (s[0] < 0x80) {
		put_escaped(out, s[0]);
		return 1;
	}
	len = utf8_len(s, n);
	if (len == 0) {
		buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		return 1;
	}
	if (len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8)
		buf_printf(out, "\\u202%x", s[2] & 0xf); /* line ends to JavaScript */
	else
		buf_add(out, s, len);
	return len;
}

static void put_quoted(struct buf *out, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t start = 0, i = 0;

	buf_reserve(out, n + 2);
	buf_putc(out, '"');
	while (i < n) {
		if (s[i] >= 0x20 && s[i] < 0x80 && s[i] != '"' && s[i] != '\\') {
			i++;
			continue;
		}
		buf_add(out, s + start, i - start);
		i += put_special(out, s + i, n - i);
		start = i;
	}
	buf_add(out, s + start, n - start);
	buf_putc(out, '"');
}

/* What stands before a value: comma, line, name. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->depth > 0) {
		bool in_array = w->is_array >> (w->depth - 1) & 1;

		assert(in_array == !key);
		if (w->has_members)
			buf_putc(w->out, ',');
		new_line(w);
		if (key) {
			put_quoted(w->out, key, strlen(key));
			buf_puts(w->out, w->indent ? ": " : ":");
		}
	}
	w->has_members = true;
}

static void begin_container(struct json_writer *w, const char *key, bool is_array)
{
	begin_value(w, key);
	assert(w->depth < JSON_WRITER_DEPTH_MAX);
	buf_putc(w->out, is_array ? '[' : '{');
	w->is_array &= ~(UINT64_C(1) << w->depth);
	w->is_array |= (uint64_t)is_array << w->depth;
	w->depth++;
	w->has_members = false;
}

void json_begin_object(struct json_writer *w, const char *key)
{
	begin_container(w, key, false);
}

void json_begin_array(struct json_writer *w, const char *key)
{
	begin_container(w, key, true);
}

void json_end(struct json_writer *w)
{
	assert(w->depth > 0);
	w->depth--;
	if (w->has_members)
		new_line(w);
	buf_putc(w->out, w->is_array >> w->depth & 1 ? ']' : '}');
	w->has_members = true;
}

void json_add_bytes(struct json_writer *w, const char *key, const char *s, size_t n)
{
	begin_value(w, key);
	put_quoted(w->out, s, n);
}

void json_add_string(struct json_writer *w, const char *key, const char *s)
{
	if (s)
		json_add_bytes(w, key, s, strlen(s));
	else
		json_add_null(w, key);
}

void json_add_bool(struct json_writer *w, const char *key, bool v)
{
	begin_value(w, key);
	buf_puts(w->out, v ? "true" : "false");
}

void json_add_i64(struct json_writer *w, const char *key, int64_t v)
{
	begin_value(w, key);
	buf_printf(w->out, "%" PRId64, v);
}

void json_add_u64(struct json_writer *w, const char *key, uint64_t v)
{
	begin_value(w, key);
	buf_printf(w->out, "%" PRIu64, v);
}

void json_add_double(struct json_writer *w, const char *key, double v)
{
	char text[32];

	if (!isfinite(v)) { /* JSON has no word for it */
		json_add_null(w, key);
		return;
	}
	begin_value(w, key);
	for (int digits = 15; digits <= 17; digits++) { /* the shortest that reads back the same */
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_puts(w->out, text);
}

void json_add_null(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	buf_puts(w->out, "null");
}

void json_add_strings(struct json_writer *w, const char *key, const char *const *strings, size_t n)
{
	json_begin_array(w, key);
	for (size_t i = 0; i < n; i++)
		json_add_string(w, NULL, strings[i]);
	json_end(w);
}

void json_add_value(struct json_writer *w, const char *key, const struct json *v)
{
	const struct json *c;

	switch (v->type) {
	case JSON_NULL:
		json_add_null(w, key);
		break;
	case JSON_BOOL:
		json_add_bool(w, key, v->truth);
		break;
	case JSON_NUMBER:
		begin_value(w, key);
		buf_add(w->out, v->text, v->n);
		break;
	case JSON_STRING:
		json_add_bytes(w, key, v->text, v->n);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		begin_container(w, key, v->type == JSON_ARRAY);
		json_foreach(c, v)
			json_add_value(w, c->key, c); /* depth is bounded by the reader */
		json_end(w);
		break;
	}
}
