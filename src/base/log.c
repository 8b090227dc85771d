/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"

static struct {
	enum log_level level;
	const char *program;
	bool json;
	int fd; /* the log file, or 0 for none */
} state = { .level = LOG_LEVEL_WARNING };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void log_set_level(enum log_level level)
{
	state.level = level;
}

void log_set_program(const char *name)
{
	state.program = name;
}

void log_set_json(bool json)
{
	state.json = json;
}

bool log_enabled(enum log_level level)
{
	return level <= state.level;
}

int log_open_file(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0)
		return error_sys(err, "cannot open log file '%s'", path);
	state.fd = fd;
	return 0;
}

static void put_json_string(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20)
			buf_printf(b, "\\u%04x", c);
		else
			buf_putc(b, (char)c);
	}
	buf_putc(b, '"');
}

static void put_line(struct buf *line, enum log_level level, const char *text, bool json)
{
	char time[CLOCK_TEXT_MAX];

	clock_format(clock_real_ns(), time);
	if (json) {
		buf_printf(line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
		put_json_string(line, text);
		buf_printf(line, ",\"time\":\"%s\"}\n", time);
		return;
	}
	buf_printf(line, "time=\"%s\" level=%s msg=", time, level_names[level]);
	put_json_string(line, text);
	buf_putc(line, '\n');
}

void log_line(enum log_level level, const char *fmt, ...)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_buf struct buf line = { 0 };
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);

	if (state.fd > 0) {
		put_line(&line, level, buf_str(&text), state.json);
		(void)fd_write_all(state.fd, line.data,
				   line.len); /* a full disk must not stop a container */
		buf_clear(&line);
	}
	if (state.fd > 0 && level != LOG_LEVEL_ERROR)
		return;
	if (state.program)
		buf_printf(&line, "%s: ", state.program);
	if (level != LOG_LEVEL_ERROR)
		buf_printf(&line, "%s: ", level_names[level]);
	buf_printf(&line, "%s\n", buf_str(&text));
	(void)fd_write_all(STDERR_FILENO, line.data, line.len); /* nowhere else to say it */
}

void log_report(const struct error *err)
{
	char text[ERROR_TEXT_MAX];

	log_error("%s", error_text(err, text, sizeof(text)));
}
