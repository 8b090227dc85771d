/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the kernel counts for a container beyond the sums of stats.h: by processor, by device, by
 * page size, and every key of memory.stat. For `events`; too much for a table that is drawn anew
 * each second. What a host does not have is absent: counts of 0.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct arena;
struct cgroup;

struct cgroup_counter {
	uint64_t limit, usage, max, failcnt; /* limit: as the file has it, "max" is UINT64_MAX */
};

struct cgroup_value {
	const char *key;
	int64_t value;
};

struct cgroup_processor { /* ns */
	uint64_t total, kernel, user;
};

struct cgroup_io_value {
	unsigned major, minor;
	const char *op; /* "Read", ...; NULL: the value is of all operations */
	uint64_t value;
};

/* In the order of the document; v2 and most v1 hosts have the first two. */
enum cgroup_io_kind {
	CGROUP_IO_SERVICE_BYTES,
	CGROUP_IO_SERVICED,
	CGROUP_IO_QUEUED,
	CGROUP_IO_SERVICE_TIME,
	CGROUP_IO_WAIT_TIME,
	CGROUP_IO_MERGED,
	CGROUP_IO_TIME,
	CGROUP_IO_SECTORS,
	CGROUP_IO_KIND_COUNT,
};

struct cgroup_hugetlb {
	const char *size;	     /* "2MB" */
	struct cgroup_counter pages; /* bytes; limit is not read */
};

struct cgroup_details {
	const struct cgroup_processor *processors;
	size_t n_processors;
	const char *cpus, *mems;     /* lists; "" if not known */
	struct cgroup_value *cpuset; /* v1's files without "cpuset."; 0 on v2 */
	size_t n_cpuset;
	struct cgroup_counter memory, swap, kernel, kernel_tcp; /* swap: with memory, also on v2 */
	const struct cgroup_value *memory_stat;
	size_t n_memory_stat;
	const struct cgroup_io_value *io[CGROUP_IO_KIND_COUNT];
	size_t n_io[CGROUP_IO_KIND_COUNT];
	const struct cgroup_hugetlb *hugetlb;
	size_t n_hugetlb;
};

/* All pointers hang on arena. Files that are missing leave their part empty. */
void cgroup_details(const struct cgroup *cg, struct arena *arena, struct cgroup_details *ret);
