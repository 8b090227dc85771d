/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file system in memory: names, attributes, links, but no contents, of which it knows where they
 * lie in an archive. Paths are resolved as openat2(RESOLVE_IN_ROOT) does. One arena holds it; its
 * size is limited.
 */

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

struct tree_node {
	mode_t mode;
	uint32_t uid, gid;
	uint32_t nlink; /* names; of a directory 1 while it is there */
	uint32_t n_children;
	uint32_t n_pieces;
	uint64_t size;
	struct timespec mtime;
	dev_t rdev;
	struct tree_xattr *xattrs;
	union {
		const char *target; /* of a symlink */
		struct {
			struct tree_piece *first, *last;
		} pieces; /* of a file, in order */
		struct {
			struct tree_entry *first;
			struct tree_node *parent; /* of the root: itself */
		} dir;
	};
	bool end_unknown; /* what stands behind its end was not seen */
	bool scattered;	  /* its pieces cannot be read where they are as one run of blocks */
	/* For who writes it. */
	uint64_t place;
	uint32_t ino, block;
	struct tree_node *next; /* of all nodes ever made; nlink 0: it is gone */
};

/* A name. */
struct tree_entry {
	struct tree_node *node, *dir;
	struct tree_entry *prev, *next; /* in dir */
	size_t name_len;
	char name[]; /* with NUL */
};

struct tree;

/* max_bytes: of memory, roughly. The root is a directory of root's, mode 0755. */
struct tree *tree_new(size_t max_bytes);
struct tree *tree_free(struct tree *t);
DEFINE_CLEANUP(struct tree *, tree_free)

struct tree_node *tree_root(struct tree *t);
struct tree_node *tree_first_node(struct tree *t);
/* It has taken more than max_bytes: what it holds now is of no use. */
bool tree_is_full(const struct tree *t);
/* Memory of the tree's; counts. */
void *tree_alloc(struct tree *t, size_t size);

struct tree_node *tree_new_node(struct tree *t, mode_t mode);

/* The entry of that name, or NULL. */
struct tree_entry *tree_lookup(struct tree *t, struct tree_node *dir, const char *name);
/* One more name of node; there is none yet. A directory gets its parent. */
void tree_link(struct tree *t, struct tree_node *dir, const char *name, struct tree_node *node);
/* The name and, of a directory, everything below. */
void tree_unlink(struct tree *t, struct tree_entry *entry);

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
