/* SPDX-License-Identifier: Apache-2.0 */

/* Processes that change hands. */
#include <stdio.h>

#include "base/file.h"
#include "runtime/cgroup/driver.h"

int cgroup_move(const struct cgroup *cg, pid_t pid, struct error *err)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		int r = n->driver->v2 ? 0 : file_poke(n->dir_fd, "cgroup.procs", text);

		if (r < 0)
			return error_num(err, -r, "cannot move process %d into cgroup '%s'",
					 (int)pid, n->dir);
	}
	return 0;
}
