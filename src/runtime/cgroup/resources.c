/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One function a controller. Each finds the hierarchy that has it (on hybrid hosts any mix is
 * possible) and emits the files of that version. Order inside a controller is the order of writing;
 * what the kernel may refuse until a later value is there carries CGROUP_WRITE_RETRY.
 */
#include "runtime/cgroup/resources.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "oci/spec.h"

#define FIELD(name) "linux.resources." name

struct planner {
	const struct oci_resources *r;
	const struct cgroup_place *places;
	size_t n_places;
	struct cgroup_plan *plan;
	struct error *err;
};

/* Where controller lives. 1: nowhere, and nothing was asked that needs it. */
static int find_place(const struct planner *p, const char *controller, const char *field,
		      bool needed, size_t *ret_place)
{
	*ret_place = 0;
	for (size_t i = 0; i < p->n_places; i++) {
		if (!cgroupfs_list_has(p->places[i].controllers, controller))
			continue;
		*ret_place = i;
		return 0;
	}
	if (!needed)
		return 1;
	return error_kind(p->err, ERROR_UNSUPPORTED,
			  "cannot set %s: no cgroup controller '%s' is available here", field,
			  controller);
}

static bool is_v2(const struct planner *p, size_t place)
{
	return p->places[place].v2;
}

/* blkio became io in v2, both at once are not possible. */
static int find_block_place(const struct planner *p, const char *field, bool needed, size_t *ret)
{
	for (size_t i = 0; i < p->n_places; i++)
		if (p->places[i].v2 && cgroupfs_list_has(p->places[i].controllers, "io")) {
			*ret = i;
			return 0;
		}
	return find_place(p, "blkio", field, needed, ret);
}

static struct cgroup_write *emit(struct planner *p, size_t place, const char *controller,
				 const char *file, const char *field, unsigned flags,
				 const char *fmt, ...) PRINTF_FORMAT(7, 8);

static struct cgroup_write *emit(struct planner *p, size_t place, const char *controller,
				 const char *file, const char *field, unsigned flags,
				 const char *fmt, ...)
{
	struct cgroup_plan *plan = p->plan;
	struct cgroup_write *w;
	char *value;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	value = arena_alloc(plan->arena, (size_t)len + 1);
	(void)vsnprintf(value, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	plan->writes = array_grow(plan->writes, plan->n, &plan->capacity, sizeof(*plan->writes));
	w = &plan->writes[plan->n++];
	*w = (struct cgroup_write){
		.place = place,
		.controller = controller,
		.file = file,
		.value = value,
		.field = field,
		.flags = flags,
	};
	return w;
}

static void or_else(struct planner *p, struct cgroup_write *w, const char *file, const char *fmt,
		    ...) PRINTF_FORMAT(4, 5);

static void or_else(struct planner *p, struct cgroup_write *w, const char *file, const char *fmt,
		    ...)
{
	char value[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	w->other_file = file;
	w->other_value = arena_strdup(p->plan->arena, value);
}

/* "max" below zero, else the number. */
static const char *limit_text(int64_t n, char buf[24])
{
	if (n < 0)
		return "max";
	(void)snprintf(buf, 24, "%" PRId64, n);
	return buf;
}

/* cpu */

uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	double l;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* through (2, 1), (1024, 100) and (262144, 10000): a parabola in both logarithms, as runc
	 * and crun have it since 2025 */
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34) - 1e-9);
}

