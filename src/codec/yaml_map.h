/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The part of YAML in which registries.d is written: mappings of names, by indentation, down to words
 * on one line, plain or in quotes; comments. Whatever else YAML has is refused, not guessed at.
 * Source: yaml.org/spec/1.2.2; containers-registries.d(5)
 */

#include <stddef.h>
#include "base/error.h"

#define YAML_MAP_DEPTH_MAX 8
#define YAML_MAP_MAX_BYTES (1u << 20)

/* keys: from the outermost, n of them; value: NULL for a name without anything. 0 or < 0. */
typedef int (*yaml_map_entry_fn)(void *ctx, const char *const *keys, size_t n, const char *value,
				 struct error *err);

/*
 * Calls entry() for every name that has a word, or nothing, behind it, in their order. Errors:
 * ERROR_INVALID with the line; those of entry(), with the line, too.
 */
int yaml_map_read(const char *text, size_t len, yaml_map_entry_fn entry, void *ctx,
		  struct error *err);
