/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/handle.h"
#include "runtime/cgroup/stats.h"
#include "runtime/runtime.h"

#define NET_DEV_MAX_BYTES (1u << 20)

/* Received and sent bytes of all interfaces of the process's network namespace but the loopback. */
static void read_net(int pid, uint64_t *ret_rx, uint64_t *ret_tx)
{
	cleanup_free char *text = NULL;
	char path[64], *save = NULL, *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	if (file_read(AT_FDCWD, path, NET_DEV_MAX_BYTES, &text, NULL, NULL) < 0)
		return; /* it has just ended */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		unsigned long long rx = 0, tx = 0;

		if (!colon || str_after(line + strspn(line, " "), "lo:"))
			continue;
		/* eight columns of what was received, then what was sent */
		if (sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &rx, &tx) == 2) {
			*ret_rx += rx;
			*ret_tx += tx;
		}
	}
}

static uint64_t host_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
}

int engine_stats(struct engine *e, const struct container_info *c, struct engine_stats *ret_stats,
		 struct error *err)
{
	struct engine_stats s = { .name = c->name, .read_ns = clock_monotonic_ns() };
	struct cgroup_stats cg;
	uint64_t ram = host_memory();
	int r;

	(void)snprintf(s.id, sizeof(s.id), "%s", c->id);
	if (c->pid == 0) {
		*ret_stats = s;
		return 0;
	}
	r = runtime_stats(e->runtime_root, c->id, &cg, err);
	if (r < 0 && err->kind != ERROR_NOT_FOUND)
		return r;
	if (r >= 0) {
		s.cpu_ns = cg.cpu_usage_ns;
		s.memory_usage = cg.memory_working;
		s.memory_limit = cg.memory_limit > ram ? ram : cg.memory_limit;
		s.io_read = cg.io_read_bytes;
		s.io_write = cg.io_write_bytes;
		s.pids = cg.pids_current;
		s.pids_limit = cg.pids_limit == CGROUP_UNLIMITED ? 0 : cg.pids_limit;
		read_net(c->pid, &s.net_rx, &s.net_tx);
	}
	*ret_stats = s;
	return 0;
}
