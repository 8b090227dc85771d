/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* linux.sysctl: kernel parameters of the container's own namespaces. */

#include "base/error.h"
#include "oci/spec.h"

/*
 * Refuse what would change the host: a parameter without a namespace, or of one the container
 * shares. Pure.
 */
int sysctl_check(const struct oci_linux *config, struct error *err);

/*
 * Write them (child side). No allocation.
 *
 * own_proc_fd  borrowed: root of the container's own procfs, verified; or < 0
 * proc_fd      the same of another one, where that has not what is asked for
 */
int sysctl_apply(const struct oci_linux *config, int own_proc_fd, int proc_fd, struct error *err);
