/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growable byte string. Zero-initialised is empty; data is NULL or NUL-terminated behind len
 * bytes. Appending aborts without memory, so bound what you append from outside.
 */

#include <stdarg.h>
#include <stddef.h>
#include "base/macro.h"

struct buf {
	char *data;
	size_t len;
	size_t size;
};

void buf_done(struct buf *b);
#define cleanup_buf __attribute__((cleanup(buf_done)))

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_FORMAT(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_FORMAT(2, 0);
/* Cuts the first n bytes off. */
void buf_skip(struct buf *b, size_t n);
void buf_clear(struct buf *b);
/* The bytes as a heap string ("" if empty); the buffer is empty afterwards. */
char *buf_take(struct buf *b);
/* A C string view, never NULL. */
const char *buf_str(const struct buf *b);
