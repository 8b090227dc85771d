/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that happens to a monitor comes in as one of the events of monitor/state.h; the table
 * there says what is done. What does not change the state - output, input, resizing - goes between
 * container_io.c, log.c and attach.c without it.
 *
 * Children are reaped by number on SIGCHLD, not watched by pidfd: the monitor is the only one who
 * reaps them, so a number cannot be reused before it is told. The runner is asked for its last word
 * before a child is judged, because init may be reparented to us, dead, before the packet with its
 * pid was read.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sock.h"
#include "monitor/attach.h"
#include "monitor/exit_file.h"
#include "monitor/log.h"
#include "monitor/oom.h"
#include "monitor/privilege.h"
#include "monitor/runner.h"
#include "monitor/state.h"
#include "monitor/container_io.h"

#define RECORD_MS  2000	 /* an engine that is there has so long to record the exit */
#define REMOVE_MS  30000 /* the runtime's delete */
#define REPORT_MS  60000 /* the exit command */
#define RESERVE_MS 100	 /* a container that lives so long gets room for its exit file */
#define QUIET_MS   500	 /* after so long without events, unused memory goes back */

struct monitor {
	const struct monitor_options *options;
	const struct monitor_runtime *runtime;
	struct monitor_container container;
	enum monitor_state state;
	struct event_loop loop;
	struct event_source signals, sync, runner_source, console;
	struct event_timer deadline, child_limit, reserve;
	struct runner runner;
	struct attach_server attach;
	struct container_log log;
	struct container_io io;
	char *attach_path, *pid_path;
	int pid_fd;
	pid_t init_pid;	  /* 0: not known */
	bool init_ended;  /* and was reaped; maybe before the runner said that it started */
	pid_t delete_pid; /* likewise */
	pid_t command_pid;
	struct monitor_exit exit;
	struct error error; /* why it failed; msg "" if it did not */
	bool start_asked, finished, removed, recorded, attach_ended;
	bool runner_died; /* without a word: what it made is still there */
};

static void dispatch(struct monitor *m, enum monitor_event event);

/* The engine's socket */

static void close_sync(struct monitor *m)
{
	int fd = m->sync.fd;

	if (fd < 0)
		return;
	event_remove(&m->loop, &m->sync);
	close(fd);
}

static void tell_engine(struct monitor *m, const struct monitor_packet *packet)
{
	if (m->sync.fd >= 0)
		/* a dead engine is noticed by its end of file */
		(void)sock_send(m->sync.fd, packet, sizeof(*packet), NULL, 0);
}

/* In STATE_EXITED: is there still somebody who will record the exit? */
static void check_recorders(struct monitor *m)
{
	if (m->state == STATE_EXITED && m->sync.fd < 0 && !attach_has_recorder(&m->attach))
		dispatch(m, EVENT_TIMEOUT);
}

static void check_flushed(struct monitor *m)
{
	if (m->state == STATE_FLUSHING && m->attach_ended && attach_is_flushed(&m->attach))
		dispatch(m, EVENT_FLUSHED);
}

static void sync_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct monitor *m = container_of(source, struct monitor, sync);
	struct monitor_packet packet;
	ssize_t n = sock_recv(source->fd, &packet, sizeof(packet), NULL, NULL);

	if (n == -EAGAIN)
		return;
	if (n < (ssize_t)sizeof(packet.type)) {
		close_sync(m);
		if (!m->start_asked)
			dispatch(m, EVENT_ENGINE_GONE);
		check_recorders(m);
		return;
	}
	if (packet.type == MONITOR_START)
		dispatch(m, EVENT_START);
	else if (packet.type == MONITOR_RECORDED)
		dispatch(m, EVENT_RECORDED);
}

/* The runner and its console */

static void fail(struct monitor *m, const struct error *err)
{
	if (!m->error.msg[0])
		m->error = *err;
}

static void console_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct monitor *m = container_of(source, struct monitor, console);
	int fds[SOCK_FDS_MAX], console_fd = source->fd;
	char name[256];
	size_t n_fds = 0;
	struct error err;
	ssize_t n = sock_recv(source->fd, name, sizeof(name), fds, &n_fds);

	if (n == -EAGAIN)
		return;
	event_remove(loop, source);
	close(console_fd);
	for (size_t i = 1; i < n_fds; i++)
		close(fds[i]);
	if (n_fds > 0 && container_io_set_terminal(&m->io, fds[0], &err) < 0)
		fail(m, &err);
}

