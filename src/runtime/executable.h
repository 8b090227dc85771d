/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Finding argv[0] as execvp(3) would, with errors that say what is wrong before it is too late. */

#include <limits.h>
#include "base/error.h"

/*
 * The path to give to execve for name, as seen by the caller's credentials, root and cwd. A name
 * with a slash is taken as it is; else each directory of path (the value of PATH, may be NULL) is
 * tried. No allocation.
 * Errors   ERROR_CMD_NOT_FOUND, ERROR_CMD_NOT_RUNNABLE with runc's sentences
 */
int executable_find(const char *name, const char *path, char ret_path[PATH_MAX], struct error *err);
