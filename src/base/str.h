/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tests, cuts and strict numbers on C strings; NULL-terminated vectors of them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/error.h"

static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_empty(const char *s)
{
	return !s || !*s;
}

/* The rest of s behind prefix, or NULL if s does not start with it. */
const char *str_after(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Whole-string numbers: no sign unless signed, no spaces, no garbage behind. 0, -EINVAL or -ERANGE;
 * no error text. */
int str_to_u64(const char *s, uint64_t *ret);
int str_to_i64(const char *s, int64_t *ret);
int str_to_u32(const char *s, uint32_t *ret);
int str_to_int(const char *s, int *ret);
int str_to_octal(const char *s, unsigned *ret);
/* true/1/t/yes/on and their opposites, any case. */
int str_to_bool(const char *s, bool *ret);

/* Index of s in a table of strings, or -1. */
int str_index(const char *const *table, size_t n, const char *s);

/* Vectors: NULL-terminated, heap, every string heap. NULL is the empty vector. */
typedef char *const *strv_const;
size_t strv_len(char *const *v);
#if defined(__clang_analyzer__) && !defined(STR_IMPLEMENTATION)
#define strv_len(v) ((v) ? strv_len(v) : 0) /* what it cannot see from here */
#endif
char **strv_free(char **v);
char **strv_copy(char *const *v);
/* Appends a copy of s; takes and returns the vector. */
char **strv_push(char **v, const char *s);
/* Appends s itself. */
char **strv_push_owned(char **v, char *s);
/* Splits at any character of seps; empty pieces are kept only if keep_empty. */
char **strv_split(const char *s, const char *seps, bool keep_empty);
char *strv_join(char *const *v, const char *sep);
bool strv_has(char *const *v, const char *s);
DEFINE_CLEANUP(char **, strv_free)
