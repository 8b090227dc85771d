/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The log of a container: bytes of its two streams become lines of a log driver's format
 * (docs/formats/log.md). A driver is a const table in a file of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/error.h"
#include "monitor/log_file.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAMS };

/* Longer lines are written in pieces of at most this size, as docker and the CRI do. */
#define LOG_LINE_MAX 16384

struct log_line {
	enum log_stream stream;
	const char *text; /* without the newline */
	size_t len;
	bool ended; /* a newline followed; otherwise more of this line, or the end of the stream */
	const char *time; /* as format_time() wrote it */
};

struct log_driver {
	const char *name;
	char *(*format_time)(int64_t real_ns, char *buf); /* once for all lines of a read */
	void (*write)(struct log_file *file, const struct log_line *line);
};

extern const struct log_driver log_driver_json_file;
extern const struct log_driver log_driver_k8s_file;

/* What has come of a line whose end has not. */
struct log_rest {
	char *data; /* LOG_LINE_MAX bytes */
	size_t len;
	bool in_pieces;	 /* a piece of this line was written, */
	int64_t time_ns; /* with this time, which all its pieces get */
};

struct container_log {
	const struct log_driver *driver; /* NULL: none */
	struct log_file file;
	struct log_rest rest[LOG_STREAMS];
	char *pages;
	int64_t time_ns; /* the time of time_text */
	char time_text[CLOCK_TEXT_MAX];
};

/*
 * Whether a driver exists and takes these options (strv of NAME=VALUE, or NULL).
 * Errors   ERROR_UNSUPPORTED a driver or option that docker has and berth has not yet;
 *          ERROR_INVALID unknown driver, unknown option, bad value
 */
int container_log_check(const char *driver, char *const *opts, struct error *err);

/* path is borrowed for the life of the log. */
int container_log_open(struct container_log *log, const char *driver, const char *path,
		       char *const *opts, struct error *err);
/* Writes what has no newline, closes. */
void container_log_close(struct container_log *log);

/* n bytes as they came, cut into lines here. Never fails or waits for anybody: container_log_errors(). */
void container_log_write(struct container_log *log, enum log_stream stream, const char *data,
			 size_t n);
/* The streams are at their end: write what has no newline. */
void container_log_finish(struct container_log *log);
/* Give memory back that holds nothing. */
void container_log_trim(struct container_log *log);
/* Writes that failed so far. */
uint64_t container_log_errors(const struct container_log *log);
