/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deletion of large images and containers, in a process of its own: a removal renames into
 * ROOT/trash and returns. Its lock (base/trash.h) keeps it alone; if it is killed, the next verb
 * that looks at images or removes something starts another. Who removes something from a full disk
 * wants its room, and waits.
 */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/trash.h"
#include "engine/handle.h"

#define NICE	   10
#define IO_LOWEST  7 /* of the best-effort class: the idle class may starve, and the room with it */
#define IO_OURSELF 0

static void make_way(void)
{
	/* both are courtesy: without them it only disturbs more */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, IO_OURSELF,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IO_LOWEST));
}

int engine_sweep(struct engine *e, struct error *err)
{
	cleanup_fd int trash_fd = -EBADF;
	int r = engine_subdir(e, "trash", &trash_fd, err);

	if (r < 0)
		return r;
	make_way();
	return trash_sweep(trash_fd, err);
}

void engine_sweep_if_full(struct engine *e)
{
	cleanup_fd int trash_fd = -EBADF;
	struct error err;

	if (!e->was_full)
		return;
	if (engine_subdir(e, "trash", &trash_fd, &err) < 0 || trash_sweep(trash_fd, &err) < 0)
		log_debug("deleting what was removed: %s", err.msg);
}

void engine_sweep_later(struct engine *e)
{
	cleanup_fd int pidfd = -EBADF;
	cleanup_fd int trash_fd =
		openat(e->root_fd, "trash", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *berth = NULL;
	struct error err;

	if (trash_fd < 0 || !trash_is_left(trash_fd) ||
	    trash_sweep_small(trash_fd, &err) != TRASH_LEFT ||
	    engine_program("berth", &berth, &err) < 0)
		return;
	/* Not waited for: we end soon, and then pid 1 reaps it. */
	if (proc_spawn(
		    &(struct proc_spawn){
			    .argv = (const char *const[]){ berth, "--root", e->root_path, "--state",
							   e->state_path, "system", "sweep", NULL },
			    .cwd = "/",
			    .flags = PROC_SETSID,
		    },
		    &pidfd, NULL, &err) < 0)
		log_debug("starting to delete what was removed: %s", err.msg);
}
