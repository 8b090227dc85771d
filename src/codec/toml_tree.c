/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/toml_tree.h"

#include <string.h>

#include "base/mem.h"

static const char twice[] = "is defined twice", no_table[] = "is no table";

struct toml_node *toml_node_new(struct arena *arena, enum json_type type, enum toml_origin origin)
{
	struct toml_node *node = arena_alloc(arena, sizeof(*node));

	node->json.type = type;
	node->origin = origin;
	return node;
}

void toml_node_add(struct toml_node *parent, struct toml_node *member, const struct toml_key *key)
{
	if (key) {
		member->json.key = key->text;
		member->json.key_len = key->len;
	}
	member->json.parent = &parent->json;
	if (parent->last)
		parent->last->json.next = &member->json;
	else
		parent->json.first = &member->json;
	parent->last = member;
	parent->json.n++;
}

static struct toml_node *find(struct toml_node *table, const struct toml_key *key)
{
	const struct json *member;

	json_foreach(member, &table->json)
		if (member->key_len == key->len && memcmp(member->key, key->text, key->len) == 0)
			return (struct toml_node *)
				member; /* its first field; the tree is still ours */
	return NULL;
}

static struct toml_node *add_table(struct arena *arena, struct toml_node *parent,
				   const struct toml_key *key, enum toml_origin origin)
{
	struct toml_node *table = toml_node_new(arena, JSON_OBJECT, origin);

	toml_node_add(parent, table, key);
	return table;
}

/* A key on the way of a header: of an array of tables, its last one is meant. */
static struct toml_node *descend(struct arena *arena, struct toml_node *table,
				 const struct toml_key *key, const char **ret_reason)
{
	struct toml_node *next = find(table, key);

	if (!next)
		return add_table(arena, table, key, TOML_IMPLIED);
	if (next->origin == TOML_TABLE_ARRAY)
		return next->last;
	if (next->origin == TOML_VALUE) {
		*ret_reason = next->json.type == JSON_OBJECT ? "is an inline table" : no_table;
		return NULL;
	}
	return next;
}

static struct toml_node *open_array_table(struct arena *arena, struct toml_node *parent,
					  const struct toml_key *key, const char **ret_reason)
{
	struct toml_node *array = find(parent, key);

	if (!array) {
		array = toml_node_new(arena, JSON_ARRAY, TOML_TABLE_ARRAY);
		toml_node_add(parent, array, key);
	}
	if (array->origin != TOML_TABLE_ARRAY) {
		*ret_reason = twice;
		return NULL;
	}
	return add_table(arena, array, NULL, TOML_HEADED);
}

struct toml_node *toml_open_table(struct arena *arena, struct toml_node *root,
				  const struct toml_key *keys, size_t n, bool is_array,
				  const char **ret_reason)
{
	struct toml_node *table = root, *found;

	for (size_t i = 0; table && i + 1 < n; i++)
		table = descend(arena, table, &keys[i], ret_reason);
	if (!table)
		return NULL;
	if (is_array)
		return open_array_table(arena, table, &keys[n - 1], ret_reason);
	found = find(table, &keys[n - 1]);
	if (!found)
		return add_table(arena, table, &keys[n - 1], TOML_HEADED);
	if (found->origin != TOML_IMPLIED) {
		*ret_reason = twice;
		return NULL;
	}
	found->origin = TOML_HEADED;
	return found;
}

bool toml_set(struct arena *arena, struct toml_node *table, const struct toml_key *keys, size_t n,
	      struct toml_node *value, const char **ret_reason)
{
	for (size_t i = 0; i + 1 < n; i++) {
		struct toml_node *next = find(table, &keys[i]);

		if (next && next->origin != TOML_DOTTED) {
			*ret_reason = next->json.type == JSON_OBJECT ? twice : no_table;
			return false;
		}
		table = next ? next : add_table(arena, table, &keys[i], TOML_DOTTED);
	}
	if (find(table, &keys[n - 1])) {
		*ret_reason = twice;
		return false;
	}
	toml_node_add(table, value, &keys[n - 1]);
	return true;
}
