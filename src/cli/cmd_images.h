/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* images, image ls. */

#include "cli/command.h"

struct images_flags {
	bool all, digests, no_trunc, noheading, quiet, tree;
	char **filter;
	const char *format, *sort;
};

#define IMAGES_OPTIONS 9
extern const struct option images_options[IMAGES_OPTIONS];

struct image_filter;
struct image_row;
struct image_store;
struct image_usage_row;
struct json_writer;

/* One line of the list: an image under one of its names. */
struct images_row {
	const struct image_row *image;
	const char *name;   /* normalised, or NULL */
	const char *digest; /* NULL: "<none>" */
	bool no_trunc;
	const struct image_usage_row *usage; /* NULL: sizes as the image list gives them */
	size_t containers;		     /* with usage */
};
/* As an object with docker's fields, sorted. */
void images_add_row(struct json_writer *w, const struct images_row *row);

/* images --tree. */
int images_print_tree(struct engine *e, struct image_store *store, const struct images_flags *f,
		      const struct image_filter *filter, struct error *err);

int cmd_images(struct cli *cli, void *target, int n, char **args, struct error *err);
