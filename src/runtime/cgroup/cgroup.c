/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The front of the cgroup part: one container over all hierarchies. A task that one hierarchy can
 * do alone (freeze, kill, list) goes to the node that pick_node() names.
 *
 * A container gets a directory in every mounted hierarchy, as docker makes them: /proc/PID/cgroup
 * then names it everywhere, statistics and later limits need no move of running processes, and
 * nothing of the host shows through a hierarchy that was left out. It costs 0.2 M kernel
 * instructions a hierarchy and start.
 */
#include "runtime/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "oci/spec.h"
#include "runtime/cgroup/driver.h"

/* Life of the struct */

struct cgroup *cgroup_new_empty(void)
{
	return xcalloc(1, sizeof(struct cgroup));
}

static void node_done(struct cgroup_node *n)
{
	free(n->controllers);
	free(n->dir);
	free(n->mount_point);
	free(n->path);
	cleanup_close_fd(&n->dir_fd);
	cleanup_close_fd(&n->enter_fd);
}

struct cgroup *cgroup_close(struct cgroup *cg)
{
	if (!cg)
		return NULL;
	for (size_t i = 0; i < cg->n; i++)
		node_done(&cg->nodes[i]);
	free(cg->nodes);
	free(cg);
	return NULL;
}

static struct cgroup_node *add_node(struct cgroup *cg, bool v2)
{
	struct cgroup_node *n = &cg->nodes[cg->n++]; /* the caller made room */

	*n = (struct cgroup_node){
		.driver = v2 ? &cgroup_v2 : &cgroup_v1,
		.dir_fd = -EBADF,
		.enter_fd = -EBADF,
	};
	return n;
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int cgroup_open(const char *const *lines, struct cgroup **ret_cgroup, struct error *err)
{
	cleanup_with(cgroup_close) struct cgroup *cg = cgroup_new_empty();
	size_t n = 0;

	while (lines && lines[n])
		n++;
	cg->nodes = xcalloc(n + 1, sizeof(*cg->nodes));
	for (size_t i = 0; i < n; i++) {
		const char *dir = strchr(lines[i], ':');
		struct cgroup_node *node;

		if (!dir || dir[1] != '/')
			return error_kind(err, ERROR_INVALID, "'%s' does not name a cgroup",
					  lines[i]);
		node = add_node(cg, dir == lines[i]);
		node->controllers = xstrndup(lines[i], (size_t)(dir - lines[i]));
		node->dir = xstrdup(dir + 1);
		node->dir_fd = open_dir(node->dir);
		if (node->dir_fd < 0 && node->dir_fd != -ENOENT)
			return error_num(err, -node->dir_fd, "cannot open cgroup '%s'", node->dir);
	}
	*ret_cgroup = take_ptr(&cg);
	return 0;
}

char **cgroup_format(const struct cgroup *cg)
{
	char **lines = NULL;

	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];

		lines = strv_push_owned(
			lines, xasprintf("%s:%s", n->driver->v2 ? "" : n->controllers, n->dir));
	}
	return lines;
}

/* The node for freezing, killing and counting processes: the v2 tree does it best, then the v1
 * freezer, then any. */
static const struct cgroup_node *pick_node(const struct cgroup *cg)
{
	const struct cgroup_node *best = NULL;

	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];

		if (n->dir_fd < 0)
			continue;
		if (n->driver->v2)
			return n;
		if (!best || cgroupfs_list_has(n->controllers, "freezer"))
			best = n;
	}
	return best;
}

bool cgroup_exists(const struct cgroup *cg)
{
	return pick_node(cg) != NULL;
}

static const struct cgroup_node *pick_freezer(const struct cgroup *cg)
{
	const struct cgroup_node *n = pick_node(cg);

	return n && (n->driver->v2 || cgroupfs_list_has(n->controllers, "freezer")) ? n : NULL;
}

/* Entering */

bool cgroup_node_is_v2(const struct cgroup_node *n)
{
	return n->driver->v2;
}

struct cgroup_node *cgroup_v2_node(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->nodes[i].driver->v2)
			return &cg->nodes[i];
	return NULL;
}

bool cgroup_is_unified(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++)
		if (!cg->nodes[i].driver->v2 && !str_after(cg->nodes[i].controllers, "name="))
			return false;
	return cgroup_v2_node(cg);
}

int cgroup_clone_fd(const struct cgroup *cg)
{
	const struct cgroup_node *n = cgroup_v2_node(cg);

	return n && n->enter_fd >= 0 ? n->enter_fd : -1;
}

