/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* linux.memoryPolicy: on which memory nodes the container's pages go. Children and programs that
 * are executed inherit it. Source: config-linux.md "Memory policy", set_mempolicy(2). */

#include "base/error.h"

struct oci_linux;

/* Parent side: do mode, nodes and flags go together? ERROR_INVALID naming the field. */
int mempolicy_check(const struct oci_linux *config, struct error *err);

/* Child side, in the container's cgroup: its cpuset bounds the nodes. No allocation. */
int mempolicy_apply(const struct oci_linux *config, struct error *err);
