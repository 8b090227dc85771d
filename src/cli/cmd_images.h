/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* images, image ls. */

#include "cli/command.h"

struct images_flags {
	bool all, digests, no_trunc, quiet;
	char **filter;
	const char *format;
};

#define IMAGES_OPTIONS 6
extern const struct option images_options[IMAGES_OPTIONS];

int cmd_images(struct cli *cli, void *target, int n, char **args, struct error *err);
