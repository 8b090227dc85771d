/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SELinux labels of what overlayfs shows to containers. What is made in a labelled directory has its
 * label, so that one label does for a tree that is still empty.
 */

#include <stddef.h>
#include "base/error.h"

/* The empty directories of these names get the label of files that containers may read, if the policy has one. */
int store_label_readable(int dir_fd, const char *const *names, size_t n, struct error *err);
