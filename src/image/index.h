/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * images/index.json as an array: one entry for each name, and one without a name for an image that
 * has none. What lists and look-ups need is in the entries' annotations, so that they read no more.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"

#define INDEX_MAX_BYTES	   (16 << 20)
#define DOCUMENT_MAX_BYTES (4 << 20) /* a manifest, a config: registries' own limit */

struct index_entry {
	char *name; /* normalised reference, or NULL */
	struct digest manifest_id;
	uint64_t manifest_bytes;
	char *media_type; /* of the manifest */
	struct digest id; /* of the config */
	uint64_t size_bytes;
	int64_t created_ns;
	int64_t tagged_ns;	   /* when the name came to the image; 0: not known */
	struct digest repo_digest; /* what the name's registry answered with: of an index or the
				      manifest; unset: it came from no registry */
};

struct image_index {
	struct index_entry *entries;
	size_t n, capacity;
};

/* No file is an empty index. Entries of other writers, which lack our annotations, are left out. */
int index_load(int root_fd, struct image_index *ret, struct error *err);
int index_save(int root_fd, const struct image_index *index, struct error *err);
void index_done(struct image_index *index);
#define cleanup_index __attribute__((cleanup(index_done)))

/* The entry of a normalised name, or NULL. */
struct index_entry *index_find_name(const struct image_index *index, const char *name);

/*
 * Gives the image of like (its other fields are copied) the name, taking it from the image that has
 * it; that one stays, nameless if it was its last. name NULL: makes sure the image is there at all.
 * The name's tagged_ns becomes now.
 */
void index_put(struct image_index *index, const struct index_entry *like, const char *name);

/* Removes one entry. */
void index_remove(struct image_index *index, struct index_entry *entry);

/* How many entries an image has. */
size_t index_count(const struct image_index *index, const struct digest *id);
