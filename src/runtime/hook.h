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
 *	poststart        start, after the execve      runtime         fails start, ends the container
 *	poststop         delete                       runtime         a warning (fails nothing)
 *
 * Those of the runtime namespaces run in the bundle, with the caller's environment unless they name
 * their own; createContainer in the rootfs, with none; startContainer in the container's root, with
 * that of the container's process.
 */

#include <errno.h>
#include <stddef.h>
#include "base/error.h"
#include "oci/spec.h"

/* Where stdout and stderr of hooks go; < 0: to the caller's. */
struct hook_output {
	int out_fd;
	int err_fd;
};
#define HOOK_OUTPUT_CALLER ((struct hook_output){ .out_fd = -EBADF, .err_fd = -EBADF })

/*
 * Opens the files of the annotations run.oci.hooks.stdout and run.oci.hooks.stderr, which are made if
 * they are not there, and appended to. Without hooks, or without these annotations, nothing.
 *
 * Source    crun(1) "EXTENSIONS"
 */
int hook_output_open(const struct oci_spec *spec, struct hook_output *ret_output,
		     struct error *err);
void hook_output_close(struct hook_output *output);
#define cleanup_hook_output __attribute__((cleanup(hook_output_close)))

/* confine: in the hook's process before its execve, < 0 fails the hook; or NULL */
struct hook_how {
	const char *state;		  /* the state document, given on stdin */
	const struct hook_output *output; /* or NULL: the caller's */
	const char *dir;	/* where they run; NULL, or gone by now: where the caller is */
	const char *const *env; /* of a hook that names none, or NULL: the caller's */
	int (*confine)(void *arg, struct error *err);
	void *confine_arg;
};

/*
 * Run all hooks of one kind in order. The first that fails, or passes its timeout (it is killed
 * then), ends the row; but of poststop all are run, and it is only logged (runtime.md "Lifecycle").
 *
 * Errors    "hooks.createRuntime[0]: '/bin/x': exit status 1"
 */
int hooks_run(const struct oci_hooks *hooks, enum oci_hook_kind kind, const struct hook_how *how,
	      struct error *err);
