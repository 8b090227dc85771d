/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of blobs at registries: which repositories have one, so that a push can mount it
 * from there instead of sending it, and what a plain layer became when it was compressed for a push,
 * so that the next one need not do it again. Hints: a file that is lost, damaged or wrong costs a
 * transfer and nothing else. images/places.json; docs/formats/image-store.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "codec/inflate.h"

/* So many are remembered; the oldest go. */
#define BLOB_PLACES_MAX	      4096
#define BLOB_PLACES_MAX_BYTES (4 << 20)

/* Held by who writes them. */
#define BLOB_PLACES_LOCK "images/places.lock"

struct blob_place {
	struct digest blob;
	char *repository; /* "docker.io/library/nginx" */
};

/* A plain layer and what it is when compressed. */
struct blob_packed {
	struct digest plain, packed;
	uint64_t packed_bytes;
	enum compression how;
};

struct blob_places {
	struct blob_place *places; /* oldest first */
	size_t n_places, places_capacity;
	struct blob_packed *packed;
	size_t n_packed, packed_capacity;
};

void blob_places_done(struct blob_places *p);
#define cleanup_blob_places __attribute__((cleanup(blob_places_done)))

/* Text, that of the file. What is not understood is left out. */
void blob_places_parse(const char *json, size_t len, struct blob_places *ret);

/* Of a store; empty if there is no file. */
void blob_places_load(int root_fd, struct blob_places *ret);

/* Adds what is known in p; the newer counts. */
void blob_places_add(struct blob_places *p, const struct digest *blob, const char *repository);
void blob_places_add_packed(struct blob_places *p, const struct blob_packed *packed);

/* Adds all of news to the store's file, under a lock of its own. Fails silently: they are hints. */
void blob_places_merge(int root_fd, const struct blob_places *news);

/* Is the blob known to be somewhere at all? */
bool blob_places_knows(const struct blob_places *p, const struct digest *blob);

/* The nth repository of a registry (its path) that has the blob, newest first, other than path; NULL:
 * there are no more. */
const char *blob_places_find(const struct blob_places *p, const struct digest *blob,
			     const char *domain, const char *path, size_t nth);

const struct blob_packed *blob_places_find_packed(const struct blob_places *p,
						  const struct digest *plain, enum compression how);
