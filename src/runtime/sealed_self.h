/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Our own program file must not be writable from inside a container (CVE-2019-5736): what runs there
 * can get hold of it through /proc/PID/exe, or by naming /proc/self/exe as an interpreter.
 * docs/decisions/0001-sealed-self.md says where this is needed and where not.
 */

#include <stdbool.h>
#include "base/error.h"

/*
 * Execute the own program again through a detached, read-only mount of its file. Returns 0 without
 * doing anything if it runs from a read-only mount already, or the caller may not make one (then he
 * is not root, and neither is his container on the host); else only returns with an error.
 */
int sealed_self_ensure(char *const *argv, struct error *err);

/*
 * For who is about to execute one of our programs: a detached, read-only mount of its file. Executed
 * from there it need not execute itself again.
 *
 * ret_fd   owned, O_PATH, close-on-exec
 * Errors   -EPERM: the caller may not mount
 */
int sealed_self_open(const char *path, int *ret_fd, struct error *err);

/*
 * Can a container whose init is a child of ours, alone in a new pid namespace, not get at our file?
 * True if no code but our own runs when its program is a link to it: if we are linked statically.
 */
bool sealed_self_is_static(void);

/*
 * First thing in main(): are we what a container's init executed by a link to the runtime's file?
 * Then nothing must happen in this process, which others of the container could look into.
 * Returns  0: no; -EACCES: refused
 */
int sealed_self_refuse_inside(struct error *err);
