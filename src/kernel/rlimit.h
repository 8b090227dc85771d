/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Resource limits by their names. */

#include <stddef.h>

/* RLIMIT_* number of "RLIMIT_NOFILE"; also "nofile" (docker's --ulimit, len bytes). -1: none. */
int rlimit_parse(const char *name, size_t len);

/* "RLIMIT_NOFILE", or NULL. */
const char *rlimit_name(int resource);
