/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What ps prints, as a table. */

#include <sys/types.h>
#include "engine/engine.h"

/*
 * The header and the lines whose PID is one of pids, into top (whose arena is set). The last column
 * takes the rest of its line. text is cut up.
 * Errors   ERROR_INVALID "Couldn't find PID field in ps output"
 */
int ps_text_parse(char *text, const pid_t *pids, size_t n_pids, struct engine_top *top,
		  struct error *err);
