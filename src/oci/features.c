/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/features.h"

#include "base/macro.h"
#include "codec/json.h"
#include "oci/field.h"

#define LIST(key, m) FIELD_STRINGS(key, oci_features, m.words, m.n)
#define FLAG(key, m) FIELD_BOOL(key, oci_features, m), .always = true

static const struct oci_field cgroup_fields[] = {
	{ FLAG("v1", cgroup_v1) },	     { FLAG("v2", cgroup_v2) },
	{ FLAG("systemd", cgroup_systemd) }, { FLAG("systemdUser", cgroup_systemd_user) },
	{ FLAG("rdma", cgroup_rdma) },
};
static const struct oci_table cgroup_table = OCI_TABLE(cgroup_fields, 0);

static const struct oci_field seccomp_fields[] = {
	{ FLAG("enabled", seccomp) },
	{ LIST("actions", seccomp_actions) },
	{ LIST("operators", seccomp_operators) },
	{ LIST("archs", seccomp_archs) },
	{ LIST("knownFlags", seccomp_known_flags) },
	{ LIST("supportedFlags", seccomp_supported_flags) },
};
static const struct oci_table seccomp_table = OCI_TABLE(seccomp_fields, 0);

/* Sections of a single "enabled" */
#define ENABLED(name)                                                                  \
	static const struct oci_field name##_fields[] = { { FLAG("enabled", name) } }; \
	static const struct oci_table name##_table = OCI_TABLE(name##_fields, 0)

ENABLED(apparmor);
ENABLED(selinux);
ENABLED(idmap_mounts);
ENABLED(net_devices);

static const struct oci_field intel_rdt_fields[] = {
	{ FLAG("enabled", intel_rdt) },
	{ FLAG("schemata", intel_rdt) },
	{ FLAG("monitoring", intel_rdt) },
};
static const struct oci_table intel_rdt_table = OCI_TABLE(intel_rdt_fields, 0);

static const struct oci_field mempolicy_fields[] = {
	{ LIST("modes", mempolicy_modes) },
	{ LIST("flags", mempolicy_flags) },
};
static const struct oci_table mempolicy_table = OCI_TABLE(mempolicy_fields, 0);

static const struct oci_field mount_fields[] = {
	{ FIELD_SECTION("idmap", idmap_mounts_table) },
};
static const struct oci_table mount_table = OCI_TABLE(mount_fields, 0);

static const struct oci_field linux_fields[] = {
	{ LIST("namespaces", namespaces) },
	{ LIST("capabilities", capabilities) },
	{ FIELD_SECTION("cgroup", cgroup_table) },
	{ FIELD_SECTION("seccomp", seccomp_table) },
	{ FIELD_SECTION("apparmor", apparmor_table) },
	{ FIELD_SECTION("selinux", selinux_table) },
	{ FIELD_SECTION("intelRdt", intel_rdt_table) },
	{ FIELD_SECTION("memoryPolicy", mempolicy_table) },
	{ FIELD_SECTION("mountExtensions", mount_table) },
	{ FIELD_SECTION("netDevices", net_devices_table) },
};
static const struct oci_table linux_table = OCI_TABLE(linux_fields, 0);

static const struct oci_field features_fields[] = {
	{ FIELD_STRING("ociVersionMin", oci_features, version_min) },
	{ FIELD_STRING("ociVersionMax", oci_features, version_max) },
	{ LIST("hooks", hooks) },
	{ LIST("mountOptions", mount_options) },
	{ FIELD_SECTION("linux", linux_table) },
	{ FIELD_PAIRS("annotations", oci_features, annotations, n_annotations) },
	{ LIST("potentiallyUnsafeConfigAnnotations", unsafe_annotations) },
};
static const struct oci_table features_table =
	OCI_TABLE(features_fields, sizeof(struct oci_features));

void oci_features_format(const struct oci_features *features, const char *indent, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, indent);
	json_begin_object(&w, NULL);
	oci_table_format(&features_table, features, &w);
	json_end(&w);
}
