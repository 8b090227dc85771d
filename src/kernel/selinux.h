/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SELinux: is it there, what its policy names for containers, and the labels of files. */

#include <stdbool.h>
#include "base/error.h"

/* A label is at most one page, with its NUL: what an attribute file of procfs takes. */
#define SELINUX_LABEL_MAX 4096

/* Has the kernel SELinux switched on (enforcing or not)? */
bool selinux_is_enabled(void);

/*
 * Give dir_fd/name, itself and not what it may link to, a label.
 * Errors   ERROR_DENIED, ERROR_INVALID (a label that the policy does not know), ERROR_UNSUPPORTED (a
 *          file system without labels)
 */
int selinux_set_label(int dir_fd, const char *name, const char *label, struct error *err);

/*
 * The same for what path leads to and, in a directory, for all that is below it on the same file
 * system, where links are labelled, not followed; what vanishes meanwhile is no error.
 */
int selinux_set_labels(const char *path, const char *label, struct error *err);

/*
 * What the host's policy says of containers: "process", "file", "ro_file" of its contexts/lxc_contexts,
 * heap. NULL if SELinux is off or the policy says nothing.
 */
char *selinux_container_context(const char *key);
