/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Pseudo terminals of a given devpts instance. Sources: pty(7), devpts, TIOCGPTPEER (4.13). */

#include <stdint.h>
#include "base/error.h"

/*
 * A new pair of the devpts that dev_fd/path (a ptmx, opened inside dev_fd as root) belongs to. The
 * slave comes by ioctl, not by a name that somebody could have replaced; that the master is a
 * devpts file is checked. Both are close-on-exec and not made the controlling terminal.
 */
int pty_open(int root_fd, const char *ptmx_path, int *ret_master_fd, int *ret_slave_fd,
	     struct error *err);

/* Rows and columns; 0 or -errno. */
int pty_set_size(int fd, uint16_t rows, uint16_t columns);

/* New session with slave_fd as its controlling terminal and as 0, 1 and 2. */
int pty_make_controlling(int slave_fd, struct error *err);
