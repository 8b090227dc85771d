/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The session keyring: a container that keeps its creator's can read his keys. */

#include "base/error.h"

/* Make and join a new session keyring of that name. Returns 0, or 1: the kernel has no keys. */
int keyring_join_new(const char *name, struct error *err);
