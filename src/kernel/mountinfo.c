/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

static int octal_digit(char c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && octal_digit(s[1]) >= 0 && octal_digit(s[2]) >= 0 &&
		    octal_digit(s[3]) >= 0) {
			*out++ = (char)(octal_digit(s[1]) << 6 | octal_digit(s[2]) << 3 |
					octal_digit(s[3]));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Cuts the next word off; NULL when there is none. */
static char *word(char **line)
{
	char *s = *line;
	size_t n = strcspn(s, " ");

	if (n == 0)
		return NULL;
	*line = s + n;
	if (**line) {
		**line = '\0';
		(*line)++;
	}
	return s;
}

static int parse_line(char *line, struct mountinfo *m)
{
	char *separator, *numbers[3];

	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < 3; i++) {
		numbers[i] = word(&line);
		if (!numbers[i])
			return 0;
	}
	if (sscanf(numbers[0], "%d", &m->id) != 1 || sscanf(numbers[1], "%d", &m->parent_id) != 1 ||
	    sscanf(numbers[2], "%u:%u", &m->major, &m->minor) != 2)
		return 0;
	m->root = word(&line);
	m->mount_point = word(&line);
	m->options = word(&line);
	if (!m->options)
		return 0;

	/* any number of optional fields, then a lone dash */
	if (strncmp(line, "- ", 2) == 0) {
		m->optional = (char *)""; /* never written to: nothing to unescape in it */
		line += 2;
	} else {
		separator = strstr(line, " - ");
		if (!separator)
			return 0;
		*separator = '\0';
		m->optional = line;
		line = separator + 3;
	}
	m->fs_type = word(&line);
	m->source = word(&line);
	m->super_options = word(&line);
	if (!m->super_options) { /* an empty source leaves two spaces behind the type */
		m->super_options = m->source ? m->source : line;
		m->source = line;
	}
	if (!m->fs_type)
		return 0;
	unescape(m->root);
	unescape(m->mount_point);
	return 1;
}

int mountinfo_next(char **cursor, struct mountinfo *ret)
{
	while (**cursor) {
		char *line = *cursor;
		size_t n = strcspn(line, "\n");

		*cursor = line + n + (line[n] == '\n');
		line[n] = '\0';
		if (parse_line(line, ret))
			return 1;
	}
	return 0;
}

/* A blank in a field is written as \040, so that this can only be the separator. */
static bool has_type(const char *line, const char *type)
{
	const char *separator = strstr(line, " - ");

	return separator && str_after(separator + 3, type);
}

int mountinfo_walk(int fd, const char *type, void (*fn)(void *arg, const struct mountinfo *m),
		   void *arg, struct error *err)
{
	char text[MOUNTINFO_LINE_MAX + 1];
	bool too_long = false;
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, text + have, sizeof(text) - 1 - have)) > 0 ||
	       (n < 0 && errno == EINTR)) {
		char *line = text, *end;

		have += n > 0 ? (size_t)n : 0;
		text[have] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			struct mountinfo m;

			*end = '\0';
			if (!too_long && has_type(line, type) && parse_line(line, &m) &&
			    str_after(m.fs_type, type))
				fn(arg, &m);
			too_long = false;
		}
		have = (size_t)(text + have - line);
		memmove(text, line, have);
		if (have == sizeof(text) - 1) {
			too_long = true;
			have = 0;
		}
	}
	return n < 0 ? error_sys(err, "cannot read mountinfo") : 0;
}
