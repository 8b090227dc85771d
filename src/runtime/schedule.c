/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/schedule.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bitlist.h"
#include "base/macro.h"
#include "base/str.h"
#include "oci/spec.h"

#define CPUS_MAX 8192 /* NR_CPUS of the largest kernels */

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

static bool is_policy(const struct oci_scheduler *s, const char *one, const char *other)
{
	return str_eq(s->policy, one) || str_eq(s->policy, other);
}

/* What the kernel would ignore is a mistake of who wrote it. */
static int check_scheduler(const struct oci_scheduler *s, struct error *err)
{
	if (!find(policies, ARRAY_SIZE(policies), s->policy))
		return error_kind(err, ERROR_INVALID,
				  "process.scheduler.policy: unknown policy '%s'",
				  s->policy ? s->policy : "");
	for (size_t i = 0; i < s->n_flags; i++) {
		if (!find(flags, ARRAY_SIZE(flags), s->flags[i]))
			return error_kind(err, ERROR_INVALID,
					  "process.scheduler.flags[%zu]: unknown flag '%s'", i,
					  s->flags[i]);
	}
	if (is_policy(s, "SCHED_OTHER", "SCHED_BATCH") && (s->nice < -20 || s->nice > 19))
		return error_kind(err, ERROR_INVALID,
				  "process.scheduler.nice: %d is not between -20 and 19", s->nice);
	if (s->priority && !is_policy(s, "SCHED_FIFO", "SCHED_RR"))
		return error_kind(
			err, ERROR_INVALID,
			"process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
	if ((s->runtime || s->deadline || s->period) && !str_eq(s->policy, "SCHED_DEADLINE"))
		return error_kind(
			err, ERROR_INVALID,
			"process.scheduler: only SCHED_DEADLINE has runtime, deadline and "
			"period");
	return 0;
}

static int check_io_priority(const struct oci_process *p, struct error *err)
{
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

static int check_affinity(const char *cpus, const char *field, struct error *err)
{
	unsigned long set[BITLIST_LONGS(CPUS_MAX)];

	if (str_empty(cpus) || bitlist_parse(cpus, set, CPUS_MAX) > 0)
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "process.execCPUAffinity.%s: '%s' is not a list like 0-3,7", field, cpus);
}

int schedule_check(const struct oci_process *p, struct error *err)
{
	int r = p->scheduler.set ? check_scheduler(&p->scheduler, err) : 0;

	if (r >= 0)
		r = check_io_priority(p, err);
	if (r >= 0)
		r = check_affinity(p->cpu_affinity_initial, "initial", err);
	if (r >= 0)
		r = check_affinity(p->cpu_affinity_final, "final", err);
	return r;
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
	if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
		return 0;
	if (errno == EPERM && is_policy(s, "SCHED_FIFO", "SCHED_RR"))
		return error_sys(err,
				 "cannot set process.scheduler to %s (on cgroup v1 it also takes "
				 "linux.resources.cpu.realtimeRuntime)",
				 s->policy);
	return error_sys(err, "cannot set process.scheduler to %s", s->policy);
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

int schedule_set_affinity(const char *cpus, const char *field, struct error *err)
{
	unsigned long set[BITLIST_LONGS(CPUS_MAX)];

	if (str_empty(cpus) || bitlist_parse(cpus, set, CPUS_MAX) <= 0)
		return 0; /* nothing asked: the list was checked */
	if (syscall(SYS_sched_setaffinity, 0, sizeof(set), set) < 0)
		return error_sys(err, "cannot set process.execCPUAffinity.%s to '%s'", field, cpus);
	return 0;
}
