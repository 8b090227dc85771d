/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/stats.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/driver.h"

static void parse_psi_line(const char *text, const char *kind, struct cgroup_psi_line *line)
{
	const char *start = strstr(text, kind);
	unsigned long long total;

	if (start && sscanf(start + strlen(kind), " avg10=%lf avg60=%lf avg300=%lf total=%llu",
			    &line->avg10, &line->avg60, &line->avg300, &total) == 4)
		line->total_us = total;
}

static void read_psi(const struct cgroup_node *n, const char *file, struct cgroup_psi *psi)
{
	char text[256];

	if (cgroupfs_read(n->dir_fd, file, text, sizeof(text)) <= 0)
		return; /* not compiled in, or switched off (EOPNOTSUPP) */
	psi->present = true;
	parse_psi_line(text, "some", &psi->some);
	parse_psi_line(text, "full", &psi->full);
}

void cgroup_stats_read_psi(const struct cgroup_node *n, struct cgroup_stats *stats)
{
	read_psi(n, "cpu.pressure", &stats->cpu_psi);
	read_psi(n, "memory.pressure", &stats->memory_psi);
	read_psi(n, "io.pressure", &stats->io_psi);
}

int cgroup_stats(const struct cgroup *cg, struct cgroup_stats *ret_stats, struct error *err)
{
	struct cgroup_stats s = {
		.memory_limit = CGROUP_UNLIMITED,
		.swap_limit = CGROUP_UNLIMITED,
		.pids_limit = CGROUP_UNLIMITED,
	};
	bool any = false;

	/* v2 first: where a hybrid host counts twice, the v1 controller knows more */
	for (int v2 = 1; v2 >= 0; v2--)
		for (size_t i = 0; i < cg->n; i++) {
			const struct cgroup_node *n = &cg->nodes[i];

			if (n->dir_fd < 0 || n->driver->v2 != (v2 == 1))
				continue;
			n->driver->stats(n, &s);
			any = true;
		}
	if (!any)
		return error_kind(err, ERROR_NOT_FOUND, "the container has no cgroup");
	s.memory_working = s.memory_usage > s.memory_inactive_file
				   ? s.memory_usage - s.memory_inactive_file
				   : 0;
	*ret_stats = s;
	return 0;
}
