/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The SELinux labels of a container, as docker and podman choose them: those of the policy's
 * lxc_contexts, with two random categories so that containers are kept from each other's files.
 */

#include "engine/container_config.h"

/*
 * Fill c->security.selinux_label and .mount_label. They stay NULL where SELinux is off, where the
 * policy names none, and for a container that is privileged or sees the host's processes or ipc.
 *
 * joined   label of a container whose processes or ipc it shares, which becomes its own; or NULL
 * Errors   ERROR_UNSUPPORTED: parts of a label are asked for, and SELinux is off or the policy has none
 */
int selinux_labels_make(struct container_config *c, const char *joined, struct error *err);

/*
 * What -v's z and Z ask for: z makes the source every container's, Z this one's.
 * Errors   ERROR_INVALID for directories of the system
 */
int selinux_relabel_sources(const struct container_config *c, struct error *err);

/* The label of files that several containers share, from that of one's own: without its categories. */
const char *selinux_shared_label(const char *label, struct arena *arena);
