/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * linux.resources as the list of values to write, for the hierarchies of a host. Pure: unit tests
 * and `explain` print it. Device rules are not files on v2 and go their own way (device_list.h).
 * Source: config-linux.md "Control groups"; conversions from v1 to v2 as runc and crun do them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/macro.h"

struct arena;
struct oci_resources;

/* One hierarchy in which the container has a directory. */
struct cgroup_place {
	bool v2;
	const char *controllers; /* comma separated */
};

enum cgroup_write_flag {
	CGROUP_WRITE_OPTIONAL = 1 << 0, /* means "no limit": a file that is missing is no error */
	CGROUP_WRITE_RETRY = 1 << 1,	/* depends on a value later in the list: on EINVAL or EBUSY
					   once more at the end */
};

struct cgroup_write {
	size_t place; /* index of the hierarchy */
	const char *controller;
	const char *file, *value;
	const char *other_file, *other_value; /* where file does not exist; or NULL */
	const char *field;		      /* "linux.resources.memory.limit" */
	unsigned flags;
};

struct cgroup_plan {
	struct arena *arena; /* owns all strings */
	struct cgroup_write *writes;
	size_t n, capacity;
};

/*
 * Errors   ERROR_UNSUPPORTED: a limit needs a controller that no place has; ERROR_INVALID: values
 *          that contradict each other. Both name the field.
 */
int cgroup_plan_resources(const struct oci_resources *r, const struct cgroup_place *places,
			  size_t n_places, struct cgroup_plan *ret_plan, struct error *err);
void cgroup_plan_done(struct cgroup_plan *p);
#define cleanup_cgroup_plan __attribute__((cleanup(cgroup_plan_done)))

/* [2, 262144] to [1, 10000] so that the defaults 1024 and 100 meet; 0 stays "not set". */
uint64_t cgroup_shares_to_weight(uint64_t shares);

/* blkio [10, 1000] to io [1, 10000]; 0 stays "not set". */
uint64_t cgroup_blkio_to_io_weight(uint64_t weight);
