/* SPDX-License-Identifier: Apache-2.0 */
/* The counterpart of unpack.c and unpack_entry.c without a file system; words of errors are theirs. */
#include "image/tree_fill.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/unpack_private.h"

#define BLOCK_BYTES 512
/* What ext4 takes; a file has to end somewhere. */
#define FILE_MAX_BYTES ((uint64_t)16 << 40)

struct fill {
	struct tree *tree;
	const struct tree_fill_source *source;
	const struct unpack_limits *limits;
	struct unpack_result done;
	uint64_t written; /* bytes, against max_bytes */
	size_t dirs_bytes;

	struct tree_node *parent; /* of parent_path; NULL: not known */
	char parent_path[PATH_MAX];
	bool unfit;
};

/* The entry in work. */
struct item {
	const struct archive_member *member;
	const char *path; /* cleaned; "" is the root */
	const char *name; /* in path */
	struct tree_node *dir;
};

static int open_parent(struct fill *f, struct item *it, struct error *err)
{
	const char *slash = strrchr(it->path, '/');
	size_t len = slash ? (size_t)(slash - it->path) : 0;
	int r;

	it->name = slash ? slash + 1 : it->path;
	it->dir = tree_root(f->tree);
	if (!slash)
		return 0;
	if (!f->parent || strncmp(f->parent_path, it->path, len) != 0 || f->parent_path[len]) {
		f->parent = NULL;
		memcpy(f->parent_path, it->path, len);
		f->parent_path[len] = '\0';
		r = tree_open_dir(f->tree, f->parent_path, &it->member->mtime, &f->parent);
		if (r == -ENOTDIR || r == -ELOOP)
			return error_kind(err, ERROR_INVALID,
					  "what is above it is not a directory");
		if (r < 0)
			return error_kind(err, ERROR_INVALID,
					  "the directory above it cannot be made (%s)",
					  strerror(-r));
	}
	it->dir = f->parent;
	return 0;
}

static int check_name(const char *name, const char *what, struct error *err)
{
	return strlen(name) > TREE_NAME_MAX ? error_num(err, ENAMETOOLONG, "cannot %s", what) : 0;
}

static void unlink_entry(struct fill *f, struct tree_node *dir, struct tree_entry *e)
{
	if (S_ISDIR(e->node->mode) || S_ISLNK(e->node->mode))
		f->parent = NULL; /* its path may mean another now */
	tree_unlink(dir, e);
}

/* Attributes */

static bool capability_is_valid(const void *value, size_t len)
{
	struct vfs_ns_cap_data data = { 0 };
	uint32_t revision;

	if (len != XATTR_CAPS_SZ_2 && len != XATTR_CAPS_SZ_3)
		return false;
	memcpy(&data, value, len);
	revision = le32toh(data.magic_etc) & VFS_CAP_REVISION_MASK;
	return revision == (len == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3);
}

/* What setxattr(2) would say. */
static int xattr_errno(const struct tree_node *n, const char *name, const void *value, size_t len)
{
	const char *rest = strchr(name, '.');

	if (strlen(name) > XATTR_NAME_MAX)
		return ERANGE;
	if (len > XATTR_SIZE_MAX)
		return E2BIG;
	if (!rest || !rest[1])
		return EINVAL;
	if (str_eq(name, "security.capability"))
		return capability_is_valid(value, len) ? 0 : EINVAL;
	if (str_after(name, "user.") && !S_ISREG(n->mode) && !S_ISDIR(n->mode))
		return EPERM;
	return 0;
}

static int set_xattrs(struct fill *f, const struct item *it, struct tree_node *n, struct error *err)
{
	const void *value;
	const char *name;
	size_t len;

	if (it->member->n_xattrs > UNPACK_XATTRS_MAX)
		return error_kind(err, ERROR_INVALID, "it has more than %d attributes",
				  UNPACK_XATTRS_MAX);
	while (archive_reader_xattr(f->source->archive, &name, &value, &len)) {
		int sys;

		if (str_after(name, "system.")) {
			f->unfit = true; /* an ACL changes the mode, too */
			continue;
		}
		if (unpack_refuses_xattr(name) ||
		    (!str_after(name, "user.") && !str_after(name, "trusted.") &&
		     !str_after(name, "security."))) {
			log_debug("attribute %s in a layer is left out", name);
			continue;
		}
		sys = xattr_errno(n, name, value, len);
		if (sys != 0)
			return error_num(err, sys, "cannot set its attribute %.80s", name);
		tree_set_xattr(f->tree, n, name, value, len);
	}
	return 0;
}

static int set_attributes(struct fill *f, const struct item *it, struct tree_node *n,
			  struct error *err)
{
	const struct archive_member *m = it->member;

	if (m->uid >= UINT32_MAX || m->gid >= UINT32_MAX)
		return error_kind(err, ERROR_INVALID, "its owner is out of range");
	n->uid = (uint32_t)m->uid;
	n->gid = (uint32_t)m->gid;
	tree_set_mtime(n, &m->mtime);
	if (!S_ISLNK(n->mode))
		n->mode = (uint16_t)((n->mode & S_IFMT) | (m->mode & 07777));
	return *it->name ? set_xattrs(f, it, n, err) : 0;
}

