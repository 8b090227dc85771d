/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All signals are blocked and read from a signalfd: SIGCHLD reaps, SIGWINCH resizes the terminal,
 * any other goes to the process. With a terminal, two pumps run beside it:
 *
 *	our stdin ──▶ pty master      (nothing more is read before what was read has been written)
 *	pty master ──▶ our stdout     (until the slave's last holder is gone: EIO)
 */
#include "prog/runtime_foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/proc.h"
#include "base/sock.h"
#include "runtime/notify_socket.h"
#include "runtime/runtime.h"

#define CHUNK 8192
/* For the last output of a process that died while others still hold its terminal. */
#define DRAIN_LIMIT_MS 200

struct pump {
	int from_fd, to_fd; /* from_fd -1: ended */
	size_t len, at;
	char data[CHUNK];
};

struct session {
	pid_t pid;
	int pidfd, signal_fd;
	int master_fd; /* -EBADF: no terminal */
	int notify_fd; /* -EBADF: none */
	const char *notify_host;
	bool exited;
	int code;
	struct pump in, out;
};

/* Raw mode of our own terminal, undone at the end. */
struct raw_mode {
	bool on;
	struct termios saved;
};

static void raw_begin(struct raw_mode *raw, bool plain_newlines)
{
	struct termios t;

	raw->on = tcgetattr(STDIN_FILENO, &raw->saved) == 0;
	if (!raw->on)
		return; /* not a terminal: bytes pass as they are anyway */
	t = raw->saved;
	cfmakeraw(&t);
	if (plain_newlines)
		t.c_oflag |= OPOST;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t); /* only comfort is lost */
}

static void raw_end(struct raw_mode *raw)
{
	if (raw->on)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN,
				&raw->saved); /* the terminal may be gone */
}

void foreground_size(struct winsize *ret_size)
{
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, ret_size) < 0 &&
	    ioctl(STDIN_FILENO, TIOCGWINSZ, ret_size) < 0)
		*ret_size = (struct winsize){ 0 };
}

static void copy_size(int master_fd)
{
	struct winsize size;

	foreground_size(&size);
	if (size.ws_row || size.ws_col)
		(void)ioctl(master_fd, TIOCSWINSZ, &size); /* the other end may be gone */
}

int foreground_begin(struct foreground *f, bool terminal, struct error *err)
{
	sigset_t all;

	f->console_fds[0] = f->console_fds[1] = f->notify_fd = -EBADF;
	f->notify_host = NULL;
	f->plain_newlines = false;
	sigfillset(&all);
	/* a fault of our own is not to be waited for */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	if (sigprocmask(SIG_SETMASK, &all, &f->old_mask) < 0)
		return error_sys(err, "cannot block signals");
	if (!terminal)
		return 0;
	return sock_pair(SOCK_STREAM, &f->console_fds[0], &f->console_fds[1], err);
}

void foreground_end(struct foreground *f)
{
	cleanup_close_fd(&f->console_fds[0]);
	cleanup_close_fd(&f->console_fds[1]);
	cleanup_close_fd(&f->notify_fd);
	f->console_fds[0] = f->console_fds[1] = f->notify_fd = -EBADF;
	(void)sigprocmask(SIG_SETMASK, &f->old_mask, NULL); /* cannot fail with a mask it gave */
}

/* The master, if the container has a terminal: it was sent before the process started. */
static int receive_master(struct foreground *f)
{
	int fds[SOCK_FDS_MAX];
	size_t n = 0;
	char name[256];

	if (f->console_fds[0] < 0)
		return -EBADF;
	cleanup_close_fd(&f->console_fds[1]);
	f->console_fds[1] = -EBADF;
	if (sock_recv(f->console_fds[0], name, sizeof(name), fds, &n) <= 0 || n == 0)
		return -EBADF; /* end of file: nobody had a terminal to send */
	while (n > 1)
		close(fds[--n]);
	return fds[0];
}

static void reap(struct session *s)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid <= 0)
			return;
		if (pid != s->pid)
			continue;
		s->exited = true;
		s->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static void handle_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(s);
		break;
	case SIGWINCH:
		if (s->master_fd >= 0)
			copy_size(s->master_fd);
		break;
	case SIGTTIN:
	case SIGTTOU: /* about our own terminal */
	case SIGPIPE:
		break;
	default:
		(void)proc_kill(s->pidfd, (int)info.ssi_signo); /* it may just have ended */
	}
}

static short pump_wants(const struct pump *p, bool read_side)
{
	if (p->from_fd < 0)
		return 0;
	if (read_side)
		return p->len == 0 ? POLLIN : 0;
	return p->len > 0 ? POLLOUT : 0;
}

