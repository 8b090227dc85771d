/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The three inspect commands; their rows stand in the tables of their groups. */

#include "cli/command.h"

struct inspect_flags {
	const char *format;
	bool size;
	const char *type;
};

/* The first row is for images, two for containers, all for any object. */
#define INSPECT_OPTIONS_IMAGE	  1
#define INSPECT_OPTIONS_CONTAINER 2
#define INSPECT_OPTIONS_ALL	  3
extern const struct option inspect_options[INSPECT_OPTIONS_ALL];

int cmd_inspect(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_inspect_container(struct cli *cli, void *target, int n, char **args, struct error *err);
int cmd_inspect_image(struct cli *cli, void *target, int n, char **args, struct error *err);