static int plan_cpu_v1(struct planner *p, size_t place)
{
	const struct oci_resources *r = p->r;

	if (r->cpu_shares.value && (r->cpu_shares.value < 2 || r->cpu_shares.value > 262144))
		return error_kind(p->err, ERROR_INVALID,
				  FIELD("cpu.shares") ": %" PRIu64 " is not between 2 and 262144",
				  r->cpu_shares.value);
	if (r->cpu_shares.value)
		emit(p, place, "cpu", "cpu.shares", FIELD("cpu.shares"), CGROUP_WRITE_RETRY,
		     "%" PRIu64, r->cpu_shares.value);
	if (r->cpu_period.value) /* refused while the old quota is too small for it */
		emit(p, place, "cpu", "cpu.cfs_period_us", FIELD("cpu.period"), CGROUP_WRITE_RETRY,
		     "%" PRIu64, r->cpu_period.value);
	if (r->cpu_quota.value)
		emit(p, place, "cpu", "cpu.cfs_quota_us", FIELD("cpu.quota"), CGROUP_WRITE_RETRY,
		     "%" PRId64, r->cpu_quota.value < 0 ? -1 : r->cpu_quota.value);
	if (r->cpu_burst.set)
		emit(p, place, "cpu", "cpu.cfs_burst_us", FIELD("cpu.burst"), CGROUP_WRITE_RETRY,
		     "%" PRIu64, r->cpu_burst.value);
	if (r->cpu_rt_period.value)
		emit(p, place, "cpu", "cpu.rt_period_us", FIELD("cpu.realtimePeriod"),
		     CGROUP_WRITE_RETRY, "%" PRIu64, r->cpu_rt_period.value);
	if (r->cpu_rt_runtime.value)
		emit(p, place, "cpu", "cpu.rt_runtime_us", FIELD("cpu.realtimeRuntime"),
		     CGROUP_WRITE_RETRY, "%" PRId64, r->cpu_rt_runtime.value);
	if (r->cpu_idle.set)
		emit(p, place, "cpu", "cpu.idle", FIELD("cpu.idle"), 0, "%" PRId64,
		     r->cpu_idle.value);
	return 0;
}

static int plan_cpu_v2(struct planner *p, size_t place)
{
	const struct oci_resources *r = p->r;
	char quota[24];

	if (r->cpu_rt_runtime.value || r->cpu_rt_period.value)
		return error_kind(p->err, ERROR_UNSUPPORTED,
				  "cannot set " FIELD("cpu.realtimeRuntime") ": cgroup v2 has no "
									     "such limit");
	if (r->cpu_idle.set) /* refused is only a weight while idle */
		emit(p, place, "cpu", "cpu.idle", FIELD("cpu.idle"), 0, "%" PRId64,
		     r->cpu_idle.value);
	if (r->cpu_shares.value && r->cpu_idle.value != 1)
		emit(p, place, "cpu", "cpu.weight", FIELD("cpu.shares"), 0, "%" PRIu64,
		     cgroup_shares_to_weight(r->cpu_shares.value));
	(void)limit_text(r->cpu_quota.value > 0 ? r->cpu_quota.value : -1, quota);
	if (r->cpu_period.value)
		emit(p, place, "cpu", "cpu.max", FIELD("cpu.quota"), CGROUP_WRITE_RETRY,
		     "%s %" PRIu64, r->cpu_quota.value > 0 ? quota : "max", r->cpu_period.value);
	else if (r->cpu_quota.value)
		emit(p, place, "cpu", "cpu.max", FIELD("cpu.quota"), CGROUP_WRITE_RETRY, "%s",
		     r->cpu_quota.value > 0 ? quota : "max");
	if (r->cpu_burst.set)
		emit(p, place, "cpu", "cpu.max.burst", FIELD("cpu.burst"), 0, "%" PRIu64,
		     r->cpu_burst.value);
	return 0;
}

static int plan_cpu(struct planner *p)
{
	const struct oci_resources *r = p->r;
	bool needed = r->cpu_shares.value || r->cpu_quota.value > 0 || r->cpu_burst.value ||
		      r->cpu_idle.value || r->cpu_rt_runtime.value || r->cpu_rt_period.value;
	size_t place;
	int result;

	if (!needed && !r->cpu_quota.value && !r->cpu_period.value && !r->cpu_burst.set &&
	    !r->cpu_idle.set)
		return 0;
	result = find_place(p, "cpu", FIELD("cpu"), needed, &place);
	if (result != 0)
		return result < 0 ? result : 0;
	return is_v2(p, place) ? plan_cpu_v2(p, place) : plan_cpu_v1(p, place);
}

static int plan_cpuset(struct planner *p)
{
	const struct oci_resources *r = p->r;
	size_t place;
	int result;

	if (str_empty(r->cpuset_cpus) && str_empty(r->cpuset_mems))
		return 0;
	result = find_place(p, "cpuset", FIELD("cpu.cpus"), true, &place);
	if (result < 0)
		return result;
	if (!str_empty(r->cpuset_cpus))
		emit(p, place, "cpuset", "cpuset.cpus", FIELD("cpu.cpus"), 0, "%s", r->cpuset_cpus);
	if (!str_empty(r->cpuset_mems))
		emit(p, place, "cpuset", "cpuset.mems", FIELD("cpu.mems"), 0, "%s", r->cpuset_mems);
	return 0;
}

