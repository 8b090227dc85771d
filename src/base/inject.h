/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Failures on purpose, in test builds only (meson -Dfail_injection=true):
 *
 *	BERTH_FAIL=<scope>.<step>	the step fails
 *	BERTH_FAIL=<scope>.<step>:kill	the process dies there, as of SIGKILL
 *
 * Scopes: create (the creator), init (the container's init), exec (the child of exec): the steps are
 * the rows of the tables create_steps[], init_steps[], ...: a new row can be made to fail at once.
 * image (the store, its layers, a snapshot): the steps are where inject_failure("image", ...) stands.
 */

#include "base/error.h"

#ifdef BERTH_FAIL_INJECTION
/* 0, or < 0 and *err. Safe in a child that shares its parent's memory. */
int inject_failure(const char *scope, const char *step, struct error *err);
#else
static inline int inject_failure(const char *scope, const char *step, struct error *err)
{
	return 0;
}
#endif
