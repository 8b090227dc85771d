/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <endian.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sock.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log"

/* Brings one line to where state.fd leads. */
typedef void (*log_put)(struct buf *line, enum log_level level, const char *text);

static struct {
	enum log_level level;
	const char *program;
	bool json;
	int fd; /* the log file or socket, or 0 for none */
	log_put put;
	const char *identifier; /* in the system's log */
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

static void put_to_file(struct buf *line, enum log_level level, const char *text)
{
	put_line(line, level, text, state.json);
}

static int system_priority(enum log_level level)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

	return priorities[level];
}

/* The journal's native protocol; MESSAGE in the form that may hold newlines. */
static void put_to_journal(struct buf *line, enum log_level level, const char *text)
{
	uint64_t len = htole64(strlen(text));

	buf_printf(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE\n", system_priority(level),
		   state.identifier);
	buf_add(line, &len, sizeof(len));
	buf_printf(line, "%s\n", text);
}

static void put_to_syslog(struct buf *line, enum log_level level, const char *text)
{
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		(void)strftime(stamp, sizeof(stamp), "%b %e %T ", &tm); /* fits */
	buf_printf(line, "<%d>%s%s[%d]: %s", LOG_DAEMON | system_priority(level), stamp,
		   state.identifier, (int)getpid(), text);
}

int log_open_file(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0)
		return error_sys(err, "cannot open log file '%s'", path);
	state.fd = fd;
	state.put = put_to_file;
	return 0;
}

static int open_socket(const char *path, const char *identifier, log_put put, struct error *err)
{
	int fd;
	int r = sock_connect(path, SOCK_DGRAM, &fd, err);

	if (r < 0)
		return r;
	state.fd = fd;
	state.put = put;
	state.identifier = identifier;
	return 0;
}

int log_open_journal(const char *identifier, struct error *err)
{
	int r = open_socket(JOURNAL_SOCKET, identifier, put_to_journal, err);

	return r < 0 ? error_prefix(err, r, "no journal to log to") : 0;
}

int log_open_syslog(const char *identifier, struct error *err)
{
	int r = open_socket(SYSLOG_SOCKET, identifier, put_to_syslog, err);

	return r < 0 ? error_prefix(err, r, "no syslog to log to") : 0;
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
		state.put(&line, level, buf_str(&text));
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
