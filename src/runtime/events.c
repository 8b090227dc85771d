/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/events.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/details.h"
#include "runtime/cgroup/oom.h"
#include "runtime/cgroup/stats.h"
#include "runtime/statedir.h"

struct runtime_watch {
	struct container *c;
	struct cgroup *cg;
	int pidfd; /* of init */
	struct cgroup_oom oom;
};

struct runtime_watch *runtime_watch_close(struct runtime_watch *w)
{
	if (!w)
		return NULL;
	cgroup_oom_close(&w->oom);
	cleanup_close_fd(&w->pidfd);
	cgroup_close(w->cg);
	container_free(w->c);
	free(w);
	return NULL;
}

int runtime_watch_open(const char *root_path, const char *id, struct runtime_watch **ret,
		       struct error *err)
{
	cleanup_with(runtime_watch_close) struct runtime_watch *w = xcalloc(1, sizeof(*w));
	int r;

	w->pidfd = w->oom.fd = -EBADF;
	r = container_open(root_path, id, &w->c, err);
	if (r == 0)
		r = container_open_init(w->c, &w->pidfd, err);
	if (r == 1)
		return error_kind(err, ERROR_CONFLICT, "container with id %s is not running", id);
	if (r == 0)
		r = cgroup_open(w->c->cgroups, &w->cg, err);
	if (r == 0)
		r = cgroup_oom_open(w->cg, &w->oom, err);
	if (r < 0)
		return r;
	*ret = take_ptr(&w);
	return 0;
}

int runtime_watch_wait(struct runtime_watch *w, int timeout_ms, enum runtime_event *ret,
		       struct error *err)
{
	int64_t end = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = w->pidfd, .events = POLLIN },
			{ .fd = w->oom.fd, .events = w->oom.events },
		};
		int64_t left_ms = (end - clock_monotonic_ns() + 999999) / 1000000;
		int n = poll(fds, ARRAY_SIZE(fds), (int)MAX(left_ms, 0));

		if (n < 0 && errno != EINTR)
			return error_sys(err, "cannot wait for the container");
		*ret = fds[0].revents ? RUNTIME_EVENT_END : RUNTIME_EVENT_TIME;
		/* at the end also unasked: the kernel wakes readers of memory.events late */
		if (n > 0 && cgroup_oom_happened(&w->oom, fds[1].revents != 0)) {
			*ret = RUNTIME_EVENT_OOM;
			return 0;
		}
		if (n == 0 || (n > 0 && fds[0].revents))
			return 0;
	}
}

int runtime_watch_numbers(const struct runtime_watch *w, struct arena *arena,
			  struct cgroup_stats *stats, struct cgroup_details *details,
			  struct error *err)
{
	cgroup_details(w->cg, arena, details);
	return cgroup_stats(w->cg, stats, err);
}
