/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signals. Init is signalled through a pidfd whose process was checked against the state, so a pid
 * that was used again is never hit. The death of a pid namespace's init takes all its processes
 * along; where the namespace is shared, SIGKILL goes to the whole cgroup.
 *
 * LIMIT: without a cgroup (an ordinary user's container on cgroup v1) only init is known: what else runs in
 * a shared pid namespace ends with that. A cgroup that the user may make would lift it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

#define STATUS_MAX_BYTES 65536

/* Is this process the first of a pid namespace? The last number of NSpid tells. */
static bool is_namespace_init(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/status", (int)pid);
	cleanup_free char *text = NULL;
	struct error ignored;
	char *line, *end;

	if (file_read(AT_FDCWD, path, STATUS_MAX_BYTES, &text, NULL, &ignored) < 0)
		return true; /* gone meanwhile */
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line++;
	end = strchrnul(line, '\n');
	return end - line > 2 && end[-1] == '1' && end[-2] == '\t';
}

/* pidfd: init's, or < 0. Nobody left is no failure: callers clean up with it. */
static int kill_all(const struct container *c, int pidfd, int signo, struct error *err)
{
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r = cgroup_open(c->cgroups, &cg, err);

	if (r < 0)
		return r;
	if (cgroup_exists(cg))
		return cgroup_kill(cg, signo, err);
	r = pidfd < 0 ? 0 : proc_kill(pidfd, signo);
	if (r < 0 && r != -ESRCH)
		return error_num(err, -r, "cannot send signal %d to the container's init", signo);
	return 0;
}

/* A v1 freezer holds back even SIGKILL. */
static void thaw(const struct container *c)
{
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	struct error ignored;
	bool frozen;

	if (cgroup_open(c->cgroups, &cg, &ignored) == 0 &&
	    cgroup_frozen(cg, &frozen, &ignored) == 0 && frozen)
		(void)cgroup_thaw(cg, &ignored); /* the signal was sent, that is what was asked */
}

int runtime_kill(const char *root_path, const char *id, int signo, bool all, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_fd int pidfd = -EBADF;
	int gone, r;

	r = container_open(root_path, id, &c, err);
	if (r < 0)
		return r;
	gone = container_open_init(c, &pidfd, err);
	if (gone < 0)
		return gone;
	if (all)
		return kill_all(c, pidfd, signo, err);
	if (gone)
		return error_kind(err, ERROR_CONFLICT, "container not running");
	if (signo == SIGKILL && !is_namespace_init(c->pid))
		return kill_all(c, pidfd, signo, err);

	r = proc_kill(pidfd, signo);
	if (r == -ESRCH)
		return error_kind(err, ERROR_CONFLICT, "container not running");
	if (r < 0)
		return error_num(err, -r, "cannot send signal %d to the container's init", signo);
	if (signo == SIGKILL)
		thaw(c);
	return 0;
}
