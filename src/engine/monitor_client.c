/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/monitor_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "engine/attach_client.h"
#include "monitor/exit_file.h"

/* How long the monitor of the run before may need: the runtime's delete and the exit command. */
#define FORMER_MONITOR_MS 10000
#define POLL_MS		  10

enum { MONITOR_SYNC_FD = 3, MONITOR_ATTACH_FD };

/* Starting */

static char **push_pair(char **argv, const char *flag, const char *value)
{
	if (!value)
		return argv;
	return strv_push(strv_push(argv, flag), value);
}

static char **push_each(char **argv, const char *flag, const char *const *values)
{
	for (; values && *values; values++)
		argv = push_pair(argv, flag, *values);
	return argv;
}

static char **build_argv(const struct monitor_spec *s)
{
	char **argv = strv_push(NULL, "berth-monitor");

	argv = push_pair(argv, "--id", s->id);
	argv = push_pair(argv, "--bundle", s->bundle);
	argv = push_pair(argv, "--run-dir", s->run_dir);
	argv = push_pair(argv, "--exit-file", s->exit_file);
	argv = push_pair(argv, "--runtime", s->runtime_path);
	argv = push_each(argv, "--runtime-arg", s->runtime_args);
	argv = push_pair(argv, "--runtime-root", s->runtime_root);
	argv = push_pair(argv, "--oom-file", s->oom_file);
	argv = push_pair(argv, "--log-driver", s->log_driver);
	argv = push_pair(argv, "--log-path", s->log_path);
	argv = push_each(argv, "--log-opt", s->log_opts);
	argv = push_each(argv, "--exit-command", s->exit_command);
	argv = push_pair(argv, "--sync-fd", "3");
	argv = push_pair(argv, "--attach-fd", s->attach ? "4" : NULL);
	if (s->systemd_cgroup)
		argv = strv_push(argv, "--systemd-cgroup");
	if (s->tty)
		argv = strv_push(argv, "--tty");
	if (s->stdin_open)
		argv = strv_push(argv, "--stdin");
	if (s->stdin_once)
		argv = strv_push(argv, "--stdin-once");
	if (s->sealed)
		argv = strv_push(argv, "--sealed");
	if (s->start_at_once)
		argv = strv_push(argv, "--start-at-once");
	return argv;
}

/* A monitor that has written its exit file is only cleaning up; one that has not has a container.
 */
static int wait_for_former(const struct monitor_spec *s, struct error *err)
{
	int64_t deadline = clock_monotonic_ns() + FORMER_MONITOR_MS * INT64_C(1000000);

	for (;;) {
		pid_t pid;
		int r = monitor_find(s->run_dir, &pid, err);

		if (r < 0 || pid == 0)
			return r;
		if (access(s->exit_file, F_OK) < 0 || clock_monotonic_ns() > deadline)
			return error_kind(err, ERROR_CONFLICT,
					  "container '%s' has a monitor already (pid %d)", s->id,
					  (int)pid);
		(void)poll(NULL, 0, POLL_MS); /* not our child: no event tells that it has gone */
	}
}

int monitor_spawn(const struct monitor_spec *spec, struct monitor_client *ret, struct error *err)
{
	cleanup_fd int sync = -EBADF, sync_end = -EBADF, attach = -EBADF, attach_end = -EBADF;
	cleanup_with(strv_free) char **argv = NULL;
	struct proc_fd fds[2];
	struct proc_spawn spawn = { .path = spec->monitor_path, .fds = fds, .flags = PROC_SETSID };
	int pidfd, r;
	pid_t pid;

	r = wait_for_former(spec, err);
	if (r < 0)
		return r;
	r = sock_pair(SOCK_SEQPACKET, &sync, &sync_end, err);
	if (r == 0 && spec->attach)
		r = attach_open_pair(spec->attach_want, &attach, &attach_end, err);
	if (r < 0)
		return r;
	fds[spawn.n_fds++] = (struct proc_fd){ .from = sync_end, .to = MONITOR_SYNC_FD };
	if (spec->attach)
		fds[spawn.n_fds++] =
			(struct proc_fd){ .from = attach_end, .to = MONITOR_ATTACH_FD };
	argv = build_argv(spec);
	spawn.argv = (const char *const *)argv;
	r = proc_spawn(&spawn, &pidfd, &pid, err);
	if (r < 0) {
		err->kind = ERROR_INTERNAL; /* not the user's command is missing, but ours */
		return r;
	}
	*ret = (struct monitor_client){
		.sync_fd = take_fd(&sync), .pidfd = pidfd, .pid = pid, .attach_fd = take_fd(&attach)
	};
	return 0;
}

