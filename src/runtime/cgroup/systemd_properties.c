/* SPDX-License-Identifier: Apache-2.0 */

/*
 * linux.resources and annotations as properties of a unit. A limit that systemd knows and we do not
 * tell it would be overwritten with "none" when it next applies what it knows (daemon-reload,
 * set-property); a limit it does not know, it leaves alone.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitlist.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/dbus_message.h"
#include "oci/spec.h"
#include "runtime/cgroup/resources.h"
#include "runtime/cgroup/systemd.h"

#define INFINITY_U64	  UINT64_MAX
#define DEFAULT_PERIOD_US 100000 /* of the kernel */
#define CPUS_MAX	  8192
#define ANNOTATION_PREFIX "org.systemd.property."
#define USEC_PER_SEC	  1000000

void systemd_begin_property(struct buf *b, const char *name, const char *types)
{
	dbus_align(b, 8);
	dbus_add_string(b, name);
	dbus_add_signature(b, types);
}

static void add_u64(struct buf *b, const char *name, uint64_t value)
{
	systemd_begin_property(b, name, "t");
	dbus_add_u64(b, value);
}

/* cpu */

/* CPU time per second of real time; UINT64_MAX: any. Rounded up: never less than was asked for. */
static uint64_t quota_per_second(int64_t quota, uint64_t period)
{
	unsigned __int128 product = (unsigned __int128)(uint64_t)quota * USEC_PER_SEC;

	if (quota <= 0)
		return INFINITY_U64;
	return (uint64_t)((product + period - 1) / period);
}

static void add_quota(struct buf *b, int64_t quota, uint64_t period)
{
	if (quota == 0 && period == 0)
		return;
	if (period)
		add_u64(b, "CPUQuotaPeriodUSec", period);
	add_u64(b, "CPUQuotaPerSecUSec",
		quota_per_second(quota, period ? period : DEFAULT_PERIOD_US));
}

/* A list of numbers as bits, the lowest byte first. What is no list, the kernel will say. */
static void add_set(struct buf *b, const char *name, const char *text)
{
	unsigned long bits[BITLIST_LONGS(CPUS_MAX)];
	struct dbus_array a;
	size_t n = CPUS_MAX;

	if (str_empty(text) || bitlist_parse(text, bits, CPUS_MAX) <= 0)
		return;
	while (!(bits[(n - 1) / BITLIST_LONG_BITS] >> (n - 1) % BITLIST_LONG_BITS & 1))
		n--;
	systemd_begin_property(b, name, "ay");
	a = dbus_open_array(b, 1);
	for (size_t i = 0; i < n; i += 8)
		buf_putc(b, (char)(bits[i / BITLIST_LONG_BITS] >> i % BITLIST_LONG_BITS));
	dbus_close_array(b, a);
}

static void add_cpu(struct buf *b, const struct oci_resources *r, bool v2)
{
	if (r->cpu_shares.value && !v2)
		add_u64(b, "CPUShares", r->cpu_shares.value);
	else if (r->cpu_shares.value && r->cpu_idle.value != 1)
		add_u64(b, "CPUWeight", cgroup_shares_to_weight(r->cpu_shares.value));
	add_quota(b, r->cpu_quota.value, r->cpu_period.value);
	if (v2) {
		add_set(b, "AllowedCPUs", r->cpuset_cpus);
		add_set(b, "AllowedMemoryNodes", r->cpuset_mems);
	}
}

/* memory and processes */

static uint64_t limit_of(int64_t value)
{
	return value < 0 ? INFINITY_U64 : (uint64_t)value;
}

static void add_memory(struct buf *b, const struct oci_resources *r, bool v2)
{
	int64_t limit = r->memory_limit.value, swap = r->memory_swap.value;

	if (limit)
		add_u64(b, v2 ? "MemoryMax" : "MemoryLimit", limit_of(limit));
	if (!v2)
		return;
	if (r->memory_reservation.value)
		add_u64(b, "MemoryLow", limit_of(r->memory_reservation.value));
	if (swap < 0 || (swap == 0 && limit < 0))
		add_u64(b, "MemorySwapMax", INFINITY_U64);
	else if (limit > 0 && swap >= limit) /* the sum of both, as v1 had it */
		add_u64(b, "MemorySwapMax", (uint64_t)(swap - limit));
}

static void add_pids(struct buf *b, const struct oci_resources *r)
{
	if (r->pids_limit.set)
		add_u64(b, "TasksMax",
			r->pids_limit.value > 0 ? (uint64_t)r->pids_limit.value : INFINITY_U64);
}

/* block devices */

static struct dbus_array begin_devices(struct buf *b, const char *name)
{
	systemd_begin_property(b, name, "a(st)");
	return dbus_open_array(b, 8);
}

static void add_device(struct buf *b, int64_t major, int64_t minor, uint64_t value)
{
	cleanup_free char *path = xasprintf("/dev/block/%" PRId64 ":%" PRId64, major, minor);

	dbus_align(b, 8);
	dbus_add_string(b, path);
	dbus_add_u64(b, value);
}

