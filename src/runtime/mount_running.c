/* SPDX-License-Identifier: Apache-2.0 */

/*
 * mounts add and mounts remove: the mounts of a container that runs.
 *
 *	runtime   plan; clone the sources as detached mounts, out of the host's view of paths
 *	   ╰─▶ helper (shared memory): joins the container's namespaces, then attaches
 *
 * New file systems are made by the helper, because proc, sysfs and mqueue show the namespaces of who
 * mounts them, and a file system belongs to the user namespace it was made in. Destinations are
 * resolved beneath the root of the container's init, by openat2(2), and held as fds from there on: a
 * container that swaps directories for symlinks meanwhile leads us to its own files only. The helper
 * can be seen by the container, so it is undumpable before it goes in (CVE-2019-5736).
 *
 * Without privilege nothing of the host can be cloned; there the helper makes a copy of the host's
 * mounts that belongs to the container's user namespace, and clones out of that.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/creation.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

struct change {
	struct container *container;
	struct oci_spec *config; /* of the container */
	struct arena *arena;
	struct oci_spec spec; /* the same with the mounts of the caller's document */
	struct mount_plan plan;
	bool removes;
	uint64_t namespaces; /* that the container has of its own */
	int init_pidfd, userns_fd;
	int root_fd; /* of the container's init */
	int proc_fd; /* of the host's procfs */
	int *attached;
	struct error err; /* of the helper */
};

static void change_done(struct change *c)
{
	mount_plan_done(&c->plan);
	free(c->attached);
	cleanup_close_fd(&c->init_pidfd);
	cleanup_close_fd(&c->userns_fd);
	cleanup_close_fd(&c->root_fd);
	cleanup_close_fd(&c->proc_fd);
	c->arena = arena_free(c->arena);
	c->config = oci_spec_free(c->config);
	c->container = container_free(c->container);
}

static int open_of_init(const struct change *c, const char *name, int flags, int *ret_fd,
			struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", (int)c->container->pid, name);

	*ret_fd = open(path, flags | O_CLOEXEC);
	return *ret_fd < 0 ? error_sys(err, "cannot open '%s' of the container", path) : 0;
}

static int open_container(struct change *c, const char *root_path, const char *id,
			  struct error *err)
{
	int r = container_open(root_path, id, &c->container, err);

	if (r == 0)
		r = container_open_init(c->container, &c->init_pidfd, err);
	if (r > 0)
		return error_kind(err, ERROR_CONFLICT, "container not running");
	if (r == 0)
		r = container_config(c->container, &c->config, err);
	if (r == 0)
		r = open_of_init(c, "root", O_PATH | O_DIRECTORY, &c->root_fd, err);
	if (r < 0)
		return r;
	for (enum oci_ns ns = 0; ns < OCI_NS_COUNT; ns++)
		if (c->config->linux_.namespaces[ns].wanted && ns != OCI_NS_TIME)
			c->namespaces |= namespaces_flag(ns);
	if (c->namespaces & namespaces_flag(OCI_NS_USER))
		r = open_of_init(c, "ns/user", O_RDONLY, &c->userns_fd, err);
	c->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && c->proc_fd < 0)
		return error_sys(err, "cannot open '/proc'");
	return r;
}

static int make_plan(struct change *c, struct error *err)
{
	struct mount_plan_input in = { .spec = &c->spec,
				       .bundle_path = c->container->bundle_path,
				       .user_namespace = c->userns_fd >= 0,
				       .running = true };
	int r = rootfs_plan_mounts(&in, &c->plan, err);

	if (r >= 0 && c->plan.needs_creator)
		r = mount_plan_prepare(&c->plan, c->userns_fd, err);
	if (r >= 0 && geteuid() == 0)
		r = mount_plan_open_sources(&c->plan, err);
	c->attached = xcalloc(c->plan.n + 1, sizeof(*c->attached));
	return r;
}

/* The helper */

