/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The tables of config.json, by section: internal to src/oci. */

#include "oci/field.h"

extern const struct oci_table oci_spec_table;	   /* struct oci_spec */
extern const struct oci_table oci_process_table;   /* struct oci_process */
extern const struct oci_table oci_mount_table;	   /* struct oci_mount */
extern const struct oci_table oci_id_map_table;	   /* struct oci_id_map */
extern const struct oci_table oci_hooks_table;	   /* struct oci_hooks */
extern const struct oci_table oci_linux_table;	   /* struct oci_linux */
extern const struct oci_table oci_resources_table; /* struct oci_resources */
extern const struct oci_table oci_seccomp_table;   /* struct oci_seccomp */
