/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/schedule.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "oci/spec.h"

struct word {
	const char *name;
	unsigned value;
};

/* config.md "Process": scheduler.policy */
static const struct word policies[] = {
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_ISO", 4 }, /* reserved, in no kernel; the kernel refuses it */
	{ "SCHED_OTHER", SCHED_NORMAL },
	{ "SCHED_RR", SCHED_RR },
};

/* scheduler.flags */
static const struct word flags[] = {
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
};

/* ioPriority.class */
static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
};

static const struct word *find(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(words[i].name, name))
			return &words[i];
	}
	return NULL;
}

int schedule_check(const struct oci_process *p, struct error *err)
{
	const struct oci_scheduler *s = &p->scheduler;

	if (s->set && !find(policies, ARRAY_SIZE(policies), s->policy))
		return error_kind(err, ERROR_INVALID,
				  "process.scheduler.policy: unknown policy '%s'",
				  s->policy ? s->policy : "");
	for (size_t i = 0; s->set && i < s->n_flags; i++) {
		if (!find(flags, ARRAY_SIZE(flags), s->flags[i]))
			return error_kind(err, ERROR_INVALID,
					  "process.scheduler.flags[%zu]: unknown flag '%s'", i,
					  s->flags[i]);
	}
	if (!p->io_priority_class)
		return 0;
	if (!find(io_classes, ARRAY_SIZE(io_classes), p->io_priority_class))
		return error_kind(err, ERROR_INVALID,
				  "process.ioPriority.class: unknown class '%s'",
				  p->io_priority_class);
	if (p->io_priority < 0 || p->io_priority >= IOPRIO_NR_LEVELS)
		return error_kind(err, ERROR_INVALID,
				  "process.ioPriority.priority: %d is not between 0 and %d",
				  p->io_priority, IOPRIO_NR_LEVELS - 1);
	return 0;
}

static int apply_scheduler(const struct oci_scheduler *s, struct error *err)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = find(policies, ARRAY_SIZE(policies), s->policy)->value,
		.sched_nice = s->nice,
		.sched_priority = (uint32_t)s->priority,
		.sched_runtime = s->runtime,
		.sched_deadline = s->deadline,
		.sched_period = s->period,
	};

	for (size_t i = 0; i < s->n_flags; i++)
		attr.sched_flags |= find(flags, ARRAY_SIZE(flags), s->flags[i])->value;
	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		return error_sys(err, "cannot set process.scheduler to %s", s->policy);
	return 0;
}

static int apply_io_priority(const struct oci_process *p, struct error *err)
{
	unsigned class = find(io_classes, ARRAY_SIZE(io_classes), p->io_priority_class)->value;
	unsigned value = IOPRIO_PRIO_VALUE(class, (unsigned)p->io_priority);

	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) < 0)
		return error_sys(err, "cannot set process.ioPriority to %s %d",
				 p->io_priority_class, p->io_priority);
	return 0;
}

int schedule_apply(const struct oci_process *p, struct error *err)
{
	int r = 0;

	if (p->scheduler.set)
		r = apply_scheduler(&p->scheduler, err);
	if (r >= 0 && p->io_priority_class)
		r = apply_io_priority(p, err);
	return r;
}
