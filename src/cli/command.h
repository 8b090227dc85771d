/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command of `berth` is one row: name, usage, options, function. The parser, the help, the man
 * page and the shell completion all come from the rows.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/option.h"

struct engine;

/* What every command gets: the global options and the engine, opened when first asked for. */
struct cli {
	const char *root;	    /* --root: images, containers, database; NULL: the default */
	const char *state;	    /* --state: sockets, pid files; NULL: the default */
	const char *storage_driver; /* --storage-driver; NULL: the default */
	bool debug, version, help;
	struct engine *engine;
	const struct command *command; /* the one that runs */
};

/* The engine with its stores. Errors: as engine_open(). */
int cli_engine(struct cli *cli, struct engine **ret_engine, struct error *err);

#define COMMAND_ANY_ARGS (-1)

struct command {
	const char *group; /* "container", "image", "system", or NULL; `berth container ls` */
	const char *name;  /* within the group */
	const char *alias; /* other names within the group, separated by spaces, or NULL */
	const char *top;   /* names without the group, separated by spaces ("ps"), or NULL */
	const char *usage; /* "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
	const char *summary;
	const struct option *options;
	size_t n_options;
	size_t target_size;	    /* of the struct that options fill; 0 without options */
	void (*init)(void *target); /* defaults other than zero, or NULL */
	unsigned parse_flags;
	int min_args, max_args;
	int fail_code; /* exit code of an engine error: 125 for run, create, start's docker meaning;
			  0: 1 */
	/* Exit code >= 0, or < 0 with *err filled. args: NULL-terminated positionals. */
	int (*run)(struct cli *cli, void *target, int n_args, char **args, struct error *err);
};

#define COMMAND_OPTIONS(table, type) \
	.options = (table), .n_options = ARRAY_SIZE(table), .target_size = sizeof(struct type)

/* All commands: one table a subject, NULL-terminated list of tables in command.c. */
struct command_table {
	const struct command *commands;
	size_t n;
};
extern const struct command_table commands_container, commands_container_io, commands_run,
	commands_image, commands_system, commands_push, commands_pull, commands_login,
	commands_search, commands_manifest;

/* Runs `berth argv...`: global options, command, its options. The exit code. */
int command_main(int argc, char **argv);

/* Calls each() for every command, sorted as in the tables. */
void command_each(void (*each)(const struct command *command, void *data), void *data);
