/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* system df; its row stands in the table of system commands. */

#include "cli/command.h"

struct df_flags {
	const char *format;
	bool verbose;
};

#define DF_OPTIONS 2
extern const struct option df_options[DF_OPTIONS];

int cmd_df(struct cli *cli, void *target, int n, char **args, struct error *err);
