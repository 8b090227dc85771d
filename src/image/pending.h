/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Large loads and pulls publish before the disk has what they wrote. Until it has, a mark,
 * images/pending.json, names those blobs and layers, and the boot in which they are whole: in the
 * page cache. A mark of another boot means that the machine stopped meanwhile, and that nothing it
 * names is to be believed. docs/formats/image-store.md, "pending.json".
 */

#include <stdbool.h>
#include "base/error.h"
#include "base/str.h"

struct image_store;

#define PENDING_PATH "images/pending.json"

enum pending_state {
	PENDING_NONE,
	PENDING_CACHED, /* of this boot: whole, if not on the disk */
	PENDING_LOST,	/* of another boot */
	PENDING_FAILED, /* the disk did not take it: what the cache has may not be what the disk has */
};

struct pending {
	enum pending_state state;
	char boot[40];
	char **blobs, **layers; /* strv of digests */
};

/* A mark that cannot be read is PENDING_LOST, and names nothing. */
int pending_load(int root_fd, struct pending *ret, struct error *err);
void pending_done(struct pending *p);
#define cleanup_pending __attribute__((cleanup(pending_done)))

/*
 * Needs the store's lock. Adds names to the mark; it is on the disk when this returns.
 * Errors   ERROR_UNSUPPORTED: this machine does not tell its boots apart
 */
int pending_add(int root_fd, char *const *blobs, char *const *layers, struct error *err);

/* Needs the store's lock: everything it names has been looked at. */
int pending_remove(int root_fd, struct error *err);
