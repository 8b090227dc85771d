/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file system in memory: names, attributes, links, but no contents, of which it knows where they
 * lie in an archive. Paths are resolved as openat2(RESOLVE_IN_ROOT) does. One arena holds it; its
 * size is limited.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "base/macro.h"

#define TREE_NAME_MAX 255

struct tree_xattr {
	struct tree_xattr *next;
	const char *name;
	const void *value;
	size_t len;
};

/* Bytes of a file that are in the archive. */
struct tree_piece {
	struct tree_piece *next;
	uint64_t file_at, archive_at, len;
};

struct tree_entry;

/* As small as it can be: there may be a million. */
struct tree_node {
	struct tree_node *next; /* of all nodes ever made; nlink 0: it is gone */
	struct tree_xattr *xattrs;
	uint64_t size;
	union {
		const char *target; /* of a symlink */
		dev_t rdev;	    /* of a device */
		struct {
			struct tree_piece *first, *last;
		} pieces; /* of a file, in order */
		struct {
			struct tree_entry *names; /* see tree_each() */
			struct tree_node *parent; /* of the root: itself */
		} dir;
	};
	int64_t mtime_s;
	uint32_t mtime_ns;
	uint32_t uid, gid;
	uint32_t nlink; /* names; of a directory 1 while it is there */
	union {
		uint32_t n_children;
		uint32_t n_pieces;
	};
	/* For who writes it. */
	uint32_t nid, block;
	uint16_t mode;
	bool end_unknown; /* what stands behind its end was not seen */
	bool scattered;	  /* its pieces cannot be read where they are as one run of blocks */
};

/* A name. */
struct tree_entry {
	struct tree_node *node;		 /* NULL: it was removed */
	struct tree_entry *left, *right; /* of the directory's names, an AA tree */
	uint8_t level;
	uint8_t name_len;
	char name[]; /* with NUL */
};

struct tree;

/*
 * The root is a directory of root's, mode 0755.
 *
 * max_bytes   of memory, roughly
 * large       held from TREE_SMALL_BYTES on, until it is freed; NULL: it is the only one
 */
#define TREE_SMALL_BYTES ((size_t)32 << 20)
struct tree *tree_new(size_t max_bytes, pthread_mutex_t *large);
struct tree *tree_free(struct tree *t);
DEFINE_CLEANUP(struct tree *, tree_free)

struct tree_node *tree_root(struct tree *t);
struct tree_node *tree_first_node(struct tree *t);
/* May one more entry come? Waits for a large one of another thread. false: more than max_bytes are taken, and
 * what it holds is of no use. */
bool tree_may_grow(struct tree *t);
/* Memory of the tree's; counts. */
void *tree_alloc(struct tree *t, size_t size);

struct tree_node *tree_new_node(struct tree *t, mode_t mode);

static inline void tree_set_mtime(struct tree_node *n, const struct timespec *mtime)
{
	n->mtime_s = mtime->tv_sec;
	n->mtime_ns = (uint32_t)mtime->tv_nsec;
}

/* The entry of that name, or NULL. */
struct tree_entry *tree_lookup(const struct tree_node *dir, const char *name);
/* One more name of node; there is none yet. A directory gets its parent. */
void tree_link(struct tree *t, struct tree_node *dir, const char *name, struct tree_node *node);
/* The name and, of a directory, everything below. */
void tree_unlink(struct tree_node *dir, struct tree_entry *entry);
/* The names of a directory, in the order of their bytes. */
void tree_each(const struct tree_node *dir, void (*take)(void *ctx, const struct tree_entry *e),
	       void *ctx);

/*
 * The directory at path, which may lead through symlinks but not out.
 *
 * make      missing ones of path itself are made, mode 0755, with this time; NULL: they are not
 * Returns   0, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG
 */
int tree_open_dir(struct tree *t, const char *path, const struct timespec *make,
		  struct tree_node **ret);

/* Set or replace. */
void tree_set_xattr(struct tree *t, struct tree_node *node, const char *name, const void *value,
		    size_t len);
