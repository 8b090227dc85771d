/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Time: nanoseconds since the epoch or of the monotonic clock, and RFC 3339 text as docker and OCI
 * write it. */

#include <stddef.h>
#include <stdint.h>

int64_t clock_real_ns(void);
int64_t clock_monotonic_ns(void);

/* "2026-11-21T22:57:06.123456789Z" (UTC, nine digits). buf holds CLOCK_TEXT_MAX. Returns buf. */
#define CLOCK_TEXT_MAX 40
char *clock_format(int64_t real_ns, char *buf);
/* The same without the zeros at the end of the fraction, as Go's RFC3339Nano writes log lines. */
char *clock_format_trimmed(int64_t real_ns, char *buf);

/*
 * Reads RFC 3339 with any number of fraction digits and any offset. 0 or -EINVAL, also for what 64
 * bits of nanoseconds cannot hold: before 1677 (Go's zero time is in year 1) and after 2262.
 */
int clock_parse(const char *text, int64_t *ret_ns);

/*
 * A moment as docker's --since, --until and filters word it: RFC 3339, the same without an offset
 * (UTC), a date, seconds since 1970, or a duration back from now_ns ("10m"). 0 or -EINVAL.
 */
int clock_parse_bound(const char *text, int64_t now_ns, int64_t *ret_ns);
