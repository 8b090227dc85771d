/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading what a log driver wrote (docs/formats/log.md), over its rotated files, while the monitor
 * may be writing. A line that was cut by a crash, or is no line of ours, is passed over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "monitor/log.h"

struct arena;

struct log_entry {
	enum log_stream stream;
	const char *text; /* as the container wrote it, its newline included */
	size_t len;
	int64_t time_ns;
};

struct log_read_options {
	const char *driver; /* json-file, k8s-file */
	int64_t tail;	    /* the last so many lines; -1: all */
	int64_t since_ns;   /* 0: from the beginning; lines of this time and later */
	int64_t until_ns;   /* 0: to the end; lines of this time and earlier */
	bool follow;	    /* wait for more, until until_ns or until */
	int stop_fd;	    /* something can be read here (or it hangs up); -1: for ever */
};

/* Not 0: stop; log_read() returns 0. */
typedef int (*log_entry_fn)(void *arg, const struct log_entry *entry);

/*
 * Call entry for each line in order. A log that is not there has no lines.
 * Errors   ERROR_UNSUPPORTED the driver's logs cannot be read (none)
 */
int log_read(const char *path, const struct log_read_options *options, log_entry_fn entry,
	     void *arg, struct error *err);

/* One line without its newline; the entry's text lies in line or in arena. 0 or -EINVAL. */
int log_parse_json(const char *line, size_t len, struct arena *arena, struct log_entry *ret);
int log_parse_k8s(const char *line, size_t len, struct arena *arena, struct log_entry *ret);
