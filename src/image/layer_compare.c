/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry that does not match is only suspect: a later entry of the same name may have replaced it,
 * or one that took a directory away. In an ordinary layer nothing is replaced, so the list of
 * suspects stays empty and every entry costs a look-up and a read. What is suspect in the end is
 * damaged.
 *
 * What the archive does not have is found last: the inodes of all entries are known by then, and
 * another file in the tree was put there by somebody else.
 */
#include "image/layer_compare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/unpack_private.h"

#define SUSPECTS_MAX   100000
#define TREE_DEPTH_MAX 500 /* below it nobody looks for what is too much */
#define XATTR_MAX      65536
#define READ_BYTES     ((size_t)64 << 10)

static const char other_time[] = "was modified at another time";

struct suspect {
	char *path;
	const char *what;
};

struct compare {
	struct archive_reader *archive;
	int root_fd;
	unsigned flags;
	char parent_path[PATH_MAX]; /* of parent_fd; valid if parent_fd >= 0 */
	int parent_fd;
	struct suspect *suspects;
	size_t n_suspects, suspects_capacity;
	ino_t *inodes;
	size_t n_inodes, inodes_capacity;
	char *buffer; /* READ_BYTES */
};

/* Suspects */

static bool is_at_or_below(const char *path, const char *top, bool below)
{
	const char *rest = str_after(path, top);

	return rest && (*rest == '\0' || (below && (*rest == '/' || !*top)));
}

static int suspect(struct compare *c, const char *path, const char *what, struct error *err)
{
	if (c->n_suspects >= SUSPECTS_MAX)
		return error_kind(err, ERROR_INVALID, "more than %d entries are different",
				  SUSPECTS_MAX);
	c->suspects =
		array_grow(c->suspects, c->n_suspects, &c->suspects_capacity, sizeof(*c->suspects));
	c->suspects[c->n_suspects++] = (struct suspect){ xstrdup(path), what };
	return 0;
}

/* An entry matches: what stood at its name before does not count. */
static void acquit(struct compare *c, const char *path, bool is_dir)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_suspects; i++) {
		if (is_at_or_below(c->suspects[i].path, path, !is_dir))
			free(c->suspects[i].path);
		else
			c->suspects[kept++] = c->suspects[i];
	}
	c->n_suspects = kept;
}

static void remember_inode(struct compare *c, const struct stat *st)
{
	c->inodes = array_grow(c->inodes, c->n_inodes, &c->inodes_capacity, sizeof(*c->inodes));
	c->inodes[c->n_inodes++] = st->st_ino;
}

/* Contents */

/* Only zeros from offset to end? Holes are passed over. 1 yes, 0 no, -errno. */
static int is_zero(struct compare *c, int fd, uint64_t offset, uint64_t end)
{
	while (offset < end) {
		off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
		ssize_t n;

		if (data < 0)
			return errno == ENXIO ? 1 : -errno;
		offset = (uint64_t)data;
		if (offset >= end)
			return 1;
		n = pread(fd, c->buffer, MIN(READ_BYTES, end - offset), data);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t i = 0; i < n; i++) {
			if (c->buffer[i])
				return 0;
		}
		offset += (uint64_t)n;
	}
	return 1;
}

static int is_same(struct compare *c, int fd, const char *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pread(fd, c->buffer, MIN(READ_BYTES, len), (off_t)offset);

		if (n < 0)
			return -errno;
		if (n == 0 || memcmp(c->buffer, data, (size_t)n) != 0)
			return 0;
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 1;
}

