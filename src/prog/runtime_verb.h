/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verbs of berth-runtime as rows: the parser, the help and the man page's synopsis come from
 * them. One table a subject; berth-runtime.c looks them up.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/option.h"
#include "runtime/runtime.h"

struct runtime_globals {
	char **argv;	  /* of the program, as it was given; for sealed_self_ensure() */
	const char *root; /* never NULL */
	bool root_is_default;
	bool debug, help, version;
	const char *log_path, *log_format, *log_level;
	const char *manager_word, *rootless_word, *criu_path;
	bool systemd_cgroup;
	enum runtime_rootless rootless; /* what the words say */
	enum runtime_cgroup_manager cgroup_manager;
};

struct runtime_verb {
	const char *name;
	const char *arguments; /* "<container-id> [signal]" */
	const char *summary;
	const struct option *options;
	size_t n_options;
	size_t target_size; /* of the struct the options fill, zeroed */
	unsigned parse_flags;
	int min_args, max_args; /* max_args < 0: any number */
	int fail_code;		/* exit code of a failure that has no other; 0: 1 */
	/* Exit code >= 0, or < 0 with *err filled. args: NULL-terminated positionals. */
	int (*run)(const struct runtime_globals *g, void *target, char **args, struct error *err);
};

#define VERB_OPTIONS(table, type) \
	.options = (table), .n_options = ARRAY_SIZE(table), .target_size = sizeof(struct type)

struct runtime_verb_table {
	const struct runtime_verb *verbs;
	size_t n;
};

extern const struct runtime_verb_table runtime_verbs_start;   /* create start run exec */
extern const struct runtime_verb_table runtime_verbs_control; /* kill delete pause resume update */
extern const struct runtime_verb_table runtime_verbs_inspect; /* state list ps */
extern const struct runtime_verb_table runtime_verbs_events;  /* events */
extern const struct runtime_verb_table runtime_verbs_checkpoint; /* checkpoint restore */
extern const struct runtime_verb_table runtime_verbs_document;	 /* spec features */
