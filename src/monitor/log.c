/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/pages.h"
#include "base/str.h"
#include "base/units.h"

#define PAGES_SIZE (LOG_STREAMS * LOG_LINE_MAX + LOG_FILE_BUFFER)

/* docker keeps one file without a limit, and full disks; these are what its manual advises */
#define MAX_SIZE_DEFAULT  (10 * INT64_C(1048576))
#define MAX_FILES_DEFAULT 3
#define MAX_FILES_LIMIT	  1000

/* docker's and podman's drivers; those without a table here are known, but not there yet. */
static const struct {
	const char *name;
	const struct log_driver *driver;
	bool none;
} drivers[] = {
	{ "awslogs" },
	{ "fluentd" },
	{ "gcplogs" },
	{ "gelf" },
	{ "journald" },
	{ "json-file", &log_driver_json_file },
	{ "k8s-file", &log_driver_k8s_file },
	{ "local" },
	{ "none", .none = true },
	{ "passthrough" },
	{ "splunk" },
	{ "syslog" },
};

static int find_driver(const char *name, const struct log_driver **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (!str_eq(drivers[i].name, name))
			continue;
		if (!drivers[i].driver && !drivers[i].none)
			break;
		*ret = drivers[i].driver;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (str_eq(drivers[i].name, name))
			return error_kind(
				err, ERROR_UNSUPPORTED,
				"not supported yet: log driver '%s'; use json-file, k8s-file or none",
				name);
	}
	return error_kind(err, ERROR_INVALID, "unknown log driver '%s'", name);
}

struct log_settings {
	int64_t max_size;
	unsigned max_files;
};

static int set_max_size(struct log_settings *s, const char *value, struct error *err)
{
	int64_t bytes;

	if (str_eq(value, "-1")) {
		s->max_size = -1;
		return 0;
	}
	if (units_parse_bytes(value, &bytes) < 0 || bytes <= 0)
		return error_kind(err, ERROR_INVALID, "invalid value '%s' for log opt 'max-size'",
				  value);
	s->max_size = bytes;
	return 0;
}

static int set_max_file(struct log_settings *s, const char *value, struct error *err)
{
	uint32_t n;

	if (str_to_u32(value, &n) < 0 || n < 1 || n > MAX_FILES_LIMIT)
		return error_kind(err, ERROR_INVALID, "invalid value '%s' for log opt 'max-file'",
				  value);
	s->max_files = n;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct log_settings *s, const char *value, struct error *err);
} settings[] = {
	{ "compress" },
	{ "env" },
	{ "env-regex" },
	{ "labels" },
	{ "labels-regex" },
	{ "max-buffer-size" },
	{ "max-file", set_max_file },
	{ "max-size", set_max_size },
	{ "mode" },
	{ "tag" },
};

static int parse_option(struct log_settings *s, const char *driver, const char *opt,
			struct error *err)
{
	size_t name_len = strcspn(opt, "=");

	if (!opt[name_len])
		return error_kind(err, ERROR_INVALID, "invalid log opt '%s': no '='", opt);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strlen(settings[i].name) != name_len ||
		    strncmp(settings[i].name, opt, name_len) != 0)
			continue;
		if (!settings[i].set)
			return error_kind(err, ERROR_UNSUPPORTED, "not supported yet: log opt '%s'",
					  settings[i].name);
		return settings[i].set(s, opt + name_len + 1, err);
	}
	return error_kind(err, ERROR_INVALID, "unknown log opt '%.*s' for %s log driver",
			  (int)name_len, opt, driver);
}

static int parse_options(const char *driver_name, char *const *opts,
			 const struct log_driver **ret_driver, struct log_settings *s,
			 struct error *err)
{
	int r = find_driver(driver_name, ret_driver, err);

	s->max_size = MAX_SIZE_DEFAULT;
	s->max_files = MAX_FILES_DEFAULT;
	for (; r == 0 && opts && *opts; opts++)
		r = parse_option(s, driver_name, *opts, err);
	return r;
}

int container_log_check(const char *driver, char *const *opts, struct error *err)
{
	const struct log_driver *found;
	struct log_settings s;

	return parse_options(driver, opts, &found, &s, err);
}

