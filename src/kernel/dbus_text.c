/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GVariant's text form into a D-Bus variant. What a value takes on the wire depends on its type, and
 * the type of `['a', 'b']` is known only when it was read: so each value is read twice, first for its
 * type (infer), then for its bytes (emit), which take the type as given. Source: "GVariant Text Format" of GLib's manual.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kernel/dbus_message.h"

#define NESTING_MAX   16
#define SIGNATURE_MAX 255

struct parser {
	const char *text; /* all of it, for messages */
	const char *p;
	unsigned depth;
	struct error *err;
};

static const struct {
	const char *word;
	char type;
} type_words[] = {
	{ "boolean", 'b' },   { "byte", 'y' },	 { "double", 'd' }, { "handle", 'h' },
	{ "int16", 'n' },     { "int32", 'i' },	 { "int64", 'x' },  { "objectpath", 'o' },
	{ "signature", 'g' }, { "string", 's' }, { "uint16", 'q' }, { "uint32", 'u' },
	{ "uint64", 't' },
};

static int fault(const struct parser *p, const char *what)
{
	return error_kind(p->err, ERROR_INVALID, "'%.80s': %s at '%.20s'", p->text, what, p->p);
}

static void skip_space(struct parser *p)
{
	p->p += strspn(p->p, " \t\n");
}

static bool take(struct parser *p, char c)
{
	skip_space(p);
	if (*p->p != c)
		return false;
	p->p++;
	return true;
}

static size_t word_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._");
}

/* The type that a keyword such as uint64 names, which is taken; or '\0'. */
static char take_type_word(struct parser *p)
{
	size_t n;

	skip_space(p);
	n = word_length(p->p);
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (strlen(type_words[i].word) == n && memcmp(type_words[i].word, p->p, n) == 0) {
			p->p += n;
			return type_words[i].type;
		}
	return '\0';
}

/* Scalars */

/* What is between quotes, escapes resolved. Heap; NULL: no string here, or one without end. */
static char *take_quoted(struct parser *p)
{
	cleanup_buf struct buf b = { 0 };
	char quote;

	skip_space(p);
	quote = *p->p;
	if (quote != '\'' && quote != '"')
		return NULL;
	for (const char *s = p->p + 1; *s; s++) {
		if (*s == quote) {
			p->p = s + 1;
			return buf_take(&b);
		}
		if (*s == '\\' && s[1]) {
			s++;
			buf_putc(&b, *s == 'n' ? '\n' : *s == 't' ? '\t' : *s);
		} else {
			buf_putc(&b, *s);
		}
	}
	return NULL;
}

static int emit_string(struct parser *p, char type, struct buf *out)
{
	cleanup_free char *s = take_quoted(p);

	if (!s)
		return fault(p, "a string in quotes is expected");
	if (type == 'g' && strlen(s) > SIGNATURE_MAX)
		return fault(p, "the signature is too long");
	if (type == 'g')
		dbus_add_signature(out, s);
	else
		dbus_add_string(out, s);
	return 0;
}

static int emit_boolean(struct parser *p, struct buf *out)
{
	size_t n;

	skip_space(p);
	n = word_length(p->p);
	if ((n != 4 || memcmp(p->p, "true", n) != 0) && (n != 5 || memcmp(p->p, "false", n) != 0))
		return fault(p, "true or false is expected");
	dbus_add_u32(out, n == 4);
	p->p += n;
	return 0;
}

static const struct number_type {
	char type;
	unsigned bits;
	bool has_sign;
} number_types[] = {
	{ 'y', 8, false }, { 'n', 16, true },  { 'q', 16, false }, { 'i', 32, true },
	{ 'h', 32, true }, { 'u', 32, false }, { 'x', 64, true },  { 't', 64, false },
};

