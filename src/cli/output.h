/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows of objects on stdout as docker's --format wants them: a table, JSON lines, or a template for
 * each. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct buf;

struct output_column {
	const char *field;  /* in the rows */
	const char *header; /* "CONTAINER ID" */
};

struct output {
	const char *format;	   /* --format, or NULL: the table */
	const char *default_table; /* "table {{.ID}}\t{{.Names}}" */
	const struct output_column *columns;
	size_t n_columns;
	bool no_header;	   /* of a table */
	const char *zeros; /* JSON, or NULL: template_execute_typed() */
};

/*
 * Print rows.
 *
 * rows     JSON text of an array of objects
 * Errors   ERROR_INVALID: the template is wrong or names a field that is not there
 */
int output_rows(const struct output *o, const struct buf *rows, struct error *err);

/* Print one document by a template, a line; format NULL: the document indented. */
int output_document(const char *format, const struct buf *document, struct error *err);
