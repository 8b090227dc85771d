/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How docker shows strings and times in its lists. */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* At most width characters, the last an ellipsis if some were cut. Heap. */
char *text_ellipsis(const char *s, size_t width);

/* In double quotes, with backslashes before what would end them and for control characters. Heap.
 */
char *text_quote(const char *s);

/* "2026-11-21 22:57:06 +0000 UTC". Returns buf. */
#define TEXT_TIME_MAX 40
char *text_time(int64_t real_ns, char *buf);

/* --since and --until: RFC 3339, a date, seconds since 1970, or a duration back from now ("10m").
 */
int text_parse_time(const char *s, int64_t *ret_ns, struct error *err);
