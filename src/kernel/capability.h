/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Capabilities: names, and the five sets of the calling thread through the raw system calls. A set
 * is a uint64_t whose bit n is capability n. No allocation: usable in a child that shares memory.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define CAPABILITY_COUNT  41 /* CAP_CHOWN .. CAP_CHECKPOINT_RESTORE, Linux 5.9 */
#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))
#define CAPABILITY_ALL	  (CAPABILITY_BIT(CAPABILITY_COUNT) - 1)

/* Names */

/* "CAP_SYS_ADMIN", or NULL for a number we have no name for. */
const char *capability_name(unsigned cap);

/* The number of name (len bytes), with or without "CAP_", in any case; -1 if there is none. */
int capability_parse(const char *name, size_t len);

/* Sets of the calling thread */

struct capability_sets {
	uint64_t effective, permitted, inheritable;
};

/* Bits of all capabilities that the running kernel knows, named here or not. */
uint64_t capability_known(void);

/* 0 or -errno; no error text. Source: capget(2). */
int capability_get(struct capability_sets *ret_sets);
int capability_set(const struct capability_sets *sets);

/* Bounding and ambient set as they are. Source: prctl(2) PR_CAPBSET_READ, PR_CAP_AMBIENT. */
uint64_t capability_bounding_get(void);
uint64_t capability_ambient_get(void);

/*
 * Drop everything from the bounding set that is not in keep. What is not there cannot come back:
 * bits of keep that are missing already stay missing. Returns 0 or -errno (-EPERM without
 * CAP_SETPCAP when something had to be dropped).
 */
int capability_bounding_limit(uint64_t keep);

/* Make the ambient set exactly this: each bit must be permitted and inheritable. 0 or -errno. */
int capability_ambient_set(uint64_t ambient);
