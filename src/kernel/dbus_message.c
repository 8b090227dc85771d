/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/dbus_message.h"

#include <inttypes.h>
#include <string.h>

#define NESTING_MAX 16 /* the specification allows 32 arrays and 32 structs */

/* Types */

size_t dbus_alignment(char type)
{
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 'h':
	case 's':
	case 'o':
	case 'a':
		return 4;
	case 'x':
	case 't':
	case 'd':
	case '(':
	case '{':
		return 8;
	default:
		return 0;
	}
}

static const char *skip_type(const char *type, unsigned depth)
{
	if (depth > NESTING_MAX || dbus_alignment(*type) == 0)
		return NULL;
	if (*type == 'a')
		return skip_type(type + 1, depth + 1);
	if (*type != '(' && *type != '{')
		return type + 1;
	for (const char *p = type + 1; p && *p; p = skip_type(p, depth + 1))
		if (p > type + 1 && *p == (*type == '(' ? ')' : '}'))
			return p + 1;
	return NULL;
}

const char *dbus_skip_type(const char *type)
{
	return skip_type(type, 0);
}

/* Writing */

void dbus_align(struct buf *b, size_t alignment)
{
	while (b->len % alignment)
		buf_putc(b, '\0');
}

void dbus_add_u32(struct buf *b, uint32_t n)
{
	dbus_align(b, sizeof(n));
	buf_add(b, &n, sizeof(n));
}

void dbus_add_u64(struct buf *b, uint64_t n)
{
	dbus_align(b, sizeof(n));
	buf_add(b, &n, sizeof(n));
}

void dbus_add_string(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	dbus_add_u32(b, (uint32_t)n);
	buf_add(b, s, n + 1);
}

void dbus_add_signature(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	buf_putc(b, (char)n);
	buf_add(b, s, n + 1);
}

struct dbus_array dbus_open_array(struct buf *b, size_t alignment)
{
	struct dbus_array a;

	dbus_align(b, sizeof(uint32_t));
	a.length_at = b->len;
	dbus_add_u32(b, 0);
	dbus_align(b, alignment); /* not counted in the length */
	a.start = b->len;
	return a;
}

void dbus_close_array(struct buf *b, struct dbus_array a)
{
	uint32_t n = (uint32_t)(b->len - a.start);

	memcpy(b->data + a.length_at, &n, sizeof(n));
}

/* Reading */

void dbus_read_align(struct dbus_reader *r, size_t alignment)
{
	size_t pos = (r->pos + alignment - 1) / alignment * alignment;

	if (pos > r->len)
		r->bad = true;
	else
		r->pos = pos;
}

static void read_bytes(struct dbus_reader *r, void *value, size_t n)
{
	dbus_read_align(r, n);
	if (r->bad || r->len - r->pos < n) {
		r->bad = true;
		memset(value, 0, n);
		return;
	}
	memcpy(value, r->data + r->pos, n);
	r->pos += n;
}

uint8_t dbus_read_u8(struct dbus_reader *r)
{
	uint8_t n;

	read_bytes(r, &n, sizeof(n));
	return n;
}

static uint16_t read_u16(struct dbus_reader *r)
{
	uint16_t n;

	read_bytes(r, &n, sizeof(n));
	return n;
}

uint32_t dbus_read_u32(struct dbus_reader *r)
{
	uint32_t n;

	read_bytes(r, &n, sizeof(n));
	return n;
}

uint64_t dbus_read_u64(struct dbus_reader *r)
{
	uint64_t n;

	read_bytes(r, &n, sizeof(n));
	return n;
}

/* n bytes and a NUL, with no other NUL among them. */
static const char *read_text(struct dbus_reader *r, size_t n)
{
	const char *s = r->data + r->pos;

	if (r->bad || r->len - r->pos <= n || s[n] != '\0' || memchr(s, '\0', n)) {
		r->bad = true;
		return "";
	}
	r->pos += n + 1;
	return s;
}

const char *dbus_read_string(struct dbus_reader *r)
{
	return read_text(r, dbus_read_u32(r));
}

const char *dbus_read_signature(struct dbus_reader *r)
{
	return read_text(r, dbus_read_u8(r));
}

