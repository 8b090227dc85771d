/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bytes as lower-case hexadecimal text. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out holds 2 * n + 1 bytes. Returns out. */
char *hex_format(const void *data, size_t n, char *out);

/* Are the first n bytes of s all lower-case hexadecimal digits? */
bool hex_is_lower(const char *s, size_t n);