static void close_runner(struct monitor *m)
{
	if (m->runner.fd < 0)
		return;
	event_remove(&m->loop, &m->runner_source);
	close(m->runner.fd);
	m->runner.fd = -EBADF;
}

static void runner_packet(struct monitor *m, const struct monitor_packet *packet)
{
	if (m->console.fd >= 0) /* sent before the packet */
		console_ready(&m->loop, &m->console, EPOLLIN);
	switch (packet->type) {
	case MONITOR_CREATED:
		m->init_pid = packet->pid;
		m->attach.welcome.pid = packet->pid;
		dispatch(m, EVENT_CREATED);
		return;
	case MONITOR_STARTED:
		m->init_pid = packet->pid;
		m->exit.started_ns = packet->time_ns;
		dispatch(m, EVENT_STARTED);
		if (m->init_ended) /* faster than the start verb of a foreign runtime */
			dispatch(m, EVENT_INIT_ENDED);
		return;
	default:
		fail(m, &packet->error);
		dispatch(m, EVENT_FAILED);
		return;
	}
}

/* All that the runner has said, and that it has ended, if it has. */
static void drain_runner(struct monitor *m)
{
	while (m->runner.fd >= 0) {
		struct monitor_packet packet;
		int r = runner_read(&m->runner, &packet);

		if (r == 0)
			return;
		if (r > 0) {
			runner_packet(m, &packet);
			continue;
		}
		close_runner(m);
		if (m->state == STATE_RUNNING || m->state == STATE_REMOVING)
			return;
		if (!m->error.msg[0]) {
			error_kind(&m->error, ERROR_INTERNAL,
				   "the runtime died while it made the "
				   "container");
			m->runner_died = true;
		}
		dispatch(m, EVENT_FAILED);
	}
}

static void runner_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	drain_runner(container_of(source, struct monitor, runner_source));
}

/* Actions */

static void tell_created(struct monitor *m)
{
	struct monitor_packet packet = { .type = MONITOR_CREATED, .pid = m->init_pid };

	container_io_close_child(&m->io);
	tell_engine(m, &packet);
	if (m->start_asked && !m->options->start_at_once)
		dispatch(m, EVENT_START);
}

static void remember_start(struct monitor *m)
{
	m->start_asked = true;
}

static void start(struct monitor *m)
{
	m->start_asked = true;
	if (runner_start(&m->runner) < 0)
		drain_runner(m); /* it has gone: its last word, or that it died */
}

/* The disk may be full when it ends, and nobody may be there to be told. */
static void reserve_fired(struct event_loop *loop, struct event_timer *timer)
{
	struct monitor *m = container_of(timer, struct monitor, reserve);
	struct error ignored; /* the disk is full already: at the end it is tried again */

	if (!m->finished)
		(void)exit_file_reserve(m->options->exit_file, &ignored);
}

static void tell_started(struct monitor *m)
{
	struct monitor_packet packet = { .type = MONITOR_STARTED };
	int adj_fd;

	container_io_close_child(&m->io);
	m->start_asked = true;
	m->exit.pid = m->init_pid;
	m->attach.welcome.pid = m->init_pid;
	m->attach.welcome.started_ns = m->exit.started_ns;
	packet.time_ns = m->exit.started_ns;
	packet.pid = m->init_pid;
	tell_engine(m, &packet);
	container_io_start(&m->io);
	event_timer_set(&m->loop, &m->reserve, RESERVE_MS, reserve_fired);
	/* when memory is short the container goes, not the one who knows why; only now, because
	 * children inherit it, and only if we may */
	adj_fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (adj_fd >= 0) {
		(void)fd_write_all(adj_fd, "-999", 4);
		close(adj_fd);
	}
	privilege_drop(); /* the runner has its own */
}

static void child_limit_fired(struct event_loop *loop, struct event_timer *timer)
{
	struct monitor *m = container_of(timer, struct monitor, child_limit);
	pid_t pid = m->delete_pid ? m->delete_pid : m->command_pid;

	if (pid)
		(void)kill(pid, SIGKILL); /* our child, not reaped: reap() goes on from there */
}

static void fork_delete(struct monitor *m)
{
	struct error err;

	if (runner_fork_delete(m->runtime, &m->container, &m->delete_pid, &err) < 0) {
		m->delete_pid = 0;
		dispatch(m, EVENT_REMOVED); /* the engine's recovery finds the rest */
		return;
	}
	event_timer_set(&m->loop, &m->child_limit, REMOVE_MS, child_limit_fired);
}