static int enter(struct change *c, struct error *err)
{
	const uint64_t user = namespaces_flag(OCI_NS_USER), pid = namespaces_flag(OCI_NS_PID);
	uint64_t others = c->namespaces & ~(user | pid); /* the pid namespace it is born into */
	bool first = geteuid() != 0;			 /* the user namespace gives the rights */
	int r = 0;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_sys(err, "cannot become undumpable");
	if (first && (c->namespaces & user)) {
		if (setns(c->userns_fd, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
			return error_sys(err, "cannot join the container's user namespace");
		r = c->removes ? 0 : mount_plan_open_sources(&c->plan, err);
		if (r < 0)
			return r;
	}
	if (setns(c->init_pidfd, (int)others) < 0)
		return error_sys(err, "cannot join the container's namespaces");
	if (!first && (c->namespaces & user) && setns(c->userns_fd, CLONE_NEWUSER) < 0)
		return error_sys(err, "cannot join the container's user namespace");
	if (c->namespaces & user)
		r = idmap_become_root(false, err);
	/* by credentials that change a process becomes dumpable anew */
	if (r >= 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_sys(err, "cannot become undumpable");
	umask(0);
	return r;
}

/* umount2(2) has no form for fds: the host's procfs names them, wherever we are. */
static int unmount(const struct change *c, int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "self/fd/%d", fd);
	if (fchdir(c->proc_fd) < 0 || umount2(path, MNT_DETACH) < 0)
		return -errno;
	return 0;
}

static int add(struct change *c, struct error *err)
{
	struct mounter m;
	int r = 0;

	mounter_init(&m, c->plan.rootfs_path);
	m.root_fd = c->root_fd;
	m.attached = c->attached;
	for (size_t i = 0; r >= 0 && i < c->plan.n; i++)
		r = mount_apply(&m, &c->plan.ops[i], err);
	while (r < 0 && m.n_attached > 0)
		(void)unmount(c, c->attached[--m.n_attached]); /* the first failure counts */
	m.root_fd = -EBADF;				       /* borrowed */
	mounter_done(&m);
	return r;
}

static bool is_at_or_below(const char *path, const char *dir)
{
	const char *rest = str_after(path, dir);

	return rest && (*rest == '\0' || *rest == '/');
}

/*
 * A container may have moved the mount away and put a link in its place, which leads to what protects
 * the host from it: the masks and read-only binds of /proc and /sys. These have to be named as such.
 */
static int check_real_path(const struct change *c, size_t i, int fd, struct error *err)
{
	const char *dest = mount_destination(c->arena, c->spec.mounts[i].destination);
	static const char *const kept[] = { "/proc", "/sys" };
	char where[PATH_MAX], name[32];
	bool leads_there;
	ssize_t n;

	(void)snprintf(name, sizeof(name), "self/fd/%d", fd);
	n = readlinkat(c->proc_fd, name, where, sizeof(where) - 1);
	if (n < 0)
		return error_sys(err, "cannot tell where '%s' leads", dest);
	where[n] = '\0';
	leads_there = str_eq(where, "/");
	for (size_t k = 0; k < ARRAY_SIZE(kept); k++)
		leads_there |= is_at_or_below(where, kept[k]) && !is_at_or_below(dest, kept[k]);
	if (!leads_there)
		return 0;
	return error_kind(err, ERROR_DENIED,
			  "mounts[%zu].destination: '%s' leads to '%s' in the container", i, dest,
			  where);
}

static int open_mount_point(const struct change *c, size_t i, int *ret_fd, struct error *err)
{
	const char *name = c->spec.mounts[i].destination;
	cleanup_fd int fd = path_open_in_root(c->root_fd, name, O_PATH, 0);
	int r;

	if (fd < 0)
		return error_num(err, -fd, "mounts[%zu].destination: cannot open '%s'", i, name);
	r = mount_is_root(fd);
	if (r < 0)
		return error_num(err, -r, "cannot tell mount points");
	if (r == 0)
		return error_kind(err, ERROR_NOT_FOUND,
				  "mounts[%zu].destination: '%s' is not a mount point in the "
				  "container",
				  i, name);
	r = check_real_path(c, i, fd, err);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int take_away(struct change *c, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < c->spec.n_mounts; i++) {
		cleanup_fd int fd = -EBADF;

		r = open_mount_point(c, i, &fd, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r >= 0 && i < c->spec.n_mounts; i++) {
		cleanup_fd int fd = -EBADF;

		r = open_mount_point(c, i, &fd, err);
		if (r >= 0)
			r = unmount(c, fd);
		if (r < 0 && fd >= 0)
			return error_num(err, -r, "cannot unmount '%s'",
					 c->spec.mounts[i].destination);
	}
	return r;
}

static int helper_main(void *arg)
{
	struct change *c = arg;
	int r = enter(c, &c->err);

	if (r >= 0)
		r = c->removes ? take_away(c, &c->err) : add(c, &c->err);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int check_removals(const struct change *c, struct error *err)
{
	for (size_t i = 0; i < c->spec.n_mounts; i++) {
		const char *dest = c->spec.mounts[i].destination;

		if (str_empty(dest))
			return error_kind(err, ERROR_INVALID, "mounts[%zu].destination: missing",
					  i);
		if (str_eq(mount_destination(c->arena, dest), "/"))
			return error_kind(err, ERROR_INVALID,
					  "mounts[%zu].destination: the root of a container stays",
					  i);
	}
	return 0;
}

static int change_mounts(struct change *c, const char *root_path, const char *id, const char *json,
			 size_t len, struct error *err)
{
	int r = open_container(c, root_path, id, err);

	if (r >= 0)
		r = oci_mounts_parse(json, len, c->config, c->arena, &c->spec, err);
	if (r >= 0)
		r = c->removes ? check_removals(c, err) : make_plan(c, err);
	if (r < 0)
		return r;
	/* for the helper; without privilege it is refused, and so are new mounts of proc then */
	if ((c->namespaces & CLONE_NEWPID) && setns(c->init_pidfd, CLONE_NEWPID) < 0 &&
	    geteuid() == 0)
		return error_sys(err, "cannot join the container's pid namespace");
	r = spawn_helper(0, helper_main, c, err);
	if (r <= 0)
		return r;
	*err = c->err;
	return error_number(err);
}

int runtime_mounts_add(const char *root_path, const char *id, const char *json, size_t len,
		       struct error *err)
{
	__attribute__((cleanup(change_done))) struct change c = { .init_pidfd = -EBADF,
								  .userns_fd = -EBADF,
								  .root_fd = -EBADF,
								  .proc_fd = -EBADF,
								  .arena = arena_new() };

	return change_mounts(&c, root_path, id, json, len, err);
}

int runtime_mounts_remove(const char *root_path, const char *id, const char *json, size_t len,
			  struct error *err)
{
	__attribute__((cleanup(change_done))) struct change c = { .init_pidfd = -EBADF,
								  .userns_fd = -EBADF,
								  .root_fd = -EBADF,
								  .proc_fd = -EBADF,
								  .removes = true,
								  .arena = arena_new() };

	return change_mounts(&c, root_path, id, json, len, err);
}
