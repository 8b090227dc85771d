/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The file of a log: appended to line by line, rotated at line ends by size. Failed writes are
 * counted and leave no half line behind; they never come back to the writer, because a container
 * must not suffer from a full disk of its log.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct log_file {
	int fd;
	const char *path;   /* borrowed */
	int64_t max_size;   /* bytes before rotation; < 0: no limit */
	unsigned max_files; /* path, path.1, ... path.N-1 */
	char *out;	    /* borrowed buffer of LOG_FILE_BUFFER bytes */
	size_t out_len;
	int64_t size;	  /* of the file, without out */
	int64_t line_end; /* end of the last whole line, counting out */
	int64_t safe_end; /* the same, of what is in the file */
	bool skipping;	  /* the rest of the current line is dropped */
	uint64_t errors;
};

#define LOG_FILE_BUFFER 8192

/* Opens for appending; a last line that was cut by a crash is ended. */
int log_file_open(struct log_file *f, const char *path, int64_t max_size, unsigned max_files,
		  char *out, struct error *err);
/* Flushes. */
void log_file_close(struct log_file *f);

/* A part of a line. */
void log_file_put(struct log_file *f, const void *data, size_t n);
void log_file_puts(struct log_file *f, const char *s);
/* The line is complete, its newline included: rotates if it is time. */
void log_file_end_line(struct log_file *f);
void log_file_flush(struct log_file *f);
