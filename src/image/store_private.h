/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of image/ share about the store; others see store.h. */

#include "base/digest.h"
#include "base/error.h"
#include "base/lock.h"
#include "image/index.h"
#include "image/store.h"

#define BLOBS_DIR  "images/blobs/sha256"
#define PARTS_DIR  "images/parts" /* blobs on their way: part.h */
#define LAYERS_DIR "layers"
#define TMP_DIR	   "tmp" /* what writers have in work: work.h */
#define TRASH_DIR  "trash"

struct image_store {
	int root_fd;
	char *root_path;
	bool erofs;	       /* new layers become EROFS images */
	bool pending;	       /* a mark of this boot was seen, or written by us */
	struct lock_wait wait; /* for its lock */
};

/* A path below the root: "images/blobs/sha256/…" */
struct store_path {
	char s[128];
};
struct store_path blob_path(const struct digest *id);
/* "layers/<hex>" */
struct store_path layer_path(const struct digest *diff_id);

/* Makes the directories that are missing. */
int store_make_dirs(struct image_store *store, struct error *err);

/*
 * Become the one who changes what the store holds, waiting for another: to publish what is complete
 * (work.h) or to remove. Nothing is read, unpacked or deleted under it. Makes the directories that
 * are missing, and clears away what dead writers left. Closing ret_lock ends it.
 */
int store_lock(struct image_store *store, int *ret_lock, struct error *err);

/* The same lock and nothing else; -ENOENT if the store is not there any more. */
int store_lock_only(struct image_store *store, int *ret_lock, struct error *err);

/* A small blob (manifest, config) as a heap string. ERROR_INVALID if it is not what its digest says. */
int blob_read(struct image_store *store, const struct digest *id, char **ret, size_t *ret_len,
	      struct error *err);

/*
 * Is the blob there, as far as one look at it tells: a file of so many bytes that nobody has found to
 * be damaged.
 */
#define BLOB_ANY_SIZE UINT64_MAX
bool blob_exists(struct image_store *store, const struct digest *id, uint64_t bytes);

/* fd is a blob whose bytes were read, and were those of its digest or not: for blob_exists(). */
void blob_mark(int fd, bool damaged);

/*
 * The index entry TEXT means: a name, an id, a prefix of one. ret_by_name may be NULL.
 * Errors as image_lookup().
 */
int store_find(const struct image_index *index, const char *text, struct index_entry **ret,
	       bool *ret_by_name, struct error *err);

/* overlayfs' own limit of lower directories (OVL_MAX_STACK); docker takes 125 layers. */
#define IMAGE_LAYERS_MAX 500
/* Can a container have so many layers, the same ones counted once? ERROR_UNSUPPORTED: no. */
int image_check_layers(const char *const *diff_ids, size_t n, struct error *err);

/* The image of an entry, read and parsed. */
int image_read(struct image_store *store, const struct image_index *index,
	       const struct index_entry *entry, struct image **ret, struct error *err);
