/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Bytes of the first n characters of UTF-8 text. */
static size_t bytes_of(const char *s, size_t n)
{
	size_t i = 0;

	while (s[i] && (n > 0 || ((unsigned char)s[i] & 0xc0) == 0x80)) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			n--;
		i++;
	}
	return i;
}

char *text_ellipsis(const char *s, size_t width)
{
	if (!s[bytes_of(s, width)])
		return xstrdup(s);
	return xasprintf("%.*s…", (int)bytes_of(s, width - 1), s);
}

char *text_quote(const char *s)
{
	struct buf out = { 0 };

	buf_putc(&out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(&out, "\\%c", *s);
		else if (*s == '\n')
			buf_puts(&out, "\\n");
		else if (*s == '\t')
			buf_puts(&out, "\\t");
		else if ((unsigned char)*s < 0x20)
			buf_printf(&out, "\\x%02x", (unsigned char)*s);
		else
			buf_putc(&out, *s);
	}
	buf_putc(&out, '"');
	return buf_take(&out);
}

char *text_time(int64_t real_ns, char *buf)
{
	time_t seconds = real_ns / NS_PER_SECOND;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(buf, TEXT_TIME_MAX, "%Y-%m-%d %H:%M:%S %z %Z", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

int text_parse_time(const char *s, int64_t *ret_ns, struct error *err)
{
	if (clock_parse_bound(s, clock_real_ns(), ret_ns) == 0)
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "invalid time '%s': not a time, a number of seconds or a duration", s);
}