/* *ret_what stays NULL if the contents are the member's. */
static int compare_content(struct compare *c, const struct unpack_entry *e, const char **ret_what,
			   struct error *err)
{
	cleanup_fd int fd =
		openat(e->parent_fd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint64_t at = 0, offset;
	const void *data;
	size_t len;
	int r, same = 1;

	if (fd < 0) {
		*ret_what = "cannot be read";
		return 0;
	}
	while ((r = archive_reader_data(c->archive, &data, &len, &offset, err)) == 0) {
		if (same == 1)
			same = is_zero(c, fd, at, offset);
		if (same == 1)
			same = is_same(c, fd, data, len, offset);
		at = offset + len;
	}
	if (r < 0)
		return r;
	if (same == 1)
		same = is_zero(c, fd, at, e->member->size);
	if (same < 0)
		*ret_what = "cannot be read";
	else if (same == 0)
		*ret_what = "has other contents";
	return 0;
}

/* Attributes */

/* Those that unpack leaves out, or that not every host keeps, are not asked for. */
static bool is_kept_attribute(const struct compare *c, const char *name)
{
	if (str_eq(name, "security.capability"))
		return !(c->flags & UNPACK_USERNS);
	return str_after(name, "user.") && !str_after(name, "user.overlay.");
}

static const char *compare_xattrs(struct compare *c, const struct unpack_entry *e)
{
	cleanup_fd int fd = -EBADF;
	const char *name, *what = NULL;
	const void *value;
	size_t len;

	if (e->member->n_xattrs == 0)
		return NULL;
	fd = openat(e->parent_fd, *e->name ? e->name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return "cannot be opened";
	while (archive_reader_xattr(c->archive, &name, &value, &len)) {
		char have[XATTR_MAX];
		ssize_t n;

		if (!is_kept_attribute(c, name) || len > sizeof(have))
			continue;
		n = getxattr(fd_proc_path(fd).s, name, have, sizeof(have));
		if (n < 0 && errno == EOPNOTSUPP && !str_eq(name, "security.capability"))
			continue;
		if (n < 0 || (size_t)n != len || memcmp(have, value, len) != 0)
			what = "has another attribute";
	}
	return what;
}

/* Times outside of what every file system keeps are not compared. */
static bool is_same_time(const struct stat *st, const struct archive_member *m)
{
	return m->mtime.tv_sec < 0 || m->mtime.tv_sec > INT32_MAX ||
	       m->mtime.tv_sec == st->st_mtim.tv_sec;
}

static const char *compare_stat(const struct compare *c, const struct stat *st,
				const struct archive_member *m)
{
	static const mode_t types[] = {
		[ARCHIVE_FILE] = S_IFREG, [ARCHIVE_SYMLINK] = S_IFLNK, [ARCHIVE_DIR] = S_IFDIR,
		[ARCHIVE_CHAR] = S_IFCHR, [ARCHIVE_BLOCK] = S_IFBLK,   [ARCHIVE_FIFO] = S_IFIFO,
	};

	if ((st->st_mode & S_IFMT) != types[m->type])
		return "is of another type";
	if (m->type == ARCHIVE_FILE && (uint64_t)st->st_size != m->size)
		return "has another size";
	if (m->type != ARCHIVE_SYMLINK && (st->st_mode & 07777) != m->mode)
		return "has another mode";
	if (!(c->flags & UNPACK_ONE_OWNER) && (st->st_uid != m->uid || st->st_gid != m->gid))
		return "has another owner";
	if ((m->type == ARCHIVE_CHAR || m->type == ARCHIVE_BLOCK) &&
	    st->st_rdev != makedev(m->major, m->minor))
		return "is another device";
	return is_same_time(st, m) ? NULL : other_time;
}

static const char *compare_link(const struct unpack_entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->parent_fd, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return "cannot be read";
	target[n] = '\0';
	return str_eq(target, e->member->link) ? NULL : "leads elsewhere";
}

/* Entries */

static int open_parent(struct compare *c, const char *path, struct unpack_entry *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	e->path = path;
	e->name = slash ? slash + 1 : path;
	e->parent_fd = c->root_fd;
	if (!slash)
		return 0;
	if (c->parent_fd < 0 || strncmp(c->parent_path, path, len) != 0 || c->parent_path[len]) {
		cleanup_close_fd(&c->parent_fd);
		memcpy(c->parent_path, path, len);
		c->parent_path[len] = '\0';
		c->parent_fd =
			path_open_in_root(c->root_fd, c->parent_path, O_PATH | O_DIRECTORY, 0);
	}
	e->parent_fd = c->parent_fd;
	return c->parent_fd < 0 ? c->parent_fd : 0;
}

static const char *compare_hardlink(struct compare *c, const struct unpack_entry *e,
				    const struct stat *st)
{
	cleanup_fd int dir_fd = -EBADF;
	char target[PATH_MAX];
	struct stat other;
	char *slash;

	if (unpack_clean_path(e->member->link, target) <= 0)
		return "is a link out of the layer";
	slash = strrchr(target, '/');
	if (slash) {
		*slash = '\0';
		dir_fd = path_open_in_root(c->root_fd, target, O_PATH | O_DIRECTORY, 0);
	}
	if ((slash && dir_fd < 0) ||
	    fstatat(slash ? dir_fd : c->root_fd, slash ? slash + 1 : target, &other,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return "is a link to what is missing";
	return other.st_ino == st->st_ino ? NULL : "is a link to another file";
}

static int compare_entry(struct compare *c, const struct unpack_entry *e, const char **ret_what,
			 struct error *err)
{
	const struct archive_member *m = e->member;
	struct stat st;

	if (c->flags & UNPACK_USERNS && (m->type == ARCHIVE_CHAR || m->type == ARCHIVE_BLOCK))
		return 0;
	if (fstatat(e->parent_fd, e->name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
		*ret_what = "is missing";
		return 0;
	}
	remember_inode(c, &st);
	if (m->type == ARCHIVE_HARDLINK) {
		*ret_what = compare_hardlink(c, e, &st);
		return 0;
	}
	if (m->type == ARCHIVE_OTHER)
		return error_kind(err, ERROR_INVALID, "it is of a kind that no layer can hold");
	*ret_what = compare_stat(c, &st, m);
	if (!*ret_what && m->type == ARCHIVE_SYMLINK)
		*ret_what = compare_link(e);
	if (!*ret_what)
		*ret_what = compare_xattrs(c, e);
	if (*ret_what || m->type != ARCHIVE_FILE)
		return 0;
	return compare_content(c, e, ret_what, err);
}

static const char *compare_whiteout(struct compare *c, const struct unpack_entry *e,
				    enum whiteout_kind kind)
{
	const char *opaque =
		c->flags & UNPACK_USERNS ? "user.overlay.opaque" : "trusted.overlay.opaque";
	cleanup_fd int fd = -EBADF;
	struct stat st;
	char value;

	if (kind == WHITEOUT_OPAQUE) {
		fd = openat(e->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd >= 0 && fgetxattr(fd, opaque, &value, 1) == 1 ? NULL : "is missing";
	}
	if (kind == WHITEOUT_IGNORED)
		return NULL;
	/* either the mark, or the layer's own file of that name */
	if (fstatat(e->parent_fd, e->name + strlen(".wh."), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return "is missing";
	remember_inode(c, &st);
	return NULL;
}

static int compare_member(struct compare *c, const struct archive_member *member, struct error *err)
{
	struct unpack_entry e = { .member = member };
	const char *what = NULL;
	enum whiteout_kind kind;
	char path[PATH_MAX];
	int r = unpack_clean_path(member->path, path);

	if (r < 0)
		return error_kind(err, ERROR_INVALID, "its name leads out of the layer");
	if (str_after(path, ".wh..wh.") && whiteout_kind(path) != WHITEOUT_OPAQUE)
		return 0; /* a note of aufs */
	if (open_parent(c, path, &e) < 0)
		return suspect(c, path, "is missing", err);
	kind = whiteout_kind(e.name);
	if (kind == WHITEOUT_NONE) {
		r = compare_entry(c, &e, &what, err);
		if (r < 0)
			return r;
	} else {
		what = compare_whiteout(c, &e, kind);
	}
	if (c->n_suspects > 0 && !what)
		acquit(c, path, member->type == ARCHIVE_DIR);
	return what ? suspect(c, path, what, err) : 0;
}

/* What is too much */

static int compare_inodes(const void *a, const void *b)
{
	const ino_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_known(const struct compare *c, ino_t inode)
{
	return c->n_inodes > 0 &&
	       bsearch(&inode, c->inodes, c->n_inodes, sizeof(inode), compare_inodes);
}

/*
 * Takes dir_fd over. Archives may leave directories out, so one that is not in it is too much only
 * if nothing is in it.
 */
static int find_surplus(struct compare *c, int dir_fd, const char *path, unsigned depth,
			bool *ret_empty, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(dir_fd);
	struct dirent *d;
	int r = 0;

	*ret_empty = true;
	if (!dir) {
		close(dir_fd);
		return error_sys(err, "cannot read '%s'", path);
	}
	while (r == 0 && (d = readdir(dir))) {
		cleanup_free char *name = NULL;
		bool empty = true;

		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		*ret_empty = false;
		name = xasprintf("%s%s%s", path, *path ? "/" : "", d->d_name);
		if (d->d_type == DT_DIR && depth < TREE_DEPTH_MAX) {
			int fd = openat(dirfd(dir), d->d_name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			r = fd < 0 ? error_sys(err, "cannot open '%s'", name)
				   : find_surplus(c, fd, name, depth + 1, &empty, err);
		}
		if (r == 0 && empty && !is_known(c, d->d_ino))
			r = suspect(c, name, "is not of this layer", err);
	}
	return r;
}

static int compare_all(struct compare *c, struct error *err)
{
	struct archive_member member;
	bool empty;
	int r, fd;

	while ((r = archive_reader_next(c->archive, &member, err)) == 0) {
		r = compare_member(c, &member, err);
		if (r < 0)
			return error_prefix(err, r, "entry '%.200s'", member.path);
	}
	if (r < 0)
		return r;
	if (c->n_inodes > 0)
		qsort(c->inodes, c->n_inodes, sizeof(*c->inodes), compare_inodes);
	fd = openat(c->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot read the layer");
	return find_surplus(c, fd, "", 0, &empty, err);
}

/* A directory's time tells only that something in it is different, too. */
static void describe(const struct compare *c, struct layer_difference *ret)
{
	size_t best = 0;

	*ret = (struct layer_difference){ .n = c->n_suspects };
	if (c->n_suspects == 0)
		return;
	while (best + 1 < c->n_suspects && c->suspects[best].what == other_time)
		best++;
	(void)snprintf(ret->first, sizeof(ret->first), "'%.200s' %s", c->suspects[best].path,
		       c->suspects[best].what);
}

int layer_compare(struct archive_reader *a, int root_fd, unsigned unpack_flags,
		  struct layer_difference *ret, struct error *err)
{
	struct compare c = {
		.archive = a,
		.root_fd = root_fd,
		.flags = unpack_flags,
		.parent_fd = -EBADF,
		.buffer = xmalloc(READ_BYTES),
	};
	int r = compare_all(&c, err);

	if (r == 0)
		describe(&c, ret);
	acquit(&c, "", false); /* frees all */
	free(c.suspects);
	free(c.inodes);
	free(c.buffer);
	cleanup_close_fd(&c.parent_fd);
	return r;
}
