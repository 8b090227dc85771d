/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Values on the wire of D-Bus, in the byte order of this machine: a writer that appends to a buffer
 * (whose start is a multiple of 8 in the message), a reader that trusts nothing, and the text form of
 * values that GVariant defines. Pure. Source: the D-Bus specification, "Marshaling".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/error.h"

/* Writing */

void dbus_align(struct buf *b, size_t alignment);
void dbus_add_u32(struct buf *b, uint32_t n); /* also a boolean */
void dbus_add_u64(struct buf *b, uint64_t n);
void dbus_add_string(struct buf *b, const char *s); /* also an object path */
void dbus_add_signature(struct buf *b, const char *s);

struct dbus_array {
	size_t length_at, start;
};
/* Elements follow; alignment is that of their type: 8 for structs, dict entries and 64 bit. */
struct dbus_array dbus_open_array(struct buf *b, size_t alignment);
void dbus_close_array(struct buf *b, struct dbus_array a);

/* Of the type that begins here: 1, 2, 4 or 8; 0: no such type. */
size_t dbus_alignment(char type);

/* Behind the first complete type of a signature; NULL if it begins with none. */
const char *dbus_skip_type(const char *type);

/* Reading */

/* A view of bytes; the first thing that is wrong sets bad, and everything read afterwards is 0, "" or
 * empty. */
struct dbus_reader {
	const char *data;
	size_t len, pos;
	bool bad;
};

uint8_t dbus_read_u8(struct dbus_reader *r);
uint32_t dbus_read_u32(struct dbus_reader *r);
uint64_t dbus_read_u64(struct dbus_reader *r);
const char *dbus_read_string(struct dbus_reader *r); /* borrowed, also an object path */
const char *dbus_read_signature(struct dbus_reader *r);
void dbus_read_align(struct dbus_reader *r, size_t alignment);
/* The elements of an array as a reader of their own, which r is behind afterwards. */
struct dbus_reader dbus_read_array(struct dbus_reader *r, size_t alignment);

/*
 * Appends values of these types as text, comma separated, as dbus_add_text() reads it: for tests and
 * debug messages.
 */
void dbus_format(struct dbus_reader *r, const char *types, struct buf *out);

/* Text */

/*
 * Appends a variant (signature and value) that is written in GVariant's text form: true, 'text', 5,
 * uint64 5, 1.5, ['a', 'b'], @as [], ('a', uint64 1), <5>. A number without a type is an int32.
 *
 * Errors   ERROR_INVALID: what is wrong with the text; dictionaries and maybe types are not known
 */
int dbus_add_text(struct buf *b, const char *text, struct error *err);
