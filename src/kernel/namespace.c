/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/macro.h"

static const struct {
	uint64_t flag;
	const char *name;
} kinds[] = {
	{ CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWNET, "net" },
	{ CLONE_NEWNS, "mnt" },	       { CLONE_NEWPID, "pid" }, { CLONE_NEWTIME, "time" },
	{ CLONE_NEWUSER, "user" },     { CLONE_NEWUTS, "uts" },
};

/* "net", "mnt", ... as in /proc/PID/ns; "?" for what is no CLONE_NEW* bit. */
static const char *namespace_name(uint64_t flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].flag == flag)
			return kinds[i].name;
	return "?";
}

int namespace_open(const char *path, uint64_t flag, int *ret_fd, struct error *err)
{
	/* NONBLOCK: the path may be a fifo that somebody put there */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int kind;

	if (fd < 0)
		return error_sys(err, "cannot open %s namespace '%s'", namespace_name(flag), path);
	kind = ioctl(fd, NS_GET_NSTYPE);
	if (kind < 0)
		return error_kind(err, ERROR_INVALID, "'%s' is not a namespace", path);
	if ((uint64_t)kind != flag)
		return error_kind(err, ERROR_INVALID, "'%s' is a %s namespace, not a %s namespace",
				  path, namespace_name((uint64_t)kind), namespace_name(flag));
	*ret_fd = take_fd(&fd);
	return 0;
}