/* Of a container that failed or is unwanted. A runner that waits for START ends with its socket. */
static void remove_container(struct monitor *m)
{
	close_runner(m);
	container_io_close_child(&m->io);
	if (m->init_pid || m->runner_died)
		fork_delete(m);
	else
		dispatch(m, EVENT_REMOVED); /* create leaves nothing when it fails */
}

static void tell_failed(struct monitor *m)
{
	struct monitor_packet packet = { .type = MONITOR_FAILED, .error = m->error };

	container_io_drain(&m->io); /* what a foreign runtime wrote to stderr belongs to the log */
	if (m->error.msg[0])
		tell_engine(m, &packet);
	dispatch(m, EVENT_FLUSHED); /* clients learn it from the closed socket */
}

static void signal_init(struct monitor *m)
{
	if (m->init_pid && !m->init_ended)
		(void)kill(m->init_pid, SIGTERM); /* unreaped, so it is still the same process */
}

static void deadline_fired(struct event_loop *loop, struct event_timer *timer)
{
	dispatch(container_of(timer, struct monitor, deadline), EVENT_TIMEOUT);
}

static void end_attach(struct monitor *m)
{
	if (m->attach_ended || !m->finished || !container_io_is_drained(&m->io))
		return;
	m->attach_ended = true;
	attach_end(&m->attach, &m->exit);
}

/* Init has ended: what everybody must know first, then the cleaning. */
static void finish(struct monitor *m)
{
	struct monitor_packet packet = { .type = MONITOR_EXITED };
	struct error err;

	m->finished = true;
	event_timer_cancel(&m->loop, &m->reserve);
	m->exit.finished_ns = clock_real_ns();
	container_io_drain(&m->io);
	m->exit.oom_killed = m->options->oom_file && oom_happened(m->options->oom_file);
	m->exit.log_errors = container_log_errors(&m->log);
	/* with a full disk the engine still hears it by packet */
	(void)exit_file_write(m->options->exit_file, &m->exit, &err);
	packet.exit = m->exit;
	tell_engine(m, &packet);
	end_attach(m);
	event_timer_set(&m->loop, &m->deadline, RECORD_MS, deadline_fired);
	fork_delete(m);
	check_recorders(m);
}

static void note_removed(struct monitor *m)
{
	m->removed = true;
}

static void settle(struct monitor *m)
{
	event_timer_cancel(&m->loop, &m->deadline);
	if (m->removed)
		dispatch(m, EVENT_REMOVED);
}

static void settle_recorded(struct monitor *m)
{
	m->recorded = true;
	settle(m);
}

/* After delete, so that the exit command finds nothing of the container but its directory. */
static void report(struct monitor *m)
{
	struct proc_spawn spawn = { .argv = (const char *const *)m->options->exit_command };
	int pidfd = -EBADF;
	struct error err;

	if (m->recorded || !spawn.argv || proc_spawn(&spawn, &pidfd, &m->command_pid, &err) < 0) {
		m->command_pid = 0;
		dispatch(m, EVENT_REPORTED);
		return;
	}
	close(pidfd); /* reaped by number, as all children */
	event_timer_set(&m->loop, &m->child_limit, REPORT_MS, child_limit_fired);
}

static void flush(struct monitor *m)
{
	check_flushed(m);
}

static void stop(struct monitor *m)
{
	event_loop_stop(&m->loop);
}

static void (*const actions[ACTION_COUNT])(struct monitor *m) = {
	[ACTION_TELL_CREATED] = tell_created,
	[ACTION_TELL_STARTED] = tell_started,
	[ACTION_REMEMBER_START] = remember_start,
	[ACTION_START] = start,
	[ACTION_REMOVE] = remove_container,
	[ACTION_TELL_FAILED] = tell_failed,
	[ACTION_SIGNAL_INIT] = signal_init,
	[ACTION_FINISH] = finish,
	[ACTION_NOTE_REMOVED] = note_removed,
	[ACTION_SETTLE_RECORDED] = settle_recorded,
	[ACTION_SETTLE] = settle,
	[ACTION_REPORT] = report,
	[ACTION_FLUSH] = flush,
	[ACTION_STOP] = stop,
};

static void dispatch(struct monitor *m, enum monitor_event event)
{
	struct monitor_step step = monitor_step(m->state, event);

	m->state = step.next;
	if (actions[step.action])
		actions[step.action](m);
}

/* Children and signals */

