/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "kernel/namespace.h"

/* The order is that of joining: user first, as it decides over the right to join the others. */
static const struct {
	const char *word; /* of config.json */
	uint64_t flag;
	const char *own_path;
} kinds[OCI_NS_COUNT] = {
	[OCI_NS_USER] = { "user", CLONE_NEWUSER, "/proc/self/ns/user" },
	[OCI_NS_CGROUP] = { "cgroup", CLONE_NEWCGROUP, "/proc/self/ns/cgroup" },
	[OCI_NS_IPC] = { "ipc", CLONE_NEWIPC, "/proc/self/ns/ipc" },
	[OCI_NS_UTS] = { "uts", CLONE_NEWUTS, "/proc/self/ns/uts" },
	[OCI_NS_NET] = { "network", CLONE_NEWNET, "/proc/self/ns/net" },
	[OCI_NS_PID] = { "pid", CLONE_NEWPID, "/proc/self/ns/pid" },
	[OCI_NS_TIME] = { "time", CLONE_NEWTIME, "/proc/self/ns/time" },
	[OCI_NS_MOUNT] = { "mount", CLONE_NEWNS, "/proc/self/ns/mnt" },
};

uint64_t namespaces_flag(enum oci_ns ns)
{
	return kinds[ns].flag;
}

static int check(const struct oci_linux *config, struct error *err)
{
	const struct oci_namespace *list = config->namespaces;

	if (!list[OCI_NS_MOUNT].wanted && list[OCI_NS_USER].wanted)
		return error_kind(err, ERROR_INVALID,
				  "linux.namespaces: a user namespace needs a mount namespace");
	if (list[OCI_NS_USER].wanted && !list[OCI_NS_USER].path &&
	    (!config->n_uid_maps || !config->n_gid_maps))
		return error_kind(err, ERROR_INVALID,
				  "linux.uidMappings, linux.gidMappings: a new user namespace "
				  "needs both");
	if (config->has_time_offsets && (!list[OCI_NS_TIME].wanted || list[OCI_NS_TIME].path))
		return error_kind(err, ERROR_INVALID,
				  "linux.timeOffsets: needs a new time namespace");
	return 0;
}

int namespaces_joins_own(const struct namespaces *n, enum oci_ns ns, struct error *err)
{
	struct stat own, other;

	if (n->join_fd[ns] < 0)
		return 0;
	if (stat(kinds[ns].own_path, &own) < 0 || fstat(n->join_fd[ns], &other) < 0)
		return error_sys(err, "cannot look at %s namespaces", kinds[ns].word);
	return own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

/*
 * The rootfs becomes the root of the mount namespace that is joined, for all of its processes: in
 * our own that would be the host.
 */
static int check_mount(const struct namespaces *n, struct error *err)
{
	int r = namespaces_joins_own(n, OCI_NS_MOUNT, err);

	if (r <= 0)
		return r;
	return error_kind(
		err, ERROR_INVALID,
		"linux.namespaces: mount '%s' is the runtime's own, the container's rootfs "
		"would become its root",
		n->config->namespaces[OCI_NS_MOUNT].path);
}

int namespaces_open(const struct oci_linux *config, struct namespaces *ret, struct error *err)
{
	struct namespaces n = { .config = config };
	int r = check(config, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < OCI_NS_COUNT; i++)
		n.join_fd[i] = -EBADF;
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		const struct oci_namespace *ns = &config->namespaces[i];

		if (!ns->wanted)
			continue;
		if (ns->path) {
			r = namespace_open(ns->path, kinds[i].flag, &n.join_fd[i], err);
			if (r < 0) {
				namespaces_close(&n);
				return error_prefix(err, r, "linux.namespaces: %s", kinds[i].word);
			}
			n.stage = true;
		} else if (i == OCI_NS_CGROUP) {
			n.make_cgroup = true;
		} else if (i == OCI_NS_TIME) {
			n.make_time = n.stage = true;
		} else {
			n.make |= kinds[i].flag;
		}
	}
	r = check_mount(&n, err);
	if (r < 0) {
		namespaces_close(&n);
		return r;
	}
	/* /dev/mqueue belongs to whoever made the ipc namespace: that must be an id of the
	 * container */
	if (n.make & CLONE_NEWUSER) {
		n.make_as_root = n.make & CLONE_NEWIPC;
		n.make &= ~n.make_as_root;
	}
	*ret = n;
	return 0;
}

void namespaces_close(struct namespaces *n)
{
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		cleanup_close_fd(&n->join_fd[i]);
		n->join_fd[i] = -EBADF;
	}
}

static int join(const struct namespaces *n, size_t i, struct error *err)
{
	if (setns(n->join_fd[i], (int)kinds[i].flag) < 0)
		return error_sys(err, "cannot join %s namespace '%s'", kinds[i].word,
				 n->config->namespaces[i].path);
	return 0;
}

int namespaces_enter(const struct namespaces *n, struct error *err)
{
	bool has_user = n->join_fd[OCI_NS_USER] >= 0;
	cleanup_fd int proc_fd = -EBADF; /* a mount namespace to join may have none */
	unsigned later = 0;
	int r;

	if (n->make_time)
		proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (n->make_time && proc_fd < 0)
		return error_sys(err, "cannot open '/proc'");

	/*
	 * With the rights that we have now, before the user namespace takes them; for what is
	 * refused (without privilege) it is the user namespace that gives the right.
	 */
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		if (i == OCI_NS_USER || n->join_fd[i] < 0)
			continue;
		r = join(n, i, err);
		if (r == -EPERM && has_user)
			later |= 1u << i;
		else if (r < 0)
			return r;
	}
	if (has_user) {
		r = join(n, OCI_NS_USER, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		r = later & 1u << i ? join(n, i, err) : 0;
		if (r < 0)
			return r;
	}
	if (!n->make_time)
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return error_sys(err, "cannot make a time namespace");
	return timens_set_offsets(n->config, proc_fd, err);
}
