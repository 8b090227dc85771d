/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a container uses, from v1 and v2 files alike, in one struct: for `events --stats` and
 * `stats`. Values the host does not give are 0, limits that are not set are UINT64_MAX.
 */

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_UNLIMITED UINT64_MAX

struct cgroup_psi_line {
	double avg10, avg60, avg300; /* per cent */
	uint64_t total_us;
};

struct cgroup_psi {
	bool present;
	struct cgroup_psi_line some, full;
};

struct cgroup_stats {
	/* cpu, ns */
	uint64_t cpu_usage_ns, cpu_user_ns, cpu_system_ns;
	uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled_ns;
	/* memory, bytes */
	uint64_t memory_usage;	       /* as the kernel counts, with page cache */
	uint64_t memory_inactive_file; /* reclaimable cache */
	uint64_t memory_working;       /* usage - inactive_file: what docker stats shows */
	uint64_t memory_limit, memory_peak, memory_failcnt;
	uint64_t memory_cache, memory_rss, memory_mapped_file, memory_kernel;
	uint64_t memory_pgfault, memory_pgmajfault;
	uint64_t swap_usage, swap_limit; /* v2: swap alone; v1: memory + swap */
	uint64_t oom_kills;
	/* block devices, bytes and operations over all devices */
	uint64_t io_read_bytes, io_write_bytes, io_read_ops, io_write_ops;
	/* processes and threads */
	uint64_t pids_current, pids_limit;
	struct cgroup_psi cpu_psi, memory_psi, io_psi;
};
