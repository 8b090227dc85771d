/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"

/* The kernel's MAXSYMLINKS. */
#define SYMLINKS_MAX 40
/* What tsearch(3) takes for one entry, about. */
#define INDEX_ENTRY_BYTES 48

struct tree {
	struct arena *arena;
	struct tree_node *root, *first, *last;
	void *index; /* tsearch(3): all entries by directory and name */
	size_t bytes, max_bytes;
};

void *tree_alloc(struct tree *t, size_t size)
{
	t->bytes += size + 16;
	return arena_alloc(t->arena, size);
}

struct tree_node *tree_new_node(struct tree *t, mode_t mode)
{
	struct tree_node *n = tree_alloc(t, sizeof(*n));

	n->mode = mode;
	if (t->last)
		t->last->next = n;
	else
		t->first = n;
	t->last = n;
	return n;
}

struct tree *tree_new(size_t max_bytes)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	t->arena = arena_new();
	t->max_bytes = max_bytes;
	t->root = tree_new_node(t, S_IFDIR | 0755);
	t->root->dir.parent = t->root;
	t->root->nlink = 1;
	return t;
}

static void keep_entry(void *entry)
{
	/* the arena has it */
}

struct tree *tree_free(struct tree *t)
{
	if (!t)
		return NULL;
	tdestroy(t->index, keep_entry);
	arena_free(t->arena);
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

bool tree_is_full(const struct tree *t)
{
	return t->bytes > t->max_bytes;
}

static int compare_entries(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	if (x->dir != y->dir)
		return (uintptr_t)x->dir < (uintptr_t)y->dir ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct tree_entry *tree_lookup(struct tree *t, struct tree_node *dir, const char *name)
{
	union {
		struct tree_entry entry;
		char room[sizeof(struct tree_entry) + TREE_NAME_MAX + 1];
	} key;
	size_t len = strlen(name);
	void *found;

	if (len > TREE_NAME_MAX)
		return NULL;
	key.entry.dir = dir;
	memcpy(key.room + offsetof(struct tree_entry, name), name, len + 1);
	found = tfind(&key, &t->index, compare_entries);
	return found ? *(struct tree_entry **)found : NULL;
}

void tree_link(struct tree *t, struct tree_node *dir, const char *name, struct tree_node *node)
{
	size_t len = strlen(name);
	struct tree_entry *e = tree_alloc(t, sizeof(*e) + len + 1);

	*e = (struct tree_entry){ .node = node, .dir = dir, .next = dir->dir.first };
	e->name_len = len;
	memcpy(e->name, name, len + 1);
	if (e->next)
		e->next->prev = e;
	dir->dir.first = e;
	dir->n_children++;
	node->nlink++;
	if (S_ISDIR(node->mode))
		node->dir.parent = dir;
	t->bytes += INDEX_ENTRY_BYTES;
	if (!tsearch(e, &t->index, compare_entries))
		abort(); /* no memory, as xmalloc() */
}

static void unlink_one(struct tree *t, struct tree_entry *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		e->dir->dir.first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	e->dir->n_children--;
	e->node->nlink--;
	(void)tdelete(e, &t->index, compare_entries); /* it is there */
}

/* Depth first, without a stack: symlinks can nest directories deeper than a path is long. */
void tree_unlink(struct tree *t, struct tree_entry *entry)
{
	struct tree_node *top = entry->node;
	struct tree_node *dir = top;

	while (S_ISDIR(top->mode) && top->dir.first) {
		struct tree_entry *e = dir->dir.first;

		if (!e) {
			dir = dir->dir.parent;
			continue;
		}
		if (S_ISDIR(e->node->mode) && e->node->dir.first)
			dir = e->node;
		else
			unlink_one(t, e);
	}
	unlink_one(t, entry);
}

struct walk {
	struct tree *t;
	unsigned symlinks;
	const struct timespec *make;
};

static int walk(struct walk *w, struct tree_node **dir, const char *path, bool make);

/* One component, which is no "." and no "..". */
static int step(struct walk *w, struct tree_node **dir, const char *name, bool make)
{
	struct tree_entry *e = tree_lookup(w->t, *dir, name);
	struct tree_node *n;

	if (!e && make) {
		n = tree_new_node(w->t, S_IFDIR | 0755);
		n->mtime = *w->make;
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
