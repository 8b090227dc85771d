/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* save; its row stands in the table of images. */

#include "cli/command.h"

struct save_flags {
	bool compress, uncompressed, multi, quiet;
	const char *output, *format, *platform;
};

#define SAVE_OPTIONS 7
extern const struct option save_options[SAVE_OPTIONS];

int cmd_save(struct cli *cli, void *target, int n, char **args, struct error *err);