static void pump_end(struct pump *p)
{
	p->from_fd = -1;
	p->len = 0;
}

static void pump_read(struct pump *p)
{
	ssize_t n = read(p->from_fd, p->data, sizeof(p->data));

	if (n > 0) {
		p->len = (size_t)n;
		p->at = 0;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		pump_end(p); /* EIO: the last holder of the slave is gone */
	}
}

static void pump_write(struct pump *p)
{
	ssize_t n = write(p->to_fd, p->data + p->at, p->len);

	if (n > 0) {
		p->at += (size_t)n;
		p->len -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		pump_end(p); /* nobody reads us any more */
	}
}

/* The manager watches us, as we live as long as the container does. Read on after READY, too: a
 * full socket would hold the container up. */
static void handle_notify(struct session *s)
{
	char text[ERROR_TEXT_MAX];
	struct error err;
	int r = notify_socket_receive(s->notify_fd, s->notify_host, getpid(), &err);

	if (r < 0)
		log_warning("%s", error_text(&err, text, sizeof(text)));
}

static void session_once(struct session *s, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->in.from_fd, .events = pump_wants(&s->in, true) },
		{ .fd = s->master_fd,
		  .events = (short)(pump_wants(&s->in, false) | pump_wants(&s->out, true)) },
		{ .fd = STDOUT_FILENO, .events = pump_wants(&s->out, false) },
		{ .fd = s->notify_fd, .events = POLLIN },
	};

	/* poll reports a hang-up nobody asked for: leave such descriptors out */
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		if (fds[i].events == 0)
			fds[i].fd = -1;
	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) <= 0)
		return;
	if (fds[0].revents)
		handle_signal(s);
	if (fds[1].revents)
		pump_read(&s->in);
	if (fds[2].revents && pump_wants(&s->in, false))
		pump_write(&s->in);
	if (fds[2].revents & (POLLIN | POLLHUP | POLLERR) && pump_wants(&s->out, true))
		pump_read(&s->out);
	if (fds[3].revents)
		pump_write(&s->out);
	if (fds[4].revents)
		handle_notify(s);
}

static void session_run(struct session *s)
{
	while (!s->exited)
		session_once(s, -1);
	/* what it said last; a child it left behind may hold the terminal for ever */
	pump_end(&s->in);
	for (int rounds = DRAIN_LIMIT_MS / 20; s->out.from_fd >= 0 && rounds > 0;) {
		size_t before = s->out.len;

		session_once(s, 20);
		if (s->out.len == before)
			rounds--;
	}
}

int foreground_wait(struct foreground *f, pid_t pid, int pidfd, int *ret_code, struct error *err)
{
	cleanup_fd int signal_fd = -EBADF;
	cleanup_fd int master_fd = receive_master(f);
	struct session s = {
		.pid = pid,
		.pidfd = pidfd,
		.notify_fd = f->notify_fd,
		.notify_host = f->notify_host,
		.in = { .from_fd = -1 },
		.out = { .from_fd = -1 },
	};
	struct raw_mode raw = { 0 };
	sigset_t all;

	sigfillset(&all);
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return error_sys(err, "cannot make a signalfd");
	s.signal_fd = signal_fd;
	s.master_fd = master_fd;
	if (master_fd >= 0) {
		(void)fd_set_nonblock(master_fd, true); /* else a full pty only makes us slow */
		s.in.from_fd = STDIN_FILENO;
		s.in.to_fd = s.out.from_fd = master_fd;
		s.out.to_fd = STDOUT_FILENO;
		copy_size(master_fd);
		raw_begin(&raw, f->plain_newlines);
	}
	reap(&s); /* it may have ended before the signalfd was there */
	session_run(&s);
	raw_end(&raw);
	*ret_code = s.code;
	return 0;
}

int foreground_run(const struct foreground_run *x, struct error *err)
{
	struct foreground f;
	cleanup_fd int pidfd = -EBADF;
	struct error ignored;
	pid_t pid;
	int code = 0;
	int r = foreground_begin(&f, x->terminal, err);

	if (r == 0) {
		if (!x->no_subreaper)
			(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* cannot fail */
		r = x->make(x->arg, &f, &pid, &pidfd, err);
	}
	if (r == 0)
		r = foreground_wait(&f, pid, pidfd, &code, err);
	if (r == 0 && !x->keep)
		r = runtime_delete(x->root, x->id, true, err);
	else if (r < 0 && pidfd >= 0)
		(void)runtime_delete(x->root, x->id, true, &ignored); /* the first counts */
	foreground_end(&f);
	return r < 0 ? r : code;
}
