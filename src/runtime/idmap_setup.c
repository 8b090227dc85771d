/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order in a new user namespace: the parent, who has the rights outside, writes both maps while
 * the child waits; only then the child's ids mean anything, and it becomes root inside.
 */

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "kernel/idmap.h"
#include "runtime/namespaces.h"

static int write_map(pid_t pid, enum idmap_kind kind, const struct oci_id_map *maps, size_t n,
		     struct error *err)
{
	cleanup_free struct idmap_range *ranges = xcalloc(n, sizeof(*ranges));

	for (size_t i = 0; i < n; i++)
		ranges[i] = (struct idmap_range){ .inside = maps[i].container_id,
						  .outside = maps[i].host_id,
						  .count = maps[i].size };
	return idmap_write(pid, kind, ranges, n, err);
}

int idmap_setup(pid_t pid, const struct oci_linux *config, struct error *err)
{
	int r = write_map(pid, IDMAP_UID, config->uid_maps, config->n_uid_maps, err);

	if (r >= 0)
		r = write_map(pid, IDMAP_GID, config->gid_maps, config->n_gid_maps, err);
	return r;
}

int idmap_become_root(struct error *err)
{
	/* EPERM: setgroups is denied where the maps were written without privilege */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return error_sys(err, "cannot drop the supplementary groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_sys(err, "cannot become root of the user namespace");
	return 0;
}
