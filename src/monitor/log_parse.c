/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "monitor/log_read.h"

static int stream_from(const char *name, size_t len, enum log_stream *ret)
{
	if (len != strlen("stdout"))
		return -EINVAL;
	if (strncmp(name, "stdout", len) == 0)
		*ret = LOG_STDOUT;
	else if (strncmp(name, "stderr", len) == 0)
		*ret = LOG_STDERR;
	else
		return -EINVAL;
	return 0;
}

int log_parse_json(const char *line, size_t len, struct arena *arena, struct log_entry *ret)
{
	const struct json *doc, *log;
	const char *stream = NULL, *time = NULL;
	struct error ignored;

	if (json_parse(line, len, arena, &doc, &ignored) < 0)
		return -EINVAL;
	log = json_get(doc, "log");
	if (!log || log->type != JSON_STRING ||
	    json_get_string(doc, "stream", &stream, &ignored) < 0 || !stream ||
	    json_get_string(doc, "time", &time, &ignored) < 0 || !time)
		return -EINVAL;
	if (stream_from(stream, strlen(stream), &ret->stream) < 0 ||
	    clock_parse(time, &ret->time_ns) < 0)
		return -EINVAL;
	ret->text = log->text; /* may have NUL characters in it: containers print what they like */
	ret->len = log->n;
	return 0;
}

int log_parse_k8s(const char *line, size_t len, struct arena *arena, struct log_entry *ret)
{
	const char *end = line + len, *p;
	char time[CLOCK_TEXT_MAX];
	char *text;
	bool ended;

	p = memchr(line, ' ', len);
	if (!p || (size_t)(p - line) >= sizeof(time))
		return -EINVAL;
	memcpy(time, line, (size_t)(p - line));
	time[p - line] = '\0';
	if (end - p < (ptrdiff_t)strlen(" stdout F ") || p[7] != ' ' || p[9] != ' ')
		return -EINVAL;
	if (clock_parse(time, &ret->time_ns) < 0 || stream_from(p + 1, 6, &ret->stream) < 0)
		return -EINVAL;
	ended = p[8] == 'F';
	if (!ended && p[8] != 'P')
		return -EINVAL;
	p += strlen(" stdout F ");

	text = arena_alloc(arena, (size_t)(end - p) + 1);
	memcpy(text, p, (size_t)(end - p));
	text[end - p] = '\n';
	ret->text = text;
	ret->len = (size_t)(end - p) + ended;
	return 0;
}