/* Contents */

static void add_piece(struct fill *f, struct tree_node *n, uint64_t file_at, uint64_t archive_at,
		      uint64_t len)
{
	struct tree_piece *last = n->pieces.last;

	if (last && last->file_at + last->len == file_at &&
	    last->archive_at + last->len == archive_at) {
		last->len += len;
		return;
	}
	/* a map out of order: what is written last counts, and chunks are copied in order */
	if (last && file_at < last->file_at + last->len)
		f->unfit = true;
	last = tree_alloc(f->tree, sizeof(*last));
	*last = (struct tree_piece){ NULL, file_at, archive_at, len };
	if (n->pieces.last)
		n->pieces.last->next = last;
	else
		n->pieces.first = last;
	n->pieces.last = last;
	n->n_pieces++;
}

/* The kernel shows the rest of the last block to who maps the file: it has to be zero. */
static bool has_clean_end(struct fill *f, struct tree_node *n)
{
	const struct tree_piece *p = n->pieces.first;
	uint64_t end = p->archive_at + p->len;
	size_t rest = (size_t)(-end % BLOCK_BYTES);
	int zero = rest == 0 ? 1 : f->source->are_zero(f->source->ctx, end, rest);

	n->end_unknown = zero < 0;
	return zero != 0;
}

static int take_content(struct fill *f, struct tree_node *n, struct error *err)
{
	const struct tree_piece *p;
	const void *data;
	uint64_t offset, at;
	size_t len;
	int r = ARCHIVE_END;

	if (n->size > FILE_MAX_BYTES)
		return error_num(err, EFBIG, "cannot give it its size");
	while (n->size > 0 &&
	       (r = archive_reader_data(f->source->archive, &data, &len, &offset, err)) == 0) {
		at = archive_reader_data_offset(f->source->archive);
		if (len > f->limits->max_bytes - f->written)
			return unpack_too_big(f->limits, err);
		f->written += len;
		if (len > 0)
			add_piece(f, n, offset, at, len);
	}
	if (r < 0)
		return r;
	p = n->pieces.first;
	if (n->size > 0)
		n->scattered = n->n_pieces != 1 || p->file_at != 0 || p->len != n->size ||
			       p->archive_at % BLOCK_BYTES != 0 || !has_clean_end(f, n);
	f->done.bytes += n->size;
	return 0;
}

/* Makers: the name is free */

static int make_node(struct fill *f, struct item *it, struct error *err)
{
	static const mode_t types[] = {
		[ARCHIVE_FILE] = S_IFREG,  [ARCHIVE_SYMLINK] = S_IFLNK | 0777,
		[ARCHIVE_DIR] = S_IFDIR,   [ARCHIVE_CHAR] = S_IFCHR,
		[ARCHIVE_BLOCK] = S_IFBLK, [ARCHIVE_FIFO] = S_IFIFO,
	};
	const struct archive_member *m = it->member;
	struct tree_node *n = tree_new_node(f->tree, types[m->type]);
	int r = 0;

	if (m->type == ARCHIVE_CHAR || m->type == ARCHIVE_BLOCK) {
		n->rdev = makedev(m->major, m->minor);
		if (n->rdev > UINT32_MAX) /* mknod(2): the kernel's numbers have 12 + 20 bits */
			return error_num(err, EINVAL, "cannot create it");
	}
	if (m->type == ARCHIVE_FILE) {
		n->size = m->size;
		r = take_content(f, n, err);
	} else if (m->type == ARCHIVE_SYMLINK) {
		n->size = strlen(m->link);
		if (n->size == 0 || n->size >= PATH_MAX)
			return error_num(err, n->size == 0 ? ENOENT : ENAMETOOLONG,
					 "cannot create it");
		n->target = memcpy(tree_alloc(f->tree, n->size + 1), m->link, n->size);
		f->done.bytes += n->size;
	}
	if (r == 0)
		r = set_attributes(f, it, n, err);
	if (r == 0)
		tree_link(f->tree, it->dir, it->name, n);
	return r;
}

/* The target is found as a path below the root, the last name not followed. */
static int find_target(struct fill *f, char *target, struct tree_entry **ret)
{
	struct tree_node *dir = tree_root(f->tree);
	char *slash = strrchr(target, '/');
	int r = 0;

	*ret = NULL;
	if (slash) {
		*slash = '\0';
		r = tree_open_dir(f->tree, target, NULL, &dir);
		*slash = '/';
	}
	if (r == 0)
		*ret = tree_lookup(dir, slash ? slash + 1 : target);
	return r == -ENAMETOOLONG ? r : 0;
}

