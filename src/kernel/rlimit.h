/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Resource limits by their names. */

#include <stddef.h>
#include <sys/resource.h>

/* RLIMIT_* number of "RLIMIT_NOFILE"; also "nofile" (docker's --ulimit, len bytes). -1: none. */
int rlimit_parse(const char *name, size_t len);

/* "RLIMIT_NOFILE", or NULL. */
const char *rlimit_name(int resource);

/*
 * Of a limit that a process is to have once it executes its program: as much of it as does not
 * hinder what is still to be done before. Only RLIMIT_NOFILE does; it may stay what it is now.
 */
void rlimit_leave_room(int resource, struct rlimit *limit);
