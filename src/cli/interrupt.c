/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "engine/engine.h"

static const int deadly[] = { SIGHUP, SIGINT, SIGTERM };

struct interrupt {
	int fd; /* readable: the user wants it to end; or -errno */
	sigset_t old;
};

static void begin(struct interrupt *i)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	for (size_t k = 0; k < ARRAY_SIZE(deadly); k++) {
		struct sigaction now;

		/* nohup, or a shell's job in the background */
		if (sigaction(deadly[k], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&wanted, deadly[k]);
	}
	(void)pthread_sigmask(SIG_BLOCK, &wanted, &i->old); /* cannot fail with valid arguments */
	i->fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (i->fd < 0) {
		i->fd = -errno;
		(void)pthread_sigmask(SIG_SETMASK, &i->old, NULL);
	}
}

/* All is as it was. 0: none came. Else its number, for raise(): a shell shall see what ended us. */
static int end(struct interrupt *i)
{
	struct signalfd_siginfo info;
	int signal = 0;

	if (i->fd < 0)
		return 0;
	if (read(i->fd, &info, sizeof(info)) == sizeof(info))
		signal = (int)info.ssi_signo;
	cleanup_close_fd(&i->fd);
	(void)pthread_sigmask(SIG_SETMASK, &i->old, NULL);
	return signal;
}

int interrupt_guard(struct engine *e, int (*work)(void *ctx, int stop_fd, struct error *err),
		    void *ctx, struct error *err)
{
	struct interrupt interrupt;
	int r, signal;

	begin(&interrupt);
	engine_set_stop(e, interrupt.fd);
	r = work(ctx, interrupt.fd, err);
	engine_set_stop(e, -1);
	signal = end(&interrupt);
	if (signal != 0) {
		engine_sweep_later(e);
		(void)raise(signal); /* cannot fail: it is one */
	}
	return r;
}
