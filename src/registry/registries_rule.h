/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The [[registry]] tables of all configuration files. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct arena;

struct registry_mirror {
	const char *location; /* host[:port][/path], no slash behind */
	bool insecure, digest_only, tag_only;
};

struct registry_rule {
	const char *prefix;   /* "host/path", or "*.example.com" */
	const char *location; /* what takes the place of prefix; NULL: nothing does */
	const char *file;     /* where it is written */
	bool insecure, blocked;
	struct registry_mirror *mirrors;
	size_t n_mirrors;
};

struct registry_rules {
	struct arena *arena; /* of everything in them */
	struct registry_rule *list;
	size_t n, capacity;
};

/* What registries.conf and its drop-ins say, the later over the earlier; none at all is an empty list.
 * Errors   ERROR_INVALID: a file's name and what is wrong in it */
int registry_rules_load(struct registry_rules *ret, struct error *err);
void registry_rules_done(struct registry_rules *rules);
#define cleanup_registry_rules __attribute__((cleanup(registry_rules_done)))

/* The rule with the longest prefix of name ("docker.io/library/nginx"), or NULL. ret_length: how much
 * of name the prefix covers. */
const struct registry_rule *registry_rules_find(const struct registry_rules *rules,
						const char *name, size_t *ret_length);
