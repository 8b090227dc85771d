/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * User id maps of a user namespace. Sources: user_namespaces(7), newuidmap(1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

struct buf;

struct idmap_range {
	uint32_t inside, outside, count;
};

enum idmap_kind { IDMAP_UID, IDMAP_GID };

/* Which ids the caller's own user namespace has. */
enum idmap_extent {
	IDMAP_ALL,  /* the first user namespace, or one that is like it */
	IDMAP_SOME, /* a range: files of other owners can be made, of others again not */
	IDMAP_ONE,  /* the caller's alone */
};
/* Unknown (no /proc) counts as IDMAP_ALL. */
enum idmap_extent idmap_own_extent(void);
/* The same of the text of a uid_map. */
enum idmap_extent idmap_parse_extent(const char *map);

/* "0 100000 65536\n" lines, the text of /proc/PID/uid_map. */
void idmap_format(const struct idmap_range *ranges, size_t n, struct buf *out);

/*
 * Map the ids of pid's new user namespace. A caller without CAP_SETUID/CAP_SETGID over the outer
 * ids goes through newuidmap(1) and newgidmap(1), unless it is his own id alone: that the kernel
 * takes from everybody, with setgroups denied.
 */
int idmap_write(pid_t pid, enum idmap_kind kind, const struct idmap_range *ranges, size_t n,
		struct error *err);