static int make_hardlink(struct fill *f, struct item *it, struct error *err)
{
	const char *link = it->member->link;
	struct tree_entry *target, *old;
	char path[PATH_MAX];
	int r;

	if (unpack_clean_path(link, path) <= 0)
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which leads out of the layer",
				  link);
	if (str_eq(path, it->path))
		return 0;
	r = find_target(f, path, &target);
	if (r < 0)
		return error_num(err, -r, "cannot link it to '%.200s'", link);
	old = target ? tree_lookup(it->dir, it->name) : NULL;
	if (old) {
		unlink_entry(f, it->dir, old);	     /* which may have held the target */
		(void)find_target(f, path, &target); /* as before, or gone */
	}
	if (!target)
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which is not in the layer", link);
	if (S_ISDIR(target->node->mode))
		return error_kind(err, ERROR_INVALID,
				  "it is a hard link to '%.200s', which is a directory", link);
	tree_link(f->tree, it->dir, it->name, target->node);
	return 0;
}

/* Later entries replace earlier ones of the same name; only directories merge. */
static int make_entry(struct fill *f, struct item *it, struct error *err)
{
	const struct archive_member *m = it->member;
	bool was_whiteout = false;
	struct tree_entry *old;
	int r;

	if (!*it->name && m->type != ARCHIVE_DIR)
		return error_kind(err, ERROR_INVALID, "it would replace the root directory");
	if (!*it->name)
		return set_attributes(f, it, tree_root(f->tree), err);
	if (m->type == ARCHIVE_OTHER)
		return error_kind(err, ERROR_INVALID, "it is of a kind that no layer can hold");
	r = check_name(it->name, "create it", err);
	if (r == 0 && m->type == ARCHIVE_DIR)
		r = unpack_count_dir(it->path, &f->dirs_bytes, err);
	if (r < 0)
		return r;
	if (m->type == ARCHIVE_HARDLINK)
		return make_hardlink(f, it, err);
	old = tree_lookup(it->dir, it->name);
	if (old && S_ISDIR(old->node->mode) && m->type == ARCHIVE_DIR)
		return set_attributes(f, it, old->node, err);
	if (old) {
		was_whiteout = S_ISCHR(old->node->mode) && old->node->rdev == 0;
		unlink_entry(f, it->dir, old);
	}
	r = make_node(f, it, err);
	if (r == 0 && was_whiteout && m->type == ARCHIVE_DIR)
		tree_set_xattr(f->tree, tree_lookup(it->dir, it->name)->node,
			       "trusted.overlay.opaque", "y", 1);
	return r;
}

/* See whiteout.c. */
static int make_whiteout(struct fill *f, struct item *it, enum whiteout_kind kind,
			 struct error *err)
{
	const char *name = it->name + strlen(".wh.");
	struct tree_entry *old;
	struct tree_node *n;
	int r;

	if (kind == WHITEOUT_IGNORED)
		return 0;
	if (kind == WHITEOUT_OPAQUE) {
		tree_set_xattr(f->tree, it->dir, "trusted.overlay.opaque", "y", 1);
		return 0;
	}
	if (str_empty(name) || str_eq(name, ".") || str_eq(name, ".."))
		return error_kind(err, ERROR_INVALID, "it is a whiteout of nothing");
	r = check_name(name, "make a whiteout", err);
	if (r < 0)
		return r;
	old = tree_lookup(it->dir, name);
	if (old) {
		if (S_ISDIR(old->node->mode))
			tree_set_xattr(f->tree, old->node, "trusted.overlay.opaque", "y", 1);
		return 0;
	}
	n = tree_new_node(f->tree, S_IFCHR);
	tree_set_mtime(n, &it->member->mtime);
	tree_link(f->tree, it->dir, name, n);
	return 0;
}

static int take_member(struct fill *f, const struct archive_member *m, struct error *err)
{
	struct item it = { .member = m };
	enum whiteout_kind kind;
	char path[PATH_MAX];
	int r = unpack_clean_path(m->path, path);

	if (r < 0)
		return unpack_refuse_path(r, err);
	if (f->done.entries++ >= f->limits->max_entries)
		return error_kind(err, ERROR_INVALID, "the layer has more than %llu entries",
				  (unsigned long long)f->limits->max_entries);
	if (unpack_is_aufs_note(path))
		return 0;
	it.path = path;
	r = open_parent(f, &it, err);
	if (r < 0)
		return r;
	kind = whiteout_kind(it.name);
	return kind == WHITEOUT_NONE ? make_entry(f, &it, err) : make_whiteout(f, &it, kind, err);
}

int tree_fill(struct tree *t, const struct tree_fill_source *source,
	      const struct unpack_limits *limits, struct unpack_result *ret, struct error *err)
{
	cleanup_free struct fill *f = xcalloc(1, sizeof(*f));
	struct archive_member m;
	int r;

	f->tree = t;
	f->source = source;
	f->limits = limits;
	while ((r = archive_reader_next(source->archive, &m, err)) == 0) {
		r = take_member(f, &m, err);
		if (r < 0)
			return error_prefix(err, r, "entry '%.200s'", m.path);
		if (f->unfit || !tree_may_grow(t))
			return TREE_UNFIT;
	}
	if (r < 0)
		return r;
	*ret = f->done;
	return 0;
}
