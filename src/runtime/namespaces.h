/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The namespaces of a container: which clone3() makes, which are joined, and which need a process
 * between the runtime and init.
 *
 * Without joins, init is one clone3 away. A namespace to join must be entered before the new ones
 * are made (they belong to the user namespace of their maker, and a pid or time namespace only
 * takes children). So a stage in between, sharing our memory and descriptors, joins and then makes
 * init as our child, not its own (CLONE_PARENT).
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "oci/spec.h"

struct namespaces {
	uint64_t make;		   /* CLONE_NEW* for clone3 */
	uint64_t make_as_root;	   /* by init, once it is root of its new user namespace */
	bool make_cgroup;	   /* by init itself, once it is in its cgroup */
	bool make_time;		   /* by the stage */
	bool stage;		   /* there is something to join or a time namespace */
	int join_fd[OCI_NS_COUNT]; /* or -EBADF */
	const struct oci_linux *config;
};

/* The CLONE_NEW* bit of a namespace. */
uint64_t namespaces_flag(enum oci_ns ns);

/*
 * Decide, and open what is to be joined.
 * Errors   ERROR_INVALID, ERROR_UNSUPPORTED naming linux.namespaces
 */
int namespaces_open(const struct oci_linux *config, struct namespaces *ret, struct error *err);
void namespaces_close(struct namespaces *n);
/* Is there a path for this one that leads to the runtime's own? 1, 0, or < 0. */
int namespaces_joins_own(const struct namespaces *n, enum oci_ns ns, struct error *err);

/* In the stage: join all, make the time namespace. No allocation. */
int namespaces_enter(const struct namespaces *n, struct error *err);

/* idmap_setup.c: write linux.uidMappings and gidMappings for pid's new user namespace (parent). */
int idmap_setup(pid_t pid, const struct oci_linux *config, struct error *err);
/* Become its root (child); without the groups that we have, if not said otherwise. */
int idmap_become_root(bool keep_groups, struct error *err);
/*
 * The limits that a process in a user namespace may not set for itself, whatever its capabilities
 * there: oom score and rlimits (parent).
 */
int idmap_apply_limits(pid_t pid, const struct oci_process *process, struct error *err);

/* timens.c: linux.timeOffsets of the time namespace that children will get. No allocation. */
int timens_set_offsets(const struct oci_linux *config, int proc_fd, struct error *err);