static void child_ended(struct monitor *m, const siginfo_t *info)
{
	struct proc_status status = proc_status_from(info->si_code, info->si_status);

	if (info->si_pid == m->init_pid) {
		m->init_ended = true;
		m->exit.code = status.code;
		m->exit.signal = status.signal;
		dispatch(m, EVENT_INIT_ENDED);
	} else if (info->si_pid == m->delete_pid) {
		m->delete_pid = 0;
		event_timer_cancel(&m->loop, &m->child_limit);
		dispatch(m, EVENT_REMOVED);
	} else if (info->si_pid == m->command_pid) {
		m->command_pid = 0;
		event_timer_cancel(&m->loop, &m->child_limit);
		dispatch(m, EVENT_REPORTED);
	} /* else: the runner, or an orphan of the container */
}

static void reap(struct monitor *m)
{
	for (;;) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
			return;
		drain_runner(m);
		child_ended(m, &info);
	}
}

static void signals_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct monitor *m = container_of(source, struct monitor, signals);
	int sig;

	while ((sig = event_signal_read(source)) > 0) {
		if (sig == SIGCHLD)
			reap(m);
		else if (sig == SIGTERM)
			dispatch(m, EVENT_TERMINATE);
	}
}

/* What the attach server tells us */

static struct monitor *of_server(struct attach_server *s)
{
	return container_of(s, struct monitor, attach);
}

static void on_taken(struct attach_server *s, int stream)
{
	struct monitor *m = of_server(s);

	container_io_taken(&m->io, stream);
	end_attach(m);
	check_flushed(m);
}

static bool on_input(struct attach_server *s, const char *data, size_t n)
{
	return container_io_input(&of_server(s)->io, data, n);
}

static void on_input_eof(struct attach_server *s)
{
	container_io_input_eof(&of_server(s)->io);
}

static void on_resize(struct attach_server *s, const struct attach_size *size)
{
	container_io_resize(&of_server(s)->io, size);
}

static void on_recorded(struct attach_server *s)
{
	dispatch(of_server(s), EVENT_RECORDED);
}

static void on_settled(struct attach_server *s)
{
	check_recorders(of_server(s));
	check_flushed(of_server(s));
}

static const struct attach_events attach_events = {
	.taken = on_taken,
	.input = on_input,
	.input_eof = on_input_eof,
	.resize = on_resize,
	.recorded = on_recorded,
	.settled = on_settled,
};

/* Set-up */

/* The pid file says who we are; its lock, which no child inherits and no crash leaves, that we are.
 */
static int claim_run_dir(struct monitor *m, struct error *err)
{
	const char *dir = m->container.run_dir;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char pid[16];
	int n;

	m->attach_path = path_join(dir, MONITOR_ATTACH_SOCKET);
	m->pid_path = path_join(dir, MONITOR_PID_FILE);
	for (int tries = 0; m->pid_fd < 0 && tries < 3; tries++) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return error_sys(err, "cannot create '%s'", dir);
		m->pid_fd = open(m->pid_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (m->pid_fd < 0 && errno != ENOENT)
			break; /* ENOENT: the monitor before us has just removed the directory */
	}
	if (m->pid_fd < 0)
		return error_sys(err, "cannot create '%s'", m->pid_path);
	if (fcntl(m->pid_fd, F_SETLK, &lock) < 0) {
		close(take_fd(&m->pid_fd)); /* the files are another's */
		return error_kind(err, ERROR_CONFLICT, "container '%s' has a monitor already",
				  m->container.id);
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(m->pid_fd, 0) < 0 || pwrite(m->pid_fd, pid, (size_t)n, 0) != n)
		return error_sys(err, "cannot write '%s'", m->pid_path);
	return 0;
}

static void leave_run_dir(struct monitor *m)
{
	if (m->pid_fd >= 0) {
		/* gone or not: the directory is removed as far as it is ours */
		(void)unlink(m->attach_path);
		(void)unlink(m->pid_path);
		(void)rmdir(m->container.run_dir);
		close(m->pid_fd);
	}
	free(m->attach_path);
	free(m->pid_path);
}

static int set_up_signals(struct monitor *m, struct error *err)
{
	static const int watched[] = { SIGCHLD, SIGTERM };
	/* nothing of a terminal, a closed pipe or a curious admin ends a monitor */
	static const int held[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTSTP,
				    SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		sigaddset(&mask, held[i]);
	(void)sigprocmask(SIG_BLOCK, &mask, NULL); /* cannot fail with valid arguments */
	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&mask, watched[i]);
	return event_add_signals(&m->loop, &m->signals, &mask, signals_ready, err);
}

