/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a directory are a balanced tree (AA: Andersson, "Balanced search trees made simple",
 * 1993): a hash would have to be one that nobody can aim names at. A name that is removed stays, without a
 * node, so there is no way out of the tree; it comes back when it is linked again.
 */
#include "image/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"

/* The kernel's MAXSYMLINKS. */
#define SYMLINKS_MAX 40

struct tree {
	struct arena *arena;
	struct tree_node *root, *first, *last;
	size_t bytes, max_bytes;
	pthread_mutex_t *large;
	bool is_large; /* it holds that */
};

void *tree_alloc(struct tree *t, size_t size)
{
	t->bytes += (size + 15) / 16 * 16;
	return arena_alloc(t->arena, size);
}

struct tree_node *tree_new_node(struct tree *t, mode_t mode)
{
	struct tree_node *n = tree_alloc(t, sizeof(*n));

	n->mode = (uint16_t)mode;
	if (t->last)
		t->last->next = n;
	else
		t->first = n;
	t->last = n;
	return n;
}

struct tree *tree_new(size_t max_bytes, pthread_mutex_t *large)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	t->arena = arena_new();
	t->max_bytes = max_bytes;
	t->large = large;
	t->root = tree_new_node(t, S_IFDIR | 0755);
	t->root->dir.parent = t->root;
	t->root->nlink = 1;
	return t;
}

struct tree *tree_free(struct tree *t)
{
	if (!t)
		return NULL;
	arena_free(t->arena);
	if (t->is_large)
		pthread_mutex_unlock(t->large);
	free(t);
	return NULL;
}

struct tree_node *tree_root(struct tree *t)
{
	return t->root;
}

struct tree_node *tree_first_node(struct tree *t)
{
	return t->first;
}

bool tree_may_grow(struct tree *t)
{
	if (t->large && !t->is_large && t->bytes > TREE_SMALL_BYTES) {
		pthread_mutex_lock(t->large);
		t->is_large = true;
	}
	return t->bytes <= t->max_bytes;
}

/* Names */

static struct tree_entry *find(const struct tree_node *dir, const char *name)
{
	struct tree_entry *e = dir->dir.names;
	int order;

	while (e && (order = strcmp(name, e->name)) != 0)
		e = order < 0 ? e->left : e->right;
	return e;
}

struct tree_entry *tree_lookup(const struct tree_node *dir, const char *name)
{
	struct tree_entry *e = find(dir, name);

	return e && e->node ? e : NULL;
}

/* A left one of the same level becomes the one above. */
static struct tree_entry *skew(struct tree_entry *e)
{
	struct tree_entry *up = e->left;

	if (!up || up->level != e->level)
		return e;
	e->left = up->right;
	up->right = e;
	return up;
}

/* Of three of the same level the middle one rises. */
static struct tree_entry *split(struct tree_entry *e)
{
	struct tree_entry *up = e->right;

	if (!up || !up->right || up->right->level != e->level)
		return e;
	e->right = up->left;
	up->left = e;
	up->level++;
	return up;
}

/* Recursion here and below is as deep as the tree is high: twice the logarithm of the names. */
static struct tree_entry *insert(struct tree_entry *at, struct tree_entry *e)
{
	if (!at)
		return e;
	if (strcmp(e->name, at->name) < 0)
		at->left = insert(at->left, e);
	else
		at->right = insert(at->right, e);
	return split(skew(at));
}

void tree_link(struct tree *t, struct tree_node *dir, const char *name, struct tree_node *node)
{
	struct tree_entry *e = find(dir, name);
	size_t len = strlen(name);

	if (!e) {
		e = tree_alloc(t, sizeof(*e) + len + 1);
		e->name_len = (uint8_t)len; /* at most TREE_NAME_MAX */
		memcpy(e->name, name, len + 1);
		dir->dir.names = insert(dir->dir.names, e);
	}
	e->node = node;
	dir->n_children++;
	node->nlink++;
	if (S_ISDIR(node->mode))
		node->dir.parent = dir;
}

