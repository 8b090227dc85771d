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

/* Refuses what the caller counts on and we do not do. systemd: it manages the cgroup. */
int annotations_check(const struct oci_spec *spec, bool systemd, struct error *err);

/* run.oci.keep_original_groups=1: the process has the groups of our caller (podman's keep-groups). */
bool annotations_keep_groups(const struct oci_spec *spec);

/* org.criu.config: a configuration file of criu's; runc's without it; NULL if it is empty. */
const char *annotations_criu_config(const struct oci_spec *spec);

/* run.oci.mount_context_type: the mount option that takes linux.mountLabel; "context" without it. */
const char *annotations_mount_context(const struct oci_spec *spec);