/* memory */

static int plan_memory_v1(struct planner *p, size_t place)
{
	const struct oci_resources *r = p->r;
	int64_t swap = r->memory_swap.value;
	unsigned flags = r->memory_limit.value < 0 ? CGROUP_WRITE_OPTIONAL : 0;

	/* without a limit of memory, one of memory + swap that stays from before would be one */
	if (r->memory_limit.value == -1 && swap == 0)
		swap = -1;
	if (r->memory_limit.value) /* refused while above memory + swap */
		emit(p, place, "memory", "memory.limit_in_bytes", FIELD("memory.limit"),
		     flags | CGROUP_WRITE_RETRY, "%" PRId64, r->memory_limit.value);
	if (swap)
		emit(p, place, "memory", "memory.memsw.limit_in_bytes", FIELD("memory.swap"),
		     (swap < 0 ? CGROUP_WRITE_OPTIONAL : 0) | CGROUP_WRITE_RETRY, "%" PRId64, swap);
	if (r->memory_reservation.value)
		emit(p, place, "memory", "memory.soft_limit_in_bytes", FIELD("memory.reservation"),
		     0, "%" PRId64, r->memory_reservation.value);
	if (r->memory_kernel_tcp.value)
		emit(p, place, "memory", "memory.kmem.tcp.limit_in_bytes",
		     FIELD("memory.kernelTCP"), 0, "%" PRId64, r->memory_kernel_tcp.value);
	if (r->memory_disable_oom_killer)
		emit(p, place, "memory", "memory.oom_control", FIELD("memory.disableOOMKiller"), 0,
		     "1");
	/* UINT64_MAX is how a -1 of older engines arrives */
	if (r->memory_swappiness.set && r->memory_swappiness.value != UINT64_MAX)
		emit(p, place, "memory", "memory.swappiness", FIELD("memory.swappiness"), 0,
		     "%" PRIu64, r->memory_swappiness.value);
	return 0;
}

/* v1's memory + swap is v2's swap alone. */
static int plan_swap_v2(struct planner *p, size_t place)
{
	int64_t memory = p->r->memory_limit.value;
	int64_t swap = p->r->memory_swap.value;
	char text[24];

	if (memory == -1 && swap == 0)
		swap = -1;
	if (swap == 0)
		return 0;
	if (swap > 0) {
		if (memory <= 0)
			return error_kind(p->err, ERROR_INVALID,
					  FIELD("memory.swap") ": a swap limit needs a memory "
							       "limit");
		if (swap < memory)
			return error_kind(p->err, ERROR_INVALID,
					  FIELD("memory.swap") ": %" PRId64 " is less than the "
							       "memory limit %" PRId64,
					  swap, memory);
		swap -= memory;
	}
	/* no file without swap accounting: then none (0) and any amount (max) mean the same */
	emit(p, place, "memory", "memory.swap.max", FIELD("memory.swap"),
	     swap <= 0 ? CGROUP_WRITE_OPTIONAL : 0, "%s", limit_text(swap, text));
	return 0;
}

static int plan_memory_v2(struct planner *p, size_t place)
{
	const struct oci_resources *r = p->r;
	char text[24];
	int result = plan_swap_v2(p, place);

	if (result < 0)
		return result;
	if (r->memory_limit.value)
		emit(p, place, "memory", "memory.max", FIELD("memory.limit"),
		     r->memory_limit.value < 0 ? CGROUP_WRITE_OPTIONAL : 0, "%s",
		     limit_text(r->memory_limit.value, text));
	if (r->memory_reservation.value)
		emit(p, place, "memory", "memory.low", FIELD("memory.reservation"), 0, "%s",
		     limit_text(r->memory_reservation.value, text));
	/* LIMIT: swappiness, kernelTCP and disableOOMKiller have no file on v2; runc and crun are
	 * silent about them too. The engine's checks tell the user. */
	return 0;
}

