/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "oci/spec.h"
#include "oci/spec_table.h"

/* config-linux.md "User namespace mappings" */
static const struct oci_field id_map_fields[] = {
	{ FIELD_U32("containerID", oci_id_map, container_id), .always = true },
	{ FIELD_U32("hostID", oci_id_map, host_id), .always = true },
	{ FIELD_U32("size", oci_id_map, size), .always = true },
};
const struct oci_table oci_id_map_table = OCI_TABLE(id_map_fields, sizeof(struct oci_id_map));

/* config.md "Mounts" */
static const struct oci_field mount_fields[] = {
	{ FIELD_STRING("destination", oci_mount, destination), .required = true },
	{ FIELD_STRING("type", oci_mount, type) },
	{ FIELD_STRING("source", oci_mount, source) },
	{ FIELD_STRINGS("options", oci_mount, options, n_options) },
	{ FIELD_OBJECTS("uidMappings", oci_mount, uid_maps, n_uid_maps, oci_id_map,
			oci_id_map_table) },
	{ FIELD_OBJECTS("gidMappings", oci_mount, gid_maps, n_gid_maps, oci_id_map,
			oci_id_map_table) },
};
const struct oci_table oci_mount_table = OCI_TABLE(mount_fields, sizeof(struct oci_mount));
