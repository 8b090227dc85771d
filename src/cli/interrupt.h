/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command that must tidy up when the user ends it: the signals that ask for an end become readable
 * at a file descriptor, and the process dies from them when it is through.
 */

#include "base/error.h"

struct engine;

/*
 * Does work, which ends when stop_fd is readable, and dies from the signal that came, after what is
 * left to do in the background was started. To be called before threads are started; signals that are
 * ignored stay so. stop_fd < 0 (-errno): none could be made, and they end the process at once.
 * Returns what work does.
 */
int interrupt_guard(struct engine *e, int (*work)(void *ctx, int stop_fd, struct error *err),
		    void *ctx, struct error *err);
