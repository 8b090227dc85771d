/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Namespaces by fd and by their CLONE_NEW* bit. */

#include <stdint.h>
#include "base/error.h"

/* Not in every libc header. Source: linux/sched.h, time_namespaces(7) */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/*
 * Open a namespace file and check its kind.
 *
 * flag     CLONE_NEW* it must be
 * Errors   ERROR_INVALID not a namespace, or of another kind; -errno of open
 */
int namespace_open(const char *path, uint64_t flag, int *ret_fd, struct error *err);