int cgroup_enter(const struct cgroup *cg, struct error *err)
{
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		int r;

		if (!n->driver->enter || n->enter_fd < 0)
			continue;
		r = n->driver->enter(n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Processes */

int cgroup_pids(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_n, struct error *err)
{
	const struct cgroup_node *n = pick_node(cg);
	cleanup_free pid_t *pids = NULL;
	size_t count = 0, capacity = 0;
	int r = n ? cgroup_tree_pids(n->dir_fd, &pids, &count, &capacity) : 0;

	if (r < 0)
		return error_num(err, -r, "cannot read the processes of cgroup '%s'", n->dir);
	*ret_pids = take_ptr(&pids);
	*ret_n = count;
	return 0;
}

static int signal_all(const struct cgroup *cg, int signo, size_t *ret_n, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	int r = cgroup_pids(cg, &pids, ret_n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < *ret_n; i++)
		if (kill(pids[i], signo) < 0 && errno != ESRCH)
			return error_sys(err, "cannot signal process %d", (int)pids[i]);
	return 0;
}

int cgroup_kill(const struct cgroup *cg, int signo, struct error *err)
{
	const struct cgroup_node *n = pick_node(cg);
	bool was_frozen = false, froze = false;
	struct error ignored;
	size_t count;
	int r;

	if (!n)
		return 0;
	if (signo == SIGKILL) {
		r = n->driver->kill_all(n, err);
		if (r <= 0)
			return r;
	}
	/* what is frozen cannot fork away between the list and the signal */
	if (pick_freezer(cg) && cgroup_frozen(cg, &was_frozen, &ignored) == 0 && !was_frozen)
		froze = cgroup_freeze(cg, &ignored) == 0;
	r = signal_all(cg, signo, &count, err);
	if (froze || (was_frozen && signo == SIGKILL)) /* v1: only what runs can die */
		(void)cgroup_thaw(cg, r < 0 ? &ignored : err);
	return r;
}

int cgroup_frozen(const struct cgroup *cg, bool *ret_frozen, struct error *err)
{
	const struct cgroup_node *n = pick_freezer(cg);

	*ret_frozen = false;
	return n ? n->driver->get_frozen(n, ret_frozen, err) : 0;
}

int cgroup_freeze(const struct cgroup *cg, struct error *err)
{
	const struct cgroup_node *n = pick_freezer(cg);
	struct error ignored;
	int r;

	if (!n)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "cannot pause: the container has no cgroup that can freeze%s",
				  cg->n ? "" : ", as this host delegates none to the user");
	r = n->driver->set_frozen(n, true, err);
	if (r < 0) /* half frozen is worse than running */
		(void)n->driver->set_frozen(n, false, &ignored);
	return r;
}

int cgroup_thaw(const struct cgroup *cg, struct error *err)
{
	const struct cgroup_node *n = pick_freezer(cg);

	return n ? n->driver->set_frozen(n, false, err) : 0;
}

/* Removal */

/* Whoever is still in this node, also who is not in the v2 tree. */
static void kill_node(const struct cgroup *cg, const struct cgroup_node *n)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0, capacity = 0;
	struct error ignored;

	if (n->driver->kill_all(n, &ignored) == 0 || n->dir_fd < 0)
		return;
	(void)cgroup_tree_pids(n->dir_fd, &pids, &count, &capacity);
	for (size_t i = 0; i < count; i++)
		(void)kill(pids[i], SIGKILL); /* gone already is as good */
	if (count > 0)
		(void)cgroup_thaw(cg, &ignored); /* frozen by v1, they could not die */
}

static int destroy_node(const struct cgroup *cg, const struct cgroup_node *n, int64_t end,
			struct error *err)
{
	long pause_us = 500;

	for (;;) {
		int r = cgroup_tree_remove(n->dir);

		if (r == 0 || r == -ENOENT)
			return 0;
		if (r != -EBUSY || clock_monotonic_ns() >= end)
			return error_num(err, -r, "cannot remove cgroup '%s'", n->dir);
		kill_node(cg, n);
		(void)nanosleep(&(struct timespec){ .tv_nsec = pause_us * 1000 }, NULL);
		pause_us = MIN(pause_us * 2, 50000);
	}
}

int cgroup_destroy(struct cgroup *cg, struct error *err)
{
	int64_t end = clock_monotonic_ns() + CGROUP_DESTROY_MS * 1000000LL;
	struct error ignored;
	int result = 0;

	/* all of them, though one fails: the first failure is reported */
	for (size_t i = cg->n; i-- > 0;) {
		int r = destroy_node(cg, &cg->nodes[i], end, result < 0 ? &ignored : err);

		if (result == 0)
			result = r;
	}
	return result;
}
