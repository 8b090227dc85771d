/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a writer has in work: a directory tmp/<random> with a lock file that its owner holds for its
 * life. Whoever can take the lock knows that the owner is dead, and removes the directory. Blobs
 * and layers lie in it under their digests once they are complete; publishing renames them.
 * docs/formats/image-store.md, "Order of writing".
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"
#include "base/fd.h"

struct image_store;

struct store_work {
	struct image_store *store;
	int fd;	     /* the directory */
	int lock_fd; /* of its lock file */
	char name[24];
	bool hurry; /* its owner wants to end: what is large may be deleted later */
};
#define STORE_WORK_NONE ((struct store_work){ .fd = -EBADF, .lock_fd = -EBADF })

/* Makes the store's directories and one of our own; clears away what dead owners left. */
int store_work_begin(struct image_store *store, struct store_work *ret, struct error *err);
/* Removes the directory with everything that was not published. */
void store_work_end(struct store_work *work);
#define cleanup_work __attribute__((cleanup(store_work_end)))

/*
 * Needs the store's lock. Removes documents that dead writers did not get to rename. If there are
 * directories of dead owners: collects what these had published
 * without a name, or had not got to, then moves the directories to the trash. In this order, so that
 * whoever is killed meanwhile leaves it all to the next.
 */
int store_clear_dead(struct image_store *store, struct error *err);

/* Names in the work directory of what is complete: "blob-<hex>", "layer-<hex>". */
struct work_name {
	char s[72];
};
struct work_name work_blob(const struct digest *id);
struct work_name work_layer(const struct digest *diff_id);
bool work_has(const struct store_work *work, struct work_name name);

/* A document that shall be published, under its digest. */
int work_put_blob(struct store_work *work, const void *data, size_t n, struct digest *ret_id,
		  struct error *err);

/*
 * Marks all that is complete as not yet on the disk (pending.h). Needs the store's lock. On the disk
 * when this returns.
 */
int work_mark(struct store_work *work, struct error *err);

/*
 * Renames all that is complete into the store. Needs the store's lock, and that the file system was
 * flushed since, or work_mark().
 */
int work_publish(struct store_work *work, struct error *err);
