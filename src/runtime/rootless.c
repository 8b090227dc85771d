/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The namespace needs a process as long as nothing else lives in it: an ordinary user cannot pin it
 * with a mount. Every command joins the holder's namespace; the one that finds no holder makes it:
 *
 *	command                                holder
 *	lock STATE/userns.lock
 *	fork ────────────────────────────────▶ unshare(user), or, after the holder was killed under
 *	                                       running containers, setns() to a monitor's namespace
 *	           ◀──────────────── MOUNTED ─
 *	newuidmap, newgidmap HOLDER
 *	           ─ MAPPED ────────────────▶  lock STATE/userns.pid: from now on others find it
 *	           ◀────────────────── READY ─ close everything, sleep for ever
 *	setns(/proc/HOLDER/ns/user)
 *
 * A lock cannot outlive its process, so neither a crash nor a reused pid leads anybody astray.
 */
#include "runtime/rootless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sock.h"
#include "base/str.h"
#include "base/user.h"
#include "kernel/idmap.h"
#include "kernel/namespace.h"
#include "runtime/sync.h"

#define HOLDER_LOCK   "userns.pid"  /* held by the holder, as long as it lives */
#define MAKER_LOCK    "userns.lock" /* held by who makes one */
#define MAKER_WAIT_MS 10000
/* of berth's monitors, which live in the namespace too: docs/formats/monitor.md */
#define MONITOR_LOCK "monitor.pid"

/* Finding */

