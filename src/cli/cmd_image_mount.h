/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* image mount, image unmount: podman's. Their rows stand in the table of images. */

#include "cli/command.h"

struct mount_image_flags {
	bool all;
	const char *format;
};

#define MOUNT_IMAGE_OPTIONS 2
extern const struct option mount_image_options[MOUNT_IMAGE_OPTIONS];

int cmd_mount_image(struct cli *cli, void *target, int n, char **args, struct error *err);

struct unmount_image_flags {
	bool all, force;
};

#define UNMOUNT_IMAGE_OPTIONS 2
extern const struct option unmount_image_options[UNMOUNT_IMAGE_OPTIONS];

int cmd_unmount_image(struct cli *cli, void *target, int n, char **args, struct error *err);