/* dead: directories whose names are to go, too, linked by their parent, which they have no more. */
static void let_go(struct tree_node *n, struct tree_node **dead)
{
	n->nlink--;
	if (!S_ISDIR(n->mode))
		return;
	n->dir.parent = *dead;
	*dead = n;
}

static void let_go_names(const struct tree_entry *e, struct tree_node **dead)
{
	for (; e; e = e->right) {
		let_go_names(e->left, dead);
		if (e->node)
			let_go(e->node, dead);
	}
}

/* No recursion into directories: symlinks can nest them deeper than a path is long. */
void tree_unlink(struct tree_node *dir, struct tree_entry *entry)
{
	struct tree_node *dead = NULL;

	let_go(entry->node, &dead);
	entry->node = NULL;
	dir->n_children--;
	while (dead) {
		const struct tree_entry *names = dead->dir.names;

		dead = dead->dir.parent;
		let_go_names(names, &dead);
	}
}

static void each(const struct tree_entry *e, void (*take)(void *ctx, const struct tree_entry *e),
		 void *ctx)
{
	for (; e; e = e->right) {
		each(e->left, take, ctx);
		if (e->node)
			take(ctx, e);
	}
}

void tree_each(const struct tree_node *dir, void (*take)(void *ctx, const struct tree_entry *e),
	       void *ctx)
{
	each(dir->dir.names, take, ctx);
}

/* Paths */

struct walk {
	struct tree *t;
	unsigned symlinks;
	const struct timespec *make;
};

static int walk(struct walk *w, struct tree_node **dir, const char *path, bool make);

/* One component, which is no "." and no "..". */
static int step(struct walk *w, struct tree_node **dir, const char *name, bool make)
{
	struct tree_entry *e = tree_lookup(*dir, name);
	struct tree_node *n;

	if (!e && make) {
		n = tree_new_node(w->t, S_IFDIR | 0755);
		tree_set_mtime(n, w->make);
		tree_link(w->t, *dir, name, n);
		*dir = n;
		return 0;
	}
	if (!e)
		return -ENOENT;
	if (S_ISLNK(e->node->mode)) {
		if (++w->symlinks > SYMLINKS_MAX)
			return -ELOOP;
		if (*e->node->target == '/')
			*dir = w->t->root;
		return walk(w, dir, e->node->target, false);
	}
	if (!S_ISDIR(e->node->mode))
		return -ENOTDIR;
	*dir = e->node;
	return 0;
}

/* Recursion is as deep as symlinks are, which are counted. */
static int walk(struct walk *w, struct tree_node **dir, const char *path, bool make)
{
	int r = 0;

	while (r == 0 && *path) {
		size_t n = strcspn(path, "/");
		char name[TREE_NAME_MAX + 1];

		if (n > TREE_NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		if (str_eq(name, ".."))
			*dir = (*dir)->dir.parent;
		else if (n > 0 && !str_eq(name, "."))
			r = step(w, dir, name, make);
		path += n;
		path += strspn(path, "/");
	}
	return r;
}

int tree_open_dir(struct tree *t, const char *path, const struct timespec *make,
		  struct tree_node **ret)
{
	struct walk w = { .t = t, .make = make };
	struct tree_node *dir = t->root;
	int r = walk(&w, &dir, path, make != NULL);

	if (r == 0)
		*ret = dir;
	return r;
}

void tree_set_xattr(struct tree *t, struct tree_node *node, const char *name, const void *value,
		    size_t len)
{
	struct tree_xattr **at = &node->xattrs;
	void *copy = tree_alloc(t, len + 1);

	while (*at && !str_eq((*at)->name, name))
		at = &(*at)->next;
	if (!*at) {
		*at = tree_alloc(t, sizeof(**at));
		t->bytes += strlen(name);
		(*at)->name = arena_strdup(t->arena, name);
	}
	if (len > 0)
		memcpy(copy, value, len);
	(*at)->value = copy;
	(*at)->len = len;
}