static int emit_integer(struct parser *p, const struct number_type *t, struct buf *out)
{
	char *end;
	uint64_t value, limit = UINT64_MAX >> (64 - t->bits);
	bool negative;

	skip_space(p);
	negative = *p->p == '-';
	if (negative && !t->has_sign)
		return fault(p, "a number that is not negative is expected");
	errno = 0;
	value = strtoull(p->p + negative, &end, 0);
	if (errno || end != p->p + word_length(p->p) || p->p[negative] < '0' ||
	    p->p[negative] > '9')
		return fault(p, "a whole number is expected");
	if (t->has_sign)
		limit = limit / 2 + negative;
	if (value > limit)
		return fault(p, "the number is too large for its type");
	p->p = end;
	if (negative)
		value = -value;
	dbus_align(out, t->bits / 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value <<= 64 - t->bits;
#endif
	buf_add(out, &value, t->bits / 8);
	return 0;
}

static int emit_double(struct parser *p, struct buf *out)
{
	char *end;
	double d;
	uint64_t bits;

	skip_space(p);
	d = strtod(p->p, &end);
	if (end == p->p || end != p->p + word_length(p->p))
		return fault(p, "a number is expected");
	p->p = end;
	memcpy(&bits, &d, sizeof(bits));
	dbus_add_u64(out, bits);
	return 0;
}

static int emit_scalar(struct parser *p, char type, struct buf *out)
{
	if (type == 's' || type == 'o' || type == 'g')
		return emit_string(p, type, out);
	if (type == 'b')
		return emit_boolean(p, out);
	if (type == 'd')
		return emit_double(p, out);
	for (size_t i = 0; i < ARRAY_SIZE(number_types); i++)
		if (number_types[i].type == type)
			return emit_integer(p, &number_types[i], out);
	return fault(p, "this type is not known");
}

/* Values */

static int infer(struct parser *p, struct buf *types);
static int emit(struct parser *p, const char *type, struct buf *out);

/* The type before a value, if one is written there: "uint64 5", "@as []". Heap or NULL. */
static int take_type(struct parser *p, char **ret_type)
{
	char word = take_type_word(p);
	size_t n;

	*ret_type = word ? xstrndup(&word, 1) : NULL;
	if (word || !take(p, '@'))
		return 0;
	n = strcspn(p->p, " ");
	if (n > SIGNATURE_MAX)
		return fault(p, "the type is too long");
	*ret_type = xstrndup(p->p, n);
	if (dbus_skip_type(*ret_type) != *ret_type + n) {
		free(take_ptr(ret_type));
		return fault(p, "this is no type");
	}
	p->p += n;
	return 0;
}

static int infer_scalar(struct parser *p, struct buf *types)
{
	cleanup_buf struct buf ignored = { 0 };
	size_t n = word_length(p->p);
	char type = 'i';

	if (*p->p == '\'' || *p->p == '"')
		type = 's';
	else if (*p->p == 't' || *p->p == 'f')
		type = 'b';
	else if (!str_after(p->p, "0x") && (memchr(p->p, '.', n) || memchr(p->p, 'e', n)))
		type = 'd';
	buf_putc(types, type);
	return emit_scalar(p, type, &ignored);
}

/* The first element says what the others are. */
static int infer_array(struct parser *p, struct buf *types)
{
	cleanup_buf struct buf element = { 0 }, ignored = { 0 };
	int r;

	if (take(p, ']'))
		return fault(p, "an empty array needs its type before it, as in @as []");
	r = infer(p, &element);
	while (r == 0 && !take(p, ']'))
		r = take(p, ',') ? emit(p, buf_str(&element), &ignored)
				 : fault(p, "a comma is expected");
	buf_printf(types, "a%s", buf_str(&element));
	return r;
}

static int infer_struct(struct parser *p, struct buf *types)
{
	int r = 0;

	buf_putc(types, '(');
	do
		r = infer(p, types);
	while (r == 0 && take(p, ',') && *p->p != ')'); /* a struct of one is ('a',) */
	buf_putc(types, ')');
	if (r == 0 && !take(p, ')'))
		return fault(p, "a comma is expected");
	return r;
}

static int infer_variant(struct parser *p, struct buf *types)
{
	cleanup_buf struct buf inner = { 0 };
	int r = infer(p, &inner);

	buf_putc(types, 'v');
	if (r == 0 && !take(p, '>'))
		return fault(p, "'>' is expected");
	return r;
}

/* Appends the type of the value that follows, and goes behind it. */
static int infer(struct parser *p, struct buf *types)
{
	cleanup_buf struct buf ignored = { 0 };
	cleanup_free char *type = NULL;
	int r = take_type(p, &type);

	if (r < 0)
		return r;
	if (type) {
		buf_puts(types, type);
		return emit(p, type, &ignored);
	}
	if (++p->depth > NESTING_MAX)
		return fault(p, "nested too deeply");
	if (take(p, '['))
		r = infer_array(p, types);
	else if (take(p, '('))
		r = infer_struct(p, types);
	else if (take(p, '<'))
		r = infer_variant(p, types);
	else
		r = infer_scalar(p, types);
	p->depth--;
	return r;
}

static int emit_array(struct parser *p, const char *element, struct buf *out)
{
	struct dbus_array a;
	bool closed;
	int r = 0;

	if (!take(p, '['))
		return fault(p, "'[' is expected");
	a = dbus_open_array(out, dbus_alignment(*element));
	closed = take(p, ']');
	while (r == 0 && !closed) {
		r = emit(p, element, out);
		closed = take(p, ']');
		if (r == 0 && !closed && !take(p, ','))
			r = fault(p, "a comma is expected");
	}
	dbus_close_array(out, a);
	return r;
}

static int emit_struct(struct parser *p, const char *type, struct buf *out)
{
	int r = 0;

	if (!take(p, '('))
		return fault(p, "'(' is expected");
	dbus_align(out, 8);
	for (const char *field = type + 1; r == 0 && *field != ')'; field = dbus_skip_type(field)) {
		cleanup_free char *one = xstrndup(field, (size_t)(dbus_skip_type(field) - field));

		r = emit(p, one, out);
		if (r == 0 && !take(p, ',') && *dbus_skip_type(field) != ')')
			return fault(p, "a comma is expected");
	}
	if (r == 0 && !take(p, ')'))
		return fault(p, "')' is expected");
	return r;
}

/* Signature and bytes of the value that follows. */
static int emit_variant(struct parser *p, struct buf *out)
{
	cleanup_buf struct buf types = { 0 };
	struct parser ahead = *p;
	int r = infer(&ahead, &types);

	if (r == 0 && types.len > SIGNATURE_MAX)
		return fault(p, "the type is too long");
	if (r < 0)
		return r;
	dbus_add_signature(out, buf_str(&types));
	return emit(p, buf_str(&types), out);
}

static int emit_inner_variant(struct parser *p, struct buf *out)
{
	int r;

	if (!take(p, '<'))
		return fault(p, "'<' is expected");
	r = emit_variant(p, out);
	if (r == 0 && !take(p, '>'))
		return fault(p, "'>' is expected");
	return r;
}

/* Appends the value that follows as one of this type. */
static int emit(struct parser *p, const char *type, struct buf *out)
{
	cleanup_free char *written = NULL;
	int r = take_type(p, &written);

	if (r < 0)
		return r;
	if (written && !str_eq(written, type))
		return fault(p, "the values of an array are of one type");
	if (++p->depth > NESTING_MAX)
		return fault(p, "nested too deeply");
	if (*type == 'a')
		r = emit_array(p, type + 1, out);
	else if (*type == '(')
		r = emit_struct(p, type, out);
	else if (*type == 'v')
		r = emit_inner_variant(p, out);
	else
		r = emit_scalar(p, *type, out);
	p->depth--;
	return r;
}

int dbus_add_text(struct buf *b, const char *text, struct error *err)
{
	struct parser p = { .text = text, .p = text, .err = err };
	int r = emit_variant(&p, b);

	if (r < 0)
		return r;
	skip_space(&p);
	return *p.p ? fault(&p, "nothing more is expected") : 0;
}
