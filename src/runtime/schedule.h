/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* process.scheduler, process.ioPriority and process.execCPUAffinity. */

#include "base/error.h"

struct oci_process;

/* Parent side: are the words known, and do they go together? ERROR_INVALID naming the field. */
int schedule_check(const struct oci_process *process, struct error *err);

/* Child side; needs CAP_SYS_NICE for most. No allocation. Source: sched_setattr(2), ioprio_set(2).
 */
int schedule_apply(const struct oci_process *process, struct error *err);

/*
 * exec only: the parent is bound to `initial` before the clone, the child to `final` once it is in
 * the container's cgroup. Without a final set the kernel's cpuset decides. An empty or absent list
 * changes nothing. field: "initial". No allocation. Source: config.md "execCPUAffinity".
 */
int schedule_set_affinity(const char *cpus, const char *field, struct error *err);
