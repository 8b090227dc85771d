/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The AppArmor profile and SELinux label that the next execve takes. */

#include "base/error.h"

/*
 * Check that the host can do what the process section asks (parent side). NULL and "" ask nothing.
 * Errors   ERROR_UNSUPPORTED with the field's path when the host lacks the LSM
 */
int lsm_check(const char *apparmor_profile, const char *selinux_label, struct error *err);

/* The same for linux.mountLabel. */
int lsm_check_mount_label(const char *label, struct error *err);

/*
 * Write them to this thread's attr files (child side, before credentials change). No allocation.
 * proc_fd  borrowed: root directory of a verified procfs in which the caller is visible
 */
int lsm_apply(int proc_fd, const char *apparmor_profile, const char *selinux_label,
	      struct error *err);

/*
 * The label of the keyrings that this thread makes until it executes a program: else the container
 * might not use its own session keyring. NULL and "" ask nothing.
 */
int lsm_label_keys(int proc_fd, const char *selinux_label, struct error *err);
