/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec_build.h"

#include "base/str.h"

#define CPU_PERIOD_US UINT64_C(100000) /* the kernel's default, in which --cpus is expressed */

static struct opt_i64 i64_unless_0(int64_t value)
{
	return (struct opt_i64){ value != 0, value };
}

static struct opt_u64 u64_unless_0(int64_t value)
{
	return (struct opt_u64){ value > 0, (uint64_t)value };
}

static void build_memory(const struct container_config *c, struct oci_resources *ret)
{
	const struct container_options *o = c->options;

	ret->memory_limit = i64_unless_0(o->memory);
	ret->memory_reservation = i64_unless_0(o->memory_reservation);
	/* docker: a memory limit alone allows as much swap again */
	ret->memory_swap =
		i64_unless_0(o->memory_swap == 0 && o->memory > 0 ? 2 * o->memory : o->memory_swap);
	/* cgroup v2 has neither; create warns */
	if (c->cgroup_v2)
		return;
	if (o->memory_swappiness >= 0)
		ret->memory_swappiness = (struct opt_u64){ true, (uint64_t)o->memory_swappiness };
	ret->memory_disable_oom_killer = o->oom_kill_disable;
}

static void build_cpu(const struct container_options *o, struct oci_resources *ret)
{
	ret->cpu_shares = u64_unless_0(o->cpu_shares);
	ret->cpu_period = u64_unless_0(o->cpu_period);
	ret->cpu_quota = i64_unless_0(o->cpu_quota);
	if (o->nano_cpus > 0) {
		ret->cpu_period = (struct opt_u64){ true, CPU_PERIOD_US };
		ret->cpu_quota = (struct opt_i64){ true, o->nano_cpus / 1000 *
								 (int64_t)CPU_PERIOD_US / 1000000 };
	}
	ret->cpuset_cpus = str_empty(o->cpuset_cpus) ? NULL : o->cpuset_cpus;
	ret->cpuset_mems = str_empty(o->cpuset_mems) ? NULL : o->cpuset_mems;
}

void spec_build_resources(const struct container_config *c, struct oci_resources *ret)
{
	const struct container_options *o = c->options;

	ret->devices = c->devices.rules;
	ret->n_devices = c->devices.n_rules;
	build_memory(c, ret);
	build_cpu(o, ret);
	ret->pids_limit = i64_unless_0(o->pids_limit);
	ret->blkio_weight = u64_unless_0(o->blkio_weight);
	ret->blkio_weight_devices = c->weights;
	ret->n_blkio_weight_devices = c->n_weights;
	for (size_t i = 0; i < OCI_THROTTLE_COUNT; i++) {
		ret->blkio_throttle[i] = c->throttle[i];
		ret->n_blkio_throttle[i] = c->n_throttle[i];
	}
}
