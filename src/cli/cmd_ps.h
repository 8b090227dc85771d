/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ps, container ls. */

#include <stdint.h>
#include "cli/command.h"

struct ps_flags {
	bool all, latest, no_trunc, quiet, size;
	int last;
	char **filter;
	const char *format;
};

#define PS_OPTIONS 8
extern const struct option ps_options[PS_OPTIONS];

struct container_info;
struct json_writer;

/* The fields of one row but its size, into an object that is open. now: real time. */
void ps_add_fields(struct json_writer *w, const struct container_info *c, bool no_trunc,
		   int64_t now);

int cmd_ps(struct cli *cli, void *target, int n, char **args, struct error *err);
