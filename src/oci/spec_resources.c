/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "oci/spec_table.h"
#include "oci/words.h"

/* config-linux.md "Control groups" */

static int parse_access(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	struct oci_device_rule *rule = target;
	const char *text;
	int r = json_to_string(v, &text, err);

	if (r < 0)
		return r;
	for (const char *c = text; *c; c++) {
		static const char letters[] = "rwm"; /* in the order of the OCI_DEVICE_ bits */
		const char *found = strchr(letters, *c);

		if (!found)
			return json_fail(v, err, "unknown device access '%c' in '%s'", *c, text);
		rule->access |= 1u << (found - letters);
	}
	return 0;
}

static void format_access(const struct oci_field *f, const void *target, struct json_writer *w)
{
	const struct oci_device_rule *rule = target;
	char text[4] = { 0 }, *end = text;

	if (rule->access & OCI_DEVICE_READ)
		*end++ = 'r';
	if (rule->access & OCI_DEVICE_WRITE)
		*end++ = 'w';
	if (rule->access & OCI_DEVICE_MKNOD)
		*end++ = 'm';
	if (text[0])
		json_add_string(w, f->key, text);
}

static const struct oci_field device_rule_fields[] = {
	{ FIELD_BOOL("allow", oci_device_rule, allow), .always = true },
	{ FIELD_CHAR("type", oci_device_rule, type, oci_device_rule_words), .absent = 'a' },
	{ FIELD_I64("major", oci_device_rule, major), .absent = -1 },
	{ FIELD_I64("minor", oci_device_rule, minor), .absent = -1 },
	{ FIELD_CUSTOM("access", parse_access, format_access) },
};
static const struct oci_table device_rule_table =
	OCI_TABLE(device_rule_fields, sizeof(struct oci_device_rule));

static const struct oci_field memory_fields[] = {
	{ FIELD_OPT_I64("limit", oci_resources, memory_limit) },
	{ FIELD_OPT_I64("reservation", oci_resources, memory_reservation) },
	{ FIELD_OPT_I64("swap", oci_resources, memory_swap) },
	{ FIELD_OPT_I64("kernel", oci_resources, memory_kernel) },
	{ FIELD_OPT_I64("kernelTCP", oci_resources, memory_kernel_tcp) },
	{ FIELD_OPT_U64("swappiness", oci_resources, memory_swappiness) },
	{ FIELD_BOOL("disableOOMKiller", oci_resources, memory_disable_oom_killer) },
	{ FIELD_BOOL("useHierarchy", oci_resources, memory_use_hierarchy) },
	{ FIELD_BOOL("checkBeforeUpdate", oci_resources, memory_check_before_update) },
};
static const struct oci_table memory_table = OCI_TABLE(memory_fields, 0);

static const struct oci_field cpu_fields[] = {
	{ FIELD_OPT_U64("shares", oci_resources, cpu_shares) },
	{ FIELD_OPT_I64("quota", oci_resources, cpu_quota) },
	{ FIELD_OPT_U64("burst", oci_resources, cpu_burst) },
	{ FIELD_OPT_U64("period", oci_resources, cpu_period) },
	{ FIELD_OPT_I64("realtimeRuntime", oci_resources, cpu_rt_runtime) },
	{ FIELD_OPT_U64("realtimePeriod", oci_resources, cpu_rt_period) },
	{ FIELD_STRING("cpus", oci_resources, cpuset_cpus) },
	{ FIELD_STRING("mems", oci_resources, cpuset_mems) },
	{ FIELD_OPT_I64("idle", oci_resources, cpu_idle) },
};
static const struct oci_table cpu_table = OCI_TABLE(cpu_fields, 0);

static const struct oci_field pids_fields[] = {
	{ FIELD_OPT_I64("limit", oci_resources, pids_limit) },
};
static const struct oci_table pids_table = OCI_TABLE(pids_fields, 0);

static const struct oci_field weight_device_fields[] = {
	{ FIELD_I64("major", oci_weight_device, major), .always = true },
	{ FIELD_I64("minor", oci_weight_device, minor), .always = true },
	{ FIELD_OPT_U64("weight", oci_weight_device, weight) },
	{ FIELD_OPT_U64("leafWeight", oci_weight_device, leaf_weight) },
};
static const struct oci_table weight_device_table =
	OCI_TABLE(weight_device_fields, sizeof(struct oci_weight_device));

