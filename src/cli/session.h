/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The user in front of a container: stdio, terminal, signals, detach keys, until it ends or the
 * user leaves. */

#include <stdbool.h>
#include "base/error.h"

struct engine;
struct engine_session;

struct session_options {
	bool in, out, err; /* which streams the user wants */
	bool sig_proxy;
	const char *detach_keys; /* NULL: ctrl-p,ctrl-q */
};

/*
 * Serves the session to its end. A signal that ends the client ends the process, once the terminal is
 * as it was.
 *
 * ret_exit_code   the container's, as docker shows it; 0 if the user detached
 * Errors          ERROR_INVALID detach keys that are none; ERROR_INTERNAL when the user lost patience,
 *                 who pressed ctrl-c three times; -ENOSPC output that does not fit where it goes
 */
int session_serve(struct engine *e, struct engine_session *s, const struct session_options *o,
		  int *ret_exit_code, struct error *err);

/* -t and -i together need a terminal: asked before anything is made. ERROR_INVALID: "the input
 * device is not a TTY". */
int session_check_terminal(bool tty, bool in, struct error *err);

/* Does the session's container have a terminal? */
bool session_has_terminal(struct engine_session *s);

/* The streams as flags of engine_start() and engine_attach(). */
unsigned session_flags(const struct session_options *o);
