/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sock.h"

enum { RUNNER_SYNC_FD = 3, RUNNER_CONSOLE_FD };

struct runner_child {
	const struct monitor_runtime *runtime;
	struct monitor_container container;
	int fd;
	bool at_once;
};

/* Put fds[i] at number i and close everything else. A negative one becomes /dev/null up to 2, and
 * nothing above. */
static int arrange_fds(const int *fds, int n)
{
	int moved[8];

	for (int i = 0; i < n; i++) {
		moved[i] = -1;
		if (fds[i] >= 0)
			moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, n);
		else if (i <= 2)
			moved[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (moved[i] < 0 && (fds[i] >= 0 || i <= 2))
			return -errno;
		if (moved[i] >= 0 && moved[i] < n) { /* open() gave a low number */
			moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, n);
			if (moved[i] < 0)
				return -errno;
		}
	}
	for (int i = 0; i < n; i++) {
		if (moved[i] < 0)
			(void)close(i); /* open or not, it is not the runner's */
		else if (dup3(moved[i], i, i > 2 ? O_CLOEXEC : 0) < 0)
			return -errno;
	}
	if (syscall(SYS_close_range, n, UINT_MAX, 0) < 0)
		return -errno;
	return 0;
}

static int enter_runner(const int stdio_fd[3], int sync_fd, int console_fd, struct error *err)
{
	const int fds[] = { stdio_fd[0], stdio_fd[1], stdio_fd[2], sync_fd, console_fd };
	sigset_t none;
	int r;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* the monitor blocks; containers must not */
	r = arrange_fds(fds, ARRAY_SIZE(fds));
	if (r < 0)
		return error_num(err, -r, "cannot set up the runtime's descriptors");
	return 0;
}

static void tell(int fd, uint32_t type, pid_t pid, int64_t time_ns)
{
	struct monitor_packet packet = { .type = type, .pid = pid, .time_ns = time_ns };

	/* without a monitor nobody is left to be told */
	(void)sock_send(fd, &packet, offsetof(struct monitor_packet, pid) + sizeof(packet.pid),
			NULL, 0);
}

static int wait_for_start(int fd)
{
	struct monitor_packet packet;
	ssize_t n = sock_recv(fd, &packet, sizeof(packet), NULL, NULL);

	return n > 0 && packet.type == MONITOR_START ? 0 : -EPIPE;
}

static int run_verbs(const struct runner_child *child, struct error *err)
{
	const struct monitor_runtime *runtime = child->runtime;
	void *handle = NULL;
	int64_t started_ns; /* before its first output */
	pid_t pid = 0;
	int r;

	if (child->at_once && runtime->run) {
		started_ns = clock_real_ns();
		r = runtime->run(&child->container, &pid, err);
		if (r < 0)
			return r;
	} else {
		r = runtime->create(&child->container, &handle, &pid, err);
		if (r < 0)
			return r;
		tell(child->fd, MONITOR_CREATED, pid, 0);
		if (!child->at_once && wait_for_start(child->fd) < 0)
			_exit(0); /* aborted: the monitor deletes */
		started_ns = clock_real_ns();
		r = runtime->start(&child->container, handle, err);
		if (r < 0)
			return r;
	}
	tell(child->fd, MONITOR_STARTED, pid, started_ns);
	return 0;
}

static void NORETURN runner_main(struct runner_child *child, const int stdio_fd[3])
{
	struct monitor_packet packet;
	int r;

	memset(&packet, 0, sizeof(packet));
	r = enter_runner(stdio_fd, child->fd, child->container.console_fd, &packet.error);
	if (r == 0) {
		child->fd = RUNNER_SYNC_FD;
		if (child->container.console_fd >= 0)
			child->container.console_fd = RUNNER_CONSOLE_FD;
		r = run_verbs(child, &packet.error);
	}
	if (r < 0) {
		packet.type = MONITOR_FAILED;
		(void)sock_send(child->fd, &packet, sizeof(packet), NULL, 0); /* see tell() */
	}
	_exit(r < 0);
}

int runner_fork(const struct monitor_runtime *runtime, const struct monitor_container *c,
		const int stdio_fd[3], bool at_once, struct runner *ret, struct error *err)
{
	struct runner_child child = { .runtime = runtime, .container = *c, .at_once = at_once };
	cleanup_fd int ours = -EBADF, theirs = -EBADF;
	pid_t pid;
	int r;

	r = sock_pair(SOCK_SEQPACKET, &ours, &theirs, err);
	if (r < 0)
		return r;
	child.fd = theirs;
	pid = fork();
	if (pid == 0)
		runner_main(&child, stdio_fd);
	if (pid < 0)
		return error_sys(err, "cannot fork");
	r = fd_set_nonblock(ours, true);
	if (r < 0)
		return error_num(err, -r, "cannot set up the runner's socket");
	ret->pid = pid;
	ret->fd = take_fd(&ours);
	return 0;
}

int runner_read(const struct runner *r, struct monitor_packet *ret)
{
	ssize_t n = sock_recv(r->fd, ret, sizeof(*ret), NULL, NULL);

	if (n == -EAGAIN)
		return 0;
	return n >= (ssize_t)sizeof(ret->type) ? 1 : -EPIPE;
}

int runner_start(const struct runner *r)
{
	struct monitor_packet packet = { .type = MONITOR_START };

	return sock_send(r->fd, &packet, sizeof(packet.type), NULL, 0);
}

int runner_fork_delete(const struct monitor_runtime *runtime, const struct monitor_container *c,
		       pid_t *ret_pid, struct error *err)
{
	static const int no_stdio[3] = { -1, -1, -1 };
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return error_sys(err, "cannot fork");
	if (pid > 0) {
		*ret_pid = pid;
		return 0;
	}
	r = enter_runner(no_stdio, -1, -1, err);
	if (r == 0)
		r = runtime->delete (c, err);
	_exit(r < 0);
}