static void add_block(struct buf *b, const struct oci_resources *r)
{
	static const char *const limits[OCI_THROTTLE_COUNT] = {
		[OCI_THROTTLE_READ_BPS] = "IOReadBandwidthMax",
		[OCI_THROTTLE_WRITE_BPS] = "IOWriteBandwidthMax",
		[OCI_THROTTLE_READ_IOPS] = "IOReadIOPSMax",
		[OCI_THROTTLE_WRITE_IOPS] = "IOWriteIOPSMax",
	};
	struct dbus_array a;

	if (r->blkio_weight.value)
		add_u64(b, "IOWeight", cgroup_blkio_to_io_weight(r->blkio_weight.value));
	if (r->n_blkio_weight_devices > 0) {
		a = begin_devices(b, "IODeviceWeight");
		for (size_t i = 0; i < r->n_blkio_weight_devices; i++) {
			const struct oci_weight_device *d = &r->blkio_weight_devices[i];

			if (d->weight.value)
				add_device(b, d->major, d->minor,
					   cgroup_blkio_to_io_weight(d->weight.value));
		}
		dbus_close_array(b, a);
	}
	for (size_t kind = 0; kind < OCI_THROTTLE_COUNT; kind++) {
		if (r->n_blkio_throttle[kind] == 0)
			continue;
		a = begin_devices(b, limits[kind]);
		for (size_t i = 0; i < r->n_blkio_throttle[kind]; i++) {
			const struct oci_throttle *t = &r->blkio_throttle[kind][i];

			add_device(b, t->major, t->minor, t->rate ? t->rate : INFINITY_U64);
		}
		dbus_close_array(b, a);
	}
}

/* linux.resources.unified */

static void add_unified_quota(struct buf *b, const char *value)
{
	uint64_t quota = 0, period = DEFAULT_PERIOD_US;
	cleanup_with(strv_free) char **words = strv_split(value, " \n", false);
	bool limited = strv_len(words) > 0 && !str_eq(words[0], "max");

	if (limited && (str_to_u64(words[0], &quota) < 0 || quota > INT64_MAX))
		return;
	if (strv_len(words) > 1 && (str_to_u64(words[1], &period) < 0 || period == 0))
		return;
	if (strv_len(words) > 0)
		add_quota(b, limited ? (int64_t)quota : -1, period);
}

/* A file that systemd writes too, in its words. One it cannot read is left to the kernel's judgement. */
static void add_unified(struct buf *b, const struct oci_pair *pair)
{
	static const struct {
		const char *file, *property;
	} numbers[] = {
		{ "cpu.weight", "CPUWeight" }, { "memory.high", "MemoryHigh" },
		{ "memory.low", "MemoryLow" }, { "memory.max", "MemoryMax" },
		{ "memory.min", "MemoryMin" }, { "memory.swap.max", "MemorySwapMax" },
		{ "pids.max", "TasksMax" },
	};
	uint64_t n = INFINITY_U64;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(pair->key, numbers[i].file) &&
		    (str_eq(pair->value, "max") || str_to_u64(pair->value, &n) == 0))
			add_u64(b, numbers[i].property, n);
	if (str_eq(pair->key, "cpu.max"))
		add_unified_quota(b, pair->value);
	if (str_eq(pair->key, "cpuset.cpus"))
		add_set(b, "AllowedCPUs", pair->value);
	if (str_eq(pair->key, "cpuset.mems"))
		add_set(b, "AllowedMemoryNodes", pair->value);
}

void systemd_add_resources(struct buf *b, const struct oci_resources *r,
			   const struct systemd_host *host)
{
	add_cpu(b, r, host->v2);
	add_memory(b, r, host->v2);
	add_pids(b, r);
	if (host->v2)
		add_block(b, r);
	for (size_t i = 0; host->v2 && i < r->n_unified; i++)
		add_unified(b, &r->unified[i]);
	if (host->fresh || r->n_devices > 0)
		systemd_add_devices(b, r, host);
}

/* Annotations */

static int check_name(const char *name, struct error *err)
{
	const char *p = name;

	while (isalpha((unsigned char)*p))
		p++;
	if (*p || p - name < 3)
		return error_kind(err, ERROR_INVALID,
				  "annotations[" ANNOTATION_PREFIX "%s]: this is not the name of a "
				  "property",
				  name);
	return 0;
}

/* D-Bus has TimeoutStopUSec where unit files have TimeoutStopSec. */
static bool is_in_seconds(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && str_ends(name, "Sec") && islower((unsigned char)name[n - 4]);
}

static int add_seconds(struct buf *b, const struct oci_pair *a, const char *name, struct error *err)
{
	cleanup_free char *renamed =
		xasprintf("%.*sUSec", (int)(strlen(name) - strlen("Sec")), name);
	cleanup_buf struct buf value = { 0 };
	const char *number = strrchr(a->value, ' '); /* "5", "uint64 5", "double 1.5" */
	double seconds = strtod(number ? number + 1 : a->value, NULL);
	int r = dbus_add_text(&value, a->value, err);

	if (r < 0)
		return error_prefix(err, r, "annotations[%s]", a->key);
	if (!strchr("ynqiuxtd", value.data[1]) || !isfinite(seconds) || seconds < 0 ||
	    seconds > 1e12)
		return error_kind(err, ERROR_INVALID,
				  "annotations[%s]: '%s' is not a number of seconds", a->key,
				  a->value);
	add_u64(b, renamed, (uint64_t)llround(seconds * USEC_PER_SEC));
	return 0;
}

int systemd_add_annotations(struct buf *b, const struct oci_pair *annotations, size_t n,
			    struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct oci_pair *a = &annotations[i];
		const char *name = str_after(a->key, ANNOTATION_PREFIX);
		int r;

		if (!name)
			continue;
		r = check_name(name, err);
		if (r == 0 && is_in_seconds(name)) {
			r = add_seconds(b, a, name, err);
		} else if (r == 0) {
			dbus_align(b, 8);
			dbus_add_string(b, name);
			r = dbus_add_text(b, a->value, err);
			if (r < 0)
				return error_prefix(err, r, "annotations[%s]", a->key);
		}
		if (r < 0)
			return r;
	}
	return 0;
}
