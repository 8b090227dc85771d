/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     0      1024         2048    4096                     end of archive
 *     ┌──────┬────────────┬───────┬────────────────────────┬─────────────────┬────────────────────────┐
 *     │      │ superblock │ label │ the archive as it came │ scattered files │ inodes and directories │
 *     └──────┴────────────┴───────┴────────────────────────┴─────────────────┴────────────────────────┘
 *
 * tar puts the content of a file at a multiple of 512, which is the size of our blocks: an inode
 * names the first one. Files that cannot be read there (sparse ones; those of writers that leave
 * garbage behind the end) are copied behind the archive, as chunks and with their holes.
 *
 * The same archive always gives the same image: checking is writing it again and comparing.
 */
#include "image/erofs.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "codec/erofs.h"
#include "codec/sha256.h"
#include "image/tree_fill.h"

/* Of memory for names and attributes, more than a million entries. Larger layers are unpacked. */
#define TREE_MAX_BYTES ((size_t)192 << 20)
#define COPY_BYTES     (64 << 10)
#define WINDOW_BYTES   ((size_t)256 << 10)
/* A sparse file has so many chunks more than pieces of data, at most. */
#define CHUNKS_SPARE 16

/* Ours, in the space that EROFS leaves free: how long the archive is. */
#define LABEL_OFFSET 2048
#define LABEL_MAGIC  "berthtar"

struct label {
	char magic[8];
	uint64_t archive_bytes; /* little endian */
};

/* Writes, or compares what would be written. */
struct output {
	int fd;
	bool compare;
};

