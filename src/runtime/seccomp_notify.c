/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The filter may ask the agent about any system call, sendmsg too, and once it is loaded the
 * process cannot do such a call before the agent has the listener. So a second thread, which has no
 * filter, sends it:
 *
 *	process                                    courier (shares memory and descriptors)
 *	clone ───────────────────────────────────▶ sleeps until there is a number
 *	seccomp(NEW_LISTENER) = fd
 *	stores fd in memory (no system call) ────▶ sendmsg(agent, state, fd); shutdown; closes fd
 *	waits until the courier's tid is 0   ◀──── exit: the kernel clears the tid
 *
 * No process of the container, no waiting creator and no ptrace right is needed; it is the same for
 * init and for exec, on shared memory or not, and the execve would end the thread in any case.
 */

#include "runtime/seccomp_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"
#include "runtime/seccomp.h"

#define PIDS_MAX	    64 /* room for the end of the state */
#define COURIER_STACK_BYTES (32u << 10)
#define COURIER_LOOK_NS	    50000
#define LISTENER_NOT_YET    (-1000)

struct seccomp_notify {
	const char *path;
	struct buf state; /* complete once the pid is known; the room is there before */
	int agent_fd;
	pid_t container_pid;
	void *stack;
	/* between process and courier */
	int listener_fd; /* LISTENER_NOT_YET; < 0: there will be none */
	int sent;	 /* 0 or -errno */
	pid_t tid;	 /* 0: the courier is gone */
};

struct seccomp_notify *seccomp_notify_new(const char *path, char *state, pid_t container_pid)
{
	struct seccomp_notify *n = xcalloc(1, sizeof(*n));

	n->path = path;
	n->agent_fd = -EBADF;
	n->container_pid = container_pid;
	n->stack = xmalloc(COURIER_STACK_BYTES);
	n->listener_fd = LISTENER_NOT_YET;
	buf_puts(&n->state, state);
	buf_reserve(&n->state, PIDS_MAX);
	free(state);
	return n;
}

struct seccomp_notify *seccomp_notify_free(struct seccomp_notify *n)
{
	if (!n)
		return NULL;
	cleanup_close_fd(&n->agent_fd);
	buf_done(&n->state);
	free(n->stack);
	free(n);
	return NULL;
}

int seccomp_notify_check(const char *path, struct error *err)
{
	struct stat st;

	if (path[0] != '/')
		return error_kind(err, ERROR_INVALID,
				  "linux.seccomp.listenerPath: '%s' is not an absolute path", path);
	if (stat(path, &st) < 0)
		return error_sys(err, "linux.seccomp.listenerPath: no agent at '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return error_kind(err, ERROR_INVALID,
				  "linux.seccomp.listenerPath: '%s' is not a socket", path);
	return 0;
}

int seccomp_notify_connect(struct seccomp_notify *n, struct error *err)
{
	int fd = -EBADF;
	int r = sock_connect(n->path, SOCK_STREAM, &fd, err);

	if (r < 0)
		return error_prefix(err, r, "linux.seccomp.listenerPath");
	seccomp_notify_set_agent(n, fd);
	return 0;
}

void seccomp_notify_set_agent(struct seccomp_notify *n, int fd)
{
	cleanup_close_fd(&n->agent_fd);
	n->agent_fd = fd;
}

int seccomp_notify_agent(const struct seccomp_notify *n)
{
	return n->agent_fd;
}

int seccomp_notify_find_pid(struct seccomp_notify *n, int proc_fd, struct error *err)
{
	char text[16] = "", pids[PIDS_MAX];
	pid_t pid;
	int len;

	if (readlinkat(proc_fd, "self", text, sizeof(text) - 1) < 0)
		return error_sys(err, "cannot read '/proc/self'");
	pid = (pid_t)strtol(text, NULL, 10);
	len = snprintf(pids, sizeof(pids), "\"pid\":%d},\"pid\":%d}",
		       (int)(n->container_pid ? n->container_pid : pid), (int)pid);
	buf_add(&n->state, pids, (size_t)len); /* into the room that was reserved */
	return 0;
}

/*
 * Ends by returning: glibc's clone ends this thread only. It shares errno with the process, which
 * does not look at it meanwhile.
 */
static int courier_main(void *arg)
{
	struct seccomp_notify *n = arg;
	int fd;

	while ((fd = __atomic_load_n(&n->listener_fd, __ATOMIC_ACQUIRE)) == LISTENER_NOT_YET)
		(void)nanosleep(&(struct timespec){ .tv_nsec = COURIER_LOOK_NS }, NULL);
	if (fd < 0)
		return 0;
	n->sent = sock_send(n->agent_fd, n->state.data, n->state.len, &fd, 1);
	/* the end of the state, which the agent may wait for; creators have copies of the socket */
	(void)shutdown(n->agent_fd, SHUT_RDWR);
	/* only the agent has it now: when it dies, calls get ENOSYS instead of waiting for ever */
	close(fd);
	return 0;
}

static int courier_start(struct seccomp_notify *n, struct error *err)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	char *top = (char *)n->stack + COURIER_STACK_BYTES;

	if (clone(courier_main, top, flags, n, &n->tid, NULL, &n->tid) < 0)
		return error_sys(err, "cannot start a thread for the seccomp listener");
	return 0;
}

/* The filter may forbid futex: then this only takes more of the processor. */
static void courier_wait(struct seccomp_notify *n)
{
	pid_t tid;

	while ((tid = __atomic_load_n(&n->tid, __ATOMIC_ACQUIRE)))
		(void)syscall(SYS_futex, &n->tid, FUTEX_WAIT, tid, NULL, NULL, 0);
}

int seccomp_notify_load(struct seccomp_notify *n, const struct seccomp_filter *f, struct error *err)
{
	int fd = -1;
	int r;

	if (n->agent_fd < 0)
		return error_kind(err, ERROR_INTERNAL, "no connection to the seccomp agent");
	r = courier_start(n, err);
	if (r < 0)
		return r;
	r = seccomp_load(f, &fd, err);
	__atomic_store_n(&n->listener_fd, r < 0 ? -1 : fd, __ATOMIC_RELEASE);
	courier_wait(n);
	if (r < 0)
		return r;
	if (n->sent < 0)
		return error_num(err, -n->sent, "cannot send the seccomp listener to '%s'",
				 n->path);
	return 0;
}
