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

/* Write them (child side). proc_fd: borrowed root of a verified procfs. No allocation. */
int sysctl_apply(const struct oci_linux *config, int proc_fd, struct error *err);