int container_log_open(struct container_log *log, const char *driver, const char *path,
		       char *const *opts, struct error *err)
{
	struct log_settings s;
	int r;

	memset(log, 0, sizeof(*log));
	log->file.fd = -EBADF;
	r = parse_options(driver, opts, &log->driver, &s, err);
	if (r < 0 || !log->driver)
		return r;
	if (!path)
		return error_kind(err, ERROR_INVALID, "log driver '%s' needs a path", driver);
	log->pages = pages_new(PAGES_SIZE);
	for (int i = 0; i < LOG_STREAMS; i++)
		log->rest[i].data = log->pages + (size_t)i * LOG_LINE_MAX;
	return log_file_open(&log->file, path, s.max_size, s.max_files,
			     log->pages + LOG_STREAMS * LOG_LINE_MAX, err);
}

void container_log_close(struct container_log *log)
{
	if (!log->pages)
		return;
	container_log_finish(log);
	log_file_close(&log->file);
	pages_free(log->pages, PAGES_SIZE);
	log->pages = NULL;
	log->driver = NULL;
}

static void emit(struct container_log *log, enum log_stream stream, const char *text, size_t len,
		 bool ended, int64_t now)
{
	struct log_rest *rest = &log->rest[stream];
	struct log_line line = {
		.stream = stream, .text = text, .len = len, .ended = ended, .time = log->time_text
	};

	if (!rest->in_pieces)
		rest->time_ns = now;
	if (log->time_ns != rest->time_ns) {
		log->time_ns = rest->time_ns;
		log->driver->format_time(log->time_ns, log->time_text);
	}
	log->driver->write(&log->file, &line);
	log_file_end_line(&log->file);
	rest->in_pieces = !ended;
}

/* Bytes at the end of text that begin a UTF-8 sequence which does not end there: 0 to 3. */
static size_t cut_sequence(const char *text, size_t len)
{
	for (size_t back = 1; back <= MIN(len, 3); back++) {
		unsigned char c = (unsigned char)text[len - back];

		if ((c & 0xc0) == 0x80)
			continue;
		if (c >= 0xf0)
			return back < 4 ? back : 0;
		if (c >= 0xe0)
			return back < 3 ? back : 0;
		return c >= 0xc0 && back < 2 ? back : 0;
	}
	return 0;
}

/* The buffer of a long line is full: write it, but keep a character together that it cuts. */
static void emit_full_rest(struct container_log *log, enum log_stream stream, int64_t now)
{
	struct log_rest *rest = &log->rest[stream];
	size_t keep = cut_sequence(rest->data, rest->len);

	emit(log, stream, rest->data, rest->len - keep, false, now);
	memmove(rest->data, rest->data + rest->len - keep, keep);
	rest->len = keep;
}

static void add_rest(struct container_log *log, enum log_stream stream, const char *data, size_t n,
		     int64_t now)
{
	struct log_rest *rest = &log->rest[stream];

	while (n > 0) {
		size_t fits = MIN(n, LOG_LINE_MAX - rest->len);

		memcpy(rest->data + rest->len, data, fits);
		rest->len += fits;
		data += fits;
		n -= fits;
		if (rest->len == LOG_LINE_MAX)
			emit_full_rest(log, stream, now);
	}
}

void container_log_write(struct container_log *log, enum log_stream stream, const char *data,
			 size_t n)
{
	struct log_rest *rest = &log->rest[stream];
	int64_t now;

	if (!log->driver)
		return;
	now = clock_real_ns();
	while (n > 0) {
		const char *newline = memchr(data, '\n', n);
		size_t len = newline ? (size_t)(newline - data) : n;

		if (newline && rest->len == 0 && len < LOG_LINE_MAX) {
			emit(log, stream, data, len, true, now);
		} else {
			add_rest(log, stream, data, len, now);
			if (newline) {
				emit(log, stream, rest->data, rest->len, true, now);
				rest->len = 0;
			}
		}
		data += len + (newline != NULL);
		n -= len + (newline != NULL);
	}
	log_file_flush(&log->file);
}

void container_log_finish(struct container_log *log)
{
	for (int i = 0; log->driver && i < LOG_STREAMS; i++) {
		if (log->rest[i].len > 0)
			emit(log, (enum log_stream)i, log->rest[i].data, log->rest[i].len, false,
			     clock_real_ns());
		log->rest[i].len = 0;
		log->rest[i].in_pieces = false;
	}
	if (log->driver)
		log_file_flush(&log->file);
}

void container_log_trim(struct container_log *log)
{
	if (!log->pages)
		return;
	for (int i = 0; i < LOG_STREAMS; i++) {
		if (log->rest[i].len == 0)
			pages_forget(log->rest[i].data, LOG_LINE_MAX);
	}
	pages_forget(log->file.out, LOG_FILE_BUFFER); /* always flushed between writes */
}

uint64_t container_log_errors(const struct container_log *log)
{
	return log->file.errors;
}
