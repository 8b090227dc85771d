/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ps, container ls. */

#include "cli/command.h"

struct ps_flags {
	bool all, latest, no_trunc, quiet, size;
	int last;
	char **filter;
	const char *format;
};

#define PS_OPTIONS 8
extern const struct option ps_options[PS_OPTIONS];

int cmd_ps(struct cli *cli, void *target, int n, char **args, struct error *err);
