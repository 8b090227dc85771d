/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer as an EROFS image: whatever the archive is, what comes out is one that holds together, read
 * here by a reader that shares nothing with the writer; "system check" accepts it; and, as root, it
 * holds what unpacking makes.
 */
#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/macro.h"
#include "codec/archive.h"
#include "codec/inflate.h"
#include "codec/sha256.h"
#include "image/erofs.h"
#include "image/unpack.h"

#define BYTES_MAX   (1 << 20)
#define ENTRIES_MAX 200
#define PLAIN_MAX   (4 << 20)
#define BLOCK	    512
#define NO_BLOCK    0xffffffffu
#define INODES_MAX  100000
/* Images of files with larger holes are not read: most of it would be zeros, and memory. */
#define IMAGE_MAX_BYTES (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The reader. Offsets are those of Documentation/filesystems/erofs.rst. */

struct range {
	uint64_t begin, end;
};

struct seen {
	uint64_t nid;
	uint32_t names, nlink;
	mode_t mode;
};

struct reader {
	const uint8_t *p;
	uint64_t bytes, meta;
	struct range *ranges; /* of the metadata that is in use */
	size_t n_ranges, n_seen;
	struct seen *seen;
	int unpacked_fd; /* or -1 */
	size_t names;
};

struct inode {
	uint64_t nid, at, size, tail_at;
	mode_t mode;
	unsigned layout;
	uint32_t u, uid, gid, nlink, nsec;
	int64_t mtime;
	bool opaque;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static void use(struct reader *r, uint64_t begin, uint64_t bytes)
{
	assert(begin >= r->meta && begin + bytes <= r->bytes);
	assert(r->n_ranges < 2 * INODES_MAX);
	r->ranges[r->n_ranges++] = (struct range){ begin, begin + bytes };
}

static bool is_zero(const uint8_t *p, uint64_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* Returns their bytes. */
static uint64_t read_xattrs(const struct reader *r, uint64_t at, unsigned count, struct inode *i)
{
	static const char opaque[] = "overlay.opaque";
	uint64_t bytes = count ? 12 + 4 * (count - 1u) : 0, end = at + bytes;

	assert(end <= r->bytes);
	if (count == 0)
		return 0;
	assert(count > 1 && is_zero(r->p + at, 12));
	for (at += 12; at < end;) {
		const uint8_t *e = r->p + at;
		unsigned name_len = e[0], index = e[1], value_len = get16(e + 2);

		assert(at + 4 <= end);
		assert(index == 1 || index == 4 || index == 6); /* user, trusted, security */
		assert(at + 4 + name_len + value_len <= end);
		assert(name_len > 0 && !memchr(e + 4, 0, name_len));
		if (index == 4 && name_len == strlen(opaque) && !memcmp(e + 4, opaque, name_len))
			i->opaque = true;
		at += (4 + name_len + value_len + 3u) / 4 * 4;
	}
	assert(at == end);
	return bytes;
}

static void read_inode(struct reader *r, uint64_t nid, struct inode *i)
{
	uint64_t xattrs;
	const uint8_t *p;

	*i = (struct inode){ .nid = nid, .at = r->meta + nid * 32 };
	assert(nid > 0 && i->at + 64 <= r->bytes);
	p = r->p + i->at;
	assert((get16(p) & 1) && get16(p) >> 4 == 0); /* an extended one */
	i->layout = get16(p) >> 1;
	i->mode = get16(p + 4);
	i->size = get64(p + 8);
	i->u = get32(p + 16);
	i->uid = get32(p + 24);
	i->gid = get32(p + 28);
	i->mtime = (int64_t)get64(p + 32);
	i->nsec = get32(p + 40);
	i->nlink = get32(p + 44);
	assert(i->layout == 0 || i->layout == 2 || i->layout == 4);
	assert(i->nlink > 0 && i->nsec < 1000000000);
	xattrs = read_xattrs(r, i->at + 64, get16(p + 2), i);
	i->tail_at = i->at + 64 + xattrs;
}

/* Once for each inode, however many names it has. true: it is new */
static bool meet(struct reader *r, const struct inode *i)
{
	for (size_t k = 0; k < r->n_seen; k++) {
		if (r->seen[k].nid == i->nid) {
			r->seen[k].names++;
			return false;
		}
	}
	assert(r->n_seen < INODES_MAX);
	r->seen[r->n_seen++] = (struct seen){ i->nid, 1, i->nlink, i->mode };
	return true;
}

static unsigned chunk_shift(const struct inode *i)
{
	assert(i->u <= 31);
	return i->u + 9;
}

/* Where a byte of a file is, and how many follow it; NULL: zeros. */
static const uint8_t *content_at(const struct reader *r, const struct inode *i, uint64_t at,
				 uint64_t *ret_len)
{
	uint64_t begin = 0, len = i->size;
	uint32_t block = i->u;

	if (i->layout == 2) {
		*ret_len = i->size - at;
		return r->p + i->tail_at + at;
	}
	if (i->layout == 4) {
		unsigned shift = chunk_shift(i);

		begin = at >> shift << shift;
		len = MIN((uint64_t)1 << shift, i->size - begin);
		block = get32(r->p + i->tail_at + 4 * (at >> shift));
	}
	*ret_len = begin + len - at;
	if (i->layout == 4 && block == NO_BLOCK)
		return NULL;
	assert(((uint64_t)block + (len + BLOCK - 1) / BLOCK) * BLOCK <= r->bytes);
	/* the kernel shows it */
	assert(!S_ISREG(i->mode) || is_zero(r->p + (uint64_t)block * BLOCK + len, -len % BLOCK));
	return r->p + (uint64_t)block * BLOCK + (at - begin);
}

/* Its parts do not meet others', and lie where their kind may. */
static void check_layout(struct reader *r, const struct inode *i)
{
	uint64_t tail = 0, at = 0, len;

	if (i->layout == 2) {
		assert(S_ISDIR(i->mode) || S_ISLNK(i->mode));
		assert(i->tail_at / BLOCK == (i->tail_at + i->size - 1) / BLOCK);
		tail = i->size;
	} else if (i->layout == 4) {
		assert(S_ISREG(i->mode) && i->size > 0 && i->tail_at % 4 == 0);
		tail = (((i->size - 1) >> chunk_shift(i)) + 1) * 4;
	} else if (S_ISDIR(i->mode) || S_ISLNK(i->mode)) {
		use(r, (uint64_t)i->u * BLOCK, i->size);
	}
	use(r, i->at, i->tail_at + tail - i->at);
	while (S_ISREG(i->mode) && at < i->size) {
		const uint8_t *p = content_at(r, i, at, &len);

		assert(!p || p + len <= r->p + r->meta);
		at += len;
	}
}

/* What unpacking made of the same archive. */

static void compare_content(const struct reader *r, const struct inode *i, int fd)
{
	static const uint8_t zeros[4096];
	uint8_t have[4096];
	uint64_t at = 0;

	while (at < i->size) {
		uint64_t len;
		const uint8_t *p = content_at(r, i, at, &len);
		ssize_t n;

		if (!p) { /* large holes: their begin is enough */
			n = pread(fd, have, MIN(len, sizeof(have)), (off_t)at);
			assert(n > 0 && memcmp(have, zeros, (size_t)n) == 0);
			at += len;
			continue;
		}
		n = pread(fd, have, MIN(len, sizeof(have)), (off_t)at);
		assert(n > 0 && memcmp(have, p, (size_t)n) == 0);
		at += (uint64_t)n;
	}
}

static void compare_inode(const struct reader *r, const struct inode *i, int dir_fd,
			  const char *name)
{
	cleanup_fd int fd = -EBADF;
	char target[PATH_MAX];
	uint64_t len;
	struct stat st;

	assert(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0);
	assert(st.st_mode == i->mode && st.st_uid == i->uid && st.st_gid == i->gid);
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode)) {
		assert(major(st.st_rdev) == ((i->u >> 8) & 0xfff));
		assert(minor(st.st_rdev) == ((i->u & 0xff) | (i->u >> 12 & 0xfff00)));
	}
	if (S_ISDIR(i->mode)) { /* its time may be of today in one of them */
		fd = openat(dir_fd, *name ? name : ".", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		assert((fgetxattr(fd, "trusted.overlay.opaque", NULL, 0) == 1) == i->opaque);
		return;
	}
	assert(st.st_nlink == i->nlink);
	assert(S_ISCHR(i->mode) || i->mtime < 0 || i->mtime > INT32_MAX ||
	       (st.st_mtim.tv_sec == i->mtime && st.st_mtim.tv_nsec == i->nsec));
	if (S_ISLNK(i->mode)) {
		const uint8_t *text = content_at(r, i, 0, &len);

		assert(i->size == (uint64_t)st.st_size);
		assert(readlinkat(dir_fd, name, target, sizeof(target)) == st.st_size);
		assert(text && memcmp(text, target, i->size) == 0 && len == i->size);
	}
	if (S_ISREG(i->mode)) {
		assert(i->size == (uint64_t)st.st_size);
		fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		assert(fd >= 0);
		compare_content(r, i, fd);
	}
}

static size_t count_names(int dir_fd)
{
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Directories */

static unsigned type_number(mode_t mode)
{
	static const mode_t types[] = { 0,	 S_IFREG, S_IFDIR,  S_IFCHR,
					S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK };
	unsigned n = 1;

	while (types[n] != (mode & S_IFMT))
		n++;
	return n;
}

struct name {
	const uint8_t *text;
	size_t len;
};

static void read_dir(struct reader *r, const struct inode *dir, const struct inode *parent,
		     int unpacked_fd);

static void visit(struct reader *r, const struct inode *i, const struct inode *parent, int dir_fd,
		  const char *name)
{
	cleanup_fd int fd = -EBADF;
	bool is_new = meet(r, i);

	if (is_new)
		check_layout(r, i);
	assert(is_new || !S_ISDIR(i->mode));
	if (dir_fd >= 0)
		compare_inode(r, i, dir_fd, name);
	if (!S_ISDIR(i->mode))
		return;
	if (dir_fd >= 0) {
		fd = openat(dir_fd, *name ? name : ".",
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		assert(fd >= 0);
	}
	read_dir(r, i, parent, fd);
}

static void read_entry(struct reader *r, const struct inode *dir, const struct inode *parent,
		       const uint8_t *dirent, struct name n, int unpacked_fd)
{
	uint64_t nid = get64(dirent);
	struct inode i;
	char name[256];

	assert(dirent[11] == 0 && n.len > 0 && n.len <= 255 && !memchr(n.text, '/', n.len));
	memcpy(name, n.text, n.len);
	name[n.len] = '\0';
	if (strcmp(name, ".") == 0) {
		assert(nid == dir->nid && dirent[10] == 2);
	} else if (strcmp(name, "..") == 0) {
		assert(nid == parent->nid && dirent[10] == 2);
	} else {
		read_inode(r, nid, &i);
		assert(dirent[10] == type_number(i.mode));
		visit(r, &i, dir, unpacked_fd, name);
	}
}

static int compare_names(struct name a, struct name b)
{
	int c = memcmp(a.text, b.text, MIN(a.len, b.len));

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static void read_dir(struct reader *r, const struct inode *dir, const struct inode *parent,
		     int unpacked_fd)
{
	struct name last = { (const uint8_t *)"", 0 };
	size_t names = 0;
	uint64_t len;
	const uint8_t *p = content_at(r, dir, 0, &len);

	assert(dir->size > 0 && len == dir->size);
	for (uint64_t at = 0; at < dir->size; at += BLOCK) {
		const uint8_t *block = p + at;
		size_t room = MIN((uint64_t)BLOCK, dir->size - at), n = get16(block + 8);

		assert(n >= 12 && n % 12 == 0 && n < room);
		n /= 12;
		for (size_t k = 0; k < n; k++) {
			size_t from = get16(block + 12 * k + 8);
			size_t to = k + 1 < n ? get16(block + 12 * k + 20) : room;
			struct name name = { block + from, 0 };

			assert(from < to && to <= room);
			name.len = strnlen((const char *)name.text, to - from);
			assert(k + 1 == n || name.len == to - from);
			assert(compare_names(last, name) < 0);
			last = name;
			names++;
			read_entry(r, dir, parent, block + 12 * k, name, unpacked_fd);
		}
	}
	if (unpacked_fd >= 0)
		assert(count_names(unpacked_fd) == names);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

static void check_image(struct reader *r)
{
	const uint8_t *super = r->p + 1024;
	struct inode root;

	assert(r->bytes % BLOCK == 0 && get32(super) == 0xE0F5E1E2u && super[12] == 9);
	assert(get32(super + 8) == 0 && get32(super + 80) == 4);
	assert((uint64_t)get32(super + 36) * BLOCK == r->bytes);
	r->meta = (uint64_t)get32(super + 40) * BLOCK;
	assert(r->meta < r->bytes);
	read_inode(r, get16(super + 14), &root);
	assert(S_ISDIR(root.mode));
	visit(r, &root, &root, r->unpacked_fd, "");
	assert(r->n_seen == get64(super + 16));
	for (size_t i = 0; i < r->n_seen; i++)
		assert(S_ISDIR(r->seen[i].mode) || r->seen[i].names == r->seen[i].nlink);
	qsort(r->ranges, r->n_ranges, sizeof(*r->ranges), compare_ranges);
	for (size_t i = 1; i < r->n_ranges; i++)
		assert(r->ranges[i - 1].end <= r->ranges[i].begin);
}

static void read_image(int fd, int unpacked_fd)
{
	struct stat st;
	struct reader r = { .unpacked_fd = unpacked_fd };
	void *map;

	assert(fstat(fd, &st) == 0);
	if (st.st_size > IMAGE_MAX_BYTES)
		return;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert(map != MAP_FAILED);
	r.p = map;
	r.bytes = (uint64_t)st.st_size;
	r.ranges = calloc(2 * INODES_MAX, sizeof(*r.ranges));
	r.seen = calloc(INODES_MAX, sizeof(*r.seen));
	check_image(&r);
	free(r.ranges);
	free(r.seen);
	munmap(map, (size_t)st.st_size);
}

/* The two ways of the same archive */

struct chunks {
	const struct buf *plain;
	size_t at, piece;
};

static ssize_t next(void *ctx, const void **ret_data, struct error *err)
{
	struct chunks *c = ctx;
	size_t n = MIN(c->plain->len - c->at, c->piece);

	*ret_data = buf_str(c->plain) + c->at;
	c->at += n;
	return (ssize_t)n;
}

static int unpack(const struct buf *plain, int root_fd, struct error *err)
{
	const struct unpack_limits limits = { BYTES_MAX, ENTRIES_MAX, false };
	struct chunks chunks = { plain, 0, 4096 };
	cleanup_with(archive_reader_close) struct archive_reader *a =
		archive_reader_open(&(struct archive_source){ .next = next, .ctx = &chunks });
	struct unpack_result result;

	return unpack_archive(a, root_fd, &limits, 0, &result, err);
}

static int write_image(const struct buf *plain, int fd, struct error *err)
{
	const struct unpack_limits limits = { BYTES_MAX, ENTRIES_MAX, false };
	/* pieces of an odd size, so that contents and their ends are cut anywhere */
	struct chunks chunks = { plain, 0, 701 };
	const struct archive_source source = { .next = next, .ctx = &chunks };
	struct unpack_result result;

	return erofs_layer_write(&source, fd, &limits, &result, err);
}

static void compare(const struct buf *plain, int fd, int r, const struct error *written)
{
	char dir[] = "/tmp/fuzz-erofs-XXXXXX";
	cleanup_fd int dir_fd = -EBADF;
	struct error err;

	assert(mkdtemp(dir) && chmod(dir, 0755) == 0);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* the host's file system has more limits than an image: links, bytes of attributes */
	if (unpack(plain, dir_fd, &err) == 0) {
		if (r < 0)
			(void)fprintf(stderr, "refused only as an image: %s\n", written->msg);
		assert(r >= 0);
		if (r == 0)
			read_image(fd, dir_fd);
	}
	assert(dir_remove_tree(AT_FDCWD, dir, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(stream_close) struct stream *stream = NULL;
	cleanup_buf struct buf plain = { 0 };
	cleanup_fd int fd = memfd_create("layer.erofs", MFD_CLOEXEC);
	struct digest id;
	struct error err = { 0 };
	char piece[4096];
	ssize_t n;
	int r;

	assert(fd >= 0);
	if (inflate_open(stream_from_memory(data, size), &stream, NULL, &err) < 0)
		return 0;
	while ((n = stream_read(stream, piece, sizeof(piece), &err)) > 0 && plain.len < PLAIN_MAX)
		buf_add(&plain, piece, (size_t)n);
	r = write_image(&plain, fd, &err);
	if (r < 0)
		assert(err.msg[0]);
	if (r == 0) {
		struct error why;

		read_image(fd, -1);
		id = sha256_digest(buf_str(&plain), plain.len);
		assert(erofs_layer_check(fd, &id, &why) == 0);
	}
	if (geteuid() == 0)
		compare(&plain, fd, r, &err);
	return 0;
}