static const struct oci_field throttle_fields[] = {
	{ FIELD_I64("major", oci_throttle, major), .always = true },
	{ FIELD_I64("minor", oci_throttle, minor), .always = true },
	{ FIELD_U64("rate", oci_throttle, rate), .always = true },
};
static const struct oci_table throttle_table =
	OCI_TABLE(throttle_fields, sizeof(struct oci_throttle));

#define THROTTLE(key, kind)                                                             \
	FIELD_OBJECTS(key, oci_resources, blkio_throttle[kind], n_blkio_throttle[kind], \
		      oci_throttle, throttle_table)

static const struct oci_field block_io_fields[] = {
	{ FIELD_OPT_U64("weight", oci_resources, blkio_weight) },
	{ FIELD_OPT_U64("leafWeight", oci_resources, blkio_leaf_weight) },
	{ FIELD_OBJECTS("weightDevice", oci_resources, blkio_weight_devices, n_blkio_weight_devices,
			oci_weight_device, weight_device_table) },
	{ THROTTLE("throttleReadBpsDevice", OCI_THROTTLE_READ_BPS) },
	{ THROTTLE("throttleWriteBpsDevice", OCI_THROTTLE_WRITE_BPS) },
	{ THROTTLE("throttleReadIOPSDevice", OCI_THROTTLE_READ_IOPS) },
	{ THROTTLE("throttleWriteIOPSDevice", OCI_THROTTLE_WRITE_IOPS) },
};
static const struct oci_table block_io_table = OCI_TABLE(block_io_fields, 0);

static const struct oci_field hugepage_fields[] = {
	{ FIELD_STRING("pageSize", oci_hugepage_limit, page_size), .required = true },
	{ FIELD_U64("limit", oci_hugepage_limit, limit), .required = true, .always = true },
};
static const struct oci_table hugepage_table =
	OCI_TABLE(hugepage_fields, sizeof(struct oci_hugepage_limit));

static const struct oci_field net_priority_fields[] = {
	{ FIELD_STRING("name", oci_net_priority, name), .required = true },
	{ FIELD_U32("priority", oci_net_priority, priority), .always = true },
};
static const struct oci_table net_priority_table =
	OCI_TABLE(net_priority_fields, sizeof(struct oci_net_priority));

static const struct oci_field network_fields[] = {
	{ FIELD_OPT_U64("classID", oci_resources, net_class_id) },
	{ FIELD_OBJECTS("priorities", oci_resources, net_priorities, n_net_priorities,
			oci_net_priority, net_priority_table) },
};
static const struct oci_table network_table = OCI_TABLE(network_fields, 0);

static const struct oci_field rdma_fields[] = {
	{ FIELD_OPT_U64("hcaHandles", oci_rdma_limit, hca_handles) },
	{ FIELD_OPT_U64("hcaObjects", oci_rdma_limit, hca_objects) },
};
static const struct oci_table rdma_table = OCI_TABLE(rdma_fields, sizeof(struct oci_rdma_limit));

static const struct oci_field resources_fields[] = {
	{ FIELD_OBJECTS("devices", oci_resources, devices, n_devices, oci_device_rule,
			device_rule_table) },
	{ FIELD_SECTION("memory", memory_table) },
	{ FIELD_SECTION("cpu", cpu_table) },
	{ FIELD_SECTION("pids", pids_table) },
	{ FIELD_SECTION("blockIO", block_io_table) },
	{ FIELD_OBJECTS("hugepageLimits", oci_resources, hugepage_limits, n_hugepage_limits,
			oci_hugepage_limit, hugepage_table) },
	{ FIELD_SECTION("network", network_table) },
	{ FIELD_NAMED("rdma", oci_resources, rdma, n_rdma, oci_rdma_limit, rdma_table) },
	{ FIELD_PAIRS("unified", oci_resources, unified, n_unified) },
};
const struct oci_table oci_resources_table =
	OCI_TABLE(resources_fields, sizeof(struct oci_resources));
