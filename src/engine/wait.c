/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/wait.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "engine/handle.h"
#include "engine/monitor_client.h"

struct waiter {
	struct engine *e;
	struct record *record;
};

/* Called before the monitor is told that somebody has its word. */
static int record_end(void *arg, const struct monitor_exit *end, struct error *err)
{
	struct waiter *w = arg;

	return container_settle(w->e, w->record, end, err);
}

/* The monitor was killed: only init itself is left to watch. 1: time is up. */
static int wait_for_init(struct engine *e, struct record *r, int timeout_ms, int *ret_exit_code,
			 struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	int status;

	if (container_process_alive(r)) {
		pidfd = proc_open(r->pid);
		if (pidfd >= 0 && container_process_alive(r) &&
		    fd_wait_readable(pidfd, timeout_ms) == 0)
			return 1;
	}
	status = container_refresh(e, r, err);
	if (status < 0)
		return status;
	*ret_exit_code = r->exit_code;
	return 0;
}

int wait_for_end(struct engine *e, struct record *r, int timeout_ms, int *ret_exit_code,
		 struct error *err)
{
	cleanup_free char *run_dir = container_run_dir(e, r->id);
	cleanup_free char *dir = container_dir_path(e, r->id);
	cleanup_free char *exit_file = path_join(dir, FILE_EXIT);
	struct waiter waiter = { e, r };
	struct monitor_exit end;
	int status =
		monitor_wait_exit(run_dir, exit_file, timeout_ms, record_end, &waiter, &end, err);

	if (status == -ESRCH)
		return wait_for_init(e, r, timeout_ms, ret_exit_code, err);
	if (status == 0)
		*ret_exit_code = end.code;
	return status;
}

int engine_wait(struct engine *e, const char *ref, int *ret_exit_code, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r < 0)
		return r;
	if (record_is_live(&record))
		return wait_for_end(e, &record, -1, ret_exit_code, err);
	*ret_exit_code = record.exit_code;
	return 0;
}
