/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Pseudo terminals of a given devpts instance. Sources: pty(7), devpts, TIOCGPTPEER (4.13). */

#include <stdint.h>
#include "base/error.h"

/*
 * A new pair of the devpts at devpts_path, which is resolved inside root_fd. That it is a devpts is
 * checked before its ptmx is opened; the slave comes by ioctl, not by a name that somebody could
 * have replaced. Both are close-on-exec and not made the controlling terminal.
 * Errors   ERROR_DENIED it is something else; -EXDEV something lies over its ptmx
 */
int pty_open(int root_fd, const char *devpts_path, int *ret_master_fd, int *ret_slave_fd,
	     struct error *err);

/* A line's end goes out as it was written, not as carriage return and newline: for who shows the
 * output on a terminal that adds the return by itself. 0 or -errno. */
int pty_keep_newlines(int fd);

/* Rows and columns; 0 or -errno. */
int pty_set_size(int fd, uint16_t rows, uint16_t columns);

/* New session with slave_fd as its controlling terminal and as 0, 1 and 2. */
int pty_make_controlling(int slave_fd, struct error *err);
