/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Quantities as people write and read them: "512m", "1.5" cpus, "1m30s", "7.629MiB", "3 weeks". */

#include <stddef.h>
#include <stdint.h>

/* Reading: 0, -EINVAL or -ERANGE; no error text, the caller knows the flag. */

/* "512", "512b", "512k", "1.5g", "64MiB": powers of 1024, any case. */
int units_parse_bytes(const char *text, int64_t *ret_bytes);

/* "1.5" -> 1500000000. At most nine decimals, not negative. */
int units_parse_nano(const char *text, int64_t *ret_nano);

/* "10s", "1h30m", "1.5s", "300ms", "0". Units ns us ms s m h, as Go's time.ParseDuration. */
int units_parse_duration(const char *text, int64_t *ret_ns);

/* Writing: into buf of UNITS_TEXT_MAX, returned. */

#define UNITS_TEXT_MAX 48

/* Powers of 1024, four significant digits: "7.629MiB". */
char *units_format_bytes(double bytes, char *buf);

/* Powers of 1000 with the given number of significant digits: "1.45MB" (3: image sizes, stats). */
char *units_format_size(double bytes, int digits, char *buf);

/* "Less than a second", "5 seconds", "About a minute", "3 weeks". */
char *units_format_duration(int64_t ns, char *buf);
