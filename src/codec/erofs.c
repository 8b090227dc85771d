/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All numbers are little endian. An inode of 64 bytes ("extended") is followed by its attributes,
 * then by its inline tail or its table of chunks. The number of an inode is its distance from the
 * begin of the metadata in units of 32 bytes.
 */
#include "codec/erofs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

#define SUPER_MAGIC		 0xE0F5E1E2u
#define FEATURE_INCOMPAT_CHUNKED 0x4u

#define INODE_BYTES	   64
#define INODE_ALIGN	   32
#define XATTR_HEADER_BYTES 12
#define XATTR_ENTRY_BYTES  4
#define DIRENT_BYTES	   12
/* Inode number 0 is no file to readdir(3)'s callers: the root is number 2. */
#define META_FIRST_PLACE 64

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

void erofs_meta_done(struct erofs_meta *m)
{
	free(m->window);
	*m = (struct erofs_meta){ 0 };
}

bool erofs_fits_inline(size_t xattrs_bytes, size_t tail_bytes)
{
	return INODE_BYTES + xattrs_bytes + tail_bytes <= EROFS_BLOCK_BYTES;
}

uint64_t erofs_reserve_inode(struct erofs_meta *m, enum erofs_layout layout, size_t xattrs_bytes,
			     size_t tail_bytes)
{
	uint64_t place = MAX(align_up(m->reserved, INODE_ALIGN), (uint64_t)META_FIRST_PLACE);
	size_t bytes = INODE_BYTES + xattrs_bytes + tail_bytes;

	if (layout == EROFS_INLINE &&
	    place / EROFS_BLOCK_BYTES != (place + bytes - 1) / EROFS_BLOCK_BYTES)
		place = align_up(place, EROFS_BLOCK_BYTES);
	m->reserved = place + bytes;
	return place;
}

uint64_t erofs_reserve_blocks(struct erofs_meta *m, size_t bytes)
{
	uint64_t place = align_up(m->reserved, EROFS_BLOCK_BYTES);

	m->reserved = place + align_up(bytes, EROFS_BLOCK_BYTES);
	return place;
}

uint64_t erofs_meta_bytes(const struct erofs_meta *m)
{
	return align_up(m->reserved, EROFS_BLOCK_BYTES);
}

int erofs_meta_open(struct erofs_meta *m, size_t bytes)
{
	m->window = mem_try_alloc(bytes, 1);
	return m->window ? 0 : -ENOMEM;
}

uint8_t *erofs_meta_at(const struct erofs_meta *m, uint64_t place)
{
	return m->window + (place - m->begin);
}

void erofs_meta_advance(struct erofs_meta *m, uint64_t place)
{
	memset(m->window, 0, place - m->begin);
	m->begin = place;
}

