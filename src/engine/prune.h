/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What takes room on the disk, and the removal of what nobody uses. */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "engine/engine.h"
#include "image/store.h"
#include "image/usage.h"

/* Blocks on the disk, as du counts them. */
struct engine_usage {
	struct image_usage images;
	struct container_list containers;
	uint64_t *container_bytes; /* of each of these: all that is in its directory */
	uint64_t containers_bytes; /* of all of them, with the database */
};

/* Errors: of the stores. */
int engine_usage_load(struct engine *e, struct engine_usage *ret, struct error *err);
void engine_usage_done(struct engine_usage *u);

/* Of these bytes, what `prune -a` would free of images, and of containers that do not run. */
uint64_t engine_usage_reclaimable_images(const struct engine_usage *u);
uint64_t engine_usage_reclaimable_containers(const struct engine_usage *u);
/* How many containers, running or not, were made from an image. */
size_t engine_usage_image_users(const struct engine_usage *u, const struct digest *id);

struct engine_pruned {
	char **containers;	     /* strv of ids */
	struct image_removal images; /* names and digests, image by image */
	uint64_t freed_bytes;	     /* as du counts them */
};
void engine_pruned_done(struct engine_pruned *p);

/*
 * Remove containers that do not run: those that pass the filters "label=", "label!=", "until=". One
 * that somebody starts meanwhile stays. What is removed is added to *pruned, also if this fails.
 * Errors   ERROR_INVALID for a filter
 */
int engine_prune_containers(struct engine *e, char *const *filter, struct engine_pruned *pruned,
			    struct error *err);

/*
 * Remove images without a name, or all that no container uses. The filters are those of
 * IMAGE_FILTER_PRUNE; "dangling=false" is the same as all.
 */
int engine_prune_images(struct engine *e, bool all, char *const *filter,
			struct engine_pruned *pruned, struct error *err);
