/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Documents as tables: one row a field says where it stands in the text and in the struct, and both
 * the reader and the writer walk the rows. So what is read is written, in the order of the rows,
 * and a field is added in one line. The FIELD_* macros refuse a member of another type.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct arena;
struct json;
struct json_writer;
struct oci_table;

/* Words of a document with their numbers, sorted by name. */
struct oci_word {
	const char *name;
	int value;
};

struct oci_words {
	const char *what; /* "capability": in the error */
	const struct oci_word *list;
	size_t n;
};

#define OCI_WORDS(what_, list_)                                         \
	{                                                               \
		.what = what_, .list = (list_), .n = ARRAY_SIZE(list_), \
	}

/* NULL if there is no such word. */
const struct oci_word *oci_words_find(const struct oci_words *words, const char *name);
/* The first word of that value, or NULL. */
const char *oci_words_name(const struct oci_words *words, int value);

enum oci_field_type {
	OCI_FIELD_STRING,
	OCI_FIELD_BOOL,
	OCI_FIELD_U16,
	OCI_FIELD_I32,
	OCI_FIELD_U32,
	OCI_FIELD_I64,
	OCI_FIELD_U64,
	OCI_FIELD_OPT_I64,
	OCI_FIELD_OPT_U64,
	OCI_FIELD_WORD,	   /* a string of .words -> int-sized enum */
	OCI_FIELD_CHAR,	   /* a letter of .words -> char */
	OCI_FIELD_STRINGS, /* array of strings, NULL-terminated */
	OCI_FIELD_KEYS,	   /* {"80/tcp":{}} -> its names as strings */
	OCI_FIELD_U32S,	   /* array of numbers */
	OCI_FIELD_PAIRS,   /* {"name":"value"} */
	OCI_FIELD_OBJECT,  /* .table, inside the same struct */
	OCI_FIELD_POINTER, /* .table, a struct of its own; NULL: absent */
	OCI_FIELD_OBJECTS, /* array of objects of .table */
	OCI_FIELD_NAMED,   /* {"name":{...}}: objects of .table; the name is the member at 0 */
	OCI_FIELD_CUSTOM,  /* .parse and .format */
	OCI_FIELD_TYPE_COUNT,
};

struct oci_field {
	const char *key;
	enum oci_field_type type;
	bool required;	/* a document without it is refused */
	bool always;	/* written even if it is 0, false or empty */
	bool or_string; /* STRINGS: one string will do, as docker reads argument lists */
	uint16_t offset;
	uint16_t n_offset;   /* size_t: members of a list; 0: not kept */
	uint16_t set_offset; /* OBJECT: bool, the section was there; 0: not kept */
	int64_t absent;	     /* numbers and words: what an absent field means; it is not written */
	const struct oci_table *table;
	const struct oci_words *words;
	/* target is the struct, v not null */
	int (*parse)(const struct json *v, struct arena *arena, void *target, struct error *err);
	void (*format)(const struct oci_field *f, const void *target, struct json_writer *w);
};

struct oci_table {
	const struct oci_field *fields;
	size_t n;
	size_t size; /* of the struct: for POINTER, OBJECTS, NAMED */
};

#define OCI_TABLE(fields_, size_)                                               \
	{                                                                       \
		.fields = (fields_), .n = ARRAY_SIZE(fields_), .size = (size_), \
	}

/*
 * Fills target, a zeroed struct, from obj. Unknown members are ignored.
 * Errors   ERROR_INVALID, with the path of the field
 */
int oci_table_parse(const struct oci_table *table, const struct json *obj, struct arena *arena,
		    void *target, struct error *err);
/* The members of one object, without its braces. */
void oci_table_format(const struct oci_table *table, const void *target, struct json_writer *w);

/* A whole document: text -> struct, struct -> text. */
int oci_document_parse(const struct oci_table *table, const char *text, size_t len,
		       struct arena *arena, void *target, struct error *err);

/* The value of a list of pairs; the last of equal keys counts. NULL if there is none. */
struct oci_pair;
const char *oci_pairs_get(const struct oci_pair *pairs, size_t n, const char *key);

/* Rows */

