/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which blobs and layers some image of the index still needs. */

#include <stdbool.h>
#include "base/digest.h"
#include "image/index.h"

struct image_store;

struct digest_set {
	struct digest *items;
	size_t n, capacity;
};

struct live_set {
	struct digest_set blobs, layers; /* sorted once complete */
};

/* Reads every image of the index. Fails if one cannot be read: then nothing may be deleted. */
int live_set_load(struct image_store *store, const struct image_index *index, struct live_set *ret,
		  struct error *err);
void live_set_done(struct live_set *live);
#define cleanup_live_set __attribute__((cleanup(live_set_done)))

/* Digests as "sha256:..."; what is none is passed over. */
void digest_set_add(struct digest_set *set, const char *text);
/* To be called before the first question. */
void digest_set_sort(struct digest_set *set);
/* hex: the digits alone, as blobs and layers are named on disk. */
bool digest_set_has(const struct digest_set *set, const char *hex);

/*
 * Moves the blobs and layers that are not in live to the trash. Under the writer's lock. keep: strv of diff ids (hex) that stay, or NULL. *bytes grows by what was freed.
 */
int store_collect(struct image_store *store, const struct live_set *live, char *const *keep,
		  uint64_t *bytes, struct error *err);

/* Under the lock: moves to the trash what no image needs, and documents that were not finished. */
void store_collect_after_crash(struct image_store *store);

/* Documents that writers did not get to rename. Needs the lock. */
void store_remove_temporaries(struct image_store *store);

/* Blobs and layers that are not in live, under the lock. */
struct store_garbage {
	size_t blobs, layers;
	uint64_t bytes;
};
int store_find_garbage(struct image_store *store, const struct live_set *live,
		       struct store_garbage *ret, struct error *err);

/* Moves one file or directory to the trash; path is below the root. Not there is success. */
int store_trash(struct image_store *store, const char *path, struct error *err);

/* Deletes what the trash holds if that takes no time; to be called without the writer's lock. The rest
 * is the engine's to delete in the background. */
void store_sweep_small(struct image_store *store);
