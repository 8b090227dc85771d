/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order in a new user namespace: the parent, who has the rights outside, writes both maps while
 * the child waits; only then the child's ids mean anything, and it becomes root inside.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "kernel/idmap.h"
#include "kernel/rlimit.h"
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

int idmap_become_root(bool keep_groups, struct error *err)
{
	/* EPERM: setgroups is denied where the maps were written without privilege */
	if (!keep_groups && setgroups(0, NULL) < 0 && errno != EPERM)
		return error_sys(err, "cannot drop the supplementary groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_sys(err, "cannot become root of the user namespace");
	return 0;
}

static int set_oom_score(pid_t pid, int64_t score, struct error *err)
{
	cleanup_free char *now = NULL;
	char path[64], text[24];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	(void)snprintf(text, sizeof(text), "%lld", (long long)score);
	r = file_poke(AT_FDCWD, path, text);
	if (r == 0)
		return 0;
	/* lowering needs CAP_SYS_RESOURCE, also to the value that is there (rootless) */
	if (file_read(AT_FDCWD, path, sizeof(text), &now, NULL, err) == 0 &&
	    strtoll(now, NULL, 10) == score)
		return 0;
	return error_num(err, -r, "cannot set process.oomScoreAdj to %s", text);
}

int idmap_apply_limits(pid_t pid, const struct oci_process *process, struct error *err)
{
	int r = 0;

	if (process->oom_score_adj.set)
		r = set_oom_score(pid, process->oom_score_adj.value, err);
	for (size_t i = 0; r >= 0 && i < process->n_rlimits; i++) {
		const struct oci_rlimit *l = &process->rlimits[i];
		struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };

		rlimit_leave_room(l->resource, &limit);
		if (prlimit(pid, (__rlimit_resource_t)l->resource, &limit, NULL) < 0)
			r = error_sys(err, "cannot set %s to %llu:%llu", rlimit_name(l->resource),
				      (unsigned long long)l->soft, (unsigned long long)l->hard);
	}
	return r;
}
