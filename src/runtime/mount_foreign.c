/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bind whose source is what another process sees: /proc/PID/root/... Only mounts of one's own
 * namespace can be cloned, so a helper joins that of the process, clones there, and leaves the detached
 * mount in the table of descriptors that it shares with us. The path behind "root" belongs to the
 * process, maybe a container's: its links lead nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "kernel/mountapi.h"
#include "runtime/creation.h"
#include "runtime/rootfs.h"

struct foreign {
	int ns_fd, root_fd;
	const char *path; /* in there */
	const struct mount_options *options;
	int mount_fd;
	struct error err;
};

/* The part of /proc/PID/root/PATH from behind "root"; NULL if source is not like that. */
static const char *path_inside(const char *source)
{
	const char *pid = str_after(source, "/proc/");
	size_t digits = pid ? strspn(pid, "0123456789") : 0;

	return digits ? str_after(pid + digits, "/root/") : NULL;
}

bool mount_source_is_foreign(const char *source)
{
	return path_inside(source) != NULL;
}

/* Nothing to join, which takes privilege. */
static bool is_own_namespace(int ns_fd)
{
	struct stat own, other;

	return stat("/proc/self/ns/mnt", &own) == 0 && fstat(ns_fd, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static int clone_inside(void *arg)
{
	struct foreign *f = arg;
	cleanup_fd int fd = -EBADF;

	/* the processes that live there may see us (CVE-2019-5736) */
	if (!is_own_namespace(f->ns_fd) &&
	    (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(f->ns_fd, CLONE_NEWNS) < 0))
		return error_sys(&f->err, "cannot join the mount namespace");
	fd = path_open_in_root(f->root_fd, f->path,
			       O_PATH | (f->options->src_nofollow ? O_NOFOLLOW : 0), 0);
	if (fd < 0)
		return error_num(&f->err, -fd, "cannot open it");
	return mount_clone(fd, "", f->options->recursive_bind, &f->mount_fd, &f->err);
}

static int open_of(const char *source, size_t prefix, const char *name, int flags, int *ret_fd,
		   struct error *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%.*s%s", (int)MIN(prefix, sizeof(path) - 16), source,
		       name);
	*ret_fd = open(path, flags | O_CLOEXEC);
	return *ret_fd < 0 ? error_sys(err, "cannot open '%s'", path) : 0;
}

int mount_clone_foreign(const struct mount_op *op, int *ret_mount_fd, struct error *err)
{
	const char *source = op->source;
	struct foreign f = { .path = path_inside(source),
			     .options = &op->options,
			     .mount_fd = -EBADF };
	size_t prefix = (size_t)(f.path - source) - strlen("root/");
	cleanup_fd int ns_fd = -EBADF, root_fd = -EBADF;
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int r = open_of(source, prefix, "ns/mnt", O_RDONLY, &ns_fd, err);

	if (r >= 0)
		r = open_of(source, prefix, "root", O_PATH | O_DIRECTORY, &root_fd, err);
	if (r < 0)
		return r;
	f.ns_fd = ns_fd;
	f.root_fd = root_fd;
	r = spawn_helper(CLONE_FILES, clone_inside, &f, err);
	if (dumpable == 1) /* it shared our memory, and is gone */
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (r < 0)
		return r;
	if (f.mount_fd < 0) {
		*err = f.err;
		return error_prefix(err, error_number(err), "binding '%s'", source);
	}
	*ret_mount_fd = f.mount_fd;
	return 0;
}
