/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* process.terminal: a pty of the container's own devpts, its master handed to the caller. */

#include <sys/types.h>
#include "base/error.h"

struct mounter;
struct oci_process;

/*
 * In the child, before pivot_root: make the pair, bind the slave on /dev/console, send the master
 * over console_fd.
 *
 * ret_slave_fd  owned; for tty_adopt()
 */
int tty_create(struct mounter *m, const struct oci_process *process, int console_fd,
	       int *ret_slave_fd, struct error *err);

/* A master to who waits at the console socket. */
int tty_send(int console_fd, int master_fd, struct error *err);

/* Make it the controlling terminal and 0, 1, 2. */
int tty_adopt(int slave_fd, struct error *err);

/* In the parent: connect to a console socket. */
int tty_connect(const char *socket_path, int *ret_fd, struct error *err);

/*
 * Give 0, 1 and 2 to the user of the container, who may want to open /dev/stdout anew. The null
 * device and what cannot be given are left as they are.
 */
void stdio_set_owner(uid_t uid);
