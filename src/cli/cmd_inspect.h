/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The three inspect commands; their rows stand in the tables of their groups. */

#include "cli/command.h"

struct inspect_flags {
	const char *format;
	bool size;
	const char *type, *platform;
};

/* The first two rows are for containers, all for any object. */
#define INSPECT_OPTIONS_CONTAINER 2
#define INSPECT_OPTIONS_ALL	  3
extern const struct option inspect_options[INSPECT_OPTIONS_ALL];
#define INSPECT_OPTIONS_IMAGE 2
extern const struct option inspect_image_options[INSPECT_OPTIONS_IMAGE];

int cmd_inspect(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_inspect_container(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_inspect_image(struct cli *cli, void *target, int n, char **args, struct error *err);
