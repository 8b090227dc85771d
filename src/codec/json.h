/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * JSON text: a reader that builds a tree in an arena, getters that check and name the field in
 * their error ("process.args[0]: not a string"), and a writer that streams onto a struct buf.
 *
 * Tolerance is that of Go's encoding/json, which wrote most documents we meet: unknown keys are
 * ignored, of equal keys the last one counts, null is the same as absent. Unlike it, keys are
 * case-sensitive and bytes that are not UTF-8 pass through.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct arena;
struct buf;

/* Values */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* One value of a parsed document. Outside codec/ only type, key and n are read directly. */
struct json {
	enum json_type type;
	uint32_t n;	 /* members of an array or object, bytes of a string or number */
	const char *key; /* name in the parent object (NUL-terminated), or NULL */
	uint32_t key_len;
	bool truth; /* JSON_BOOL */
	union {
		const char
			*text; /* JSON_STRING: decoded; JSON_NUMBER: as written; NUL-terminated */
		const struct json *first; /* JSON_ARRAY, JSON_OBJECT */
	};
	const struct json *next; /* sibling */
	const struct json *parent;
};

/*
 * Reads one document; only white space may follow it. The text is copied into the arena once and
 * decoded in place, so the tree's strings live as long as the arena.
 * Errors   ERROR_INVALID, "line 3, column 7: expected ',' or '}'"; nesting is bounded by
 *          JSON_DEPTH_MAX. The caller bounds len (at most 4 GiB here).
 */
int json_parse(const char *text, size_t len, struct arena *arena, const struct json **ret,
	       struct error *err);
#define JSON_DEPTH_MAX 48 /* less than the writer's, so that values fit into other documents */

/* Members: c is a const struct json *. p may be NULL or a scalar: no members. */
#define json_foreach(c, p) for (c = json_first(p); c; c = (c)->next)
const struct json *json_first(const struct json *p);

/* The member of that name, or NULL: absent, null, or obj is NULL or not an object. */
const struct json *json_get(const struct json *obj, const char *key);
/* Steps down several keys: json_find(doc, "Config", "Labels", NULL). */
const struct json *json_find(const struct json *obj, ...) __attribute__((sentinel));

/*
 * The value as a C type. Errors: ERROR_INVALID with the value's path: wrong type, out of range, a
 * fraction or an exponent where an integer is wanted, a string with a NUL byte in it.
 */
int json_to_string(const struct json *v, const char **ret, struct error *err);
int json_to_bool(const struct json *v, bool *ret, struct error *err);
int json_to_i64(const struct json *v, int64_t *ret, struct error *err);
int json_to_u64(const struct json *v, uint64_t *ret, struct error *err);
int json_to_i32(const struct json *v, int32_t *ret, struct error *err);
int json_to_u32(const struct json *v, uint32_t *ret, struct error *err);
int json_to_u16(const struct json *v, uint16_t *ret, struct error *err);

/*
 * A member as a C type. Absent or null: 0, and *ret stays as it was. Errors as above; also if obj
 * is no object.
 */
int json_get_string(const struct json *obj, const char *key, const char **ret, struct error *err);
int json_get_bool(const struct json *obj, const char *key, bool *ret, struct error *err);
int json_get_i64(const struct json *obj, const char *key, int64_t *ret, struct error *err);
int json_get_u64(const struct json *obj, const char *key, uint64_t *ret, struct error *err);
int json_get_i32(const struct json *obj, const char *key, int32_t *ret, struct error *err);
int json_get_u32(const struct json *obj, const char *key, uint32_t *ret, struct error *err);
int json_get_object(const struct json *obj, const char *key, const struct json **ret,
		    struct error *err);
int json_get_array(const struct json *obj, const char *key, const struct json **ret,
		   struct error *err);
/* An array of strings, NULL-terminated, in arena. ret_n may be NULL. Absent: both stay. */
int json_get_strings(const struct json *obj, const char *key, struct arena *arena,
		     const char *const **ret, size_t *ret_n, struct error *err);

/* "process.args[0]" in front of what is wrong with v: ERROR_INVALID. For rules above the grammar.
 */
int json_fail(const struct json *v, struct error *err, const char *fmt, ...)
	PRINTF_FORMAT(3, 4) COLD;
/* The same as another kind of error: what is well said but not known here is ERROR_UNSUPPORTED. */
int json_fail_kind(const struct json *v, enum error_kind kind, struct error *err, const char *fmt,
		   ...) PRINTF_FORMAT(4, 5) COLD;
/* The same for a member that is not there: "process.cwd: missing". */
int json_fail_missing(const struct json *obj, const char *key, struct error *err) COLD;

/* Writer */

#define JSON_WRITER_DEPTH_MAX 64

struct json_writer {
	struct buf *out;    /* borrowed; appended to */
	const char *indent; /* one level, "    "; NULL: compact */
	unsigned depth;
	uint64_t is_array; /* bit n: level n is an array */
	bool has_members;  /* of the innermost level */
};

/* indent: "    " as docker inspect prints, NULL for one line without spaces. */
void json_writer_init(struct json_writer *w, struct buf *out, const char *indent);

/* key is NULL inside an array and for the document itself. Each begin needs its json_end(). */
void json_begin_object(struct json_writer *w, const char *key);
void json_begin_array(struct json_writer *w, const char *key);
void json_end(struct json_writer *w);

/* Strings: bytes that are not UTF-8 become U+FFFD, as Go writes them. NULL writes null. */
void json_add_string(struct json_writer *w, const char *key, const char *s);
void json_add_bytes(struct json_writer *w, const char *key, const char *s, size_t n);
void json_add_bool(struct json_writer *w, const char *key, bool v);
void json_add_i64(struct json_writer *w, const char *key, int64_t v);
void json_add_u64(struct json_writer *w, const char *key, uint64_t v);
void json_add_double(struct json_writer *w, const char *key, double v);
void json_add_null(struct json_writer *w, const char *key);
/* strings: n of them; [] for none. */
void json_add_strings(struct json_writer *w, const char *key, const char *const *strings, size_t n);
/* A value that was read, with its members. */
void json_add_value(struct json_writer *w, const char *key, const struct json *v);