static int put(const struct output *o, const void *data, size_t n, uint64_t at, struct error *err)
{
	const uint8_t *p = data;
	uint8_t have[COPY_BYTES];

	while (n > 0) {
		ssize_t done = o->compare ? pread(o->fd, have, MIN(n, sizeof(have)), (off_t)at)
					  : pwrite(o->fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_sys(err, "cannot %s " EROFS_FILE,
					 o->compare ? "read" : "write");
		if (o->compare && (done == 0 || memcmp(p, have, (size_t)done) != 0))
			return error_kind(err, ERROR_INVALID,
					  EROFS_FILE " is not what its archive gives, at byte %llu",
					  (unsigned long long)at);
		p += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* What is left out when the image is written: holes, of the file itself if they are large. */
static int put_zeros(const struct output *o, uint64_t at, uint64_t end, struct error *err)
{
	uint8_t have[COPY_BYTES];

	while (o->compare && at < end) {
		off_t data = lseek(o->fd, (off_t)at, SEEK_DATA);
		ssize_t n;

		if (data < 0 && errno == ENXIO) /* none from here to the end of the file */
			return 0;
		if (data < 0)
			return error_sys(err, "cannot read " EROFS_FILE);
		if ((uint64_t)data >= end)
			return 0;
		n = pread(o->fd, have, MIN(end - (uint64_t)data, sizeof(have)), data);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, "cannot read " EROFS_FILE);
		if (!is_zero(have, (size_t)n))
			return error_kind(err, ERROR_INVALID,
					  EROFS_FILE
					  " has content where it is empty, after byte %llu",
					  (unsigned long long)data);
		at = (uint64_t)data + (uint64_t)n;
	}
	return 0;
}

static int put_end(const struct output *o, uint64_t bytes, struct error *err)
{
	struct stat st;

	if (!o->compare)
		return 0;
	if (fstat(o->fd, &st) < 0)
		return error_sys(err, "cannot stat " EROFS_FILE);
	if ((uint64_t)st.st_size != bytes)
		return error_kind(err, ERROR_INVALID,
				  EROFS_FILE " has %lld bytes, not %llu as it should",
				  (long long)st.st_size, (unsigned long long)bytes);
	return 0;
}

/* The archive passes, and is copied to its place. */

struct tap {
	const struct archive_source *source;
	struct output out; /* fd -1: it is there already */
	uint64_t at;	   /* of the end of piece */
	uint64_t max_bytes;
	const uint8_t *piece;
	size_t len;
};

static ssize_t tap_next(void *ctx, const void **ret_data, struct error *err)
{
	struct tap *t = ctx;
	ssize_t n = t->source->next(t->source->ctx, ret_data, err);
	int r = 0;

	t->piece = *ret_data;
	t->len = n > 0 ? (size_t)n : 0;
	if (t->len > t->max_bytes - t->at)
		return error_num(err, ENOSPC,
				 "the layer's archive has more than %llu bytes, which are free",
				 (unsigned long long)t->max_bytes);
	if (n > 0 && !t->out.compare)
		r = put(&t->out, *ret_data, t->len, EROFS_ARCHIVE_OFFSET + t->at, err);
	t->at += t->len;
	return r < 0 ? r : n;
}

static int tap_drain(struct tap *t, struct error *err)
{
	const void *data;
	ssize_t n;

	do
		n = tap_next(t, &data, err);
	while (n > 0);
	return (int)n;
}

/* Only what has just passed is here. */
static int tap_are_zero(void *ctx, uint64_t at, size_t n)
{
	const struct tap *t = ctx;
	uint64_t begin = t->at - t->len;

	return at < begin || at + n > t->at ? -1 : is_zero(t->piece + (at - begin), n);
}

/* The image */

struct image {
	struct output out;
	struct tree *tree;
	struct erofs_meta meta;
	uint64_t end; /* of what is before the metadata; a multiple of the block size */
	uint32_t meta_block;
	uint32_t n_inodes;
	uint64_t widest; /* bytes of the metadata that one inode and its content take */
	struct sha256 meta_hash;
	bool unfit;
};

static uint64_t blocks_of(uint64_t bytes)
{
	return (bytes + EROFS_BLOCK_BYTES - 1) / EROFS_BLOCK_BYTES;
}

static bool is_alive(const struct tree_node *n)
{
	return n->nlink > 0;
}

static int copy_piece(const struct image *im, const struct tree_piece *p, uint64_t file_at,
		      uint64_t len, uint64_t to, struct error *err)
{
	uint64_t from = EROFS_ARCHIVE_OFFSET + p->archive_at + (file_at - p->file_at);
	char data[COPY_BYTES];

	while (len > 0) {
		ssize_t n = pread(im->out.fd, data, MIN(len, sizeof(data)), (off_t)from);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_num(err, n < 0 ? errno : EIO, "cannot read " EROFS_FILE);
		r = put(&im->out, data, (size_t)n, to, err);
		if (r < 0)
			return r;
		from += (uint64_t)n;
		to += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* The smallest chunks of which a file has not many more than pieces: a table must not be large because
 * a hole is. */
static unsigned chunk_bits(const struct tree_node *n)
{
	unsigned bits = 3;

	while (bits < EROFS_CHUNK_BITS_MAX &&
	       ((n->size - 1) >> (bits + 9)) + 1 > CHUNKS_SPARE + 2 * (uint64_t)n->n_pieces)
		bits++;
	return bits;
}

static size_t chunk_count(const struct tree_node *n)
{
	return (size_t)(((n->size - 1) >> (chunk_bits(n) + 9)) + 1);
}

/* Where a file's chunks are, from its first block on; holes take none. Heap. */
static uint32_t *chunk_table(const struct tree_node *n, uint64_t first_block, uint64_t *ret_end)
{
	unsigned bits = chunk_bits(n);
	size_t count = chunk_count(n);
	uint32_t *table = xmalloc(count * sizeof(*table)); /* as many as pieces, about */
	uint64_t block = first_block;

	for (size_t i = 0; i < count; i++)
		table[i] = EROFS_NO_BLOCK;
	for (const struct tree_piece *p = n->pieces.first; p; p = p->next) {
		size_t last = (size_t)((p->file_at + p->len - 1) >> (bits + 9));

		for (size_t i = (size_t)(p->file_at >> (bits + 9)); i <= last; i++) {
			uint64_t begin = (uint64_t)i << (bits + 9);

			if (table[i] != EROFS_NO_BLOCK)
				continue;
			table[i] = (uint32_t)block;
			block += MIN((uint64_t)1 << bits, blocks_of(n->size - begin));
		}
	}
	*ret_end = block;
	return table;
}

/* What was not looked at when it passed. */
static int look_at_end(const struct image *im, struct tree_node *n, struct error *err)
{
	uint8_t rest[EROFS_BLOCK_BYTES];
	uint64_t end = n->pieces.first->archive_at + n->size;
	size_t want = (size_t)(-end % sizeof(rest));
	ssize_t got = pread(im->out.fd, rest, want, (off_t)(EROFS_ARCHIVE_OFFSET + end));

	if (got < 0)
		return error_sys(err, "cannot read " EROFS_FILE);
	n->scattered = !is_zero(rest, (size_t)got); /* the archive may end before */
	return 0;
}

static int copy_scattered(struct image *im, struct tree_node *n, struct error *err)
{
	unsigned shift = chunk_bits(n) + 9;
	uint64_t done = im->end, end;
	cleanup_free uint32_t *table = chunk_table(n, im->end / EROFS_BLOCK_BYTES, &end);
	int r = 0;

	if (end >= EROFS_BLOCKS_MAX) {
		im->unfit = true;
		return 0;
	}
	n->block = (uint32_t)(im->end / EROFS_BLOCK_BYTES);
	for (const struct tree_piece *p = n->pieces.first; p && r == 0; p = p->next) {
		uint64_t at = p->file_at, left = p->len;

		while (left > 0 && r == 0) {
			uint64_t in_chunk = at & (((uint64_t)1 << shift) - 1);
			uint64_t len = MIN(left, ((uint64_t)1 << shift) - in_chunk);
			uint64_t to = (uint64_t)table[at >> shift] * EROFS_BLOCK_BYTES + in_chunk;

			r = put_zeros(&im->out, done, to, err);
			if (r == 0)
				r = copy_piece(im, p, at, len, to, err);
			done = to + len;
			at += len;
			left -= len;
		}
	}
	im->end = end * EROFS_BLOCK_BYTES;
	return r < 0 ? r : put_zeros(&im->out, done, im->end, err);
}

struct name_list {
	struct erofs_dirent *rows;
	size_t n;
};

static void add_name(void *ctx, const struct tree_entry *e)
{
	struct name_list *list = ctx;

	list->rows[list->n++] =
		(struct erofs_dirent){ e->name, e->name_len, e->node->nid, e->node->mode };
}

/* A directory's names in order. Heap. */
static struct erofs_dirent *list_dir(const struct tree_node *dir, size_t *ret_n)
{
	struct name_list list = { xcalloc(dir->n_children + 2u, sizeof(*list.rows)), 2 };

	list.rows[0] = (struct erofs_dirent){ ".", 1, dir->nid, S_IFDIR };
	list.rows[1] = (struct erofs_dirent){ "..", 2, dir->dir.parent->nid, S_IFDIR };
	tree_each(dir, add_name, &list);
	/* all but these two are sorted, and mostly they belong where they are */
	if (list.n > 2 && erofs_dirent_compare(&list.rows[1], &list.rows[2]) > 0)
		qsort(list.rows, list.n, sizeof(*list.rows), erofs_dirent_compare);
	*ret_n = list.n;
	return list.rows;
}

static size_t dir_bytes(const struct tree_node *dir)
{
	size_t n;
	cleanup_free struct erofs_dirent *list = list_dir(dir, &n);

	return erofs_dir_bytes(list, n);
}

static bool encode_xattrs(const struct tree_node *n, struct buf *out)
{
	for (const struct tree_xattr *x = n->xattrs; x; x = x->next) {
		if (erofs_xattr_add(out, x->name, x->value, x->len) != 0)
			return false;
	}
	return true;
}

static enum erofs_layout layout_of(const struct tree_node *n, size_t xattrs_bytes)
{
	if (S_ISREG(n->mode))
		return n->scattered ? EROFS_CHUNKS : EROFS_FLAT;
	if ((S_ISDIR(n->mode) || S_ISLNK(n->mode)) && erofs_fits_inline(xattrs_bytes, n->size))
		return EROFS_INLINE;
	return EROFS_FLAT;
}

static size_t tail_bytes(const struct tree_node *n, enum erofs_layout layout)
{
	if (layout == EROFS_CHUNKS)
		return chunk_count(n) * sizeof(uint32_t);
	return layout == EROFS_INLINE ? n->size : 0;
}

/* A number and a place for every inode; places of what does not fit behind it, too. */
static void reserve(struct image *im, struct tree_node *n)
{
	cleanup_buf struct buf xattrs = { 0 };
	uint64_t begin = im->meta.reserved;
	enum erofs_layout layout;

	im->n_inodes++;
	if (!encode_xattrs(n, &xattrs))
		im->unfit = true;
	if (S_ISDIR(n->mode))
		n->size = dir_bytes(n);
	layout = layout_of(n, xattrs.len);
	n->nid = (uint32_t)erofs_nid(/* memory for more would be of more than TREE_MAX_BYTES */
				     erofs_reserve_inode(&im->meta, layout, xattrs.len,
							 tail_bytes(n, layout)));
	if (layout == EROFS_FLAT && !S_ISREG(n->mode) && n->size > 0)
		n->block = (uint32_t)(erofs_reserve_blocks(&im->meta, n->size) / EROFS_BLOCK_BYTES);
	im->widest = MAX(im->widest, im->meta.reserved - begin);
}

static void count_dir(void *ctx, const struct tree_entry *e)
{
	*(uint32_t *)ctx += S_ISDIR(e->node->mode);
}

static uint32_t count_links(const struct tree_node *n)
{
	uint32_t links = 2;

	if (!S_ISDIR(n->mode))
		return n->nlink;
	tree_each(n, count_dir, &links);
	return links;
}

/* Directories and targets of symlinks: behind the inode or in blocks of their own. */
static void fill_own_content(struct image *im, const struct tree_node *n, struct erofs_inode *i,
			     struct buf *tail)
{
	uint8_t *out;

	if (i->layout == EROFS_INLINE) {
		buf_reserve(tail, n->size);
		out = (uint8_t *)tail->data;
		memset(out, 0, n->size);
		i->tail = out;
		i->tail_bytes = n->size;
	} else {
		out = erofs_meta_at(&im->meta, (uint64_t)n->block * EROFS_BLOCK_BYTES);
		i->data = im->meta_block + n->block;
	}
	if (S_ISLNK(n->mode)) {
		memcpy(out, n->target, n->size);
	} else {
		size_t count;
		cleanup_free struct erofs_dirent *list = list_dir(n, &count);

		erofs_dir_format(list, count, out);
	}
}

static void fill(struct image *im, const struct tree_node *n, uint32_t ino)
{
	cleanup_buf struct buf xattrs = { 0 }, tail = { 0 };
	cleanup_free uint32_t *table = NULL;
	struct erofs_inode i = {
		.mode = n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.nlink = count_links(n),
		.ino = ino,
		.size = n->size,
		.mtime = { n->mtime_s, n->mtime_ns },
		.xattrs = &xattrs,
	};
	uint64_t ignored;

	(void)encode_xattrs(n, &xattrs); /* reserve() asked */
	if (S_ISCHR(n->mode) || S_ISBLK(n->mode))
		i.rdev = n->rdev;
	i.layout = layout_of(n, xattrs.len);
	if (i.layout == EROFS_CHUNKS) {
		table = chunk_table(n, n->block, &ignored);
		i.data = chunk_bits(n);
		i.tail = table;
		i.tail_bytes = tail_bytes(n, i.layout);
	} else if (S_ISREG(n->mode) && n->size > 0) {
		i.data = (uint32_t)((EROFS_ARCHIVE_OFFSET + n->pieces.first->archive_at) /
				    EROFS_BLOCK_BYTES);
	} else if (S_ISDIR(n->mode) || S_ISLNK(n->mode)) {
		fill_own_content(im, n, &i, &tail);
	}
	erofs_put_inode(&im->meta, erofs_place(n->nid), &i);
}

/* An identity, so that overlayfs can tell its lower file systems apart. */
static int put_super(struct image *im, struct error *err)
{
	struct digest id = sha256_finish(&im->meta_hash);
	uint8_t uuid[16], super[EROFS_SUPER_BYTES];

	memcpy(uuid, id.text + DIGEST_TEXT_LEN - sizeof(uuid), sizeof(uuid));
	erofs_super_format(
		&(struct erofs_super){
			.root_place = erofs_place(tree_root(im->tree)->nid),
			.inodes = im->n_inodes,
			.blocks = im->meta_block + (uint32_t)blocks_of(erofs_meta_bytes(&im->meta)),
			.meta_block = im->meta_block,
			.uuid = uuid,
		},
		super);
	return put(&im->out, super, sizeof(super), EROFS_SUPER_OFFSET, err);
}

/* The metadata up to here is filled. */
static int put_meta(struct image *im, uint64_t end, struct error *err)
{
	uint64_t begin = im->meta.begin;
	const uint8_t *data = erofs_meta_at(&im->meta, begin);
	int r = put(&im->out, data, end - begin, im->end + begin, err);

	sha256_add(&im->meta_hash, data, end - begin);
	erofs_meta_advance(&im->meta, end);
	return r;
}

static int fill_all(struct image *im, struct error *err)
{
	uint64_t bytes = erofs_meta_bytes(&im->meta);
	uint32_t ino = 0;
	int r = 0;

	if (erofs_meta_open(&im->meta, WINDOW_BYTES + im->widest + EROFS_BLOCK_BYTES) < 0)
		return error_oom(err);
	sha256_init(&im->meta_hash);
	for (const struct tree_node *n = tree_first_node(im->tree); n && r == 0; n = n->next) {
		if (!is_alive(n))
			continue;
		if (erofs_place(n->nid) - im->meta.begin > WINDOW_BYTES)
			r = put_meta(im, erofs_place(n->nid), err);
		fill(im, n, ++ino);
	}
	return r < 0 ? r : put_meta(im, bytes, err);
}

static int build(struct image *im, struct error *err)
{
	struct tree_node *n;
	int r = 0;

	for (n = tree_first_node(im->tree); n && r == 0; n = n->next) {
		if (!is_alive(n) || !S_ISREG(n->mode))
			continue;
		if (n->end_unknown && !n->scattered)
			r = look_at_end(im, n, err);
		if (r == 0 && n->scattered)
			r = copy_scattered(im, n, err);
	}
	if (r < 0)
		return r;
	for (n = tree_first_node(im->tree); n; n = n->next) {
		if (is_alive(n))
			reserve(im, n);
	}
	if (im->unfit || blocks_of(im->end) + blocks_of(im->meta.reserved) >= EROFS_BLOCKS_MAX)
		return EROFS_UNFIT;
	im->meta_block = (uint32_t)(im->end / EROFS_BLOCK_BYTES);
	r = fill_all(im, err);
	if (r == 0)
		r = put_super(im, err);
	return r < 0 ? r : put_end(&im->out, im->end + erofs_meta_bytes(&im->meta), err);
}

/* And what is empty around superblock and archive. */
static int put_label(const struct output *out, uint64_t archive_bytes, struct error *err)
{
	const struct label label = { LABEL_MAGIC, htole64(archive_bytes) };
	uint64_t end = EROFS_ARCHIVE_OFFSET + archive_bytes;
	int r = put(out, &label, sizeof(label), LABEL_OFFSET, err);

	if (r == 0)
		r = put_zeros(out, 0, EROFS_SUPER_OFFSET, err);
	if (r == 0)
		r = put_zeros(out, EROFS_SUPER_OFFSET + EROFS_SUPER_BYTES, LABEL_OFFSET, err);
	if (r == 0)
		r = put_zeros(out, LABEL_OFFSET + sizeof(label), EROFS_ARCHIVE_OFFSET, err);
	if (r == 0)
		r = put_zeros(out, end, blocks_of(end) * EROFS_BLOCK_BYTES, err);
	return r;
}

static int make(const struct archive_source *source, const struct output *out,
		const struct unpack_limits *limits, struct unpack_result *ret, struct error *err)
{
	struct tap tap = { .source = source, .out = *out, .max_bytes = UINT64_MAX };
	const struct archive_source tapped = { .next = tap_next, .ctx = &tap };
	cleanup_with(archive_reader_close) struct archive_reader *a = archive_reader_open(&tapped);
	const struct tree_fill_source from = { a, tap_are_zero, &tap };
	cleanup_with(tree_free) struct tree *tree = tree_new(TREE_MAX_BYTES, limits->large);
	struct image im = { .out = *out, .tree = tree };
	int r, drained;

	if (limits->is_space)
		tap.max_bytes = limits->max_bytes;
	r = tree_fill(tree, &from, limits, ret, err);
	if (r < 0)
		return r;
	drained = tap_drain(&tap, err);
	if (drained == 0)
		drained = put_label(out, tap.at, err);
	if (drained < 0)
		return drained;
	if (r == TREE_UNFIT)
		return EROFS_UNFIT;
	im.end = blocks_of(EROFS_ARCHIVE_OFFSET + tap.at) * EROFS_BLOCK_BYTES;
	if (im.end / EROFS_BLOCK_BYTES >= EROFS_BLOCKS_MAX)
		return EROFS_UNFIT;
	r = build(&im, err);
	erofs_meta_done(&im.meta);
	return r;
}

int erofs_layer_write(const struct archive_source *source, int fd,
		      const struct unpack_limits *limits, struct unpack_result *ret,
		      struct error *err)
{
	const struct output out = { .fd = fd };

	return make(source, &out, limits, ret, err);
}

/* The archive in an image. */

struct region {
	int fd;
	uint64_t at, end;
	struct sha256 *hash; /* or NULL */
	char data[COPY_BYTES];
};

static ssize_t region_next(void *ctx, const void **ret_data, struct error *err)
{
	struct region *g = ctx;
	size_t want = MIN(g->end - g->at, sizeof(g->data));
	ssize_t n;

	do
		n = pread(g->fd, g->data, want, (off_t)g->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, "cannot read " EROFS_FILE);
	if (n == 0 && want > 0)
		return error_kind(err, ERROR_INVALID, EROFS_FILE " is cut off");
	if (g->hash)
		sha256_add(g->hash, g->data, (size_t)n);
	g->at += (uint64_t)n;
	*ret_data = g->data;
	return n;
}

static int region_open(int fd, struct region **ret, struct error *err)
{
	struct label label;
	struct region *g;

	if (pread(fd, &label, sizeof(label), LABEL_OFFSET) != (ssize_t)sizeof(label) ||
	    memcmp(label.magic, LABEL_MAGIC, sizeof(label.magic)) != 0)
		return error_kind(err, ERROR_INVALID, EROFS_FILE " is not one of berth's");
	g = xcalloc(1, sizeof(*g));
	g->fd = fd;
	g->at = EROFS_ARCHIVE_OFFSET;
	g->end = EROFS_ARCHIVE_OFFSET + le64toh(label.archive_bytes);
	*ret = g;
	return 0;
}

int erofs_layer_unpack(int fd, int root_fd, const struct unpack_limits *limits, unsigned flags,
		       struct unpack_result *ret, struct error *err)
{
	cleanup_free struct region *region = NULL;
	cleanup_with(archive_reader_close) struct archive_reader *a = NULL;
	int r = region_open(fd, &region, err);

	if (r < 0)
		return r;
	a = archive_reader_open(&(struct archive_source){ .next = region_next, .ctx = region });
	return unpack_archive(a, root_fd, limits, flags, ret, err);
}

int erofs_layer_check(int fd, const struct digest *diff_id, struct error *err)
{
	static const struct unpack_limits no_limits = { UINT64_MAX, UINT64_MAX, false, NULL };
	const struct output out = { .fd = fd, .compare = true };
	cleanup_free struct region *region = NULL;
	struct archive_source source = { .next = region_next };
	struct unpack_result ignored;
	struct sha256 hash;
	struct digest found;
	int r = region_open(fd, &region, err);

	if (r < 0)
		return r;
	sha256_init(&hash);
	region->hash = &hash;
	source.ctx = region;
	r = make(&source, &out, &no_limits, &ignored, err);
	found = sha256_finish(&hash);
	if (r < 0)
		return r;
	if (r == EROFS_UNFIT)
		return error_kind(err, ERROR_INVALID,
				  EROFS_FILE " is of a layer that cannot be one");
	if (!digest_eq(&found, diff_id))
		return error_kind(err, ERROR_INVALID, "its diff ID is %s, not %s as it should be",
				  found.text, diff_id->text);
	return 0;
}
