/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The removal of what nobody uses; the rows stand in the tables of their groups. */

#include "cli/command.h"

struct prune_flags {
	bool force;
	char **filter;
	bool all, external, volumes;
};

/* The first rows are for containers, two more for images, all for the system. */
#define PRUNE_OPTIONS_CONTAINER 2
#define PRUNE_OPTIONS_IMAGE	4
#define PRUNE_OPTIONS_SYSTEM	5
extern const struct option prune_options[PRUNE_OPTIONS_SYSTEM];

int cmd_prune_containers(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_prune_images(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_prune_system(struct cli *cli, void *target, int n, char **args, struct error *err);
