/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the lines of a TOML document define, and which of them contradict another. Functions give
 * NULL and a reason where the rules of toml.io/en/v1.0.0 are broken.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "codec/json.h"

struct arena;

enum toml_origin {
	TOML_VALUE,	  /* a scalar, an inline table, an array in brackets: finished */
	TOML_IMPLIED,	  /* a table on the way to another one's header: a header may come */
	TOML_HEADED,	  /* a table with its header */
	TOML_DOTTED,	  /* a table made by a dotted key: only dotted keys add to it */
	TOML_TABLE_ARRAY, /* an array made by [[headers]] */
};

struct toml_node {
	struct json json; /* first: the tree that is handed out */
	enum toml_origin origin;
	struct toml_node *last; /* member, or NULL */
};

struct toml_key {
	const char *text; /* NUL-terminated, in the arena */
	uint32_t len;
};

struct toml_node *toml_node_new(struct arena *arena, enum json_type type, enum toml_origin origin);

/* Hangs a finished node up as the last member; key NULL in an array. */
void toml_node_add(struct toml_node *parent, struct toml_node *member, const struct toml_key *key);

/* [a.b.c], [[a.b.c]]: the table that the following lines fill. */
struct toml_node *toml_open_table(struct arena *arena, struct toml_node *root,
				  const struct toml_key *keys, size_t n, bool is_array,
				  const char **ret_reason);

/* a.b.c = value within table. */
bool toml_set(struct arena *arena, struct toml_node *table, const struct toml_key *keys, size_t n,
	      struct toml_node *value, const char **ret_reason);
