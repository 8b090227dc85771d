/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command that must tidy up when the user ends it: the signals that ask for an end become readable
 * at a file descriptor, and the process dies from them when it is through.
 */

#include <signal.h>
#include "base/error.h"

struct engine;

struct interrupt {
	int fd; /* readable: the user wants it to end */
	sigset_t old;
};

/* Before threads are started. Signals that are ignored stay so. Cannot fail: without a file descriptor
 * (-errno) they end the process at once. */
void interrupt_begin(struct interrupt *i);
/* All is as it was. 0: none came. Else its number, for raise(): a shell shall see what ended us. */
int interrupt_end(struct interrupt *i);

/*
 * All of it: does work, which ends when stop_fd is readable (and never if it is < 0), and dies from
 * the signal that came, after what is left to do in the background was started. Returns what work
 * does.
 */
int interrupt_guard(struct engine *e, int (*work)(void *ctx, int stop_fd, struct error *err),
		    void *ctx, struct error *err);