static int set_up_clients(struct monitor *m, struct error *err)
{
	const struct monitor_options *o = m->options;
	int r;

	m->attach.welcome.tty = o->container.tty;
	m->attach.welcome.stdin_open = o->stdin_open;
	if (o->attach_fd >= 0) {
		r = attach_server_adopt(&m->attach, o->attach_fd, err);
		if (r < 0)
			return r;
	}
	r = attach_server_listen(&m->attach, m->attach_path, err);
	if (r < 0 || o->sync_fd < 0)
		return r;
	r = fd_set_nonblock(o->sync_fd, true);
	if (r < 0)
		return error_num(err, -r, "cannot use the engine's socket");
	return event_add(&m->loop, &m->sync, o->sync_fd, EPOLLIN, sync_ready, err);
}

static int set_up_container(struct monitor *m, struct error *err)
{
	const struct monitor_options *o = m->options;
	int r;

	(void)unlink(o->exit_file); /* of an earlier run */
	r = container_log_open(&m->log, o->log_driver, o->log_path, o->log_opts, err);
	if (r < 0)
		return r;
	r = container_io_open(&m->io, &m->loop, &m->log, &m->attach, o->container.tty,
			      o->stdin_open, err);
	m->io.stdin_once = o->stdin_once;
	return r;
}

static int fork_runner(struct monitor *m, struct error *err)
{
	cleanup_fd int console = -EBADF, runtime_end = -EBADF;
	int r;

	if (m->container.tty) {
		r = sock_pair(SOCK_STREAM, &console, &runtime_end, err);
		if (r < 0)
			return r;
		r = fd_set_nonblock(console, true);
		if (r < 0)
			return error_num(err, -r, "cannot set up the console socket");
		m->container.console_fd = runtime_end;
	}
	r = runner_fork(m->runtime, &m->container, m->io.child_fd, m->options->start_at_once,
			&m->runner, err);
	m->container.console_fd = -EBADF;
	if (r < 0)
		return r;
	r = event_add(&m->loop, &m->runner_source, m->runner.fd, EPOLLIN, runner_ready, err);
	if (r < 0 || console < 0)
		return r;
	r = event_add(&m->loop, &m->console, console, EPOLLIN, console_ready, err);
	if (r == 0)
		(void)take_fd(&console); /* m->console.fd has it */
	return r;
}

static int set_up(struct monitor *m, struct error *err)
{
	int r;

	/* init's parent is the runner, and when that ends it must be us: the exit status */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return error_sys(err, "cannot become a subreaper");
	if ((r = event_loop_init(&m->loop, err)) < 0 || (r = set_up_signals(m, err)) < 0)
		return r;
	attach_server_init(&m->attach, &m->loop, &attach_events);
	if ((r = claim_run_dir(m, err)) < 0 || (r = set_up_container(m, err)) < 0 ||
	    (r = set_up_clients(m, err)) < 0)
		return r;
	return fork_runner(m, err);
}

static void trim(struct monitor *m)
{
	container_log_trim(&m->log);
	container_io_trim(&m->io);
}

static int run(struct monitor *m, struct error *err)
{
	bool busy = true;
	int r;

	while (!m->loop.stopped) {
		r = event_loop_once(&m->loop, busy ? QUIET_MS : -1, err);
		if (r < 0)
			return r;
		if (r == 0)
			trim(m);
		busy = r > 0;
	}
	return 0;
}

static void tear_down(struct monitor *m)
{
	int signals_fd = m->signals.fd;

	container_io_close(&m->io);
	container_log_close(&m->log);
	if (m->attach.loop)
		attach_server_done(&m->attach);
	leave_run_dir(m);
	close_runner(m);
	close_sync(m); /* last: its end of file says that all of the above is done */
	if (signals_fd >= 0)
		close(signals_fd);
	event_loop_done(&m->loop);
}

int monitor_run(const struct monitor_options *options, const struct monitor_runtime *runtime,
		struct error *err)
{
	struct monitor m = {
		.options = options,
		.runtime = runtime,
		.container = options->container,
		.loop.epoll_fd = -EBADF,
		.signals.fd = -EBADF,
		.sync.fd = -EBADF,
		.console.fd = -EBADF,
		.runner.fd = -EBADF,
		.pid_fd = -EBADF,
		.start_asked = options->start_at_once,
	};
	struct monitor_packet packet = { .type = MONITOR_FAILED };
	int r;

	m.container.console_fd = -EBADF;
	r = set_up(&m, err);
	if (r == 0)
		r = run(&m, err);
	else if (options->sync_fd >= 0) {
		packet.error = *err;
		(void)sock_send(options->sync_fd, &packet, sizeof(packet), NULL, 0);
	}
	tear_down(&m);
	return r;
}
