/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hooks of config.json: programs run at six moments, the state document on their stdin.
 *
 *	kind             moment                       namespaces      failure
 *	prestart         create, after the mounts     runtime         fails create
 *	createRuntime    the same, after prestart     runtime         fails create
 *	createContainer  the same, before pivot_root  container       fails create
 *	startContainer   start, before the execve     container       fails start
 *	poststart        start, after the execve      runtime         a warning (fails nothing)
 *	poststop         delete                       runtime         a warning (fails nothing)
 */

#include <stddef.h>
#include "base/error.h"
#include "oci/spec.h"

/*
 * Run all hooks of one kind in order. The first that fails, or passes its timeout (it is killed
 * then), ends the row.
 *
 * state     the state document, given on stdin; stdout and stderr are the caller's
 * confine   or NULL: called in the hook's process before its execve; < 0 fails the hook
 * Errors    "hooks.createRuntime[0]: '/bin/x': exit status 1: <last line of its stderr>"
 */
int hooks_run(const struct oci_hooks *hooks, enum oci_hook_kind kind, const char *state,
	      int (*confine)(void *arg, struct error *err), void *confine_arg, struct error *err);

const char *hook_kind_name(enum oci_hook_kind kind);
