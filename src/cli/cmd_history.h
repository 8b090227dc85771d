/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The two commands on the layers of one image; their rows stand in the table of images. */

#include "cli/command.h"

struct history_flags {
	const char *format, *platform;
	bool human, no_trunc, quiet;
};

#define HISTORY_OPTIONS 5
extern const struct option history_options[HISTORY_OPTIONS];

void history_init(void *target);
int cmd_history(struct cli *cli, void *target, int n, char **args, struct error *err);

struct tree_flags {
	bool what_requires;
};

#define TREE_OPTIONS 1
extern const struct option tree_options[TREE_OPTIONS];

int cmd_image_tree(struct cli *cli, void *target, int n, char **args, struct error *err);
