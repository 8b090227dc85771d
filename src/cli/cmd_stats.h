/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stats: what containers use, once or as a living table. */

#include "cli/command.h"

struct stats_flags {
	bool all, no_stream, no_trunc;
	const char *format;
};

#define STATS_OPTIONS 4
extern const struct option stats_options[STATS_OPTIONS];

int cmd_stats(struct cli *cli, void *target, int n, char **args, struct error *err);
