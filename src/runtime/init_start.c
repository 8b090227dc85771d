/* SPDX-License-Identifier: Apache-2.0 */

/*
 * init waits to be started: on the creator's sync socket (run), or for a connection to start.sock
 * (create). The connection stays open until the execve closes it, so `start` hears what happened.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "runtime/init.h"
#include "runtime/seccomp_notify.h"
#include "runtime/sync.h"

static void end(int signo)
{
	_exit(128 + signo);
}

/*
 * A created container can be stopped like a running one. The kernel ignores what init does not
 * catch, and so would the program that inherits a pending signal. The execve takes these handlers
 * away.
 */
static void heed_signals(void)
{
	static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action = { .sa_handler = end };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		(void)sigaction(fatal[i], &action, NULL); /* only fails on a wrong number */
		sigaddset(&set, fatal[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* A `start` that goes away before it said anything does not count. */
static int accept_start(struct init *init, struct error *err)
{
	int agent_fd = -EBADF;

	heed_signals();
	for (;;) {
		int r;

		init->start_fd = accept4(init->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (init->start_fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return error_sys(err, "cannot wait for the start");
		}
		r = sync_expect_fd(init->start_fd, SYNC_START, &init->host_pid, &agent_fd, err);
		if (r == 0)
			break;
		cleanup_close_fd(&init->start_fd);
		init->start_fd = -EBADF;
	}
	cleanup_close_fd(&init->listen_fd); /* a second start is refused from now on */
	init->listen_fd = -EBADF;
	if (init->process && init->process->notify)
		seccomp_notify_set_agent(init->process->notify, agent_fd);
	else
		cleanup_close_fd(&agent_fd);
	return 0;
}

int init_wait_start(struct init *init, struct error *err)
{
	int r;

	if (init->sync_fd < 0) /* run's fast path: nobody to wait for */
		return 0;
	r = sync_send(init->sync_fd, SYNC_READY, 0);
	if (r < 0)
		return error_num(err, -r, "cannot talk to the creator");
	if (init->listen_fd < 0) {
		r = sync_expect(init->sync_fd, SYNC_START, &init->host_pid, err);
		if (r == 1)
			_exit(EXIT_FAILURE); /* the creator died */
		return r;
	}
	cleanup_close_fd(&init->sync_fd);
	init->sync_fd = -EBADF;
	return accept_start(init, err);
}
