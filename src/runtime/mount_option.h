/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The option words of mounts[].options: what of them is an attribute of the mount, its
 * propagation, how it is made, or an option for the file system. Source: runtime-spec config.md
 * "Linux mount options"; mount(8).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "kernel/mountapi.h"

struct arena;

struct mount_options {
	bool bind, recursive_bind, remount, copy_up, idmap, recursive_idmap;
	bool copy_symlink, dest_nofollow, src_nofollow; /* crun.1, for binds */
	bool fill; /* berth.fill, for binds: an empty source gets what the mount covers */
	const char *idmap_text; /* what follows "idmap=", as crun.1 has it; or NULL */
	uint64_t set, clear;	/* MOUNT_ATTR_* of this mount */
	uint64_t recursive_set, recursive_clear; /* of it and all below */
	uint64_t propagation;			 /* MS_SHARED ... or 0 */
	uint64_t recursive_propagation;
	const struct mount_param *params; /* for the file system, in their order */
	size_t n_params;
};

/*
 * Sort the words. Later words win over earlier ones ("ro,rw" is rw). Words that are not known go to
 * the file system, which refuses what it does not know.
 * Everything returned hangs on arena or on the words.
 */
void mount_options_parse(const char *const *words, size_t n_words, struct arena *arena,
			 struct mount_options *ret);

/* Known words, sorted, for the `features` document. */
const char *mount_option_word(size_t i); /* NULL behind the last */
