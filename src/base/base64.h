/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* RFC 4648 base64 with padding, strict: no line breaks, nothing behind. */

#include <stddef.h>
#include <stdint.h>

/* Heap string. */
char *base64_format(const void *data, size_t n);

/* Heap bytes, a NUL behind them. 0, -EINVAL, or -ENOMEM (the length comes from outside). */
int base64_parse(const char *text, void **ret_data, size_t *ret_len);
