/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a session is served the signals come through a descriptor: SIGWINCH resizes the container's
 * terminal, the others go to the container. With a terminal too, where ctrl-c is a byte: a SIGHUP
 * when its window is closed tells the shell inside, and a SIGTERM does not leave the terminal raw.
 * Three SIGINT or SIGTERM in a row that do not end it let the user go, as docker does.
 */
#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/terminal.h"
#include "engine/attach_client.h"
#include "engine/engine.h"

#define DEFAULT_DETACH_KEYS "ctrl-p,ctrl-q"
#define IMPATIENCE	    3

struct session {
	struct engine *engine;
	const char *id;
	int signal_fd;
	bool sig_proxy;
	int asked_to_end; /* SIGINT and SIGTERM forwarded so far */
	int ended_by;	  /* a signal that is ours to die from, once the terminal is as it was */
	struct detach_keys keys;
	struct error *err;
};

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				 SIGUSR1, SIGUSR2, SIGCONT, SIGALRM };

static void follow_size(struct attach_client *c)
{
	uint16_t rows, columns;

	if (terminal_size(STDOUT_FILENO, &rows, &columns))
		(void)attach_resize(c, rows, columns, NULL); /* a wrong size is no reason to end */
}

static ssize_t on_input(void *arg, char *data, size_t n)
{
	struct session *s = arg;
	unsigned char out[ATTACH_DATA_MAX + DETACH_KEYS_MAX];
	size_t left;

	/* what is held back at the end of one read comes out in the next: it may be a little longer
	 * than what was read */
	if (n > ATTACH_DATA_MAX - DETACH_KEYS_MAX)
		n = ATTACH_DATA_MAX - DETACH_KEYS_MAX;
	if (detach_keys_feed(&s->keys, (unsigned char *)data, n, out, &left))
		return -ECANCELED;
	memcpy(data, out, left);
	return (ssize_t)left;
}

static int on_signal(void *arg, struct attach_client *c)
{
	struct session *s = arg;
	struct signalfd_siginfo info;
	char number[16];

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGWINCH) {
		follow_size(c);
		return 0;
	}
	if (!s->sig_proxy) {
		s->ended_by = (int)info.ssi_signo;
		return error_kind(s->err, ERROR_INTERNAL, "ended by signal %u", info.ssi_signo);
	}
	if ((info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM) &&
	    ++s->asked_to_end >= IMPATIENCE)
		return error_kind(s->err, ERROR_INTERNAL,
				  "got %d SIGTERM/SIGINTs, leaving the container to itself",
				  IMPATIENCE);
	(void)snprintf(number, sizeof(number), "%u", info.ssi_signo);
	(void)engine_kill(s->engine, s->id, number,
			  NULL); /* it may have ended meanwhile: the pump will see */
	return 0;
}

/* Without sig_proxy they are ours; a terminal in raw mode must not be left as it is. */
static int open_signals(bool tty, bool sig_proxy, sigset_t *ret_old)
{
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t wanted;

	sigemptyset(&wanted);
	if (tty)
		sigaddset(&wanted, SIGWINCH);
	for (size_t i = 0; sig_proxy && i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&wanted, forwarded[i]);
	for (size_t i = 0; tty && !sig_proxy && i < ARRAY_SIZE(deadly); i++)
		sigaddset(&wanted, deadly[i]);
	sigprocmask(SIG_BLOCK, &wanted, ret_old);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool session_has_terminal(struct engine_session *s)
{
	const struct attach_client *c = engine_session_streams(s);

	return c && c->welcome.tty;
}

int session_check_terminal(bool tty, bool in, struct error *err)
{
	if (tty && in && !isatty(STDIN_FILENO))
		return error_kind(err, ERROR_INVALID, "the input device is not a TTY");
	return 0;
}

static int serve(struct session *session, struct engine_session *s, const struct session_options *o,
		 struct error *err)
{
	cleanup_terminal struct terminal terminal = TERMINAL_NONE;
	bool tty = session_has_terminal(s);
	struct attach_io io = {
		.stdin_fd = o->in ? STDIN_FILENO : -1,
		.stdout_fd = o->out ? STDOUT_FILENO : -1,
		.stderr_fd = o->err ? STDERR_FILENO : -1,
		.arg = session,
		.extra_fd = session->signal_fd,
		.extra = on_signal,
	};
	int r;

	if (tty) {
		follow_size(engine_session_streams(s));
		if (o->in && isatty(STDIN_FILENO)) {
			io.input = on_input;
			r = terminal_raw(&terminal, STDIN_FILENO, err);
			if (r < 0)
				return r;
		}
	}
	return engine_session_pump(s, &io, err);
}

int session_serve(struct engine *e, struct engine_session *s, const struct session_options *o,
		  int *ret_exit_code, struct error *err)
{
	struct session session = {
		.engine = e, .id = engine_session_id(s), .sig_proxy = o->sig_proxy, .err = err
	};
	cleanup_fd int signal_fd = -EBADF;
	sigset_t old;
	int r;

	r = detach_keys_parse(o->detach_keys ? o->detach_keys : DEFAULT_DETACH_KEYS, &session.keys,
			      err);
	if (r < 0)
		return r;
	signal_fd = open_signals(session_has_terminal(s), o->sig_proxy, &old);
	session.signal_fd = signal_fd;
	r = serve(&session, s, o, err);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (session.ended_by)
		(void)raise(session.ended_by);
	if (r < 0)
		return r;
	if (r == ATTACH_DETACHED) {
		(void)fprintf(stderr, "read escape sequence\n");
		*ret_exit_code = 0;
		return 0;
	}
	return engine_session_wait(s, ret_exit_code, err);
}

unsigned session_flags(const struct session_options *o)
{
	return (o->in ? ENGINE_START_STDIN : 0) | (o->out ? ENGINE_START_STDOUT : 0) |
	       (o->err ? ENGINE_START_STDERR : 0);
}
