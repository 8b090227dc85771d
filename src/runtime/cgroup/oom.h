/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Being woken when the memory of a container runs out. v1: an eventfd that is registered with
 * memory.oom_control; v2: memory.events, whose readers are woken when a number in it changes.
 * Source: Documentation/admin-guide/cgroup-v1/memory.rst "OOM Control"; cgroup-v2.rst.
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct cgroup;

struct cgroup_oom {
	int fd;	      /* to be polled; -EBADF: the host cannot tell, read it at times */
	short events; /* for poll(2) */
	int dir_fd;   /* borrowed from the cgroup; -EBADF: no memory controller */
	bool v2;
	uint64_t kills; /* so many were told */
};

/* Later events count. Errors: only what the kernel refuses; without a controller fd is -EBADF. */
int cgroup_oom_open(const struct cgroup *cg, struct cgroup_oom *ret, struct error *err);

/* Ran it out since the last call? woken: poll said that fd is ready. */
bool cgroup_oom_happened(struct cgroup_oom *oom, bool woken);

void cgroup_oom_close(struct cgroup_oom *oom);