static int plan_memory(struct planner *p)
{
	const struct oci_resources *r = p->r;
	bool needed = r->memory_limit.value > 0 || r->memory_swap.value > 0 ||
		      r->memory_reservation.value > 0 || r->memory_disable_oom_killer ||
		      r->memory_kernel_tcp.value > 0;
	size_t place;
	int result;

	if (r->memory_swappiness.set && r->memory_swappiness.value > 100 &&
	    r->memory_swappiness.value != UINT64_MAX)
		return error_kind(p->err, ERROR_INVALID,
				  FIELD("memory.swappiness") ": %" PRIu64
							     " is not between 0 and 100",
				  r->memory_swappiness.value);
	result = find_place(p, "memory", FIELD("memory"), needed, &place);
	if (result != 0)
		return result < 0 ? result : 0;
	return is_v2(p, place) ? plan_memory_v2(p, place) : plan_memory_v1(p, place);
}

static int plan_pids(struct planner *p)
{
	int64_t limit = p->r->pids_limit.value;
	size_t place;
	char text[24];
	int result;

	if (!p->r->pids_limit.set)
		return 0;
	result = find_place(p, "pids", FIELD("pids.limit"), limit >= 0, &place);
	if (result != 0)
		return result < 0 ? result : 0;
	if (limit == 0 && is_v2(p, place)) /* the first process is born inside and must fit */
		limit = 1;
	emit(p, place, "pids", "pids.max", FIELD("pids.limit"),
	     limit < 0 ? CGROUP_WRITE_OPTIONAL : 0, "%s", limit_text(limit, text));
	return 0;
}

/* block devices */

uint64_t cgroup_blkio_to_io_weight(uint64_t weight)
{
	if (weight == 0)
		return 0;
	weight = MIN(MAX(weight, 10u), 1000u);
	return 1 + (weight - 10) * 9999 / 990;
}

static void plan_weight_device(struct planner *p, size_t place, const struct oci_weight_device *d)
{
	int64_t major = d->major, minor = d->minor;
	struct cgroup_write *w;

	if (d->weight.value && is_v2(p, place)) {
		w = emit(p, place, "io", "io.bfq.weight", FIELD("blockIO.weightDevice"), 0,
			 "%" PRId64 ":%" PRId64 " %" PRIu64, major, minor, d->weight.value);
		or_else(p, w, "io.weight", "%" PRId64 ":%" PRId64 " %" PRIu64, major, minor,
			cgroup_blkio_to_io_weight(d->weight.value));
	} else if (d->weight.value) {
		w = emit(p, place, "blkio", "blkio.weight_device", FIELD("blockIO.weightDevice"), 0,
			 "%" PRId64 ":%" PRId64 " %" PRIu64, major, minor, d->weight.value);
		or_else(p, w, "blkio.bfq.weight_device", "%s", w->value);
	}
	if (d->leaf_weight.value && !is_v2(p, place))
		emit(p, place, "blkio", "blkio.leaf_weight_device", FIELD("blockIO.weightDevice"),
		     0, "%" PRId64 ":%" PRId64 " %" PRIu64, major, minor, d->leaf_weight.value);
}

static void plan_throttles(struct planner *p, size_t place)
{
	static const struct {
		const char *v1_file, *v2_key, *field;
	} kinds[OCI_THROTTLE_COUNT] = {
		[OCI_THROTTLE_READ_BPS] = { "blkio.throttle.read_bps_device", "rbps",
					    FIELD("blockIO.throttleReadBpsDevice") },
		[OCI_THROTTLE_WRITE_BPS] = { "blkio.throttle.write_bps_device", "wbps",
					     FIELD("blockIO.throttleWriteBpsDevice") },
		[OCI_THROTTLE_READ_IOPS] = { "blkio.throttle.read_iops_device", "riops",
					     FIELD("blockIO.throttleReadIOPSDevice") },
		[OCI_THROTTLE_WRITE_IOPS] = { "blkio.throttle.write_iops_device", "wiops",
					      FIELD("blockIO.throttleWriteIOPSDevice") },
	};

	for (size_t kind = 0; kind < OCI_THROTTLE_COUNT; kind++) {
		for (size_t i = 0; i < p->r->n_blkio_throttle[kind]; i++) {
			const struct oci_throttle *t = &p->r->blkio_throttle[kind][i];

			if (!is_v2(p, place))
				emit(p, place, "blkio", kinds[kind].v1_file, kinds[kind].field, 0,
				     "%" PRId64 ":%" PRId64 " %" PRIu64, t->major, t->minor,
				     t->rate);
			else if (t->rate == 0) /* on v1, 0 takes the limit away */
				emit(p, place, "io", "io.max", kinds[kind].field, 0,
				     "%" PRId64 ":%" PRId64 " %s=max", t->major, t->minor,
				     kinds[kind].v2_key);
			else
				emit(p, place, "io", "io.max", kinds[kind].field, 0,
				     "%" PRId64 ":%" PRId64 " %s=%" PRIu64, t->major, t->minor,
				     kinds[kind].v2_key, t->rate);
		}
	}
}

