/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Command line options from a table: one row gives the parser, the help text, the man page and the
 * shell completion. Words as in docker and runc: --name value, --name=value, -n value, -nvalue, -it
 * for -i -t, --flag=false, "--" ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct buf;

enum option_type {
	OPTION_BOOL,   /* bool; --x, --x=false */
	OPTION_STRING, /* const char *: points into argv; the last one wins */
	OPTION_LIST,   /* char **: a strv; every use appends. parse(), if given, checks the value */
	OPTION_INT,    /* int */
	OPTION_CALL,   /* parse() is called with the value (for flags: "true") */
};

struct option {
	const char *name; /* long name without dashes */
	char short_name;  /* or 0 */
	enum option_type type;
	bool hidden;	  /* accepted, not in the help */
	bool is_flag;	  /* OPTION_CALL without an argument */
	size_t offset;	  /* of the field in the target struct */
	const char *arg;  /* kind of value in the help: "string", "list", "bytes"; NULL for flags */
	const char *help; /* one line */
	int (*parse)(void *target, const struct option *o, const char *value, struct error *err);
};

#define OPTION_FIELD(type_, field) .offset = offsetof(struct type_, field)

enum option_flag {
	OPTION_STOP_AT_POSITIONAL =
		1 << 0, /* docker run: what follows the image belongs to the container */
};

/*
 * Parse argv[1..argc) into target. Positional words are moved together to the end of argv, their
 *order kept; *ret_first is the index of the first one (argc if none). Errors   ERROR_INVALID with
 *docker's words: "unknown flag: --x", "unknown shorthand flag: 'x' in -xy", "flag needs an
 *argument: --x"
 */
int option_parse(const struct option *table, size_t n, void *target, int argc, char **argv,
		 unsigned flags, int *ret_first, struct error *err);

/* Frees the vectors of all OPTION_LIST rows in target; the fields are NULL afterwards. */
void option_free_lists(const struct option *table, size_t n, void *target);

/* "  -d, --detach            Run in background" lines, sorted by name. */
void option_help(const struct option *table, size_t n, struct buf *out);