/* The user namespace of the process that holds dir_fd/name; *ret_fd stays as it is if none does. */
static int open_namespace_of(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	pid_t pid, again;
	char path[64];
	int r = lock_holder(dir_fd, name, &pid, err);

	if (r < 0 || pid <= 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	r = namespace_open(path, CLONE_NEWUSER, &fd, err);
	if (r == -ENOENT || r == -ESRCH)
		return 0; /* it has just ended */
	if (r < 0)
		return r;
	r = lock_holder(dir_fd, name, &again, err);
	if (r >= 0 && again == pid)
		*ret_fd = take_fd(&fd);
	return r;
}

static int open_namespace_of_monitors(int dir_fd, int *ret_fd, struct error *err)
{
	int copy_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = copy_fd < 0 ? NULL : fdopendir(copy_fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_sys(err, "cannot read the directory of monitors");
	while (r >= 0 && *ret_fd < 0 && (entry = readdir(dir))) {
		cleanup_free char *name = NULL;

		if (entry->d_name[0] == '.')
			continue;
		name = path_join(entry->d_name, MONITOR_LOCK);
		r = open_namespace_of(dir_fd, name, ret_fd, err);
	}
	return r;
}

/* Ids */

struct id_map {
	struct idmap_range ranges[USER_SUBID_RANGES_MAX + 1];
	size_t n;
};

static bool has_program(const char *name)
{
	const char *path = getenv("PATH");
	cleanup_with(strv_free) char **dirs =
		strv_split(path ? path : "/usr/local/bin:/usr/bin:/bin", ":", false);

	for (size_t i = 0; i < strv_len(dirs); i++) {
		cleanup_free char *file = path_join(dirs[i], name);

		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/*
 * 0 is the user, the ranges of the file follow without gaps.
 * LIMIT: only the file is read, not what nsswitch.conf may name for "subid"; libsubid would.
 */
static int plan_ids(int root_fd, const char *file, const char *name, uint32_t own,
		    struct id_map *map, struct error *err)
{
	cleanup_free struct user_id_range *ranges = NULL;
	uint32_t next = 1;
	size_t n = 0;
	int r = user_subids(root_fd, file, name, geteuid(), &ranges, &n, err);

	if (r < 0)
		return r;
	map->ranges[0] = (struct idmap_range){ .inside = 0, .outside = own, .count = 1 };
	map->n = 1;
	for (size_t i = 0; i < n && map->n < USER_SUBID_RANGES_MAX; i++) {
		if (ranges[i].count >= UINT32_MAX - next)
			break;
		map->ranges[map->n++] = (struct idmap_range){ .inside = next,
							      .outside = ranges[i].first,
							      .count = ranges[i].count };
		next += ranges[i].count;
	}
	return 0;
}

static int map_ids(pid_t pid, struct error *err)
{
	cleanup_user_identity struct user_identity user = { 0 };
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_free struct id_map *maps = xcalloc(2, sizeof(*maps));
	char uid[16];
	int r;

	if (root_fd < 0)
		return error_sys(err, "cannot open '/'");
	(void)snprintf(uid, sizeof(uid), "%u", geteuid());
	r = user_resolve(root_fd, uid, &user, err);
	if (r >= 0)
		r = plan_ids(root_fd, "/etc/subuid", user.name, geteuid(), &maps[0], err);
	if (r >= 0)
		r = plan_ids(root_fd, "/etc/subgid", user.name, getegid(), &maps[1], err);
	if (r < 0)
		return r;
	if (maps[0].n == 1 || maps[1].n == 1 || !has_program("newuidmap") ||
	    !has_program("newgidmap")) {
		log_debug("user %s has one id alone: no ranges in /etc/subuid and /etc/subgid, or "
			  "no newuidmap and newgidmap (package uidmap)",
			  user.name ? user.name : uid);
		maps[0].n = maps[1].n = 1;
	}
	r = idmap_write(pid, IDMAP_UID, maps[0].ranges, maps[0].n, err);
	if (r >= 0)
		r = idmap_write(pid, IDMAP_GID, maps[1].ranges, maps[1].n, err);
	return error_prefix(err, r, "making your user namespace");
}

/* Holder */

static int take_namespace(int member_fd, struct error *err)
{
	if (member_fd >= 0) {
		if (setns(member_fd, CLONE_NEWUSER) < 0)
			return error_sys(err, "cannot join your running containers");
		return 0;
	}
	if (unshare(CLONE_NEWUSER) == 0)
		return 0;
	if (errno == EPERM || errno == ENOSPC || errno == EUSERS)
		return error_kind(err, ERROR_DENIED,
				  "this host lets you make no user namespace (%s): see the sysctls "
				  "user.max_user_namespaces, kernel.unprivileged_userns_clone and "
				  "kernel.apparmor_restrict_unprivileged_userns, or run berth as "
				  "root",
				  strerrorname_np(errno));
	return error_sys(err, "cannot make a user namespace");
}

static int register_holder(int dir_fd, int *ret_fd, struct error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	*ret_fd = openat(dir_fd, HOLDER_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0 || fcntl(*ret_fd, F_SETLK, &lock) < 0)
		return error_sys(err, "cannot lock '" HOLDER_LOCK "'");
	/* for humans, the lock says the same: a full disk is no reason to fail */
	if (ftruncate(*ret_fd, 0) == 0)
		(void)!pwrite(*ret_fd, text, (size_t)n, 0);
	return 0;
}

/* What the command had open is not ours to keep: who reads its output waits for the end of file. */
static void let_go(int keep_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null_fd >= 0; fd++)
		(void)dup2(null_fd, fd);
	if (keep_fd > 3)
		(void)close_range(3, (unsigned)keep_fd - 1, 0);
	(void)close_range((unsigned)keep_fd + 1, ~0U, 0);
	(void)chdir("/"); /* or it kept a file system busy; "/" is there */
}

static NORETURN void hold(int dir_fd, int member_fd, int sync_fd)
{
	struct error err = { 0 };
	int fd = -EBADF, r;

	(void)setsid(); /* a child of a command leads no group: it cannot fail */
	(void)prctl(PR_SET_NAME, "berth-userns");
	r = take_namespace(member_fd, &err);
	if (r >= 0)
		r = sync_send(sync_fd, SYNC_MOUNTED, 0);
	if (r >= 0 && sync_expect(sync_fd, SYNC_MAPPED, NULL, &err) != 0)
		_exit(EXIT_FAILURE); /* who made us knows why */
	if (r >= 0)
		r = register_holder(dir_fd, &fd, &err);
	if (r < 0) {
		(void)sync_send_error(sync_fd, &err); /* if nobody listens, nobody asks */
		_exit(EXIT_FAILURE);
	}
	(void)sync_send(sync_fd, SYNC_READY, 0); /* the same */
	let_go(fd);
	for (;;)
		pause();
}

static int follow_holder(pid_t pid, bool is_new, int sync_fd, struct error *err)
{
	int r = sync_expect(sync_fd, SYNC_MOUNTED, NULL, err);

	if (r == 0 && is_new)
		r = map_ids(pid, err);
	if (r == 0 && sync_send(sync_fd, SYNC_MAPPED, 0) < 0)
		r = 1;
	if (r == 0)
		r = sync_expect(sync_fd, SYNC_READY, NULL, err);
	if (r == 1)
		r = error_kind(err, ERROR_INTERNAL,
			       "the process that holds your user namespace died");
	return r;
}

static int make_holder(int dir_fd, int member_fd, struct error *err)
{
	cleanup_fd int ours = -EBADF, theirs = -EBADF;
	pid_t pid;
	int r = sock_pair(SOCK_SEQPACKET, &ours, &theirs, err);

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return error_sys(err, "cannot start a process to hold your user namespace");
	if (pid == 0) {
		close(ours); /* or its end would not be seen */
		hold(dir_fd, member_fd, theirs);
	}
	close(take_fd(&theirs));
	r = follow_holder(pid, member_fd < 0, ours, err);
	if (r < 0) {
		close(take_fd(&ours));
		(void)kill(pid, SIGKILL); /* gone already, or waiting for us */
		(void)waitpid(pid, NULL, 0);
	}
	return r;
}

/* Entering */

static int open_state(const char *path, int *ret_fd, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	cleanup_fd int fd = open(path, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		int r = path_mkdir_all(path, 0700, err);

		if (r < 0)
			return r;
		fd = open(path, flags);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open '%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return error_kind(err, ERROR_DENIED,
				  "'%s' is not yours alone: choose another directory with --state "
				  "or XDG_RUNTIME_DIR",
				  path);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int find_or_make(int dir_fd, int *ret_fd, struct error *err)
{
	cleanup_fd int lock_fd = -EBADF, member_fd = -EBADF;
	int r = open_namespace_of(dir_fd, HOLDER_LOCK, ret_fd, err);

	if (r < 0 || *ret_fd >= 0)
		return r;
	r = lock_acquire(dir_fd, MAKER_LOCK, &(struct lock_wait){ .timeout_ms = MAKER_WAIT_MS },
			 &lock_fd, err);
	if (r >= 0) /* another command may have been faster */
		r = open_namespace_of(dir_fd, HOLDER_LOCK, ret_fd, err);
	if (r < 0 || *ret_fd >= 0)
		return r;
	r = open_namespace_of_monitors(dir_fd, &member_fd, err);
	if (r >= 0)
		r = make_holder(dir_fd, member_fd, err);
	if (r >= 0)
		r = open_namespace_of(dir_fd, HOLDER_LOCK, ret_fd, err);
	if (r >= 0 && *ret_fd < 0)
		return error_kind(err, ERROR_INTERNAL,
				  "the process that holds your user namespace died");
	return r;
}

int rootless_enter(const char *state_path, struct error *err)
{
	cleanup_fd int dir_fd = -EBADF, fd = -EBADF;
	int r = open_state(state_path, &dir_fd, err);

	if (r >= 0)
		r = find_or_make(dir_fd, &fd, err);
	if (r < 0)
		return r;
	if (setns(fd, CLONE_NEWUSER) < 0)
		return error_sys(err, "cannot join your user namespace");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_sys(err, "cannot become root of your user namespace");
	return 0;
}

int rootless_own_mounts(struct error *err)
{
	/* what the host mounts later is seen, and nothing of ours there: mount_namespaces(7) makes
	 * all mounts slaves where the new owner has less rights */
	return unshare(CLONE_NEWNS) < 0 ? error_sys(err, "cannot make a mount namespace") : 0;
}