static int plan_block(struct planner *p)
{
	const struct oci_resources *r = p->r;
	bool needed =
		r->blkio_weight.value || r->blkio_leaf_weight.value || r->n_blkio_weight_devices;
	struct cgroup_write *w;
	size_t place;
	int result;

	for (size_t kind = 0; kind < OCI_THROTTLE_COUNT; kind++)
		needed |= r->n_blkio_throttle[kind] > 0;
	if (!needed)
		return 0;
	result = find_block_place(p, FIELD("blockIO"), true, &place);
	if (result < 0)
		return result;
	if (r->blkio_weight.value && is_v2(p, place)) {
		w = emit(p, place, "io", "io.bfq.weight", FIELD("blockIO.weight"), 0, "%" PRIu64,
			 r->blkio_weight.value);
		or_else(p, w, "io.weight", "%" PRIu64,
			cgroup_blkio_to_io_weight(r->blkio_weight.value));
	} else if (r->blkio_weight.value) {
		w = emit(p, place, "blkio", "blkio.weight", FIELD("blockIO.weight"), 0, "%" PRIu64,
			 r->blkio_weight.value);
		or_else(p, w, "blkio.bfq.weight", "%s", w->value);
	}
	if (r->blkio_leaf_weight.value && is_v2(p, place))
		return error_kind(p->err, ERROR_UNSUPPORTED,
				  "cannot set " FIELD("blockIO.leafWeight") ": cgroup v2 has no "
									    "such weight");
	if (r->blkio_leaf_weight.value)
		emit(p, place, "blkio", "blkio.leaf_weight", FIELD("blockIO.leafWeight"), 0,
		     "%" PRIu64, r->blkio_leaf_weight.value);
	for (size_t i = 0; i < r->n_blkio_weight_devices; i++)
		plan_weight_device(p, place, &r->blkio_weight_devices[i]);
	plan_throttles(p, place);
	return 0;
}

/* the rest */

static int plan_hugetlb(struct planner *p)
{
	for (size_t i = 0; i < p->r->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = &p->r->hugepage_limits[i];
		struct arena *a = p->plan->arena;
		bool unlimited = h->limit == UINT64_MAX;
		const char *suffix = "limit_in_bytes";
		char value[24] = "max";
		size_t place;
		int result;

		result = find_place(p, "hugetlb", FIELD("hugepageLimits"), !unlimited, &place);
		if (result != 0)
			return result < 0 ? result : 0;
		if (is_v2(p, place))
			suffix = "max";
		if (!unlimited)
			(void)snprintf(value, sizeof(value), "%" PRIu64, h->limit);
		else if (!is_v2(p, place))
			(void)snprintf(value, sizeof(value), "-1");
		emit(p, place, "hugetlb", arena_printf(a, "hugetlb.%s.%s", h->page_size, suffix),
		     FIELD("hugepageLimits"), 0, "%s", value);
		/* pages that are only reserved, since 5.7 */
		emit(p, place, "hugetlb",
		     arena_printf(a, "hugetlb.%s.rsvd.%s", h->page_size, suffix),
		     FIELD("hugepageLimits"), CGROUP_WRITE_OPTIONAL, "%s", value);
	}
	return 0;
}

static int plan_network(struct planner *p)
{
	size_t place;
	int result;

	if (p->r->net_class_id.value) {
		result = find_place(p, "net_cls", FIELD("network.classID"), true, &place);
		if (result < 0)
			return result;
		emit(p, place, "net_cls", "net_cls.classid", FIELD("network.classID"), 0,
		     "%" PRIu64, p->r->net_class_id.value);
	}
	for (size_t i = 0; i < p->r->n_net_priorities; i++) {
		const struct oci_net_priority *n = &p->r->net_priorities[i];

		result = find_place(p, "net_prio", FIELD("network.priorities"), true, &place);
		if (result < 0)
			return result;
		emit(p, place, "net_prio", "net_prio.ifpriomap", FIELD("network.priorities"), 0,
		     "%s %" PRIu32, n->name, n->priority);
	}
	return 0;
}

