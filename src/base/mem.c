/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void NORETURN COLD out_of_memory(void)
{
	static const char text[] = "berth: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* nothing left to do if this fails */
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *xmemdup(const void *src, size_t n)
{
	void *p = xmalloc(n);

	return memcpy(p, src, n);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return p;
}

void *mem_try_alloc(size_t n, size_t size)
{
	return calloc(n ? n : 1, size ? size : 1);
}

void *array_grow(void *array, size_t used, size_t *capacity, size_t item_size)
{
	size_t wanted;

	if (used < *capacity)
		return array;
	wanted = *capacity ? *capacity * 2 : 8;
	if (wanted > SIZE_MAX / item_size)
		out_of_memory();
	array = xrealloc(array, wanted * item_size);
	*capacity = wanted;
	return array;
}

/* An arena is a chain of blocks, the newest first; what does not fit in a block gets one of its
 * own. */
#define ARENA_BLOCK_BYTES 4000

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	char data[] __attribute__((aligned(16)));
};

struct arena {
	struct arena_block *blocks;
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

struct arena *arena_free(struct arena *a)
{
	struct arena_block *b;

	if (!a)
		return NULL;
	while ((b = a->blocks)) {
		a->blocks = b->next;
		free(b);
	}
	free(a);
	return NULL;
}

static struct arena_block *arena_block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory();
	b = xcalloc(1, sizeof(*b) + size);
	b->size = size;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	void *p;

	if (size > SIZE_MAX - 15)
		out_of_memory();
	size = (size + 15) & ~(size_t)15;
	if (!b || b->size - b->used < size) {
		struct arena_block *fresh = arena_block_new(MAX(size, (size_t)ARENA_BLOCK_BYTES));

		if (b && size > ARENA_BLOCK_BYTES) { /* keep filling the current block */
			fresh->next = b->next;
			b->next = fresh;
		} else {
			fresh->next = b;
			a->blocks = fresh;
		}
		b = fresh;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, again); /* measured above */
	va_end(again);
	return p;
}
