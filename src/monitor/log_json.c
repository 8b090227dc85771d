/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's json-file format, byte for byte, because other people's log shippers read it:
 *
 *     {"log":"text\n","stream":"stdout","time":"2026-11-21T22:57:06.123456789Z"}
 *
 * A piece of a long line has no \n. Characters that HTML or JavaScript would take for their own are
 * escaped as Go's encoding/json does.
 */
#include "monitor/log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Length of the valid UTF-8 sequence at p, 0 if there is none. RFC 3629. */
static size_t sequence_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0; /* overlong, surrogate, above U+10FFFF */
	return len;
}

/* U+2028 and U+2029 end a line in JavaScript, but not in JSON. */
static bool is_js_newline(const unsigned char *p)
{
	return p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* One character that cannot be copied as it is. Returns how many bytes of p it took. */
static size_t put_special(struct log_file *file, const unsigned char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char unicode[] = "\\u00xx";
	size_t len;

	switch (*p) {
	case '"':
		log_file_put(file, "\\\"", 2);
		return 1;
	case '\\':
		log_file_put(file, "\\\\", 2);
		return 1;
	case '\n':
		log_file_put(file, "\\n", 2);
		return 1;
	case '\r':
		log_file_put(file, "\\r", 2);
		return 1;
	default:
		break;
	}
	if (*p < 0x80) {
		unicode[4] = hex[*p >> 4];
		unicode[5] = hex[*p & 15];
		log_file_put(file, unicode, 6);
		return 1;
	}
	len = sequence_len(p, n);
	if (len == 0) {
		log_file_put(file, "\\ufffd", 6);
		return 1;
	}
	if (len == 3 && is_js_newline(p))
		log_file_put(file, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
	else
		log_file_put(file, p, len);
	return len;
}

static void put_escaped(struct log_file *file, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t plain = 0;

	while (plain < n) {
		if (is_plain(p[plain])) {
			plain++;
			continue;
		}
		log_file_put(file, p, plain);
		p += plain;
		n -= plain;
		plain = put_special(file, p, n);
		p += plain;
		n -= plain;
		plain = 0;
	}
	log_file_put(file, p, plain);
}

static void json_write(struct log_file *file, const struct log_line *line)
{
	static const char *const tails[LOG_STREAMS] = {
		[LOG_STDOUT] = "\",\"stream\":\"stdout\",\"time\":\"",
		[LOG_STDERR] = "\",\"stream\":\"stderr\",\"time\":\"",
	};

	log_file_puts(file, "{\"log\":\"");
	put_escaped(file, line->text, line->len);
	if (line->ended)
		log_file_put(file, "\\n", 2);
	log_file_puts(file, tails[line->stream]);
	log_file_puts(file, line->time);
	log_file_put(file, "\"}\n", 3);
}

const struct log_driver log_driver_json_file = { "json-file", clock_format_trimmed, json_write };
