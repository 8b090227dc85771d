/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"

#define NS_PER_MS 1000000

int event_loop_init(struct event_loop *loop, struct error *err)
{
	memset(loop, 0, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return error_sys(err, "cannot create an event loop");
	return 0;
}

void event_loop_done(struct event_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -EBADF;
	loop->timers = NULL;
}

void event_loop_stop(struct event_loop *loop)
{
	loop->stopped = true;
}

/* Milliseconds until the first timer, rounded up so that it is due when we wake; at most limit. */
static int next_timeout(const struct event_loop *loop, int limit)
{
	int64_t wait_ns, wait_ms;

	if (!loop->timers)
		return limit;
	wait_ns = loop->timers->due_ns - clock_monotonic_ns();
	if (wait_ns <= 0)
		return 0;
	wait_ms = MIN((wait_ns + NS_PER_MS - 1) / NS_PER_MS, (int64_t)INT_MAX);
	return limit < 0 ? (int)wait_ms : MIN(limit, (int)wait_ms);
}

static bool fire_timers(struct event_loop *loop)
{
	int64_t now = clock_monotonic_ns();
	bool fired = false;

	while (loop->timers && loop->timers->due_ns <= now) {
		struct event_timer *t = loop->timers;

		loop->timers = t->next;
		t->armed = false;
		t->fired(loop, t);
		fired = true;
	}
	return fired;
}

int event_loop_once(struct event_loop *loop, int timeout_ms, struct error *err)
{
	int n = epoll_wait(loop->epoll_fd, loop->batch, EVENT_BATCH,
			   next_timeout(loop, timeout_ms));

	if (n < 0 && errno != EINTR)
		return error_sys(err, "cannot wait for events");

	loop->batch_len = MAX(n, 0);
	for (loop->batch_at = 0; loop->batch_at < loop->batch_len; loop->batch_at++) {
		struct epoll_event *e = &loop->batch[loop->batch_at];
		struct event_source *source = e->data.ptr;

		if (source) /* NULL: removed by a callback of this round */
			source->ready(loop, source, e->events);
	}
	loop->batch_len = 0;
	if (loop->timers && fire_timers(loop))
		return 1;
	return n > 0;
}

int event_loop_run(struct event_loop *loop, struct error *err)
{
	loop->stopped = false;
	while (!loop->stopped) {
		int r = event_loop_once(loop, -1, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int event_add(struct event_loop *loop, struct event_source *source, int fd, uint32_t events,
	      event_ready_fn ready, struct error *err)
{
	struct epoll_event e = { .events = events, .data.ptr = source };

	source->fd = fd;
	source->events = events;
	source->ready = ready;
	source->added = false;
	if (!events)
		return 0; /* starts paused */
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return error_sys(err, "cannot watch descriptor %d", fd);
	source->added = true;
	return 0;
}

/* A callback may remove a source whose event lies further on in the same batch. */
static void forget_pending(struct event_loop *loop, const struct event_source *source)
{
	for (int i = loop->batch_at + 1; i < loop->batch_len; i++) {
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
	}
}

void event_set(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = source };
	int op = EPOLL_CTL_MOD;

	if (source->events == events && source->added == (events != 0))
		return;
	if (!source->added)
		op = EPOLL_CTL_ADD;
	else if (!events)
		op = EPOLL_CTL_DEL;
	source->events = events;
	if (!events)
		forget_pending(loop, source);
	if (!source->added && !events)
		return;
	if (epoll_ctl(loop->epoll_fd, op, source->fd, &e) < 0)
		abort(); /* a descriptor closed under us: a bug of ours */
	source->added = events != 0;
}

void event_remove(struct event_loop *loop, struct event_source *source)
{
	event_set(loop, source, 0);
	source->fd = -EBADF;
}

void event_timer_set(struct event_loop *loop, struct event_timer *timer, int64_t delay_ms,
		     event_timer_fn fired)
{
	struct event_timer **at = &loop->timers;

	event_timer_cancel(loop, timer);
	timer->due_ns = clock_monotonic_ns() + delay_ms * NS_PER_MS;
	timer->fired = fired;
	timer->armed = true;
	while (*at && (*at)->due_ns <= timer->due_ns)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

void event_timer_cancel(struct event_loop *loop, struct event_timer *timer)
{
	if (!timer->armed)
		return;
	for (struct event_timer **at = &loop->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	timer->armed = false;
}

int event_add_signals(struct event_loop *loop, struct event_source *source, const sigset_t *mask,
		      event_ready_fn ready, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	if (sigprocmask(SIG_BLOCK, mask, NULL) < 0)
		return error_sys(err, "cannot block signals");
	fd = signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_sys(err, "cannot receive signals by descriptor");
	r = event_add(loop, source, fd, EPOLLIN, ready, err);
	if (r < 0)
		return r;
	(void)take_fd(&fd); /* source->fd has it */
	return 0;
}

int event_signal_read(const struct event_source *source)
{
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return 0; /* EAGAIN: none left */
	return (int)info.ssi_signo;
}
