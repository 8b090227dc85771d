/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A small level-triggered epoll loop for single-threaded programs: one callback per descriptor,
 * timers, signals. Sources and timers live in the caller's structs (container_of() in the callback
 * finds them again), so the loop allocates nothing. No callback may block.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include "base/error.h"

struct event_loop;
struct event_source;
struct event_timer;

typedef void (*event_ready_fn)(struct event_loop *loop, struct event_source *source,
			       uint32_t events);
typedef void (*event_timer_fn)(struct event_loop *loop, struct event_timer *timer);

/* A watched descriptor. Zero-initialised is "not watched". The descriptor stays the caller's. */
struct event_source {
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT as asked for last; 0 while paused */
	bool added;
	event_ready_fn ready;
};

/* A one-shot timer. Zero-initialised is "not armed". */
struct event_timer {
	int64_t due_ns; /* monotonic */
	bool armed;
	event_timer_fn fired;
	struct event_timer *next;
};

#define EVENT_BATCH 8

struct event_loop {
	int epoll_fd;
	bool stopped;
	struct event_timer *timers; /* by due_ns */
	struct epoll_event batch[EVENT_BATCH];
	int batch_at, batch_len;
};

/* Loop */

int event_loop_init(struct event_loop *loop, struct error *err);
void event_loop_done(struct event_loop *loop);

/* Run callbacks until event_loop_stop(). */
int event_loop_run(struct event_loop *loop, struct error *err);
/* One round: wait at most timeout_ms (-1: for ever), run what is ready. 1: something was; 0: no. */
int event_loop_once(struct event_loop *loop, int timeout_ms, struct error *err);
void event_loop_stop(struct event_loop *loop);

/* Descriptors */

/* Watch fd. -EPERM: a regular file, which epoll cannot watch and which is always ready. */
int event_add(struct event_loop *loop, struct event_source *source, int fd, uint32_t events,
	      event_ready_fn ready, struct error *err);
/*
 * Change what is waited for; 0 pauses. A paused source is taken out of the set, because epoll
 * reports a hang-up nobody asked for. Aborts only on our own bugs, so it returns nothing.
 */
void event_set(struct event_loop *loop, struct event_source *source, uint32_t events);
/* Stop watching; allowed from any callback, also for a source that is ready in the same round, and
 * before its descriptor is closed. Does nothing if it is not watched. */
void event_remove(struct event_loop *loop, struct event_source *source);

/* Timers */

/* (Re)arm: fired is called once, not before delay_ms have passed. */
void event_timer_set(struct event_loop *loop, struct event_timer *timer, int64_t delay_ms,
		     event_timer_fn fired);
void event_timer_cancel(struct event_loop *loop, struct event_timer *timer);

/* Signals */

/*
 * Block the signals of mask in this thread and watch a signalfd for them; ready() reads its
 * descriptor with event_signal_read().
 * Children started with proc_spawn() get an empty mask again.
 */
int event_add_signals(struct event_loop *loop, struct event_source *source, const sigset_t *mask,
		      event_ready_fn ready, struct error *err);
/* The next pending signal number, 0 if none is left. */
int event_signal_read(const struct event_source *source);