void monitor_client_done(struct monitor_client *c)
{
	struct proc_status status;
	struct error ignored;

	if (c->sync_fd >= 0)
		close(c->sync_fd);
	if (c->attach_fd >= 0)
		close(c->attach_fd);
	if (c->pidfd >= 0) {
		(void)proc_poll(c->pidfd, &status, &ignored); /* alive, or reaped now */
		close(c->pidfd);
	}
	c->sync_fd = c->attach_fd = c->pidfd = -EBADF;
}

/* Following */

static int monitor_died(struct monitor_client *c, struct error *err)
{
	char text[PROC_STATUS_TEXT_MAX];
	struct proc_status status;
	struct error ignored;

	if (proc_wait(c->pidfd, &status, &ignored) < 0)
		return error_kind(err, ERROR_INTERNAL, "the container's monitor went away");
	return error_kind(err, ERROR_INTERNAL, "the container's monitor died: %s",
			  proc_status_text(&status, text));
}

static int receive(struct monitor_client *c, struct monitor_packet *packet, struct error *err)
{
	ssize_t n = sock_recv(c->sync_fd, packet, sizeof(*packet), NULL, NULL);

	if (n == 0)
		return monitor_died(c, err);
	if (n < (ssize_t)offsetof(struct monitor_packet, exit))
		return error_num(err, n < 0 ? (int)-n : EPROTO,
				 "cannot read from the container's monitor");
	if (packet->type != MONITOR_FAILED)
		return 0;
	packet->error.msg[sizeof(packet->error.msg) - 1] = '\0';
	*err = packet->error;
	return error_number(err);
}

int monitor_wait_created(struct monitor_client *c, struct error *err)
{
	struct monitor_packet packet;

	while (c->init_pid == 0) {
		int r = receive(c, &packet, err);

		if (r < 0)
			return r;
		if (packet.type != MONITOR_CREATED && packet.type != MONITOR_STARTED)
			continue;
		c->init_pid = packet.pid;
		if (packet.type == MONITOR_STARTED)
			c->started_ns = packet.time_ns;
	}
	return 0;
}

int monitor_start(struct monitor_client *c, struct error *err)
{
	struct monitor_packet packet = { .type = MONITOR_START };

	/* with start_at_once it changes nothing; if the monitor is gone its last words are not */
	if (c->started_ns == 0)
		(void)sock_send(c->sync_fd, &packet, ATTACH_HEAD_SIZE, NULL, 0);
	while (c->started_ns == 0) {
		int r = receive(c, &packet, err);

		if (r < 0)
			return r;
		if (packet.type == MONITOR_STARTED)
			c->started_ns = packet.time_ns;
	}
	return 0;
}

int monitor_wait_exited(struct monitor_client *c, int timeout_ms, struct monitor_exit *ret,
			struct error *err)
{
	struct monitor_packet packet;

	for (;;) {
		int r = fd_wait_readable(c->sync_fd, timeout_ms);

		if (r < 0)
			return error_num(err, -r, "cannot wait for the container's monitor");
		if (r == 0)
			return 1;
		r = receive(c, &packet, err);
		if (r < 0)
			return r;
		if (packet.type == MONITOR_EXITED)
			break;
	}
	*ret = packet.exit;
	return 0;
}

void monitor_recorded(struct monitor_client *c)
{
	const struct monitor_packet packet = { .type = MONITOR_RECORDED };

	/* gone: then the exit command has recorded it once more */
	(void)sock_send(c->sync_fd, &packet, ATTACH_HEAD_SIZE, NULL, 0);
}

/* Without having started it */

int monitor_find(const char *run_dir, pid_t *ret_pid, struct error *err)
{
	cleanup_free char *path = path_join(run_dir, MONITOR_PID_FILE);

	return lock_holder(AT_FDCWD, path, ret_pid, err);
}

static int ask_monitor(const char *run_dir, unsigned want, int timeout_ms, struct attach_client *c,
		       struct monitor_exit *ret, struct error *err)
{
	int r = attach_open(run_dir, want, c, err);

	if (r < 0)
		return -ENOTCONN;
	return attach_wait_exit(c, timeout_ms, ret, err);
}

int monitor_wait_exit(const char *run_dir, const char *exit_file, int timeout_ms,
		      int (*on_exit)(void *arg, const struct monitor_exit *status,
				     struct error *err),
		      void *arg, struct monitor_exit *ret, struct error *err)
{
	__attribute__((cleanup(attach_close))) struct attach_client c = { .fd = -EBADF };
	struct monitor_exit status;
	int r;

	r = ask_monitor(run_dir, on_exit ? ATTACH_WANT_EXIT : 0, timeout_ms, &c, &status, err);
	if (r == -ENOTCONN) {
		r = exit_file_read(exit_file, &status, err);
		if (r == -ENOENT)
			return error_num(err, ESRCH, "the container has no monitor");
	}
	if (r != 0)
		return r;
	if (on_exit) {
		r = on_exit(arg, &status, err);
		if (r < 0)
			return r;
		if (r == 0)
			attach_recorded(&c);
	}
	*ret = status;
	return 0;
}
