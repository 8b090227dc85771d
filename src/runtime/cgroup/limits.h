/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A plan of limits (resources.h) for one container, written and taken back. Private to
 * runtime/cgroup. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct cgroup;
struct cgroup_plan;
struct cgroup_write;
struct oci_resources;

/* What stood in the files before: the values to write back. Zero-initialised is empty. */
struct cgroup_undo {
	struct cgroup_undo_value {
		size_t place;
		const char *file; /* borrowed from the plan */
		char *value;
	} * values;
	size_t n, capacity;
};

/* Which values go into which files of the hierarchies that cg has; nothing is written. The caller frees
 * *ret_plan with cgroup_plan_done(). */
int cgroup_plan_limits(const struct cgroup *cg, const struct oci_resources *resources,
		       struct cgroup_plan *ret_plan, struct error *err);

/* Writes all, and notes in undo (or NULL) what was there before. */
int cgroup_write_plan(const struct cgroup *cg, const struct cgroup_plan *plan,
		      struct cgroup_undo *undo, struct error *err);

/* fresh: no rules were set yet. Defined in create.c. */
int cgroup_apply_devices(const struct cgroup *cg, const struct oci_resources *resources, bool fresh,
			 struct error *err);

/* Controllers of a directory in the v2 tree with commas between; "" if unknown. Heap. create.c */
char *cgroup_read_controllers(const char *dir);

/* undo.c */

/* Before w is written. A value that cannot be read or written back is left out. */
void cgroup_undo_note(struct cgroup_undo *undo, const struct cgroup *cg,
		      const struct cgroup_write *w);

/*
 * What to write into `file` to have `before` (its content) again, after `value` was written.
 * Heap, or NULL. Pure.
 */
char *cgroup_undo_value(const char *file, const char *before, const char *value);

/* Writes the noted values, the last first; twice, as limits may depend on each other. Whatever the
 * kernel refuses now stays. */
void cgroup_undo_restore(const struct cgroup_undo *undo, const struct cgroup *cg);

void cgroup_undo_done(struct cgroup_undo *undo);
#define cleanup_cgroup_undo __attribute__((cleanup(cgroup_undo_done)))