static int plan_rdma(struct planner *p)
{
	for (size_t i = 0; i < p->r->n_rdma; i++) {
		const struct oci_rdma_limit *l = &p->r->rdma[i];
		char handles[48] = "", objects[48] = "";
		size_t place;
		int result = find_place(p, "rdma", FIELD("rdma"), true, &place);

		if (result < 0)
			return result;
		if (l->hca_handles.set)
			(void)snprintf(handles, sizeof(handles), " hca_handle=%" PRIu64,
				       l->hca_handles.value);
		if (l->hca_objects.set)
			(void)snprintf(objects, sizeof(objects), " hca_object=%" PRIu64,
				       l->hca_objects.value);
		emit(p, place, "rdma", "rdma.max", FIELD("rdma"), 0, "%s%s%s", l->device, handles,
		     objects);
	}
	return 0;
}

/* unified: files of the v2 tree by name. A value of several lines is several writes. */
static int plan_unified_pair(struct planner *p, size_t place, const struct oci_pair *pair)
{
	struct arena *a = p->plan->arena;
	const char *dot = strchr(pair->key, '.');
	const char *controller = arena_strndup(a, pair->key, dot ? (size_t)(dot - pair->key) : 0);

	if (!dot || dot == pair->key || strchr(pair->key, '/'))
		return error_kind(p->err, ERROR_INVALID,
				  FIELD("unified") ": '%s' is not the name of a cgroup file",
				  pair->key);
	if (!str_eq(controller, "cgroup") &&
	    !cgroupfs_list_has(p->places[place].controllers, controller))
		return error_kind(p->err, ERROR_UNSUPPORTED,
				  "cannot set " FIELD("unified") " '%s': controller '%s' not "
								 "available in cgroup v2",
				  pair->key, controller);
	for (const char *line = pair->value; *line;) {
		size_t n = strcspn(line, "\n");

		if (n > 0)
			emit(p, place, controller, arena_strdup(a, pair->key), FIELD("unified"), 0,
			     "%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
	return 0;
}

static int plan_unified(struct planner *p)
{
	size_t place = p->n_places;

	if (p->r->n_unified == 0)
		return 0;
	for (size_t i = 0; i < p->n_places; i++)
		if (p->places[i].v2)
			place = i;
	if (place == p->n_places)
		return error_kind(p->err, ERROR_UNSUPPORTED,
				  "cannot set " FIELD("unified") ": this host has no cgroup v2");
	for (size_t i = 0; i < p->r->n_unified; i++) {
		int result = plan_unified_pair(p, place, &p->r->unified[i]);

		if (result < 0)
			return result;
	}
	return 0;
}

static int check_names(struct planner *p)
{
	for (size_t i = 0; i < p->r->n_hugepage_limits; i++)
		if (strchr(p->r->hugepage_limits[i].page_size, '/'))
			return error_kind(p->err, ERROR_INVALID,
					  FIELD("hugepageLimits") ": '%s' is not a page size",
					  p->r->hugepage_limits[i].page_size);
	return 0;
}

int cgroup_plan_resources(const struct oci_resources *r, const struct cgroup_place *places,
			  size_t n_places, struct cgroup_plan *ret_plan, struct error *err)
{
	static int (*const controllers[])(struct planner *) = {
		check_names,  plan_cpuset,  plan_cpu,  plan_memory,  plan_pids, plan_block,
		plan_hugetlb, plan_network, plan_rdma, plan_unified, /* last: who uses it means it
								      */
	};
	struct cgroup_plan plan = { .arena = arena_new() };
	struct planner p = { r, places, n_places, &plan, err };

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		int result = controllers[i](&p);

		if (result < 0) {
			cgroup_plan_done(&plan);
			return result;
		}
	}
	*ret_plan = plan;
	return 0;
}

void cgroup_plan_done(struct cgroup_plan *p)
{
	free(p->writes);
	p->arena = p->arena ? arena_free(p->arena) : NULL;
	*p = (struct cgroup_plan){ 0 };
}