/* As the kernel's new_encode_dev(). */
static uint32_t encode_device(dev_t dev)
{
	uint32_t major = major(dev), minor = minor(dev);

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

static uint32_t union_field(const struct erofs_inode *i)
{
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		return encode_device(i->rdev);
	if (S_ISFIFO(i->mode) || (i->layout == EROFS_FLAT && i->size == 0))
		return 0;
	return i->layout == EROFS_INLINE ? 0 : i->data;
}

void erofs_put_inode(struct erofs_meta *m, uint64_t place, const struct erofs_inode *i)
{
	uint8_t *p = erofs_meta_at(m, place);
	size_t xattrs = i->xattrs ? i->xattrs->len : 0;

	put16(p, (uint16_t)(1 | (i->layout << 1))); /* bit 0: an extended inode */
	if (xattrs > 0)
		put16(p + 2, (uint16_t)((xattrs - XATTR_HEADER_BYTES) / XATTR_ENTRY_BYTES + 1));
	put16(p + 4, (uint16_t)i->mode);
	put64(p + 8, i->size);
	put32(p + 16, union_field(i));
	put32(p + 20, i->ino);
	put32(p + 24, i->uid);
	put32(p + 28, i->gid);
	put64(p + 32, (uint64_t)i->mtime.tv_sec);
	put32(p + 40, (uint32_t)i->mtime.tv_nsec);
	put32(p + 44, i->nlink);
	if (xattrs > 0)
		memcpy(p + INODE_BYTES, i->xattrs->data, xattrs);
	if (i->layout == EROFS_CHUNKS) {
		const uint32_t *blocks = i->tail;

		for (size_t k = 0; k < i->tail_bytes / sizeof(*blocks); k++)
			put32(p + INODE_BYTES + xattrs + k * sizeof(*blocks), blocks[k]);
	} else if (i->tail_bytes > 0) {
		memcpy(p + INODE_BYTES + xattrs, i->tail, i->tail_bytes);
	}
}

/* Namespaces have numbers; their names are not written. */
static const struct {
	const char *prefix;
	uint8_t index;
} xattr_namespaces[] = {
	{ "security.", 6 },
	{ "system.posix_acl_access", 2 },
	{ "system.posix_acl_default", 3 },
	{ "trusted.", 4 },
	{ "user.", 1 },
};

int erofs_xattr_add(struct buf *body, const char *name, const void *value, size_t len)
{
	static const uint8_t zeros[XATTR_HEADER_BYTES];
	uint8_t head[XATTR_ENTRY_BYTES];
	const char *rest = NULL;
	size_t i, name_len;

	for (i = 0; i < ARRAY_SIZE(xattr_namespaces); i++) {
		rest = str_after(name, xattr_namespaces[i].prefix);
		if (rest)
			break;
	}
	name_len = rest ? strlen(rest) : 0;
	if (!rest || name_len > UINT8_MAX || len > UINT16_MAX ||
	    body->len + sizeof(head) + name_len + len > EROFS_XATTRS_MAX_BYTES)
		return 1;
	if (body->len == 0)
		buf_add(body, zeros, sizeof(zeros)); /* no filter, nothing shared */
	head[0] = (uint8_t)name_len;
	head[1] = xattr_namespaces[i].index;
	put16(head + 2, (uint16_t)len);
	buf_add(body, head, sizeof(head));
	buf_add(body, rest, name_len);
	if (len > 0)
		buf_add(body, value, len);
	buf_add(body, zeros, align_up(body->len, XATTR_ENTRY_BYTES) - body->len);
	return 0;
}

int erofs_dirent_compare(const void *a, const void *b)
{
	const struct erofs_dirent *x = a, *y = b;
	int r = memcmp(x->name, y->name, MIN(x->name_len, y->name_len));

	return r != 0 ? r : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* How many of the names go into one block; ret_bytes: of it. */
static size_t dir_block(const struct erofs_dirent *entries, size_t n, size_t *ret_bytes)
{
	size_t i = 0, bytes = 0;

	while (i < n && bytes + DIRENT_BYTES + entries[i].name_len <= EROFS_BLOCK_BYTES)
		bytes += DIRENT_BYTES + entries[i++].name_len;
	*ret_bytes = bytes;
	return i;
}

size_t erofs_dir_bytes(const struct erofs_dirent *entries, size_t n)
{
	size_t total = 0;

	while (n > 0) {
		size_t bytes, taken = dir_block(entries, n, &bytes);

		entries += taken;
		n -= taken;
		total += n > 0 ? EROFS_BLOCK_BYTES : bytes;
	}
	return total;
}

static uint8_t dirent_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	default:
		return S_ISLNK(mode) ? 7 : 0;
	}
}

/* A block: all its dirents, then all their names. The first one's name_off tells their number. */
static void format_dir_block(const struct erofs_dirent *entries, size_t n, uint8_t *out)
{
	size_t name_at = n * DIRENT_BYTES;

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = out + i * DIRENT_BYTES;

		put64(p, entries[i].nid);
		put16(p + 8, (uint16_t)name_at);
		p[10] = dirent_type(entries[i].mode);
		memcpy(out + name_at, entries[i].name, entries[i].name_len);
		name_at += entries[i].name_len;
	}
}

void erofs_dir_format(const struct erofs_dirent *entries, size_t n, uint8_t *out)
{
	while (n > 0) {
		size_t bytes, taken = dir_block(entries, n, &bytes);

		format_dir_block(entries, taken, out);
		entries += taken;
		n -= taken;
		out += EROFS_BLOCK_BYTES;
	}
}

void erofs_super_format(const struct erofs_super *s, uint8_t *out)
{
	memset(out, 0, EROFS_SUPER_BYTES);
	put32(out, SUPER_MAGIC);
	out[12] = 9; /* blocks of 1 << 9 */
	put16(out + 14, (uint16_t)erofs_nid(s->root_place));
	put64(out + 16, s->inodes);
	put32(out + 36, s->blocks);
	put32(out + 40, s->meta_block);
	memcpy(out + 48, s->uuid, 16);
	put32(out + 80, FEATURE_INCOMPAT_CHUNKED);
}
