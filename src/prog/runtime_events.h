/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The lines of `berth-runtime events`, in runc's form. */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct buf;

/*
 * One "stats" line, and an "oom" line before it if processes were killed for lack of memory since
 * the last call. *oom_kills: UINT64_MAX at first.
 */
int events_format(const char *root, const char *id, uint64_t *oom_kills, bool *ret_stopped,
		  struct buf *out, struct error *err);