struct dbus_reader dbus_read_array(struct dbus_reader *r, size_t alignment)
{
	struct dbus_reader elements = { .data = r->data };
	size_t n = dbus_read_u32(r);

	dbus_read_align(r, alignment);
	if (r->bad || r->len - r->pos < n) {
		r->bad = true;
		elements.bad = true;
		return elements;
	}
	elements.pos = r->pos; /* the same start: alignment counts from there */
	elements.len = r->pos + n;
	r->pos += n;
	return elements;
}

/* As text */

static const char *format_one(struct dbus_reader *r, const char *type, struct buf *out,
			      unsigned depth);

static void format_quoted(struct buf *out, const char *s)
{
	buf_putc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
	buf_putc(out, '\'');
}

static void format_number(struct dbus_reader *r, char type, struct buf *out)
{
	uint64_t bits;
	double d;

	switch (type) {
	case 'y':
		buf_printf(out, "byte %u", dbus_read_u8(r));
		break;
	case 'b':
		buf_puts(out, dbus_read_u32(r) ? "true" : "false");
		break;
	case 'n':
		buf_printf(out, "int16 %d", (int16_t)read_u16(r));
		break;
	case 'q':
		buf_printf(out, "uint16 %u", read_u16(r));
		break;
	case 'i':
	case 'h':
		buf_printf(out, "%" PRId32, (int32_t)dbus_read_u32(r));
		break;
	case 'u':
		buf_printf(out, "uint32 %" PRIu32, dbus_read_u32(r));
		break;
	case 'x':
		buf_printf(out, "int64 %" PRId64, (int64_t)dbus_read_u64(r));
		break;
	case 't':
		buf_printf(out, "uint64 %" PRIu64, dbus_read_u64(r));
		break;
	default:
		bits = dbus_read_u64(r);
		memcpy(&d, &bits, sizeof(d));
		buf_printf(out, "double %g", d);
		break;
	}
}

static void format_array(struct dbus_reader *r, const char *element, struct buf *out,
			 unsigned depth)
{
	struct dbus_reader items = dbus_read_array(r, dbus_alignment(*element));
	size_t before;

	buf_putc(out, '[');
	for (bool first = true; !items.bad && items.pos < items.len; first = false) {
		before = items.pos;
		if (!first)
			buf_puts(out, ", ");
		(void)format_one(&items, element, out, depth + 1);
		if (items.pos == before)
			items.bad = true; /* an empty struct takes no bytes */
	}
	buf_putc(out, ']');
	r->bad |= items.bad;
}

static void format_struct(struct dbus_reader *r, const char *type, struct buf *out, unsigned depth)
{
	char end = *type == '(' ? ')' : '}';

	dbus_read_align(r, 8);
	buf_putc(out, *type);
	for (const char *p = type + 1; !r->bad && *p && *p != end;) {
		if (p > type + 1)
			buf_puts(out, ", ");
		p = format_one(r, p, out, depth + 1);
	}
	buf_putc(out, end);
}

/* Returns the type behind this one. */
static const char *format_one(struct dbus_reader *r, const char *type, struct buf *out,
			      unsigned depth)
{
	const char *next = dbus_skip_type(type), *inner;

	if (!next || depth > NESTING_MAX) {
		r->bad = true;
		return "";
	}
	switch (*type) {
	case 's':
	case 'o':
		format_quoted(out, dbus_read_string(r));
		break;
	case 'g':
		format_quoted(out, dbus_read_signature(r));
		break;
	case 'a':
		format_array(r, type + 1, out, depth);
		break;
	case '(':
	case '{':
		format_struct(r, type, out, depth);
		break;
	case 'v':
		inner = dbus_read_signature(r);
		buf_putc(out, '<');
		(void)format_one(r, inner, out, depth + 1);
		buf_putc(out, '>');
		break;
	default:
		format_number(r, *type, out);
		break;
	}
	return next;
}

void dbus_format(struct dbus_reader *r, const char *types, struct buf *out)
{
	for (const char *p = types; !r->bad && *p;) {
		if (p != types)
			buf_puts(out, ", ");
		p = format_one(r, p, out, 0);
	}
}
