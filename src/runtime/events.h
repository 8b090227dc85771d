/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Watching a container until it ends: its numbers, and its memory running out. */

#include "base/error.h"
#include "base/macro.h"

struct arena;
struct cgroup_details;
struct cgroup_stats;
struct runtime_watch;

enum runtime_event {
	RUNTIME_EVENT_TIME, /* timeout_ms have passed */
	RUNTIME_EVENT_OOM,  /* the kernel killed in it, or holds it, for lack of memory */
	RUNTIME_EVENT_END,  /* its init is gone */
};

/* Errors   ERROR_NOT_FOUND; ERROR_CONFLICT "container with id x is not running" */
int runtime_watch_open(const char *root_path, const char *id, struct runtime_watch **ret,
		       struct error *err);
struct runtime_watch *runtime_watch_close(struct runtime_watch *w);
DEFINE_CLEANUP(struct runtime_watch *, runtime_watch_close)

/* Until something happens. What ran out of memory as it ended gives OOM first, then END. */
int runtime_watch_wait(struct runtime_watch *w, int timeout_ms, enum runtime_event *ret,
		       struct error *err);

/* Pointers of *details hang on arena. */
int runtime_watch_numbers(const struct runtime_watch *w, struct arena *arena,
			  struct cgroup_stats *stats, struct cgroup_details *details,
			  struct error *err);
