/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The device rules of a container in their shortest form, and what they mean. Each of read, write
 * and mknod is decided by the last rule that names the device and the right; what no rule names is
 * refused. Pure. Source: config-linux.md "Device Cgroup".
 */

#include <stdbool.h>
#include <stddef.h>
#include "oci/spec.h"

struct device_list {
	bool default_allow; /* for what no rule below names */
	struct oci_device_rule *rules;
	size_t n;
};

/*
 * The rules of the configuration, then those that every container gets: mknod of anything, and use
 * of null, zero, full, random, urandom, tty, ptmx and the pseudo terminals (as runc and crun do).
 * Rules without effect are left out.
 */
void device_list_build(const struct oci_device_rule *rules, size_t n, struct device_list *ret);
void device_list_done(struct device_list *l);

/* type 'b' or 'c'; access: OCI_DEVICE_* bits, all of which must be allowed. */
bool device_list_allows(const struct device_list *l, char type, int64_t major, int64_t minor,
			unsigned access);

/* Index of the first rule that the v1 controller cannot express (it refuses a part of what an
 * earlier rule with a wildcard allows, or the reverse), or -1. */
int device_list_v1_obstacle(const struct device_list *l);
