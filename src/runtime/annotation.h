/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Annotations of other runtimes: crun's, run.oci.*, that are not seccomp's, and runc's for criu.
 * Source: crun(1) "EXTENSIONS"; runc's docs/checkpoint-restore.md
 */

#include <stdbool.h>
#include "base/error.h"

struct oci_spec;

/* The value of this annotation; NULL: there is none, or it is empty. */
const char *annotations_value(const struct oci_spec *spec, const char *key);

/* Refuses what the caller counts on and we do not do, and values that mean nothing. */
int annotations_check(const struct oci_spec *spec, struct error *err);

/* run.oci.systemd.subgroup: the container's cgroup below its scope; NULL: the scope's is its own. */
const char *annotations_subgroup(const struct oci_spec *spec);

/* run.oci.delegate-cgroup: a cgroup below the container's that its processes have for themselves; NULL. */
const char *annotations_delegate(const struct oci_spec *spec);

/* run.oci.systemd.force_cgroup_v1: the mount that shows systemd's hierarchy of v1 alone; NULL. */
const char *annotations_force_v1(const struct oci_spec *spec);

/* run.oci.keep_original_groups=1: the process has the groups of our caller (podman's keep-groups). */
bool annotations_keep_groups(const struct oci_spec *spec);

/* org.criu.config: a configuration file of criu's; runc's without it; NULL if it is empty. */
const char *annotations_criu_config(const struct oci_spec *spec);

/* run.oci.mount_context_type: the mount option that takes linux.mountLabel; "context" without it. */
const char *annotations_mount_context(const struct oci_spec *spec);
