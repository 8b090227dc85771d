/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The metadata of an EROFS image (Documentation/filesystems/erofs.rst): superblock, inodes,
 * directories, extended attributes. Places are reserved first, since a directory holds the numbers of
 * its inodes; then they are filled in the same order, so that a window of it is enough. Contents of
 * files are the caller's: an inode says at which block they begin. Blocks have 512 bytes, so that contents can stay where tar puts them.
 *
 * Feature set: Linux 5.15 and later (chunk-based files), with blocks below a page 6.4.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "base/buf.h"

#define EROFS_BLOCK_BYTES 512
#define EROFS_BLOCKS_MAX  UINT32_MAX
/* Room that the superblock needs at the beginning; nothing else of ours is there. */
#define EROFS_SUPER_OFFSET 1024
#define EROFS_SUPER_BYTES  128
#define EROFS_NAME_MAX	   255
/* Bytes of one entry's encoded attributes. */
#define EROFS_XATTRS_MAX_BYTES (64u << 10)
#define EROFS_NO_BLOCK	       UINT32_MAX /* a chunk that is a hole */
#define EROFS_CHUNK_BITS_MAX   31	  /* a chunk is 512 << bits bytes */

/* Where an inode's content is. */
enum erofs_layout {
	EROFS_FLAT = 0,	  /* at block data, in one piece; empty files and nodes have none */
	EROFS_INLINE = 2, /* the tail, behind the inode */
	EROFS_CHUNKS = 4, /* the tail is a table of blocks, one a chunk; data is the chunk's bits */
};

struct erofs_inode {
	mode_t mode; /* with its type */
	uint32_t uid, gid, nlink;
	uint32_t ino; /* for readers of 32 bits */
	uint64_t size;
	struct timespec mtime;
	dev_t rdev; /* of device nodes */
	enum erofs_layout layout;
	uint32_t data;
	const struct buf *xattrs; /* of erofs_xattr_add(); or NULL */
	const void *tail;
	size_t tail_bytes;
};

/* A place in the metadata is in bytes from its begin. */
struct erofs_meta {
	uint64_t reserved;
	uint8_t *window; /* what is filled in now */
	uint64_t begin;	 /* of the window */
};

void erofs_meta_done(struct erofs_meta *m);

/* May a tail of so many bytes be inline? It must not cross a block. */
bool erofs_fits_inline(size_t xattrs_bytes, size_t tail_bytes);
/* Reserve an inode of this layout with what stands behind it. The first is to be the root. */
uint64_t erofs_reserve_inode(struct erofs_meta *m, enum erofs_layout layout, size_t xattrs_bytes,
			     size_t tail_bytes);
/* Whole blocks. */
uint64_t erofs_reserve_blocks(struct erofs_meta *m, size_t bytes);
/* All is reserved: so much is there now, whole blocks. */
uint64_t erofs_meta_bytes(const struct erofs_meta *m);
/* A window of so many bytes, zero, at the begin; or -ENOMEM. */
int erofs_meta_open(struct erofs_meta *m, size_t bytes);
uint8_t *erofs_meta_at(const struct erofs_meta *m, uint64_t place);
/* What is before place is done with: the window begins there. Nothing behind it was filled. */
void erofs_meta_advance(struct erofs_meta *m, uint64_t place);

/* How directories name an inode. */
static inline uint64_t erofs_nid(uint64_t place)
{
	return place / 32;
}

static inline uint64_t erofs_place(uint64_t nid)
{
	return nid * 32;
}

/* Over the bytes at place, which erofs_meta has already. */
void erofs_put_inode(struct erofs_meta *m, uint64_t place, const struct erofs_inode *inode);

/*
 * One more attribute. body is empty at first.
 * Returns 0; 1: EROFS has no place for it (another namespace, a name or value that is too long)
 */
int erofs_xattr_add(struct buf *body, const char *name, const void *value, size_t len);

/* One name of a directory; "." and ".." are names like others. */
struct erofs_dirent {
	const char *name;
	size_t name_len;
	uint64_t nid;
	mode_t mode; /* its type counts */
};
/* The order of names in a directory, for qsort(). */
int erofs_dirent_compare(const void *a, const void *b);
/* Bytes of a directory with these names, in order. */
size_t erofs_dir_bytes(const struct erofs_dirent *entries, size_t n);
/* out has erofs_dir_bytes(), zero. */
void erofs_dir_format(const struct erofs_dirent *entries, size_t n, uint8_t *out);

struct erofs_super {
	uint64_t root_place;
	uint64_t inodes;
	uint32_t blocks;     /* of the whole image */
	uint32_t meta_block; /* where the metadata begins */
	const uint8_t *uuid; /* 16 bytes */
};
/* out has EROFS_SUPER_BYTES. */
void erofs_super_format(const struct erofs_super *s, uint8_t *out);
