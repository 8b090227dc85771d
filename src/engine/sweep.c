/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody needs to wait for, in a process of its own: a large load returns when the page cache
 * has all of it (image/pending.h), a removal renames into ROOT/trash and returns, and what killed
 * clients had half made is looked for now and then (recover.h). One process at a
 * time flushes, one deletes; if it is killed, the next verb that looks at images or removes
 * something starts another. Who removes something from a full disk wants its room, and waits.
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
#include "engine/recover.h"
#include "image/store.h"

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

/* Not made: somebody may be removing the whole store. */
static int open_trash(struct engine *e)
{
	return openat(e->root_fd, "trash", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Without engine_images(): what is lost, somebody with a terminal shall see to. */
static int flush_images(struct engine *e, struct error *err)
{
	cleanup_with(image_store_close) struct image_store *store = NULL;
	int r = image_store_open(e->root_path, &store, err);

	return r < 0 ? r : image_store_flush(store, err);
}

int engine_sweep(struct engine *e, struct error *err)
{
	cleanup_fd int trash_fd = -EBADF;
	struct error first;
	int flushed, r = 0;

	make_way();
	if (recover_half_made(e, err) < 0)
		log_debug("looking for what killed clients left: %s", err->msg);
	flushed = flush_images(e, &first);
	trash_fd = open_trash(e);
	if (trash_fd >= 0)
		r = trash_sweep(trash_fd, err);
	if (flushed < 0)
		*err = first;
	return flushed < 0 ? flushed : r;
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

/* Deletes it if it is little. */
static bool has_trash(struct engine *e)
{
	cleanup_fd int fd = open_trash(e);
	struct error ignored; /* the sweep meets it again */

	return fd >= 0 && trash_is_left(fd) && trash_sweep_small(fd, &ignored) == TRASH_LEFT;
}

void engine_sweep_later(struct engine *e)
{
	cleanup_fd int pidfd = -EBADF;
	cleanup_free char *berth = NULL;
	bool wanted = has_trash(e);
	struct error err;

	if (e->images && image_store_is_pending(e->images))
		wanted = true;
	if (e->db && recover_is_due(e))
		wanted = true;
	if (!wanted || engine_program("berth", &berth, &err) < 0)
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
		log_debug("starting what can be done later: %s", err.msg);
}
