/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "oci/spec_table.h"
#include "oci/words.h"

/* config-linux.md */

/* Namespaces: a list in the text, one place for each kind in the struct. */

static int parse_namespaces(const struct json *v, struct arena *arena, void *target,
			    struct error *err)
{
	struct oci_linux *linux_ = target;
	const struct json *c;

	if (v->type != JSON_ARRAY)
		return json_fail(v, err, "not an array");
	json_foreach(c, v) {
		const char *name = NULL, *path = NULL;
		const struct oci_word *word;
		int r;

		if ((r = json_get_string(c, "type", &name, err)) < 0 ||
		    (r = json_get_string(c, "path", &path, err)) < 0)
			return r;
		if (!name)
			return json_fail_missing(c, "type", err);
		word = oci_words_find(&oci_namespace_words, name);
		if (!word)
			return json_fail(c, err, "unknown namespace type '%s'", name);
		if (linux_->namespaces[word->value].wanted)
			return json_fail(c, err, "namespace '%s' is listed twice", name);
		linux_->namespaces[word->value].wanted = true;
		linux_->namespaces[word->value].path = path && *path ? path : NULL;
	}
	return 0;
}

static void format_namespaces(const struct oci_field *f, const void *target, struct json_writer *w)
{
	static const enum oci_ns order[] = {
		/* as runc spec lists them */
		OCI_NS_PID,   OCI_NS_NET,    OCI_NS_IPC,  OCI_NS_UTS,
		OCI_NS_MOUNT, OCI_NS_CGROUP, OCI_NS_USER, OCI_NS_TIME,
	};
	const struct oci_linux *linux_ = target;
	bool any = false;

	_Static_assert(ARRAY_SIZE(order) == OCI_NS_COUNT, "every namespace is written");
	for (size_t i = 0; i < OCI_NS_COUNT; i++)
		any |= linux_->namespaces[i].wanted;
	if (!any)
		return;
	json_begin_array(w, f->key);
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		const struct oci_namespace *ns = &linux_->namespaces[order[i]];

		if (!ns->wanted)
			continue;
		json_begin_object(w, NULL);
		json_add_string(w, "type", oci_words_name(&oci_namespace_words, order[i]));
		if (ns->path)
			json_add_string(w, "path", ns->path);
		json_end(w);
	}
	json_end(w);
}

/* "Devices" */
static const struct oci_field device_fields[] = {
	{ FIELD_STRING("path", oci_device, path), .required = true },
	{ FIELD_CHAR("type", oci_device, type, oci_device_words), .required = true },
	{ FIELD_I64("major", oci_device, major), .absent = -1 },
	{ FIELD_I64("minor", oci_device, minor), .absent = -1 },
	{ FIELD_OPT_I64("fileMode", oci_device, file_mode) },
	{ FIELD_U32("uid", oci_device, uid) },
	{ FIELD_U32("gid", oci_device, gid) },
};
static const struct oci_table device_table = OCI_TABLE(device_fields, sizeof(struct oci_device));

/* "Network Devices" */
static const struct oci_field net_device_fields[] = {
	{ FIELD_STRING("name", oci_net_device, name) },
};
static const struct oci_table net_device_table =
	OCI_TABLE(net_device_fields, sizeof(struct oci_net_device));

/* "Offset for Time Namespace" */
static const struct oci_field monotonic_fields[] = {
	{ FIELD_I64("secs", oci_linux, monotonic_s) },
	{ FIELD_U32("nanosecs", oci_linux, monotonic_ns) },
};
static const struct oci_table monotonic_table = OCI_TABLE(monotonic_fields, 0);

static const struct oci_field boottime_fields[] = {
	{ FIELD_I64("secs", oci_linux, boottime_s) },
	{ FIELD_U32("nanosecs", oci_linux, boottime_ns) },
};
static const struct oci_table boottime_table = OCI_TABLE(boottime_fields, 0);

static const struct oci_field time_offset_fields[] = {
	{ FIELD_SECTION("boottime", boottime_table) },
	{ FIELD_SECTION("monotonic", monotonic_table) },
};
static const struct oci_table time_offset_table = OCI_TABLE(time_offset_fields, 0);

/* "IntelRdt" */
static const struct oci_field rdt_fields[] = {
	{ FIELD_STRING("closID", oci_linux, rdt_clos_id) },
	{ FIELD_STRINGS("schemata", oci_linux, rdt_schemata, n_rdt_schemata) },
	{ FIELD_STRING("l3CacheSchema", oci_linux, rdt_l3_schema) },
	{ FIELD_STRING("memBwSchema", oci_linux, rdt_mem_schema) },
	{ FIELD_BOOL("enableMonitoring", oci_linux, rdt_enable_monitoring) },
};
static const struct oci_table rdt_table = OCI_TABLE(rdt_fields, 0);

/* "Memory policy" */
static const struct oci_field mempolicy_fields[] = {
	{ FIELD_STRING("mode", oci_linux, mempolicy_mode), .required = true },
	{ FIELD_STRING("nodes", oci_linux, mempolicy_nodes) },
	{ FIELD_STRINGS("flags", oci_linux, mempolicy_flags, n_mempolicy_flags) },
};
static const struct oci_table mempolicy_table = OCI_TABLE(mempolicy_fields, 0);

/* "Personality" */
static const struct oci_field personality_fields[] = {
	{ FIELD_STRING("domain", oci_linux, personality_domain), .required = true },
	{ FIELD_STRINGS("flags", oci_linux, personality_flags, n_personality_flags) },
};
static const struct oci_table personality_table = OCI_TABLE(personality_fields, 0);

static const struct oci_field linux_fields[] = {
	{ FIELD_OBJECTS("uidMappings", oci_linux, uid_maps, n_uid_maps, oci_id_map,
			oci_id_map_table) },
	{ FIELD_OBJECTS("gidMappings", oci_linux, gid_maps, n_gid_maps, oci_id_map,
			oci_id_map_table) },
	{ FIELD_PAIRS("sysctl", oci_linux, sysctl, n_sysctl) },
	{ FIELD_EMBEDDED("resources", oci_linux, resources, oci_resources, oci_resources_table) },
	{ FIELD_STRING("cgroupsPath", oci_linux, cgroups_path) },
	{ FIELD_CUSTOM("namespaces", parse_namespaces, format_namespaces) },
	{ FIELD_OBJECTS("devices", oci_linux, devices, n_devices, oci_device, device_table) },
	{ FIELD_NAMED("netDevices", oci_linux, net_devices, n_net_devices, oci_net_device,
		      net_device_table) },
	{ FIELD_POINTER("seccomp", oci_linux, seccomp, oci_seccomp, oci_seccomp_table) },
	{ FIELD_STRING("rootfsPropagation", oci_linux, rootfs_propagation) },
	{ FIELD_STRINGS("maskedPaths", oci_linux, masked_paths, n_masked_paths) },
	{ FIELD_STRINGS("readonlyPaths", oci_linux, readonly_paths, n_readonly_paths) },
	{ FIELD_STRING("mountLabel", oci_linux, mount_label) },
	{ FIELD_SECTION("intelRdt", rdt_table), FIELD_SET(oci_linux, has_intel_rdt) },
	{ FIELD_SECTION("memoryPolicy", mempolicy_table) },
	{ FIELD_SECTION("personality", personality_table) },
	{ FIELD_SECTION("timeOffsets", time_offset_table), FIELD_SET(oci_linux, has_time_offsets) },
};
const struct oci_table oci_linux_table = OCI_TABLE(linux_fields, sizeof(struct oci_linux));
