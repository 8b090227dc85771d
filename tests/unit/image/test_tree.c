/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "image/tree.h"

#define MANY 20000

static struct tree_node *add(struct tree *t, struct tree_node *dir, const char *name, mode_t mode)
{
	struct tree_node *n = tree_new_node(t, mode);

	tree_link(t, dir, name, n);
	return n;
}

struct listed {
	size_t n;
	char last[TREE_NAME_MAX + 1];
};

static void take(void *ctx, const struct tree_entry *e)
{
	struct listed *l = ctx;

	assert_true(strcmp(l->last, e->name) < 0);
	assert_int_equal(e->name_len, strlen(e->name));
	strcpy(l->last, e->name);
	l->n++;
}

static size_t count(const struct tree_node *dir)
{
	struct listed l = { 0 };

	tree_each(dir, take, &l);
	assert_int_equal(l.n, dir->n_children);
	return l.n;
}

static void test_names_are_found_and_in_order_however_they_came(void **state)
{
	/* forwards, backwards, hither and thither; all factors are prime to MANY */
	static const unsigned steps[] = { 1, MANY - 1, 7919 };
	char name[16];

	for (size_t s = 0; s < 3; s++) {
		struct tree *t = tree_new(SIZE_MAX, NULL);
		struct tree_node *root = tree_root(t);

		for (unsigned i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "f%u", i * steps[s] % MANY);
			add(t, root, name, S_IFREG);
		}
		assert_int_equal(count(root), MANY);
		for (unsigned i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "f%u", i);
			assert_non_null(tree_lookup(root, name));
		}
		assert_null(tree_lookup(root, "f"));
		/* balanced: an AA tree is at most twice as high as its lowest branch is long */
		assert_in_range(root->dir.names->level, 6, 14);
		tree_free(t);
	}
}

static void test_a_name_that_is_removed_can_come_back(void **state)
{
	struct tree *t = tree_new(SIZE_MAX, NULL);
	struct tree_node *root = tree_root(t), *first = add(t, root, "a", S_IFREG), *second;

	add(t, root, "b", S_IFREG);
	tree_unlink(root, tree_lookup(root, "a"));
	assert_null(tree_lookup(root, "a"));
	assert_int_equal(first->nlink, 0);
	assert_int_equal(count(root), 1);
	second = add(t, root, "a", S_IFLNK);
	assert_ptr_equal(tree_lookup(root, "a")->node, second);
	assert_int_equal(count(root), 2);
	tree_free(t);
}

static void test_all_below_a_directory_goes_with_it(void **state)
{
	struct tree *t = tree_new(SIZE_MAX, NULL);
	struct tree_node *root = tree_root(t), *top = add(t, root, "top", S_IFDIR), *dir = top;
	struct tree_node *file = add(t, top, "file", S_IFREG), *deepest, *gone;

	for (int i = 0; i < MANY; i++) /* deeper than a stack would take */
		dir = add(t, dir, "down", S_IFDIR);
	deepest = add(t, dir, "deepest", S_IFREG);
	gone = add(t, dir, "gone", S_IFREG);
	tree_unlink(dir, tree_lookup(dir, "gone"));
	tree_link(t, root, "kept", file);

	tree_unlink(root, tree_lookup(root, "top"));
	assert_int_equal(top->nlink, 0);
	assert_int_equal(dir->nlink, 0);
	assert_int_equal(deepest->nlink, 0);
	assert_int_equal(gone->nlink, 0);
	assert_int_equal(file->nlink, 1);
	assert_int_equal(count(root), 1);
	tree_free(t);
}

static void test_one_tree_at_a_time_is_large(void **state)
{
	pthread_mutex_t large = PTHREAD_MUTEX_INITIALIZER;
	struct tree *t = tree_new(TREE_SMALL_BYTES + (1 << 20), &large);

	assert_true(tree_may_grow(t));
	assert_int_equal(pthread_mutex_trylock(&large), 0);
	pthread_mutex_unlock(&large);
	(void)tree_alloc(t, TREE_SMALL_BYTES);
	assert_true(tree_may_grow(t));
	assert_int_equal(pthread_mutex_trylock(&large), EBUSY);
	(void)tree_alloc(t, 1 << 20);
	assert_false(tree_may_grow(t));
	tree_free(t);
	assert_int_equal(pthread_mutex_trylock(&large), 0);
	pthread_mutex_unlock(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_found_and_in_order_however_they_came),
		cmocka_unit_test(test_a_name_that_is_removed_can_come_back),
		cmocka_unit_test(test_all_below_a_directory_goes_with_it),
		cmocka_unit_test(test_one_tree_at_a_time_is_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
