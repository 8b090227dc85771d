/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Waiting for the end of a container that some process started. */

#include "engine/db.h"
#include "engine/engine.h"

/*
 * Wait until the container of the row does not run, and make the row say so.
 *
 * timeout_ms  -1: for ever
 * Returns     0 and the exit code; 1: time is up
 */
int wait_for_end(struct engine *e, struct record *r, int timeout_ms, int *ret_exit_code,
		 struct error *err);
