/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* process.scheduler and process.ioPriority. */

#include "base/error.h"

struct oci_process;

/* Parent side: are the words known? ERROR_INVALID naming the field. */
int schedule_check(const struct oci_process *process, struct error *err);

/* Child side; needs CAP_SYS_NICE for most. No allocation. Source: sched_setattr(2), ioprio_set(2).
 */
int schedule_apply(const struct oci_process *process, struct error *err);
