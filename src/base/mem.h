/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Memory: the x-functions abort when there is none (small sizes of our own); sizes that come from a
 * file, the network or a user go through mem_try_alloc() after they were checked against a named
 * limit. An arena holds the pieces of one document and frees them together.
 */

#include <stddef.h>
#include "base/macro.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF_FORMAT(1, 2) __attribute__((malloc, returns_nonnull));

/* NULL when there is no memory or n * size overflows. Zeroed. */
void *mem_try_alloc(size_t n, size_t size);

/* Grows an array for one more element: array_grow(&items, n_items, &capacity, sizeof(*items)).
 * Aborts without memory. */
void *array_grow(void *array, size_t used, size_t *capacity, size_t item_size);

struct arena;

struct arena *arena_new(void);
struct arena *arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned to 16; aborts without memory */
char *arena_strdup(struct arena *a, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_FORMAT(2, 3);
DEFINE_CLEANUP(struct arena *, arena_free)