#define OCI_MEMBER(struct_, member_, type_)                                                   \
	(uint16_t)(offsetof(struct struct_, member_) +                                        \
		   0 * sizeof(char[__builtin_types_compatible_p(                              \
					   __typeof__(((struct struct_ *)0)->member_), type_) \
					   ? 1                                                \
					   : -1]))
#define OCI_MEMBER_N(struct_, member_) .n_offset = OCI_MEMBER(struct_, member_, size_t)

#define OCI_ROW(key_, type_, struct_, member_, c_type_) \
	.key = (key_), .type = (type_), .offset = OCI_MEMBER(struct_, member_, c_type_)

#define FIELD_STRING(key, s, m)	 OCI_ROW(key, OCI_FIELD_STRING, s, m, const char *)
#define FIELD_BOOL(key, s, m)	 OCI_ROW(key, OCI_FIELD_BOOL, s, m, bool)
#define FIELD_U16(key, s, m)	 OCI_ROW(key, OCI_FIELD_U16, s, m, uint16_t)
#define FIELD_I32(key, s, m)	 OCI_ROW(key, OCI_FIELD_I32, s, m, int32_t)
#define FIELD_U32(key, s, m)	 OCI_ROW(key, OCI_FIELD_U32, s, m, uint32_t)
#define FIELD_I64(key, s, m)	 OCI_ROW(key, OCI_FIELD_I64, s, m, int64_t)
#define FIELD_U64(key, s, m)	 OCI_ROW(key, OCI_FIELD_U64, s, m, uint64_t)
#define FIELD_OPT_I64(key, s, m) OCI_ROW(key, OCI_FIELD_OPT_I64, s, m, struct opt_i64)
#define FIELD_OPT_U64(key, s, m) OCI_ROW(key, OCI_FIELD_OPT_U64, s, m, struct opt_u64)
#define FIELD_WORD(key, s, m, c_type, words_) \
	OCI_ROW(key, OCI_FIELD_WORD, s, m, c_type), .words = &(words_)
#define FIELD_CHAR(key, s, m, words_) OCI_ROW(key, OCI_FIELD_CHAR, s, m, char), .words = &(words_)
#define FIELD_STRINGS(key, s, m, n) \
	OCI_ROW(key, OCI_FIELD_STRINGS, s, m, const char *const *), OCI_MEMBER_N(s, n)
#define FIELD_KEYS(key, s, m, n) \
	OCI_ROW(key, OCI_FIELD_KEYS, s, m, const char *const *), OCI_MEMBER_N(s, n)
#define FIELD_U32S(key, s, m, n) \
	OCI_ROW(key, OCI_FIELD_U32S, s, m, const uint32_t *), OCI_MEMBER_N(s, n)
#define FIELD_PAIRS(key, s, m, n) \
	OCI_ROW(key, OCI_FIELD_PAIRS, s, m, const struct oci_pair *), OCI_MEMBER_N(s, n)
#define FIELD_OBJECTS(key, s, m, n, item, table_)                   \
	OCI_ROW(key, OCI_FIELD_OBJECTS, s, m, const struct item *), \
		.n_offset = OCI_MEMBER(s, n, size_t), .table = &(table_)
#define FIELD_NAMED(key, s, m, n, item, table_)                   \
	OCI_ROW(key, OCI_FIELD_NAMED, s, m, const struct item *), \
		.n_offset = OCI_MEMBER(s, n, size_t), .table = &(table_)
#define FIELD_POINTER(key, s, m, item, table_) \
	OCI_ROW(key, OCI_FIELD_POINTER, s, m, const struct item *), .table = &(table_)
/* A section whose members are those of the surrounding struct. */
#define FIELD_SECTION(key_, table_) .key = (key_), .type = OCI_FIELD_OBJECT, .table = &(table_)
/* A section that is a struct inside the surrounding one. */
#define FIELD_EMBEDDED(key, s, m, item, table_) \
	OCI_ROW(key, OCI_FIELD_OBJECT, s, m, struct item), .table = &(table_)
#define FIELD_SET(s, m) .set_offset = OCI_MEMBER(s, m, bool)
#define FIELD_CUSTOM(key_, parse_, format_) \
	.key = (key_), .type = OCI_FIELD_CUSTOM, .parse = (parse_), .format = (format_)
