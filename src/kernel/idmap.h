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

/* "0 100000 65536\n" lines, the text of /proc/PID/uid_map. */
void idmap_format(const struct idmap_range *ranges, size_t n, struct buf *out);

/*
 * Map the ids of pid's new user namespace. A caller without CAP_SETUID/CAP_SETGID over the outer
 * ids goes through newuidmap(1) and newgidmap(1); without those programs a single range of his own
 * id still works, with setgroups denied.
 */
int idmap_write(pid_t pid, enum idmap_kind kind, const struct idmap_range *ranges, size_t n,
		struct error *err);
